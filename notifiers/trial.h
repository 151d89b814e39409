/*
 * When a line is tried between its pages: so often, counted from its last use.
 */
#ifndef NOTIFIERS_TRIAL_H
#define NOTIFIERS_TRIAL_H

#include <stdbool.h>
#include <stdint.h>

struct trial {
	int64_t every_ms; /* 0: never */
	int64_t next;     /* CLOCK_BOOTTIME, ms; 0: at once */
};

/* The line was used or tried just now. */
void trial_done(struct trial *t);
bool trial_due(const struct trial *t);
/* CLOCK_BOOTTIME, ms; INT64_MAX: never. */
int64_t trial_next(const struct trial *t);
/* What notifier.fd says in *wait_ms for a time of CLOCK_BOOTTIME: from 0 to an hour. */
int trial_wait_ms(int64_t next);

#endif
