/*
 * How fast things grow, over runs that are apart by whatever the schedule makes of
 * it: a short row of earlier readings with their stamps, kept in the probe's state
 * (JSON). Pure: the state and the present reading come in, rates come out.
 */
#ifndef PROBES_QUEUE_GROWTH_H
#define PROBES_QUEUE_GROWTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buf.h"
#include "lib/clock.h"

enum {
	QUEUE_GROWTH_SERIES = 16,	   /* things counted at once */
	QUEUE_GROWTH_POINTS = 24,	   /* readings kept */
	QUEUE_GROWTH_LEAST_MS = 5000,	   /* readings closer than this say nothing about a minute */
	QUEUE_GROWTH_MOST_MS = 3600 * 1000 /* an older reading says nothing about now */
};

struct queue_growth_point {
	struct stamp at;
	uint64_t v[QUEUE_GROWTH_SERIES];
};

struct queue_growth {
	struct queue_growth_point p[QUEUE_GROWTH_POINTS]; /* oldest first */
	size_t n;
	uint64_t of; /* what was measured; a state of something else is of no use */
};

/* Reads a state; anything wrong with it, or a state of something else, gives an empty row. */
void queue_growth_load(struct queue_growth *g, const char *state, size_t len, uint64_t of);
bool queue_growth_save(const struct queue_growth *g, struct buf *out);
/* The reading to compare with: the oldest within the window, else the youngest before it. NULL when there is
 * none. */
const struct queue_growth_point *queue_growth_base(const struct queue_growth *g, const struct stamp *now,
						   int64_t window_ms);
/* Growth per minute between two readings that are at least QUEUE_GROWTH_LEAST_MS apart. */
double queue_growth_per_minute(uint64_t then, uint64_t now, int64_t apart_ms);
/* Keeps this reading, unless the last one is too near for the window; forgets the oldest when full. */
void queue_growth_add(struct queue_growth *g, const struct queue_growth_point *now, int64_t window_ms);

#endif
