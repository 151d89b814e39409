/*
 * The judge: from results to what is true, and from what is true to what must be said. Pure:
 * functions of (state, input, now); no I/O, no clock. doc/judge.md has the tables, cell by cell.
 *
 * It works in two steps. judge_result (or judge_stale) takes what a run found and moves the confirmed
 * ("hard") state. judge_settle then compares the confirmed state with what was last said, under the
 * circumstances of the moment (downtime, a parent that is down), and asks for at most one event. Because
 * the second step looks at levels and not at edges, nothing is lost when the program dies between
 * them: settling again after a restart says what is still unsaid.
 */
#ifndef MONITORD_RULES_JUDGE_H
#define MONITORD_RULES_JUDGE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/clock.h"
#include "lib/contract/event.h"
#include "lib/contract/result.h"

/* Runs in a row that measured nothing before that itself is a problem; never fewer than max_check_attempts.
 */
enum { JUDGE_UNMEASURED_MIN = 3 };

struct judge {
	/* what the last run found */
	bool ever; /* there was one */
	enum nag_state state;
	bool measured;
	bool stale;	/* no result came for too long; ends with the next result */
	int attempt;	/* measured problems in a row, at most max_check_attempts */
	int unmeasured; /* runs in a row that measured nothing, at most judge_unmeasured_max() */
	/* what is confirmed: OK until a problem is */
	enum nag_state hard;
	bool hard_measured;
	struct stamp since; /* a problem (even a soft one): when it was first seen; OK: since when */
	/* what was said */
	uint64_t change; /* of the last event */
	uint64_t opened; /* change number of the event that opened the problem */
	bool said;	 /* a problem was said and its recovery not yet */
	enum nag_state said_state;
	bool said_measured;
	bool said_suppressed; /* the last event of the problem was not for paging */
	bool paged;	      /* some event of this problem was */
	bool flap_said;	      /* that it flaps was said: until that ends the problem stays open */
};

enum judge_step {
	JUDGE_SAME, /* nothing people would call a change */
	JUDGE_SOFT, /* the last result's state changed, not confirmed */
	JUDGE_HARD  /* the confirmed state changed */
};

/* The circumstances. mute: why a problem must not page now, NULL when it may. downtime: the reason is a
 * downtime (people who were paged already are then told to expect nothing). hold: wait with saying anything
 * new about a problem, because a parent's state, or this check's own after a parent came back, is still being
 * found out. flapping: its changes are to be recorded only, once that was said; flap_state: what it then is, when it is just OK. open_as: the number that a new problem opens with (another ops host
 * has opened it); 0: its own. */
struct judge_env {
	const char *mute;
	bool downtime;
	bool hold;
	bool flapping;
	enum nag_state flap_state;
	uint64_t open_as;
};

/* What to say. */
struct judge_say {
	enum event_kind kind;
	enum nag_state state, previous;
	bool measured;
	bool suppressed;
	enum event_flapping flapping;
	uint64_t change, opened;
	struct stamp since; /* of the problem, also in its recovery */
};

void judge_init(struct judge *j, uint64_t change, const struct stamp *now);
int judge_unmeasured_max(int max_attempts);
/* One run's finding. measured false: state is not looked at. */
enum judge_step judge_result(struct judge *j, int max_attempts, enum nag_state state, bool measured,
			     const struct stamp *now);
/* No result came for too long: UNKNOWN at once, whatever the attempts. */
enum judge_step judge_stale(struct judge *j, int max_attempts, const struct stamp *now);
/* True when an event must be written; j is then already as if it was. To be asked again then: what flapping kept back is
 * told in two events. */
bool judge_settle(struct judge *j, const struct judge_env *env, const struct stamp *now,
		  struct judge_say *say);
/* The check is no longer in the configuration: whatever was said of it is taken back. */
bool judge_removed(struct judge *j, const struct stamp *now, struct judge_say *say);

/* A confirmed problem. */
bool judge_problem(const struct judge *j);
/* The last result is also the confirmed one. */
bool judge_is_hard(const struct judge *j);
/* Between two states: the retry interval applies. */
bool judge_retrying(const struct judge *j, int max_attempts);
/* Seen from its children: does not answer. Counts from the first CRITICAL on, so that a child that is
 * found broken while its parent is still being confirmed waits for the parent's verdict. */
bool judge_down(const struct judge *j);

#endif
