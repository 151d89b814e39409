/*
 * Sampling without bias, for probes that must not read all of something large. Used by the
 * queue probe; keeps its random numbers to itself (no globals: probes run in threads).
 */
#include "reservoir.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

/* splitmix64, to spread a seed; xoshiro256** for the numbers (both: Blackman and Vigna, public domain) */
static uint64_t splitmix(uint64_t *x)
{
	uint64_t z = (*x += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static uint64_t rotl(uint64_t x, int k)
{
	return (x << k) | (x >> (64 - k));
}

static uint64_t rng_next(uint64_t *s)
{
	uint64_t out = rotl(s[1] * 5, 7) * 9, t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotl(s[3], 45);
	return out;
}

/* in (0, 1), never 0: its logarithm is taken */
static double rng_unit(uint64_t *s)
{
	return ((double)(rng_next(s) >> 11) + 0.5) / 9007199254740992.0;
}

/* in [0, n); the bias of the multiplication is below n / 2^64 */
static uint64_t rng_below(uint64_t *s, uint64_t n)
{
	return (uint64_t)(((unsigned __int128)rng_next(s) * n) >> 64);
}

uint64_t reservoir_seed(void)
{
	uint64_t seed;

	if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed)) {
		struct timespec ts;

		clock_gettime(CLOCK_REALTIME, &ts);
		seed = (uint64_t)ts.tv_nsec ^ ((uint64_t)ts.tv_sec << 30) ^ (uintptr_t)&seed;
	}
	return seed;
}

bool reservoir_init(struct reservoir *r, size_t max, size_t item_size, uint64_t seed)
{
	memset(r, 0, sizeof(*r));
	r->max = max;
	r->item_size = item_size;
	r->w = 1;
	r->next = UINT64_MAX;
	for (int i = 0; i < 4; i++)
		r->rng[i] = splitmix(&seed);
	if (!max)
		return true;
	r->items = calloc(max, item_size);
	return r->items != NULL;
}

void reservoir_fini(struct reservoir *r)
{
	free(r->items);
	r->items = NULL;
	r->n = r->max = 0;
}

/* How many to pass over until the next one that is kept. */
static void skip(struct reservoir *r)
{
	double gap;

	r->w *= exp(log(rng_unit(r->rng)) / (double)r->max);
	gap = floor(log(rng_unit(r->rng)) / log1p(-r->w));
	/* a w so small that the gap leaves the range means: none any more */
	r->next = gap < 1e18 ? r->seen + (uint64_t)gap : UINT64_MAX;
}

void *reservoir_keep(struct reservoir *r)
{
	if (r->n < r->max) {
		void *slot = r->items + r->n++ * r->item_size;

		if (r->n == r->max)
			skip(r);
		return slot;
	}
	skip(r);
	return r->items + rng_below(r->rng, r->max) * r->item_size;
}

void *reservoir_item(const struct reservoir *r, size_t i)
{
	return r->items + i * r->item_size;
}

void reservoir_shuffle(struct reservoir *r)
{
	for (size_t i = r->n; i > 1; i--) {
		unsigned char *a = r->items + (i - 1) * r->item_size;
		unsigned char *b = r->items + rng_below(r->rng, i) * r->item_size;

		if (a == b)
			continue;
		for (size_t k = 0; k < r->item_size; k++) {
			unsigned char t = a[k];

			a[k] = b[k];
			b[k] = t;
		}
	}
}

double sample_margin(uint64_t hits, uint64_t read, uint64_t of)
{
	double n = (double)read + 4, p = ((double)hits + 2) / n, se;

	if (!read)
		return 100;
	if (read >= of)
		return 0;
	se = sqrt(p * (1 - p) / n);
	return 100 * 1.96 * se * sqrt((double)(of - read) / (double)(of - 1));
}
