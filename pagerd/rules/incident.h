/*
 * One incident: a problem of one check from its opening event to its recovery, who was
 * told of it, and the pages that are on their way. One state x input table decides
 * (doc/paging.md shows it); this header and route.h are all of pagerd's policy.
 *
 * Pure: no I/O, no clock, no globals. Functions of (incident, input, now).
 */
#ifndef PAGERD_RULES_INCIDENT_H
#define PAGERD_RULES_INCIDENT_H

#include "lib/oncall/who.h"
#include "route.h"

enum {
	INC_TARGETS_MAX = 64,
	INC_CONTACTS_MAX = 64,	/* of one incident; more are cut, which is logged by who asks */
	INC_CALLS_KEPT = 48,	/* pages of one incident; the oldest that are done are forgotten first */
	INC_CHANGES_KEPT = 128, /* change numbers remembered; older ones count as seen */
	INC_COMMENT_MAX = 256
};

enum inc_phase {
	INC_NONE,      /* nothing was recorded yet */
	INC_QUIET,     /* a problem, every event of it suppressed: nobody was told */
	INC_OPEN,      /* somebody must act ("new") */
	INC_ACKED,     /* somebody does */
	INC_RECOVERED, /* over */
	INC_NOTICE     /* something to tell once */
};

enum inc_input {
	IN_PROBLEM, /* newer than all that is recorded */
	IN_PROBLEM_SUPPRESSED,
	IN_PROBLEM_LATE, /* older than what is recorded (it was held up on its way) */
	IN_RECOVERY,
	IN_RECOVERY_SUPPRESSED,
	IN_RECOVERY_LATE,
	IN_NOTICE,
	IN_NOTICE_SUPPRESSED,
	IN_ACK,
	IN_REPEAT /* time may have come to page again */
};

/* What the table says to do; the long names are in incident.c. */
enum inc_do {
	DO_RECORD,
	DO_PROBLEM,
	DO_ACKED_PROBLEM,
	DO_QUIET,
	DO_HUSH,
	DO_CLOSE,
	DO_CLOSE_HUSHED,
	DO_CLOSE_SILENT,
	DO_LATE_PROBLEM,
	DO_NOTICE,
	DO_ACK,
	DO_ACK_NOTICE,
	DO_REPEAT,
	DO_REFUSE,
	DO_NOTHING
};

enum told { TOLD_NO, TOLD_MAYBE, TOLD_YES };

/* One person and what they know. */
struct inc_contact {
	char name[EVENT_NAME_MAX];
	enum told told;		    /* of the problem, by a page that was sent (or may have been) */
	bool paged;		    /* a problem page was made */
	enum nag_state paged_state; /* the state the last one spoke of */
	bool excused;		    /* the incident was acknowledged before a page reached them */
	bool closed;		    /* a recovery page was made */
	enum nag_state reached;	    /* the worst that a page told them, or may have */
	bool away;		    /* off duty since: no repeats, unless told otherwise */
	struct stamp last_sent;	    /* when the last problem page reached them */
	char code[8];		    /* what they must answer to acknowledge; "": none was made */
	char used_code[8];	    /* the one they did it with */
};

struct incident {
	char id[8];
	char check[EVENT_NAME_MAX], host[EVENT_NAME_MAX];
	char source[EVENT_SOURCE_MAX]; /* whose it is; "": monitord's */
	uint64_t opened;
	enum inc_phase phase;
	enum nag_state state; /* OK once recovered */
	enum nag_state worst; /* of the last problem state that was known */
	enum nag_state acked_state;
	bool measured, suppressed;
	bool hushed; /* its recovery was suppressed */
	char layer[24], why_suppressed[160];
	char parent[EVENT_NAME_MAX]; /* the down check that it is suppressed for; "" */
	char *text, *more;  /* of the latest event */
	char *problem_text; /* of the latest problem event */
	char *text_ja, *problem_ja; /* both for who reads Japanese; NULL: there are no others */
	struct stamp since, opened_at, changed_at, closed_at;
	struct stamp acked_at; /* when somebody acknowledged it */
	char by[EVENT_NAME_MAX], comment[INC_COMMENT_MAX];
	uint64_t changes[INC_CHANGES_KEPT]; /* ascending */
	size_t nchanges;
	struct target *targets; /* whom it concerns, as the checks name them; none in a test page */
	size_t ntargets;
	struct inc_contact *contacts;
	size_t ncontacts;
	struct call **calls; /* oldest first */
	size_t ncalls;
	unsigned last_call;
	unsigned episode; /* pages up to this number belong to an earlier opening of this incident */
	uint64_t rev;	  /* grows with each write */
	/* not persisted, the owner's */
	bool dirty;	 /* changed since it was last written, wherever that was */
	bool owed;	 /* the disk lacks what the twin (or only memory) has */
	bool ephemeral;	 /* a test page: never written */
	int64_t seen_ms; /* when an event of it was last seen in the spool */
	int64_t look_ms; /* who must know is looked at again then */
	struct incident *next; /* in the index by check, newest first */
};

/* How a contact wants to be paged. */
struct contact_view {
	const char *name;
	int64_t repeat_ms;
	bool recovery;
	bool follows; /* a siren: whoever else is told, it hears of acknowledgement and recovery */
	bool forget_held; /* what quiet hours held and is over is not told */
	bool ja;	  /* reads Japanese */
	bool bystander;	  /* told before, and not concerned by what comes now (off duty): only for how they want to be paged */
};

/* What the event will make the incident do, before it is applied. */
enum inc_do incident_will(const struct incident *i, const struct event *e);
/* The table itself, for tests and doc/paging.md. */
enum inc_do incident_cell(enum inc_phase phase, enum inc_input input);

struct incident *incident_new(const char *check, uint64_t opened);
/* Tells two incidents of the same id apart: from check and opened. */
uint64_t incident_tag(const struct incident *i);
void incident_free(struct incident *i);
const char *inc_phase_name(enum inc_phase p);
bool inc_phase_from_name(const char *s, enum inc_phase *p);

/* True when the event with this change number was applied before. */
bool incident_has(const struct incident *i, uint64_t change);
/* Applies an event of this incident and makes the pages it asks for. who: the contacts the event concerns; of an
 * acknowledgement: all that are configured.
 * False: it was applied before, nothing changed. */
bool incident_event(struct incident *i, const struct event *e, const struct contact_view *who, size_t nwho,
		    const struct stamp *now);
/* Acknowledges. who: all contacts that are configured. False and why: there is nothing to acknowledge. */
bool incident_ack(struct incident *i, const char *by, const char *comment, const struct contact_view *who,
		  size_t nwho, const struct stamp *now, char *why, size_t size);
/* Makes the repeat pages that are due; returns the time until the next one, INT64_MAX when none will be. */
int64_t incident_repeat(struct incident *i, const struct contact_view *who, size_t nwho,
			const struct stamp *now);
/* To be called after any call's phase or doubt changed: brings `told` up to date and, in a recovered
 * incident, replaces pages that were overtaken. */
void incident_settle(struct incident *i, const struct contact_view *who, size_t nwho,
		     const struct stamp *now);
/* Makes one page that no event asked for (a test). */
struct call *incident_call(struct incident *i, const char *contact, enum page_kind kind, const char *text,
			   const struct stamp *now);
struct call *incident_find_call(const struct incident *i, unsigned n);
/* Neither a problem that lasts nor a page that is not done. */
bool incident_is_over(const struct incident *i);
/* INC_QUIET, INC_OPEN or INC_ACKED. */
bool incident_is_problem(const struct incident *i);

#endif
