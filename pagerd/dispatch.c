/* What goes next; see dispatch.h. How fast a contact is told and what a route may cost decides rules/pace.c.
 */
#include "dispatch.h"

#include <stdlib.h>
#include <string.h>

#include "causes.h"
#include "contacts.h"
#include "pacing.h"
#include "sending.h"

/* --- what waits ------------------------------------------------------------------------------------ */

struct pick {
	struct waiting w;
	enum pace_class class;
	const struct call *c; /* for the sorting only: what is sent may make others go */
};

/* Pages of one class to one contact: picks [first, first + n), what the contact has not heard of first. */
struct group {
	size_t first, n;
	enum pace_class class;
	bool fresh;
	int64_t made;
};

static int by_contact(const void *x, const void *y)
{
	const struct pick *a = x, *b = y;
	int c = strcmp(a->c->contact, b->c->contact);
	if (c)
		return c;
	if (a->class != b->class)
		return (int)a->class - (int)b->class;
	if (a->w.fresh != b->w.fresh)
		return a->w.fresh ? -1 : 1;
	if (a->c->made.wall_ms != b->c->made.wall_ms)
		return a->c->made.wall_ms < b->c->made.wall_ms ? -1 : 1;
	return a->w.call < b->w.call ? -1 : a->w.call > b->w.call;
}

/* What is sent first when a line becomes free: alarms of which nobody on that contact has heard, other
 * alarms, then the classes as they stand; the older first. */
static int by_rank(const void *x, const void *y)
{
	const struct group *a = x, *b = y;
	if (a->class != b->class)
		return (int)a->class - (int)b->class;
	if (a->fresh != b->fresh)
		return a->fresh ? -1 : 1;
	return a->made < b->made ? -1 : a->made > b->made;
}

static bool pick_room(struct pick **v, size_t n, size_t *cap)
{
	if (n < *cap)
		return true;
	size_t more = *cap ? *cap * 2 : 64;
	struct pick *w = realloc(*v, more * sizeof *w);
	if (!w)
		return false;
	*v = w;
	*cap = more;
	return true;
}

static size_t pick_waiting(const struct pager *p, const struct stamp *now, struct pick **out)
{
	size_t n = 0, cap = 0;
	*out = NULL;
	for (size_t k = 0; k < p->ninc; k++) {
		struct incident *i = p->inc[k];
		for (size_t m = 0; m < i->ncalls; m++) {
			const struct call *c = i->calls[m];
			if (!call_may_leave(c, now))
				continue;
			if (!pick_room(out, n, &cap))
				return n;
			(*out)[n++] = (struct pick){{.i = i, .call = c->n}, pace_class_of(c->kind), c};
		}
	}
	return n;
}

static void find_fresh(const struct pager *p, struct pick *v, size_t n)
{
	struct hashes heard = {0};
	bool made = false;
	for (size_t k = 0; k < n; k++) {
		if (v[k].class == PACE_NOTICE)
			v[k].w.fresh = true; /* each is of its own cause */
		if (v[k].class != PACE_ALARM)
			continue;
		if (!made)
			heard = causes_heard(p);
		made = true;
		v[k].w.fresh = !causes_is_heard(&heard, v[k].c->contact, cause_of(p, v[k].w.i));
	}
	hashes_fini(&heard);
}

/* Tests are for a line and address of their own each. */
static bool belongs(const struct pick *a, const struct pick *b)
{
	return a->class == b->class && a->class != PACE_TEST && strcmp(a->c->contact, b->c->contact) == 0;
}

static struct group *make_groups(struct pick *v, size_t n, size_t *ngroups)
{
	struct group *g = calloc(n + 1, sizeof *g);
	*ngroups = 0;
	for (size_t k = 0; g && k < n; k++) {
		if (k && belongs(&v[k - 1], &v[k]))
			g[*ngroups - 1].n++;
		else
			g[(*ngroups)++] =
			    (struct group){k, 1, v[k].class, v[k].w.fresh, v[k].c->made.wall_ms};
	}
	if (g && *ngroups)
		qsort(g, *ngroups, sizeof *g, by_rank);
	return g;
}

/* --- one group ------------------------------------------------------------------------------------- */

static int64_t sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Settling may have ended pages further down the list. */
static struct call *still_waiting(const struct waiting *w)
{
	struct call *c = incident_find_call(w->i, w->call);
	return c && c->phase == CALL_WAITING ? c : NULL;
}

/* How many of the group still wait, by what pace_decide asks. */
struct tally {
	size_t fresh, known;
	bool again;
};

static struct tally count(const struct pick *v, size_t n)
{
	struct tally t = {0};
	for (size_t k = 0; k < n; k++) {
		const struct call *c = still_waiting(&v[k].w);
		if (!c)
			continue;
		t.fresh += v[k].w.fresh;
		t.known += !v[k].w.fresh;
		t.again |= c->tried > 0;
	}
	return t;
}

/* Its record is on the disk, or the disk is known not to take any: a digest's note can lean on it. */
static bool is_recorded(const struct pager *p, const struct incident *i)
{
	return p->store_trouble || (!i->dirty && !i->owed);
}

