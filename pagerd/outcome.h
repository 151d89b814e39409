/*
 * What became of one attempt, told to its page: also when the line confirms nothing and the contact wants it
 * confirmed. Used by inputs.c (pages of their own), batch.c (digests) and dispatch.c.
 */
#ifndef PAGERD_OUTCOME_H
#define PAGERD_OUTCOME_H

#include "state.h"

/* False when the page has no such attempt (any more) or nothing changed. The caller settles the incident. */
bool outcome_apply(struct pager *p, struct call *c, unsigned attempt, const char *line, enum outcome o,
		   const char *detail, const struct stamp *now);
/* The line cannot know that anybody got what it sent. */
bool outcome_is_weak(struct pager *p, const char *line, const struct stamp *now);
/* A message left, or may have: it counts against the route's budget. */
void outcome_spend(struct pager *p, const char *line, const char *to, enum outcome o,
		   const struct stamp *now);

#endif
