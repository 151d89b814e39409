/*
 * So many within a span of time: what a source of events may have paged. Pure; times are CLOCK_BOOTTIME
 * milliseconds.
 */
#ifndef PAGERD_RULES_BUDGET_H
#define PAGERD_RULES_BUDGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BUDGET_MAX = 1000 };

struct budget {
	int64_t spent[BUDGET_MAX]; /* when, a ring; the newest before at */
	size_t at, n;
	unsigned folded; /* refused since it was last within */
	int64_t last_folded;
};

/* Spends one when fewer than limit were spent within span_ms. False: it is over, and this one is counted as
 * folded. */
bool budget_spend(struct budget *b, int64_t limit, int64_t span_ms, int64_t now);
/* Something was folded and nothing more for the length of a span. */
bool budget_is_over(const struct budget *b, int64_t span_ms, int64_t now);

#endif
