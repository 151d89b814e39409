/*
 * Counts names and keeps the most frequent ones in bounded memory (Space-Saving): with room for k names,
 * whatever has more than 1/k of all counts is sure to be in, and a count is short by at most top_short(),
 * which is at most 1/k of all, and never too high. As long as no more than k names came, every count is
 * exact. Used by the probes queue and log.
 */
#ifndef PROBES_QUEUE_TOP_H
#define PROBES_QUEUE_TOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct top;

struct top_item {
	const char *name; /* owned by the top */
	uint64_t count;
};

/* room: at least 1 */
struct top *top_new(size_t room); /* NULL when memory is out */
void top_free(struct top *t);
/* Counts one; a name that no memory was left for counts as one that came and went. */
void top_add(struct top *t, const char *name);
/* Counts so many; name need not end with NUL. */
void top_add_times(struct top *t, const char *name, size_t len, uint64_t times);
uint64_t top_total(const struct top *t); /* all that were counted */
uint64_t top_short(const struct top *t); /* no count is short by more than this */
size_t top_names(const struct top *t);	 /* different names kept now */
/* The most frequent at most n, the largest first, equal ones by name; how many. */
size_t top_best(const struct top *t, struct top_item *out, size_t n);

#endif
