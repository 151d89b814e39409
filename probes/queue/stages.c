/*
 * The stages of a queue and the spools they are in: making them (for each agent's file), and the sums over
 * them. No I/O.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "queue.h"

int queue_stage_find(const struct queue_seen *s, const char *name)
{
	for (size_t i = 0; i < s->stages; i++) {
		if (!strcmp(s->stage[i].name, name))
			return (int)i;
	}
	return -1;
}

struct queue_stage *queue_stage_add(struct queue_seen *s, const char *name, const char *said,
				    enum queue_kind kind)
{
	int have = queue_stage_find(s, name);
	struct queue_stage *st;

	if (have >= 0)
		return &s->stage[have];
	if (s->stages == QUEUE_STAGES_MAX)
		return NULL;
	st = &s->stage[s->stages++];
	memset(st, 0, sizeof(*st));
	snprintf(st->name, sizeof(st->name), "%s", name);
	snprintf(st->said, sizeof(st->said), "%s", said);
	st->kind = kind;
	st->limits.old_warn = st->limits.old_crit = -1;
	return st;
}

struct queue_instance *queue_instance_add(struct queue_seen *s, const char *dir)
{
	struct queue_instance *in;

	for (size_t i = 0; i < s->n; i++) {
		if (!strcmp(s->inst[i].dir, dir))
			return &s->inst[i];
	}
	if (s->n == QUEUE_INSTANCES_MAX) {
		s->dropped++;
		return NULL;
	}
	in = &s->inst[s->n++];
	memset(in, 0, sizeof(*in));
	in->fd = -1;
	snprintf(in->dir, sizeof(in->dir), "%s", dir);
	return in;
}

void queue_trouble(struct queue_instance *in, const char *layer, const char *fmt, ...)
{
	va_list ap;

	if (in->trouble[0])
		return;
	snprintf(in->layer, sizeof(in->layer), "%s", layer);
	va_start(ap, fmt);
	vsnprintf(in->trouble, sizeof(in->trouble), fmt, ap);
	va_end(ap);
}

/* --- sums --- */

bool queue_flows(const struct queue_stage *st)
{
	return !st->part && (st->kind == QUEUE_WAITS || st->kind == QUEUE_FLOWS || st->kind == QUEUE_DEFERS);
}

uint64_t queue_sum(const struct queue_seen *s, enum queue_kind kind)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < s->stages; i++)
		sum += s->stage[i].kind == kind && !s->stage[i].part ? s->stage[i].n : 0;
	return sum;
}

uint64_t queue_total(const struct queue_seen *s)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < s->stages; i++)
		sum += s->stage[i].kind != QUEUE_DAMAGES && !s->stage[i].part ? s->stage[i].n : 0;
	return sum;
}

double queue_growth_all(const struct queue_seen *s)
{
	double sum = 0;

	for (size_t k = 0; k < s->stages; k++)
		sum += queue_flows(&s->stage[k]) ? s->stage[k].growth : 0;
	return sum;
}

double queue_frozen(const struct queue_seen *s)
{
	const struct queue_shape *sh = &s->shape;

	return sh->read ? (double)sh->frozen / (double)sh->read * (double)sh->of : 0;
}
