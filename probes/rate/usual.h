/*
 * What is usual for an origin: an average of its rate over a long time, kept in the probe's state (JSON) for
 * the busiest USUAL_MAX. A flood does not make itself usual: what is learnt of a run is at most what would
 * not have alerted. Pure.
 */
#ifndef PROBES_RATE_USUAL_H
#define PROBES_RATE_USUAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buf.h"
#include "lib/clock.h"

enum { USUAL_MAX = 200, USUAL_NAME_MAX = 104 };

struct usual_one {
	char name[USUAL_NAME_MAX]; /* "client 192.0.2.7" */
	double rate;		   /* a minute */
	bool seen;		   /* in this run */
};

struct usual {
	struct stamp since, at; /* the first run and the last one */
	bool known;
	struct usual_one v[USUAL_MAX];
	size_t n;
};

/* The first line of the state. One that makes no sense is an empty one. */
void usual_load(struct usual *u, const char *state, size_t len);
bool usual_save(const struct usual *u, struct buf *out);
/* 0 for who was never seen. */
double usual_of(const struct usual *u, const char *name);
/* Learns one rate; after all of them usual_end lets those not seen fall. weight: of this run, 0 to 1. */
void usual_learn(struct usual *u, const char *name, double rate, double weight);
void usual_end(struct usual *u, double weight);
/* How much a run after age_ms counts when the memory is window_ms long. */
double usual_weight(int64_t age_ms, int64_t window_ms);

#endif
