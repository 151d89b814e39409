/*
 * What is usual for an origin: an average of its rate over a long time, kept in the probe's state (JSON) for
 * the busiest HABITS_MAX. A flood does not make itself usual: what is learnt of a run is at most what would
 * not have alerted. Pure.
 */
#ifndef PROBES_RATE_HABIT_H
#define PROBES_RATE_HABIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buf.h"
#include "lib/clock.h"

enum { HABITS_MAX = 200, HABIT_NAME_MAX = 104 };

struct habit_one {
	char name[HABIT_NAME_MAX]; /* "client 192.0.2.7" */
	double rate;		   /* a minute */
	bool seen;		   /* in this run */
};

struct habits {
	struct stamp since, at; /* the first run and the last one */
	bool known;
	struct habit_one v[HABITS_MAX];
	size_t n;
};

/* The first line of the state. One that makes no sense is an empty one. */
void habit_load(struct habits *u, const char *state, size_t len);
bool habit_save(const struct habits *u, struct buf *out);
/* 0 for who was never seen. */
double habit_of(const struct habits *u, const char *name);
/* Learns one rate; after all of them habit_end lets those not seen fall. weight: of this run, 0 to 1. */
void habit_learn(struct habits *u, const char *name, double rate, double weight);
void habit_end(struct habits *u, double weight);
/* How much a run after age_ms counts when the memory is window_ms long. */
double habit_weight(int64_t age_ms, int64_t window_ms);

#endif
