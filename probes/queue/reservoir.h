/*
 * A uniform sample of k things out of a stream whose length nobody knows before its end
 * (Li's algorithm L: a few random numbers per kept thing, not one per thing). The
 * first names of a directory are no sample: they are neighbours in time or in hash.
 * Things have a fixed size and are stored here.
 */
#ifndef PROBES_QUEUE_RESERVOIR_H
#define PROBES_QUEUE_RESERVOIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reservoir {
	unsigned char *items;
	size_t item_size, max, n; /* n: kept now */
	uint64_t seen;		  /* offered so far */
	uint64_t next;		  /* the number of the next one to be kept, once full; UINT64_MAX: none */
	double w;
	uint64_t rng[4];
};

/* False when memory is out. max may be 0: then nothing is kept, only counted. */
bool reservoir_init(struct reservoir *r, size_t max, size_t item_size, uint64_t seed);
void reservoir_fini(struct reservoir *r);
void *reservoir_keep(struct reservoir *r); /* private to reservoir_offer */
/* Counts one thing. Where to write it when it is kept (may overwrite one kept before), NULL when it is not.
 */
static inline void *reservoir_offer(struct reservoir *r)
{
	uint64_t number = r->seen++;

	return number < r->max || number == r->next ? reservoir_keep(r) : NULL;
}
void *reservoir_item(const struct reservoir *r, size_t i);
/* Puts what is kept into random order, so that any first part of it is a uniform sample, too. */
void reservoir_shuffle(struct reservoir *r);
/* A seed from the kernel, different at each call. */
uint64_t reservoir_seed(void);

/* The margin, in percent points, around the share hits/read of a sample of `read` out of `of`, that holds 95
 * times in 100 (Agresti-Coull, with the correction for a finite population; 0 when all were read, 100 when
 * none was). */
double sample_margin(uint64_t hits, uint64_t read, uint64_t of);

#endif
