/* Counting by origin; see origins.h. Chains of a hash table by index; the counts that decide who goes lie
 * side by side. */
#include "origins.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEADS = 2 * ORIGINS };

struct origins {
	struct origin v[ORIGINS];
	uint32_t count[ORIGINS];
	int32_t head[HEADS];
	size_t n;
};

static uint32_t hash(const char *s)
{
	uint64_t h = 0xcbf29ce484222325u; /* FNV-1a */

	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 0x100000001b3u;
	return (uint32_t)(h ^ (h >> 32));
}

struct origins *origins_new(void)
{
	struct origins *o = calloc(1, sizeof *o);

	for (int i = 0; o && i < HEADS; i++)
		o->head[i] = -1;
	return o;
}

void origins_free(struct origins *o)
{
	free(o);
}

size_t origins_count(const struct origins *o)
{
	return o->n;
}

/* Seconds that went by without anything are empty. */
static void advance(struct origin_ring *r, int64_t now)
{
	if (now - r->second >= ORIGIN_SECONDS)
		memset(r, 0, sizeof *r);
	else
		for (int64_t s = r->second + 1; s <= now; s++)
			r->messages[s % ORIGIN_SECONDS] = r->recipients[s % ORIGIN_SECONDS] = 0;
	if (now > r->second)
		r->second = now;
}

void ring_add(struct origin_ring *r, bool first, int64_t second)
{
	advance(r, second);
	r->messages[second % ORIGIN_SECONDS] += first;
	r->recipients[second % ORIGIN_SECONDS]++;
}

void ring_sum(struct origin_ring *r, int64_t now, int seconds, uint32_t *messages, uint32_t *recipients)
{
	advance(r, now);
	*messages = *recipients = 0;
	for (int64_t s = now; s > now - seconds && s >= 0; s--) {
		*messages += r->messages[s % ORIGIN_SECONDS];
		*recipients += r->recipients[s % ORIGIN_SECONDS];
	}
}

static void unchain(struct origins *o, int32_t i)
{
	int32_t *p = &o->head[hash(o->v[i].name) % HEADS];

	while (*p != i)
		p = &o->v[*p].next;
	*p = o->v[i].next;
}

static int32_t least(const struct origins *o)
{
	int32_t at = 0;

	for (int32_t i = 1; i < ORIGINS; i++)
		if (o->count[i] < o->count[at])
			at = i;
	return at;
}

static int32_t place(struct origins *o, const char *name, uint32_t h)
{
	int32_t i = o->n < ORIGINS ? (int32_t)o->n++ : least(o);
	struct origin *v = &o->v[i];
	uint32_t error = v->name[0] ? o->count[i] : 0;

	if (v->name[0])
		unchain(o, i);
	*v = (struct origin){.error = error, .next = o->head[h % HEADS]};
	snprintf(v->name, sizeof v->name, "%s", name);
	o->head[h % HEADS] = i;
	return i;
}

/* Who else: forgotten when it was quiet for a minute. */
static void note_peer(struct origin *v, const char *peer, bool quiet)
{
	uint32_t h = hash(peer);

	if (quiet)
		v->peers = 0;
	for (unsigned i = 0; i < v->peers; i++)
		if (v->peer[i] == h)
			return;
	if (v->peers < ORIGIN_PEERS)
		v->peer[v->peers++] = h;
}

void origins_add(struct origins *o, const char *name, const char *peer, bool first, int64_t second)
{
	uint32_t h = hash(name);
	int32_t i = o->head[h % HEADS];

	while (i >= 0 && strcmp(o->v[i].name, name) != 0)
		i = o->v[i].next;
	if (i < 0)
		i = place(o, name, h);
	if (peer)
		note_peer(&o->v[i], peer, second - o->v[i].ring.second >= ORIGIN_SECONDS);
	o->count[i]++;
	ring_add(&o->v[i].ring, first, second);
}

void origins_halve(struct origins *o)
{
	for (size_t i = 0; i < o->n; i++) {
		o->count[i] /= 2;
		o->v[i].error /= 2;
	}
}

static bool before(const struct origin_view *a, const struct origin_view *b)
{
	return a->last60 != b->last60 ? a->last60 > b->last60 : strcmp(a->name, b->name) < 0;
}

size_t origins_busiest(struct origins *o, int64_t second, struct origin_view *out, size_t n)
{
	size_t have = 0;

	for (size_t i = 0; n && i < o->n; i++) {
		struct origin_view v = {.name = o->v[i].name, .error = o->v[i].error, .peers = o->v[i].peers};
		uint32_t ignored;
		ring_sum(&o->v[i].ring, second, 10, &v.last10, &ignored);
		ring_sum(&o->v[i].ring, second, ORIGIN_SECONDS, &v.last60, &v.recipients60);
		if (v.recipients60 == 0 || (have == n && !before(&v, &out[n - 1])))
			continue;
		size_t at = have < n ? have++ : n - 1;
		for (; at > 0 && before(&v, &out[at - 1]); at--)
			out[at] = out[at - 1];
		out[at] = v;
	}
	return have;
}
