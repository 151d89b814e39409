/*
 * How fast things grow, over runs that are apart by whatever the schedule makes of
 * it: a short row of earlier readings with their stamps, kept in the probe's state
 * (JSON). Pure: the state and the present reading come in, rates come out.
 */
#ifndef PROBES_GROWTH_H
#define PROBES_GROWTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../lib/buf.h"
#include "../lib/clock.h"

enum {
	GROWTH_SERIES = 6,  /* things counted at once */
	GROWTH_POINTS = 24, /* readings kept */
	GROWTH_LEAST_MS = 5000,     /* readings closer than this say nothing about a minute */
	GROWTH_MOST_MS = 3600 * 1000 /* an older reading says nothing about now */
};

struct growth_point {
	struct stamp at;
	uint64_t v[GROWTH_SERIES];
};

struct growth {
	struct growth_point p[GROWTH_POINTS]; /* oldest first */
	size_t n;
	uint64_t of; /* what was measured; a state of something else is of no use */
};

/* Reads a state; anything wrong with it, or a state of something else, gives an empty row. */
void growth_load(struct growth *g, const char *state, size_t len, uint64_t of);
bool growth_save(const struct growth *g, struct buf *out);
/* The reading to compare with: the oldest within the window, else the youngest before it. NULL when there is none. */
const struct growth_point *growth_base(const struct growth *g, const struct stamp *now, int64_t window_ms);
/* Growth per minute between two readings that are at least GROWTH_LEAST_MS apart. */
double growth_per_minute(uint64_t then, uint64_t now, int64_t apart_ms);
/* Keeps this reading, unless the last one is too near for the window; forgets the oldest when full. */
void growth_add(struct growth *g, const struct growth_point *now, int64_t window_ms);

#endif
