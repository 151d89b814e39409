/* Ladders; see ladder.h. Called by who.c, pagerd (escalation.c) and monitorctl explain. */
#include "ladder.h"

#include <stdlib.h>

/* How long the step lasts; INT64_MAX: nothing follows it. */
static int64_t lasts(const struct ladder *l, unsigned step)
{
	if (step + 1 < l->nsteps)
		return l->steps[step + 1].after_ms;
	return l->again_ms ? l->again_ms : INT64_MAX;
}

bool ladder_advance(const struct ladder *l, struct rung *at, int64_t age_ms, int64_t *left_ms)
{
	bool begins = false;
	if (at->step >= l->nsteps) /* a ladder that was shortened meanwhile */
		at->step = (unsigned)l->nsteps - 1;
	if (age_ms >= lasts(l, at->step)) {
		begins = true;
		age_ms = 0;
		if (++at->step >= l->nsteps) {
			at->step = 0;
			at->round++;
		}
	}
	int64_t all = lasts(l, at->step);
	*left_ms = all == INT64_MAX ? all : all - age_ms;
	return begins;
}

size_t ladder_begun(const struct ladder *l, const struct rung *at)
{
	return at->round || at->step >= l->nsteps ? l->nsteps : at->step + 1;
}

void ladder_fini(struct ladder *l)
{
	for (size_t i = 0; i < l->nsteps; i++)
		free(l->steps[i].who);
	free(l->steps);
}
