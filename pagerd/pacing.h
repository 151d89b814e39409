/*
 * What was sent of late: to each contact (its pace) and over each route (its budget). Remembered while pagerd
 * runs: after a restart both begin anew. Used by dispatch.c and outcome.c; the rules are in rules/pace.h.
 */
#ifndef PAGERD_PACING_H
#define PAGERD_PACING_H

#include "pagerd/rules/pace.h"

enum { PACING_MAX = 4096 }; /* contacts, and routes; at the maximum all begin anew */

struct pacing;

struct pacing *pacing_new(void);
void pacing_free(struct pacing *x);
/* PACE_CLASSES of them; NULL when memory is out. Valid until the next call. */
struct pace *pacing_of(struct pacing *x, const char *contact);
/* Valid until the next call; NULL when memory is out. */
struct purse *pacing_purse(struct pacing *x, const char *line, const char *to);

#endif
