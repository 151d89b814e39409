/*
 * Events become incidents: which incident an event is of, whom it concerns, whether it may be said at all.
 * Called for each event the spool has, as often as its file is still there.
 */
#ifndef PAGERD_ARRIVALS_H
#define PAGERD_ARRIVALS_H

#include "intake.h"

struct pager;

enum intake_answer arrivals_take(struct pager *p, const struct event *e);

#endif
