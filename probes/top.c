/*
 * Top-N counting for the queue probe (senders, recipients, domains, clients, accounts). An open
 * hash table with linear probing, at most half full.
 */
#include "top.h"

#include <stdlib.h>
#include <string.h>

struct slot {
	char *name;
	uint64_t count;
};

struct top {
	struct slot *slots;
	size_t mask;
	size_t room, n;
	uint64_t total, cut;
};

static size_t hash(const char *s)
{
	uint64_t h = 0xcbf29ce484222325u; /* FNV-1a; names are few and bounded, so collisions cost little */

	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 0x100000001b3u;
	return (size_t)(h ^ (h >> 32));
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
	t->slots = calloc(cap, sizeof(*t->slots));
	if (!t->slots) {
		free(t);
		return NULL;
	}
	return t;
}

void top_free(struct top *t)
{
	if (!t)
		return;
	for (size_t i = 0; i <= t->mask; i++)
		free(t->slots[i].name);
	free(t->slots);
	free(t);
}

static struct slot *find(const struct top *t, const char *name)
{
	size_t i = hash(name) & t->mask;

	while (t->slots[i].name && strcmp(t->slots[i].name, name))
		i = (i + 1) & t->mask;
	return &t->slots[i];
}

/* Takes the name out and moves back those behind it that probing would no longer find. */
static void take_out(struct top *t, size_t hole)
{
	size_t i = hole;

	free(t->slots[hole].name);
	t->slots[hole].name = NULL;
	t->n--;
	for (;;) {
		size_t home;

		i = (i + 1) & t->mask;
		if (!t->slots[i].name)
			return;
		home = hash(t->slots[i].name) & t->mask;
		if (((i - home) & t->mask) < ((i - hole) & t->mask))
			continue;
		t->slots[hole] = t->slots[i];
		t->slots[i].name = NULL;
		hole = i;
	}
}

/* No room for a new name: it and one of each of the others cancel out. */
static void cancel(struct top *t)
{
	t->cut++;
	for (size_t i = 0; i <= t->mask; i++) {
		if (t->slots[i].name)
			t->slots[i].count--;
	}
	for (size_t i = 0; i <= t->mask;) {
		if (t->slots[i].name && t->slots[i].count == 0)
			take_out(t, i); /* look at this slot again: something may have moved in */
		else
			i++;
	}
}

void top_add(struct top *t, const char *name)
{
	struct slot *s = find(t, name);

	t->total++;
	if (s->name) {
		s->count++;
		return;
	}
	if (t->n < t->room)
		s->name = strdup(name);
	if (!s->name) {
		cancel(t);
		return;
	}
	s->count = 1;
	t->n++;
}

uint64_t top_total(const struct top *t)
{
	return t->total;
}

uint64_t top_short(const struct top *t)
{
	return t->cut;
}

size_t top_names(const struct top *t)
{
	return t->n;
}

static bool before(const struct slot *a, const struct top_item *b)
{
	return a->count > b->count || (a->count == b->count && strcmp(a->name, b->name) < 0);
}

size_t top_best(const struct top *t, struct top_item *out, size_t n)
{
	size_t have = 0;

	for (size_t i = 0; n && i <= t->mask; i++) {
		const struct slot *s = &t->slots[i];
		size_t at;

		if (!s->name || (have == n && !before(s, &out[n - 1])))
			continue;
		at = have < n ? have++ : n - 1;
		for (; at > 0 && before(s, &out[at - 1]); at--)
			out[at] = out[at - 1];
		out[at] = (struct top_item){s->name, s->count};
	}
	return have;
}
