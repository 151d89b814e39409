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

static const char *const built_in[] = {"self", "self.config", "self.pagerd", "self.prober", "self.spool", "self.peer"};
enum { BUILT_IN_ALL = sizeof built_in / sizeof *built_in };

/* self.peer, the last one, is there when there is a peer. */
static size_t fixed_ones(const struct config *conf)
{
	return conf->has_peer ? BUILT_IN_ALL : BUILT_IN_ALL - 1;
}

/* With one for each remote. */
static size_t built_ins(const struct config *conf)
{
	return fixed_ones(conf) + conf->nremotes;
}

/* The name of the nth check of a table, as it is made: built-in ones, then the configuration's. made: EVENT_NAME_MAX. */
static const char *name_of(const struct config *conf, size_t i, char *made)
{
	if (i < fixed_ones(conf))
		return built_in[i];
	if (i < built_ins(conf))
		return conf_remote_check(&conf->remotes[i - fixed_ones(conf)], made, EVENT_NAME_MAX);
	return conf->checks[i - built_ins(conf)].name;
}

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

static bool same_probe(const struct check *c, const struct conf_check *conf, const char *on)
{
	return c->conf && strcmp(c->conf->probe, conf->probe) == 0 && strcmp(c->on, on) == 0;
}

/* Gives a check its (new) configuration. */
static void configure(struct check *c, const struct config *all, const struct conf_check *conf, bool fresh, int64_t now_ms)
{
	const struct conf_remote *remote = config_remote(all, conf);
	const char *on = remote ? remote->name : "";
	bool same = same_probe(c, conf, on);
	snprintf(c->on, sizeof c->on, "%s", on);
	if (!fresh && !same) {
		/* another probe cannot read it, and on another host it is about other files */
		free(c->blob);
		c->blob = NULL;
	}
	c->conf = conf;
	c->host = conf->host;
	c->kind = conf->place == PLACE_OUTSIDE ? CHECK_PASSIVE : conf->place == PLACE_LOCAL ? CHECK_LOCAL : CHECK_NET;
	c->max = conf->max_check_attempts;
	if (c->quarantined)
		sched_now(&c->slot, now_ms); /* a reload is a new chance; dies it again, it is left alone again */
	c->quarantined = false;
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

/* The built-in check of a remote that is reached over our own link. */
static bool is_far(const struct config *conf, const struct check *c)
{
	char name[EVENT_NAME_MAX];
	for (size_t i = 0; !c->conf && i < conf->nremotes; i++)
		if (conf->remotes[i].below_self && strcmp(c->name, conf_remote_check(&conf->remotes[i], name, sizeof name)) == 0)
			return true;
	return false;
}

static void link_parents(struct checks *t, const struct config *conf, struct check *c, struct check **room)
{
	const struct conf_remote *remote = c->conf ? config_remote(conf, c->conf) : NULL;
	char name[EVENT_NAME_MAX];
	free(c->parents);
	c->parents = room;
	c->nparents = 0;
	/* without a link of our own the other ops host's silence says nothing */
	c->below_self = strcmp(c->name, "self.peer") == 0 || is_far(conf, c);
	c->remote = remote ? checks_find(t, conf_remote_check(remote, name, sizeof name)) : NULL;
	c->explains = c->kind == CHECK_SELF;
	for (size_t i = 0; c->conf && i < c->conf->nparents; i++) {
		struct check *p = checks_find(t, c->conf->parents[i]);
		if (p == t->self)
			c->below_self = true;
		else if (p && p != c)
			c->parents[c->nparents++] = p;
	}
}

static void link_depends(struct checks *t, struct check *c, struct depend *room)
{
	free(c->depends);
	c->depends = room;
	c->ndepends = 0;
	for (size_t i = 0; c->conf && i < c->conf->ndepends; i++) {
		const struct conf_depend *d = &c->conf->depends[i];
		struct check *on = checks_find(t, d->check);
		if (on && on != c)
			c->depends[c->ndepends++] = (struct depend){.on = on,
								    .when = d->when,
								    .notification = d->notification,
								    .execution = d->execution};
	}
}

static void link_recurring(struct checks *t)
{
	for (size_t i = 0; i < t->n; i++) {
		struct check *c = t->v[i];
		c->recurs = 0;
		for (size_t k = 0; c->conf && k < t->nrecurring; k++)
			if (conf_downtime_matches(t->recurring[k].conf, c->conf))
				c->recurs |= UINT64_C(1) << k;
	}
}

static void mark_parents(struct checks *t)
{
	for (size_t i = 0; i < t->n; i++)
		for (size_t k = 0; k < t->v[i]->ndepends; k++)
			t->v[i]->depends[k].on->explains = true;
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
	struct depend **depends;
	struct recurring *recurring;
	size_t n;
};

static void room_fini(struct room *r)
{
	for (size_t i = 0; i < r->n; i++) {
		if (r->made)
			check_free(r->made[i]);
		if (r->parents)
			free(r->parents[i]);
		if (r->depends)
			free(r->depends[i]);
	}
	free(r->v);
	free(r->order);
	free(r->slots);
	free(r->hosts);
	free(r->made);
	free(r->parents);
	free(r->depends);
	free(r->recurring);
}

static bool room_init(struct room *r, const struct checks *old, const struct config *conf)
{
	size_t n = conf->nchecks + built_ins(conf);
	*r = (struct room){.v = calloc(n, sizeof *r->v),
			   .order = calloc(n, sizeof *r->order),
			   .slots = calloc(n, sizeof *r->slots),
			   .hosts = calloc(n, sizeof *r->hosts),
			   .made = calloc(n, sizeof *r->made),
			   .parents = calloc(n, sizeof *r->parents),
			   .depends = calloc(n, sizeof *r->depends),
			   .recurring = calloc(conf->ndowntimes + 1, sizeof *r->recurring),
			   .n = n};
	bool ok = r->v && r->order && r->slots && r->hosts && r->made && r->parents && r->depends && r->recurring;
	for (size_t i = 0; ok && i < n; i++) {
		char made[EVENT_NAME_MAX];
		const char *name = name_of(conf, i, made);
		size_t nparents = i < built_ins(conf) ? 0 : conf->checks[i - built_ins(conf)].nparents;
		if (nparents && !(r->parents[i] = calloc(nparents, sizeof **r->parents)))
			ok = false;
		size_t ndepends = i < built_ins(conf) ? 0 : conf->checks[i - built_ins(conf)].ndepends;
		if (ndepends && !(r->depends[i] = calloc(ndepends, sizeof **r->depends)))
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
		const struct conf_check *k = i < built_ins(conf) ? NULL : &conf->checks[i - built_ins(conf)];
		char made[EVENT_NAME_MAX];
		r->order[i] = r->made[i] ? r->made[i] : take_over(old, name_of(conf, i, made));
		if (k)
			configure(r->order[i], conf, k, r->made[i] != NULL, now);
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
	*t = (struct checks){.v = r.v, .n = r.n, .slots = r.slots, .hosts = r.hosts,
			    .recurring = r.recurring,
			    .nrecurring = conf->ndowntimes};
	for (size_t i = 0; i < conf->ndowntimes; i++)
		t->recurring[i].conf = &conf->downtimes[i];
	fill(t, &r, old, conf);
	for (size_t i = 0; i < r.n; i++)
		link_parents(t, conf, r.order[i], r.parents[i]);
	for (size_t i = 0; i < r.n; i++)
		link_depends(t, r.order[i], r.depends[i]);
	link_recurring(t);
	mark_parents(t);
	link_hosts(t, conf);
	for (size_t i = 0; i < r.n; i++)
		if (r.made[i])
			fresh(arg, r.made[i]);
	for (size_t i = 0; i < t->n; i++)
		if (t->v[i]->conf && t->v[i]->kind != CHECK_PASSIVE)
			t->slots[t->nslots++] = &t->v[i]->slot;
	free(r.order);
	free(r.made);
	free(r.parents);
	free(r.depends);
	return true;
}

void checks_fini(struct checks *t)
{
	for (size_t i = 0; i < t->n; i++)
		check_free(t->v[i]);
	free(t->v);
	free(t->slots);
	free(t->hosts);
	free(t->recurring);
	*t = (struct checks){0};
}
