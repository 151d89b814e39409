/*
 * All that comes in to the pager on its own account: events from the spool, what notifiers say, what the
 * heartbeat shows. Each becomes a change of an incident or of a page, and asks for a turn. Made and freed by
 * pagerd.c.
 */
#ifndef PAGERD_INPUTS_H
#define PAGERD_INPUTS_H

#include "state.h"

/* Makes p->lines, needs, intake and deadman, none of which knows the pager: they call back into here. False
 * with a reason. No line runs and no event is read yet. */
bool inputs_new(struct pager *p, char *why, size_t size);

#endif
