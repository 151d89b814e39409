/*
 * How much mail comes from whom, second by second, in fixed memory (Space-Saving, Metwally et al.): for at
 * most ORIGINS names, the busy ones, a ring of the last 60 seconds. When a new name finds no room it takes
 * the place of the least busy one; then its count may be too high by at most `error`, its ring never is.
 * Every minute the counts that decide who stays are halved, so that what was busy yesterday makes room. Pure:
 * the caller brings the time.
 */
#ifndef PROBES_ARRIVALS_ORIGINS_H
#define PROBES_ARRIVALS_ORIGINS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ORIGINS = 1024, ORIGIN_NAME_MAX = 96, ORIGIN_SECONDS = 60, ORIGIN_PEERS = 16 };

struct origin_ring {
	uint32_t messages[ORIGIN_SECONDS], recipients[ORIGIN_SECONDS];
	int64_t second; /* the last one that was written */
};

struct origin {
	char name[ORIGIN_NAME_MAX];
	uint32_t error;
	uint32_t peer[ORIGIN_PEERS]; /* hashes of the other names seen beside it (addresses of an account) */
	unsigned peers;
	struct origin_ring ring;
	int32_t next; /* in its chain, -1 at the end */
};

struct origins; /* a fixed amount of memory */

struct origins *origins_new(void); /* NULL when memory is out */
void origins_free(struct origins *o);
/* One recipient, and one message when it is the first of it. peer may be NULL. */
void origins_add(struct origins *o, const char *name, const char *peer, bool first, int64_t second);
void origins_halve(struct origins *o);
size_t origins_count(const struct origins *o);

struct origin_view {
	const char *name; /* owned by the origins, until the next origins_add */
	uint32_t last10, last60, recipients60, error;
	unsigned peers; /* ORIGIN_PEERS: at least so many */
};
/* The busiest of the last 60 seconds, the busiest first; how many. */
size_t origins_busiest(struct origins *o, int64_t second, struct origin_view *out, size_t n);

void ring_add(struct origin_ring *r, bool first, int64_t second);
/* Messages and recipients of the last `seconds` (at most 60), the present one included. */
void ring_sum(struct origin_ring *r, int64_t now, int seconds, uint32_t *messages, uint32_t *recipients);

#endif
