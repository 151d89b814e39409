/*
 * What would happen if a check broke then and nobody acknowledged: who is told when, and why. By the
 * functions that pagerd pages by (who.h, ladder.h, quiet.h). Pure; for monitorctl explain.
 */
#ifndef LIB_ONCALL_PLAN_H
#define LIB_ONCALL_PLAN_H

#include "who.h"

enum { PLAN_MAX = 128 };

struct plan_page {
	int64_t at_s;	      /* UTC: when it is made */
	int64_t held_until_s; /* 0: it leaves at once */
	bool again;	      /* told before */
	bool handover;	      /* by coming on duty, not by a step */
	struct who_one how;
};

struct plan {
	struct plan_page v[PLAN_MAX];
	size_t n;
	int64_t
	    round_s; /* all ladders begin again, which is not followed; 0: not within the time looked at */
};

void plan_make(const struct config *conf, char *const *names, size_t n, enum nag_state state, int64_t from_s,
	       int64_t length_s, struct plan *out);
/* The first page to this contact; NULL: none. */
const struct plan_page *plan_first(const struct plan *p, size_t contact);

#endif
