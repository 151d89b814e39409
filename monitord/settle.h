/*
 * Between the judge and what is said: under which circumstances (downtime, parents, a prober that is down)
 * a check's problem stands, whether it must wait for the truth about a parent, and then having it said.
 */
#ifndef MONITORD_SETTLE_H
#define MONITORD_SETTLE_H

#include "super.h"

/* A problem waits so much longer than the time limit of the run it waits for. */
enum { SETTLE_PATIENCE_MS = 15000 };

void settle_check(struct super *s, struct check *c);
void settle_all(struct super *s);

#endif
