/*
 * The supervisor's second: once a second everything that depends on time is looked at (deadlines, staleness,
 * downtimes, pagerd, what waits for a disk). Also the beginning and the end of all timers.
 */
#ifndef MONITORD_TICK_H
#define MONITORD_TICK_H

#include "super.h"

/* No result for so many intervals and one time limit: stale. */
enum { TICK_STALE_INTERVALS = 3 };

void tick_start(struct super *s);
/* Ends the probers; waits a few seconds for what is on its way to the disks. */
void tick_stop(struct super *s);

#endif
