/*
 * Which page goes next on which line. Called by the turn; what it hands to a line is durable before
 * the first byte leaves.
 */
#ifndef PAGERD_DISPATCH_H
#define PAGERD_DISPATCH_H

#include "state.h"

/* Gives idle lines their next pages; returns when to look again. */
int64_t dispatch(struct pager *p, const struct stamp *now);

#endif
