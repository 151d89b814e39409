/* The table of running checks; see check.h. Built at the start and at each reload. */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A host's gap lives as long as the table. */
struct checks_host {
	const char *name; /* of the configuration */
	struct sched_host gap;
};

static const char *const built_in[] = {"self", "self.config", "self.pagerd", "self.prober", "self.spool"};
enum { BUILT_IN = sizeof built_in / sizeof *built_in };

static int by_name(const void *a, const void *b)
{
	return strcmp((*(struct check *const *)a)->name, (*(struct check *const *)b)->name);
}

struct check *checks_find(const struct checks *t, const char *name)
{
	size_t lo = 0, hi = t->n;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		int d = strcmp(name, t->v[mid]->name);
		if (d == 0)
			return t->v[mid];
		if (d < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return NULL;
}

/* Removes and returns old's check of that name. */
static struct check *take_over(struct checks *old, const char *name)
{
	struct check *c = old ? checks_find(old, name) : NULL;
	if (!c)
		return NULL;
	size_t i = 0;
	while (old->v[i] != c)
		i++;
	memmove(&old->v[i], &old->v[i + 1], (old->n - i - 1) * sizeof *old->v);
	old->n--;
	return c;
}

static bool same_probe(const struct check *c, const struct conf_check *conf)
{
	return c->conf && strcmp(c->conf->probe, conf->probe) == 0;
}

/* Gives a check its (new) configuration. */
static void configure(struct check *c, const struct conf_check *conf, bool fresh, int64_t now_ms)
{
	if (!fresh && !same_probe(c, conf)) {
		/* another probe cannot read it */
		free(c->blob);
		c->blob = NULL;
	}
	c->conf = conf;
	c->host = conf->host;
	c->kind = conf->place == PLACE_LOCAL ? CHECK_LOCAL : CHECK_NET;
	c->max = conf->max_check_attempts;
	if (fresh) {
		c->slot.interval_ms = conf->interval_ms;
		c->slot.retry_ms = conf->retry_interval_ms;
	} else {
		sched_retime(&c->slot, conf->interval_ms, conf->retry_interval_ms, now_ms);
	}
}

static int host_cmp(const void *a, const void *b)
{
	return strcmp(((const struct checks_host *)a)->name, ((const struct checks_host *)b)->name);
}

static struct checks_host *host_find(const struct checks *t, const char *name)
{
	struct checks_host key = {.name = name};
	return t->nhosts ? bsearch(&key, t->hosts, t->nhosts, sizeof *t->hosts, host_cmp) : NULL;
}

/* One gap per host name; a check without a host keeps none. */
static void link_hosts(struct checks *t, const struct config *conf)
{
	for (size_t i = 0; i < conf->nchecks; i++)
		if (conf->checks[i].host[0])
			t->hosts[t->nhosts++].name = conf->checks[i].host;
	qsort(t->hosts, t->nhosts, sizeof *t->hosts, host_cmp);
	size_t n = 0;
	for (size_t i = 0; i < t->nhosts; i++)
		if (n == 0 || strcmp(t->hosts[n - 1].name, t->hosts[i].name) != 0)
			t->hosts[n++] = t->hosts[i];
	t->nhosts = n;
	for (size_t i = 0; i < t->n; i++) {
		struct checks_host *h =
		    t->v[i]->conf && t->v[i]->host[0] ? host_find(t, t->v[i]->host) : NULL;
		t->v[i]->slot.host = h ? &h->gap : NULL;
	}
}

static void link_parents(struct checks *t, struct check *c, struct check **room)
{
	free(c->parents);
	c->parents = room;
	c->nparents = 0;
	c->below_self = false;
	c->explains = c->kind == CHECK_SELF;
	for (size_t i = 0; c->conf && i < c->conf->nparents; i++) {
		struct check *p = checks_find(t, c->conf->parents[i]);
		if (p == t->self)
			c->below_self = true;
		else if (p && p != c)
			c->parents[c->nparents++] = p;
	}
}

static void mark_parents(struct checks *t)
{
	for (size_t i = 0; i < t->n; i++)
		for (size_t k = 0; k < t->v[i]->nparents; k++)
			t->v[i]->parents[k]->explains = true;
}

/* All memory is had before anything is changed, so that a reload either happens or does not. */
struct room {
	struct check **v, **order;
	struct sched_slot **slots;
	struct checks_host *hosts;
	struct check **made; /* new checks by position; NULL: taken over */
	struct check ***parents;
	size_t n;
};

static void room_fini(struct room *r)
{
	for (size_t i = 0; i < r->n; i++) {
		if (r->made)
			check_free(r->made[i]);
		if (r->parents)
			free(r->parents[i]);
	}
	free(r->v);
	free(r->order);
	free(r->slots);
	free(r->hosts);
	free(r->made);
	free(r->parents);
}

static bool room_init(struct room *r, const struct checks *old, const struct config *conf)
{
	size_t n = conf->nchecks + BUILT_IN;
	*r = (struct room){.v = calloc(n, sizeof *r->v),
			   .order = calloc(n, sizeof *r->order),
			   .slots = calloc(n, sizeof *r->slots),
			   .hosts = calloc(n, sizeof *r->hosts),
			   .made = calloc(n, sizeof *r->made),
			   .parents = calloc(n, sizeof *r->parents),
			   .n = n};
	bool ok = r->v && r->order && r->slots && r->hosts && r->made && r->parents;
	for (size_t i = 0; ok && i < n; i++) {
		const char *name = i < BUILT_IN ? built_in[i] : conf->checks[i - BUILT_IN].name;
		size_t nparents = i < BUILT_IN ? 0 : conf->checks[i - BUILT_IN].nparents;
		if (nparents && !(r->parents[i] = calloc(nparents, sizeof **r->parents)))
			ok = false;
		if (!(old && checks_find(old, name)) && !(r->made[i] = check_new(name, CHECK_SELF)))
			ok = false;
	}
	if (!ok)
		room_fini(r);
	return ok;
}

/* Fills the table in the configuration's order, then sorts it. */
static void fill(struct checks *t, const struct room *r, struct checks *old, const struct config *conf)
{
	int64_t now = clock_boot_ms();
	for (size_t i = 0; i < r->n; i++) {
		const struct conf_check *k = i < BUILT_IN ? NULL : &conf->checks[i - BUILT_IN];
		r->order[i] = r->made[i] ? r->made[i] : take_over(old, k ? k->name : built_in[i]);
		if (k)
			configure(r->order[i], k, r->made[i] != NULL, now);
	}
	t->self = r->order[0];
	memcpy(t->v, r->order, r->n * sizeof *t->v);
	qsort(t->v, t->n, sizeof *t->v, by_name);
}

bool checks_build(struct checks *t, struct checks *old, const struct config *conf,
		  void (*fresh)(void *arg, struct check *c), void *arg)
{
	struct room r;
	if (!room_init(&r, old, conf))
		return false;
	*t = (struct checks){.v = r.v, .n = r.n, .slots = r.slots, .hosts = r.hosts};
	fill(t, &r, old, conf);
	for (size_t i = 0; i < r.n; i++)
		link_parents(t, r.order[i], r.parents[i]);
	mark_parents(t);
	link_hosts(t, conf);
	for (size_t i = 0; i < r.n; i++)
		if (r.made[i])
			fresh(arg, r.made[i]);
	for (size_t i = 0; i < t->n; i++)
		if (t->v[i]->conf)
			t->slots[t->nslots++] = &t->v[i]->slot;
	free(r.order);
	free(r.made);
	free(r.parents);
	return true;
}

void checks_fini(struct checks *t)
{
	for (size_t i = 0; i < t->n; i++)
		check_free(t->v[i]);
	free(t->v);
	free(t->slots);
	free(t->hosts);
	*t = (struct checks){0};
}
