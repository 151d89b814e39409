/*
 * Counts names and keeps the most frequent ones in bounded memory (Misra and Gries): with room for k
 * names, whatever has more than 1/(k+1) of all counts is sure to be in, and a count is short by at most
 * top_short(). As long as no more than k names came, every count is exact.
 */
#ifndef PROBES_TOP_H
#define PROBES_TOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct top;

struct top_item {
	const char *name; /* owned by the top */
	uint64_t count;
};

struct top *top_new(size_t room); /* NULL when memory is out */
void top_free(struct top *t);
/* Counts one; a name that no memory was left for counts as one that came and went. */
void top_add(struct top *t, const char *name);
uint64_t top_total(const struct top *t); /* all that were counted */
uint64_t top_short(const struct top *t); /* no count is short by more than this */
size_t top_names(const struct top *t);	 /* different names kept now */
/* The most frequent at most n, the largest first, equal ones by name; how many. */
size_t top_best(const struct top *t, struct top_item *out, size_t n);

#endif
