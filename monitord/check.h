/*
 * One running check: what is configured, what the judge knows, what the last run left, what is still to
 * be said. And the table of all of them. The built-in checks (self, self.*) stand in the same table;
 * they have no configuration and no runs, but are judged, said and shown like the others.
 */
#ifndef MONITORD_CHECK_H
#define MONITORD_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/clock.h"
#include "lib/config/config.h"
#include "lib/contract/event.h"
#include "lib/contract/result.h"
#include "monitord/rules/downtime.h"
#include "monitord/rules/flapping.h"
#include "monitord/rules/judge.h"
#include "monitord/rules/recurring.h"
#include "monitord/rules/sched.h"
#include "monitord/rules/standin.h"

struct cJSON;
struct control_client;
struct run;

/* CHECK_PASSIVE: results come from outside, it has no runs. */
enum check_kind { CHECK_NET, CHECK_LOCAL, CHECK_PASSIVE, CHECK_SELF };

/* An event on its way to the spool: kept, and kept in the check's state on disk, until it is there. */
struct outgoing {
	struct outgoing *next;
	struct event event;
	uint64_t ticket;  /* the write of the state that holds it */
	int64_t since_ms; /* waiting since */
	bool handed;	  /* the spool writer has it */
	bool twin;	  /* it is in the spool's twin only, which a reboot empties */
};
/* At most so many of one check are kept for the case of a crash; older ones are with the spool writer only.
 */
enum { OUTGOING_MAX = 16 };

/* Somebody waits: for the result of a run, or for the state to be on disk. */
struct waiter {
	struct waiter *next;
	struct control_client *client;
	int64_t after_ms; /* a run that started at or after this; 0: not for a run */
	uint64_t ticket;  /* or a write; 0: not for one */
	int64_t until_ms; /* not longer than that */
};

/* A check that another depends on; see rules/depends.h. */
struct depend {
	struct check *on;
	unsigned when; /* bits 1 << enum nag_state */
	bool notification, execution;
};

struct check {
	char name[EVENT_NAME_MAX];
	enum check_kind kind;
	const struct conf_check *conf; /* NULL: built-in */
	const char *host;	       /* of conf, or "" */
	char on[EVENT_NAME_MAX];       /* the remote that runs it; "": this host does */
	int max;		       /* max_check_attempts */
	struct check **parents;	       /* of the table; "self" is below_self instead */
	size_t nparents;
	bool below_self;
	struct check *remote;	       /* of the connection that it is run over; NULL: it is run here */
	struct depend *depends;
	size_t ndepends;
	bool explains; /* others may be explained by it: parents, self, self.prober */

	struct judge judge;
	struct flapping flapping;
	struct downtime downtime;
	uint64_t recurs;	    /* which of the recurring ones may be its, by bit */
	struct downtime recurring;  /* the one that holds now, or empty */
	int64_t recurred_ms;	    /* wall: when one of them was set off last */
	struct sched_slot slot;
	struct run *run; /* in flight; NULL: none */
	bool resting;	 /* its time (`when`) was over since its last run: what is known is old */
	int deaths;	 /* probers that died during its last runs, in a row */
	int kills;	 /* probers that died of this check's runs, since one that did not */
	bool quarantined; /* not run because of that */
	struct stamp quarantined_at; /* since when */
	int stuck;	 /* last runs in a row that stayed blocked in the kernel past their deadline */

	/* the last result */
	bool has_run;
	struct stamp last_run; /* its start */
	double run_ms;
	int64_t fresh_ms; /* boot ms: when we last knew that things move; staleness counts from here */
	char *text, *more, *perf; /* perf: a JSON array as text; each may be NULL */
	char layer[24];
	struct cJSON *facts; /* of the last result; NULL: none */
	struct usual *usual; /* what was in them on other days (rules/usual.h); NULL: nothing of the kind */
	/* the incident its problem was told as; NULL: not recognised, or no problem */
	char *named, *named_ja;
	char named_as[64];   /* its row */
	int named_rank;	     /* and that one's rank */
	unsigned named_late; /* how often a name was found after the problem was said */
	char *blob; /* the probe's state; NULL: none */

	/* waiting for the truth about parents (see parents.h) */
	int64_t
	    turned_ms; /* boot ms: since when its results are what they are; 0: since before this process */
	bool was_blocked;
	int64_t verify_ms;     /* wait for a run of its own that began at or after; 0: no */
	int64_t hold_until_ms; /* but not longer than until; 0: not waiting */
	/* the other ops host, of a shared check (see peers/opspeer.h) */
	struct {
		enum standin_claim claim;
		uint64_t opened;    /* of the problem it pages */
		int64_t heard_ms;   /* boot ms; 0: never */
		char why[120];	    /* of CLAIM_QUIET */
		int64_t waiting_ms; /* we hold a problem back for its word since; 0: not */
		bool takes;	    /* and are about to page it: the other is told so before */
		bool mutes;	    /* mute is because of it */
		uint64_t told;	    /* what it was told last, as a hash */
	} peer;
	char mute[160]; /* why it may not page now; "" when it may */
	char below[EVENT_NAME_MAX]; /* the down check that mutes it; "" */

	/* on disk (see state.h) */
	uint64_t ticket;     /* the newest write asked for */
	uint64_t generation; /* grows with each write: tells the newer of state and twin */
	bool dirty;	     /* to be written at leisure */
	struct outgoing *out, **out_last;
	size_t nout;
	struct waiter *waiters;
};

struct checks {
	struct check **v; /* by name, in byte order */
	size_t n;
	struct sched_slot **slots; /* of those that run, in the same order */
	size_t nslots;
	struct check *self; /* own link and gateway */
	struct recurring *recurring; /* as in the configuration */
	size_t nrecurring;
	struct checks_host *hosts;
	size_t nhosts;
};

struct check *check_new(const char *name, enum check_kind kind);
void check_free(struct check *c);
struct check *check_of_slot(struct sched_slot *s);
/* Replaces the last result. text and more are copied; perf is taken over. */
void check_set_result(struct check *c, const char *layer, const char *text, const char *more, char *perf);
/* What people see: "OK" ... , or "UNKNOWN" while nothing ran yet. */
enum nag_state check_state(const struct check *c);
bool check_waiter_add(struct check *c, const struct waiter *w);
/* The object of the contract's snapshot ("checks":[...]). */
struct cJSON *check_to_json(const struct check *c, const struct stamp *now);

struct check *checks_find(const struct checks *t, const char *name);
/* A table for conf. Checks of old that are still wanted are taken over (old keeps the others, to be buried by
 * the caller, and is otherwise empty); new ones are told to fresh() before their first due time is set. old
 * may be NULL. False: out of memory, nothing happened. */
bool checks_build(struct checks *t, struct checks *old, const struct config *conf,
		  void (*fresh)(void *arg, struct check *c), void *arg);
void checks_fini(struct checks *t);

#endif
