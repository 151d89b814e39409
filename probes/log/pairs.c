/* See pairs.h. */
#include "pairs.h"

#include "tail.h"
#include "print.h"

static uint32_t hash(const char *s, size_t n)
{
	uint64_t h = log_print(s, n);
	uint32_t v = (uint32_t)(h ^ (h >> 32));

	return v ? v : 1;
}

void log_pairs_add(struct log_pairs *p, struct log_span of, struct log_span what)
{
	uint32_t a = hash(of.s, of.n), b = hash(what.s, what.n);
	size_t i = (a * 31u ^ b) % LOG_PAIRS_SLOTS;

	while (p->slot[i].of && (p->slot[i].of != a || p->slot[i].what != b))
		i = (i + 1) % LOG_PAIRS_SLOTS;
	if (p->slot[i].of)
		return;
	if (p->n >= LOG_PAIRS_MAX) {
		p->full = true;
		return;
	}
	p->slot[i].of = a;
	p->slot[i].what = b;
	p->n++;
}

size_t log_pairs_count(const struct log_pairs *p, const char *of)
{
	uint32_t a = hash(of, strlen(of));
	size_t n = 0;

	for (size_t i = 0; i < LOG_PAIRS_SLOTS; i++)
		n += p->slot[i].of == a;
	return n;
}
