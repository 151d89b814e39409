/*
 * Counting names in bounded memory (Space-Saving, Metwally et al.), see top.h. Names lie in an array; a hash
 * table of their places finds them, and once there is no more room a heap by count says which one goes.
 */
#include "top.h"

#include <stdlib.h>
#include <string.h>

struct item {
	char *name;
	uint64_t count, error; /* the true count lies between count - error and count */
	uint32_t hash, len, room;
	uint32_t at; /* its place in the heap */
};

struct node {
	uint64_t count; /* the item's */
	uint32_t item;
};

struct top {
	struct item *items;
	uint32_t *table;   /* places in items + 1; 0: free. At most half full. */
	struct node *heap; /* the least count first; kept only from the first time that there was no room */
	size_t mask, room, n;
	uint64_t total, lost; /* lost: no memory for the name */
	bool ordered, replaced;
};

/* Eight bytes at a time; names are few and bounded, so collisions cost little. */
static uint32_t hash(const char *s, size_t n)
{
	uint64_t h = 0x9e3779b97f4a7c15u ^ n, w;

	for (; n >= 8; s += 8, n -= 8) {
		memcpy(&w, s, 8);
		h = (h ^ w) * 0xff51afd7ed558ccdu;
		h ^= h >> 32;
	}
	for (w = 0; n > 0; n--)
		w = w << 8 | (unsigned char)s[n - 1];
	h = (h ^ w) * 0xff51afd7ed558ccdu;
	return (uint32_t)(h ^ (h >> 32));
}

struct top *top_new(size_t room)
{
	struct top *t = calloc(1, sizeof(*t));
	size_t cap = 16;

	if (!t)
		return NULL;
	while (cap < room * 2)
		cap *= 2;
	t->room = room;
	t->mask = cap - 1;
	t->items = calloc(room, sizeof(*t->items));
	t->heap = calloc(room, sizeof(*t->heap));
	t->table = calloc(cap, sizeof(*t->table));
	if (!t->items || !t->heap || !t->table) {
		top_free(t);
		return NULL;
	}
	return t;
}

void top_free(struct top *t)
{
	if (!t)
		return;
	for (size_t i = 0; t->items && i < t->n; i++)
		free(t->items[i].name);
	free(t->items);
	free(t->heap);
	free(t->table);
	free(t);
}

/* --- the table --- */

/* Where the name stands in the table, or the free place for it. */
static size_t find(const struct top *t, const char *name, size_t len, uint32_t h)
{
	size_t i = h & t->mask;

	for (; t->table[i]; i = (i + 1) & t->mask) {
		const struct item *it = &t->items[t->table[i] - 1];

		if (it->hash == h && it->len == len && memcmp(it->name, name, len) == 0)
			break;
	}
	return i;
}

/* Takes it out and moves back those behind it that probing would no longer find. */
static void take_out(struct top *t, const struct item *gone)
{
	size_t hole = find(t, gone->name, gone->len, gone->hash), i = hole;

	t->table[hole] = 0;
	for (;;) {
		size_t home;

		i = (i + 1) & t->mask;
		if (!t->table[i])
			return;
		home = t->items[t->table[i] - 1].hash & t->mask;
		if (((i - home) & t->mask) < ((i - hole) & t->mask))
			continue;
		t->table[hole] = t->table[i];
		t->table[i] = 0;
		hole = i;
	}
}

/* --- the heap --- */

static void put(struct top *t, size_t at, struct node n)
{
	t->heap[at] = n;
	t->items[n.item].at = (uint32_t)at;
}

/* A count that grew goes down to where it belongs. */
static void sink(struct top *t, size_t at)
{
	struct node n = t->heap[at];

	n.count = t->items[n.item].count;
	for (;;) {
		size_t child = 2 * at + 1;

		if (child >= t->n)
			break;
		if (child + 1 < t->n && t->heap[child + 1].count < t->heap[child].count)
			child++;
		if (t->heap[child].count >= n.count)
			break;
		put(t, at, t->heap[child]);
		at = child;
	}
	put(t, at, n);
}

static void order(struct top *t)
{
	for (size_t i = 0; i < t->n; i++)
		put(t, i, (struct node){t->items[i].count, (uint32_t)i});
	for (size_t i = t->n / 2; i-- > 0;)
		sink(t, i);
	t->ordered = true;
}

/* --- counting --- */

static bool set_name(struct item *it, const char *name, size_t len, uint32_t h)
{
	if (it->room < len + 1) {
		char *s = realloc(it->name, len + 1);

		if (!s)
			return false;
		it->name = s;
		it->room = (uint32_t)len + 1;
	}
	memcpy(it->name, name, len);
	it->name[len] = '\0';
	it->len = (uint32_t)len;
	it->hash = h;
	return true;
}

/* The least counted one makes room; the new one may have come as often as that. */
static struct item *replace(struct top *t)
{
	struct item *it;

	if (!t->ordered)
		order(t);
	it = &t->items[t->heap[0].item];
	take_out(t, it);
	it->error = it->count;
	t->replaced = true;
	return it;
}

static void newcomer(struct top *t, const char *name, size_t len, uint32_t h, uint64_t times)
{
	bool more = t->n < t->room;
	struct item *it;

	it = more ? &t->items[t->n] : replace(t);
	if (!set_name(it, name, len, h)) {
		t->lost += times;
		if (!more) /* what stood there is as good: it is as rare */
			t->table[find(t, it->name, it->len, it->hash)] = (uint32_t)(it - t->items) + 1;
		return;
	}
	t->n += more;
	it->count += times;
	t->table[find(t, name, len, h)] = (uint32_t)(it - t->items) + 1;
	if (t->ordered)
		sink(t, it->at);
}

void top_add_times(struct top *t, const char *name, size_t len, uint64_t times)
{
	uint32_t h = hash(name, len), at = t->table[find(t, name, len, h)];

	t->total += times;
	if (!at) {
		newcomer(t, name, len, h, times);
		return;
	}
	t->items[at - 1].count += times;
	if (t->ordered)
		sink(t, t->items[at - 1].at);
}

void top_add(struct top *t, const char *name)
{
	top_add_times(t, name, strlen(name), 1);
}

uint64_t top_total(const struct top *t)
{
	return t->total;
}

uint64_t top_short(const struct top *t)
{
	return t->lost + (t->replaced ? t->heap[0].count : 0);
}

size_t top_names(const struct top *t)
{
	return t->n;
}

static bool before(const struct item *a, const struct top_item *b)
{
	uint64_t sure = a->count - a->error;

	return sure > b->count || (sure == b->count && strcmp(a->name, b->name) < 0);
}

size_t top_best(const struct top *t, struct top_item *out, size_t n)
{
	size_t have = 0;

	for (size_t i = 0; n && i < t->n; i++) {
		const struct item *it = &t->items[i];
		size_t at;

		if (have == n && !before(it, &out[n - 1]))
			continue;
		at = have < n ? have++ : n - 1;
		for (; at > 0 && before(it, &out[at - 1]); at--)
			out[at] = out[at - 1];
		out[at] = (struct top_item){it->name, it->count - it->error};
	}
	return have;
}
