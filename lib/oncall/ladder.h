/*
 * An escalation ladder: who is told in which order while nobody acknowledges. Pure.
 */
#ifndef LIB_ONCALL_LADDER_H
#define LIB_ONCALL_LADDER_H

#include "rota.h"

enum { LADDER_STEPS_MAX = 16 };

struct ladder_step {
	int64_t after_ms; /* since the step before began; of the first: 0 */
	struct who_ref *who;
	size_t nwho;
	bool all; /* everybody of every step */
};

struct ladder {
	struct ladder_step *steps;
	size_t nsteps;
	int64_t again_ms; /* after the last step, from the first on; 0: no more */
};

/* How far an incident has come on a ladder. */
struct rung {
	unsigned step, round;
};

/* Moves on when the step's time is over. age_ms: since it began. True: another step began, just now.
 * *left_ms: until the next one is due, INT64_MAX when none is. */
bool ladder_advance(const struct ladder *l, struct rung *at, int64_t age_ms, int64_t *left_ms);
/* Steps whose people are to know: those that began, in the first round; later all. */
size_t ladder_begun(const struct ladder *l, const struct rung *at);
void ladder_fini(struct ladder *l);

#endif
