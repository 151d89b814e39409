/* What belongs together; see causes.h. Called by dispatch.c and sending.c. */
#include "causes.h"

#include <stdlib.h>
#include <string.h>

static uint64_t hash_of(const char *a, const char *b)
{
	uint64_t h = 14695981039346656037u; /* FNV-1a, 64 bits */
	for (const char *s = a; *s; s++)
		h = (h ^ (unsigned char)*s) * 1099511628211u;
	h = (h ^ 0xff) * 1099511628211u; /* no byte of a name */
	for (const char *s = b; *s; s++)
		h = (h ^ (unsigned char)*s) * 1099511628211u;
	return h;
}

const char *cause_of(const struct pager *p, const struct incident *i)
{
	const struct incident *above = i->parent[0] ? pager_open_incident(p, i->parent) : NULL;
	if (i->parent[0] && !above)
		return i->parent;
	if (above)
		i = above;
	return i->host[0] ? i->host : i->check;
}

static void add(struct hashes *h, size_t *cap, uint64_t x)
{
	if (h->n == *cap) {
		size_t more = *cap ? *cap * 2 : 256;
		uint64_t *v = realloc(h->v, more * sizeof *v);
		if (!v)
			return;
		h->v = v;
		*cap = more;
	}
	h->v[h->n++] = x;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

static void sort(struct hashes *h)
{
	if (h->n)
		qsort(h->v, h->n, sizeof *h->v, by_value);
}

void hashes_fini(struct hashes *h)
{
	free(h->v);
	*h = (struct hashes){0};
}

struct hashes causes_heard(const struct pager *p)
{
	struct hashes h = {0};
	size_t cap = 0;
	for (size_t k = 0; k < p->ninc; k++) {
		const struct incident *i = p->inc[k];
		const char *cause = NULL;
		for (size_t m = 0; incident_is_problem(i) && m < i->ncontacts; m++) {
			if (i->contacts[m].told == TOLD_NO)
				continue;
			if (!cause)
				cause = cause_of(p, i);
			add(&h, &cap, hash_of(i->contacts[m].name, cause));
		}
	}
	sort(&h);
	return h;
}

bool causes_is_heard(const struct hashes *h, const char *contact, const char *cause)
{
	uint64_t x = hash_of(contact, cause);
	return h->n && bsearch(&x, h->v, h->n, sizeof x, by_value);
}

struct hashes causes_above(const struct pager *p)
{
	struct hashes h = {0};
	size_t cap = 0;
	for (size_t k = 0; k < p->ninc; k++)
		if (p->inc[k]->parent[0] && p->inc[k]->suppressed && incident_is_problem(p->inc[k]))
			add(&h, &cap, hash_of(p->inc[k]->parent, ""));
	sort(&h);
	return h;
}

/* Of those that are not below x, the first; h->n when there is none. */
static size_t first_from(const struct hashes *h, uint64_t x)
{
	size_t lo = 0, hi = h->n;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (h->v[mid] < x)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

size_t causes_behind(const struct hashes *h, const char *check)
{
	uint64_t x = hash_of(check, "");
	size_t from = first_from(h, x), to = from;
	while (to < h->n && h->v[to] == x)
		to++;
	return to - from;
}

size_t causes_told(const struct pager *p, const char *contact)
{
	size_t n = 0;
	for (size_t k = 0; k < p->ninc; k++) {
		const struct incident *i = p->inc[k];
		for (size_t m = 0; incident_is_problem(i) && m < i->ncontacts; m++)
			n += i->contacts[m].told != TOLD_NO && strcmp(i->contacts[m].name, contact) == 0;
	}
	return n;
}
