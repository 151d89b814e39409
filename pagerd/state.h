/*
 * What all modules of pagerd share: the configuration in force, the incidents, and those pagerd makes of its
 * own concerns. Nothing here sends or writes: whatever changes something asks for a turn (pager_soon), and
 * the turn (pager.h) does the rest. Used by every module but the leaves (lines, needs, intake, deadman,
 * store, rules), which know only what they were given.
 */
#ifndef PAGERD_STATE_H
#define PAGERD_STATE_H

#include "lib/config/config.h"
#include "pagerd/rules/incident.h"
#include "pagerd/rules/proof.h"
#include "pagerd/store/store.h"

struct answers;
struct batches;
struct control;
struct deadman;
struct errands;
struct event_base;
struct intake;
struct lines;
struct loop_timer;
struct needs;
struct pacing;
struct prover;
struct snapshot;
struct sources;
struct tests;

enum {
	PAGER_INCIDENTS_MAX = 20000, /* more events stay in the spool, and that is said */
	PAGER_CLOSED_KEPT = 200,
	PAGER_TRIM_MAX = 100,  /* in one turn: a storm that is over must not hold up a page */
	PAGER_BUCKETS = 16384, /* of the index by check */
	PAGER_VIEWS_MAX = 256, /* routes looked at for one page; contacts of one event */
	PAGER_SAVE_MS = 200,   /* writing in one turn before pages get another look */
	PAGER_STORE_RETRY_MS = 5000
};

struct pager {
	struct event_base *base;
	struct config *conf;
	char *conf_path;     /* as given */
	int64_t deadline_ms; /* that a notifier has for one page */
	struct stamp started, reload_at;
	char config_error[1024];
	struct store *store;
	bool store_trouble;
	int64_t store_retry;   /* when the disk is tried again */
	struct incident **inc; /* oldest first */
	size_t ninc;
	struct incident *by_check[PAGER_BUCKETS]; /* chains, newest first */
	bool full;		    /* it was said that there is no room */
	uint64_t last_change;	    /* of our own events */
	struct contact_view *views; /* all contacts */
	size_t nviews;
	struct intake *intake;
	struct lines *lines;
	struct needs *needs;
	struct batches *batches;
	struct pacing *pacing;
	struct deadman *deadman;
	struct control *control;
	struct snapshot *snapshot;
	struct tests *tests;
	struct sources *sources;
	struct errands *errands;
	struct answers *answers;
	struct prover *prover;
	struct proofs proofs;	    /* the prover's; which routes are doubtful */
	struct loop_timer *turn;
	int64_t turn_at; /* when the next turn is asked for; 0: not */
	bool write_owed; /* a page was handed over before all else was written */
	bool changed;	 /* the snapshot is behind */
	bool stopping;
};

/* Asks for a turn, as soon as the loop comes round (ms 0) or at the latest in ms. */
void pager_soon(struct pager *p, int64_t ms);

/* The incident an event belongs to; made when make is true and there is room. */
struct incident *pager_incident(struct pager *p, const char *check, uint64_t opened, bool make);
/* Takes an incident that was read from the disk into the list; it is freed when there is no room. */
void pager_adopt(struct pager *p, struct incident *i);
/* The newest problem of a check that lasts; NULL when there is none. */
struct incident *pager_open_incident(const struct pager *p, const char *check);
/* By id, or by the name of the check; open ones first. */
struct incident *pager_find(const struct pager *p, const char *id_or_check);
void pager_drop(struct pager *p, struct incident *i);
/* Brings contacts and pages of an incident up to date after a change. */
void pager_settle(struct pager *p, struct incident *i, const struct stamp *now);
/* A page has a new outcome or attempt: settles its incident and tells who listens. Settling may forget the page. */
void pager_page_changed(struct pager *p, struct incident *i, unsigned call, const struct stamp *now);
/* The same without asking for the record to be written: a digest's note holds it. */
void pager_page_told(struct pager *p, struct incident *i, unsigned call, const struct stamp *now);
/* The age of the oldest page that no route has tried yet; its check in *check. 0: none. */
int64_t pager_overdue_ms(const struct pager *p, const char **check);

/* pagerd's own concerns, paged to the default contacts: self.NAME. While a problem of the same name lasts,
 * the same text again does nothing. self_over ends it, and does nothing when there is none. */
void pager_self_problem(struct pager *p, const char *check, enum nag_state state, const char *text);
void pager_self_over(struct pager *p, const char *check, const char *text);
/* The same to these contacts; NULL: the default ones. */
void pager_self_problem_to(struct pager *p, const char *check, enum nag_state state, const char *text,
			   char *const *contacts, size_t ncontacts);
void pager_self_over_to(struct pager *p, const char *check, const char *text, char *const *contacts,
			size_t ncontacts);
/* A change number for an event of our own, above all before it. */
uint64_t pager_next_change(struct pager *p);
void pager_self_notice(struct pager *p, const char *check, uint64_t change, const char *text);

#endif
