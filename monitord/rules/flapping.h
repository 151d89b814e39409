/*
 * Flapping, as Nagios counts it (base/flapping.c there): of the last 21 states that counted, how many differ
 * from the one before, the newest change weighing 1.25 and the oldest 0.75, in percent of twenty changes. At
 * the high threshold or above a check flaps, at the low one or below it does not; between them it goes on as
 * it was. What counts is each result that is confirmed (hard) and each recovery of what was not: a soft
 * failure does not. Pure.
 */
#ifndef MONITORD_RULES_FLAPPING_H
#define MONITORD_RULES_FLAPPING_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/contract/result.h"

enum { FLAPPING_SAMPLES = 21 };

struct flapping {
	unsigned char states[FLAPPING_SAMPLES]; /* enum nag_state, oldest first; all OK at the start */
	bool on;
};

/* What it counts with. high 0: never flaps. */
struct flapping_limits {
	int low, high; /* percent */
};

/* Another state that counts. True when the check begins or ceases to flap. */
bool flapping_sample(struct flapping *f, enum nag_state state, const struct flapping_limits *limits);
double flapping_percent(const struct flapping *f);
/* The worst state of the samples, OK left aside; UNKNOWN when all are OK. */
enum nag_state flapping_worst(const struct flapping *f);
/* Twenty-one digits, for the record; out has room for FLAPPING_SAMPLES + 1. */
char *flapping_text(const struct flapping *f, char *out, size_t size);
/* False: not such a text; f is as it was. */
bool flapping_from_text(struct flapping *f, const char *text);

#endif