/* The pages that may leave now, all by the same route; *route is that, -1: there is none. */
static size_t choose(struct pager *p, const struct pick *v, size_t n, const struct route_view *views,
		     size_t nviews, const struct stamp *now, struct waiting *out, int *route, int64_t *again)
{
	size_t found = 0;
	*route = -1;
	for (size_t k = 0; k < n; k++) {
		struct call *c = still_waiting(&v[k].w);
		int64_t ms;
		if (c && call_is_spent(c, views, nviews)) {
			call_end(c, CALL_SENT, now); /* nothing is left that could confirm it */
			pager_page_changed(p, v[k].w.i, v[k].w.call, now);
			continue;
		}
		int r = c ? call_choose(c, views, nviews, now->boot_ms, &ms) : -1;
		if (c && r < 0)
			*again = sooner(*again, ms);
		if (r < 0 || (*route >= 0 && r != *route))
			continue;
		*route = r;
		out[found++] = v[k].w;
	}
	return found;
}

/* Drops those whose incidents are not written yet. */
static size_t only_recorded(const struct pager *p, struct waiting *w, size_t n)
{
	size_t kept = 0;
	for (size_t k = 0; k < n; k++)
		if (is_recorded(p, w[k].i))
			w[kept++] = w[k];
	return kept;
}

struct allowance {
	int64_t wait_ms; /* until the route's budget lets one more leave */
	bool last;
};

static struct allowance budget_of(struct pager *p, const struct route_view *v, bool exempt, int64_t now)
{
	struct conf_budget b = config_budget(p->conf, v->line, v->to);
	const struct purse *spent = pacing_purse(p->pacing, v->line, v->to);
	if (!spent || !b.max)
		return (struct allowance){0};
	return (struct allowance){exempt ? 0 : purse_wait(spent, b.max, b.span_ms, now),
				  purse_is_last(spent, b.max, b.span_ms, now)};
}

/* NULL: what is sent to whom has no pace. A siren is switched off incident by incident: a digest would not
 * tell it which. */
static struct pace *pace_of(struct pager *p, enum pace_class class, const char *contact)
{
	const struct conf_contact *k = config_contact(p->conf, contact);
	return class == PACE_TEST || (k && (!k->digest || contacts_follows(p->conf, contact)))
		   ? NULL
		   : pacing_of(p->pacing, contact);
}

/* Sends one message of those that may leave; returns when to look again. */
static int64_t send_some(struct pager *p, const struct group *g, struct waiting *w, size_t n,
			 enum pace_what what, const struct route_view *v, bool last, const struct stamp *now)
{
	struct waiting first = w[0];
	struct call *c = still_waiting(&first);
	struct pace *pace = pace_of(p, g->class, c->contact);
	int64_t ms;
	if (what == PACE_ALL && n >= PACE_MANY) {
		size_t recorded = only_recorded(p, w, n);
		/* while the others are being written the first of all may leave alone */
		bool first_of_all = !pace || pace_decide(&pace[g->class], 0, PACE_MANY, false, now->boot_ms,
							 &ms) != PACE_WAIT;
		if (recorded < PACE_MANY && !first_of_all)
			return 1;
		if (recorded >= PACE_MANY && send_digest(p, w, recorded, g->class, v, last, now)) {
			if (pace)
				pace_left(&pace[g->class], true, now->boot_ms);
			return 1;
		}
	}
	send_one(p, first.i, c, v, last, now);
	if (pace)
		pace_left(&pace[g->class], false, now->boot_ms);
	return 1;
}

static int64_t run_group(struct pager *p, const struct pick *v, const struct group *g, struct waiting *w,
			 const struct stamp *now)
{
	struct route_view views[PAGER_VIEWS_MAX];
	const struct pick *mine = &v[g->first];
	struct tally t = count(mine, g->n);
	const struct call *c = NULL;
	int64_t again = INT64_MAX;
	int route;
	for (size_t k = 0; !c && k < g->n; k++)
		c = still_waiting(&mine[k].w);
	if (!c)
		return again;
	const struct pace *pace = pace_of(p, g->class, c->contact);
	enum pace_what what =
	    pace ? pace_decide(&pace[g->class], t.fresh, t.known, t.again, now->boot_ms, &again) : PACE_ONE;
	if (what == PACE_WAIT)
		return again;
	bool exempt = g->class == PACE_TEST ||
		      (g->class == PACE_ALARM && pace && pace_is_calm(&pace[g->class], g->n, now->boot_ms));
	size_t nviews = contacts_routes(p, c, now->boot_ms, views, PAGER_VIEWS_MAX);
	size_t n = choose(p, mine, g->n, views, nviews, now, w, &route, &again);
	if (route < 0)
		return again;
	struct allowance a = budget_of(p, &views[route], exempt, now->boot_ms);
	if (a.wait_ms > 0)
		return sooner(again, a.wait_ms);
	return send_some(p, g, w, n, what, &views[route], a.last, now);
}

int64_t dispatch(struct pager *p, const struct stamp *now)
{
	struct pick *v;
	int64_t next = INT64_MAX;
	size_t ngroups = 0, n = pick_waiting(p, now, &v);
	find_fresh(p, v, n);
	if (n)
		qsort(v, n, sizeof *v, by_contact);
	struct group *g = make_groups(v, n, &ngroups);
	struct waiting *w = calloc(n + 1, sizeof *w);
	for (size_t k = 0; w && k < ngroups; k++)
		next = sooner(next, run_group(p, v, &g[k], w, now));
	free(w);
	free(g);
	free(v);
	return next;
}
