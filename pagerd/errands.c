/* Errands; see errands.h. Started by answers.c and prover.c. */
#include "errands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ELSEWHERE_MS = 60000 }; /* a line that takes nothing for so long has failed */

struct running {
	struct incident *i; /* NULL: the place is free */
	unsigned call;
	int64_t began, until;
	bool elsewhere;
	uint64_t tag;
	void (*done)(void *arg, uint64_t tag, bool sent, const struct attempt *last);
	void *arg;
};

struct errands {
	struct pager *p;
	struct running v[ERRANDS_MAX];
	uint64_t made;
};

struct errands *errands_new(struct pager *p)
{
	struct errands *e = calloc(1, sizeof *e);
	if (e)
		e->p = p;
	return e;
}

void errands_free(struct errands *e)
{
	for (size_t k = 0; e && k < ERRANDS_MAX; k++)
		if (e->v[k].i)
			pager_drop(e->p, e->v[k].i);
	free(e);
}

static struct call *make_call(struct errands *e, const struct errand *w, struct incident **out)
{
	char check[64];
	struct stamp now = clock_stamp();
	snprintf(check, sizeof check, "self.errand-%llu", (unsigned long long)++e->made);
	struct incident *i = pager_incident(e->p, check, (uint64_t)now.wall_ms, true);
	if (!i)
		return NULL;
	i->ephemeral = true;
	i->phase = INC_NOTICE;
	i->since = i->opened_at = i->changed_at = now;
	struct call *c = incident_call(i, w->contact, w->kind, w->text, &now);
	if (c && w->line) {
		c->only_line = strdup(w->line);
		c->only_to = strdup(w->to);
	}
	if (c && (!w->line || (c->only_line && c->only_to))) {
		*out = i;
		return c;
	}
	pager_drop(e->p, i);
	return NULL;
}

bool errands_start(struct errands *e, const struct errand *w)
{
	struct incident *i;
	size_t k = 0;
	while (k < ERRANDS_MAX && e->v[k].i)
		k++;
	struct call *c = k < ERRANDS_MAX ? make_call(e, w, &i) : NULL;
	if (!c)
		return false;
	e->v[k] = (struct running){.i = i,
				   .call = c->n,
				   .began = clock_boot_ms(),
				   .until = clock_boot_ms() + w->until_ms,
				   .elsewhere = w->elsewhere && w->line,
				   .tag = w->tag,
				   .done = w->done,
				   .arg = w->arg};
	pager_soon(e->p, 0);
	return true;
}

static void finish(struct errands *e, struct running *x, const struct call *c)
{
	struct running was = *x;
	x->i = NULL; /* done may start another one */
	bool sent = c && c->phase == CALL_SENT;
	was.done(was.arg, was.tag, sent, c && c->nattempts ? &c->attempts[c->nattempts - 1] : NULL);
	pager_drop(e->p, was.i);
}

/* The line it came by is not the only way to a person. */
static void look_elsewhere(struct running *x, struct call *c, int64_t now)
{
	bool failed = c->tried || now - x->began > ELSEWHERE_MS;
	if (!x->elsewhere || c->phase != CALL_WAITING || !failed)
		return;
	x->elsewhere = false;
	free(c->only_line);
	free(c->only_to);
	c->only_line = c->only_to = NULL;
}

int64_t errands_watch(struct errands *e, int64_t now)
{
	int64_t next = INT64_MAX;
	for (size_t k = 0; k < ERRANDS_MAX; k++) {
		struct running *x = &e->v[k];
		if (!x->i)
			continue;
		struct call *c = incident_find_call(x->i, x->call);
		if (!c || call_is_done(c) || (now >= x->until && c->phase == CALL_WAITING)) {
			finish(e, x, c);
			continue;
		}
		bool bound = x->elsewhere;
		look_elsewhere(x, c, now);
		if (bound && !x->elsewhere)
			next = 0;
		else if (x->until > now)
			next = x->until - now < next ? x->until - now : next;
	}
	return next;
}
