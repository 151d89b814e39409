/* The plan; see plan.h. */
#include "plan.h"

#include <stdio.h>
#include <string.h>

enum { TARGETS_MAX = 32, MINUTE = 60 };

struct made {
	const struct config *conf;
	struct target targets[TARGETS_MAX];
	int64_t since_s[TARGETS_MAX];
	size_t ntargets;
	struct audience was;
	enum nag_state state;
	struct plan *out;
};

const struct plan_page *plan_first(const struct plan *p, size_t contact)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->v[i].how.contact == contact)
			return &p->v[i];
	return NULL;
}

static void add(struct made *m, const struct who_one *how, int64_t at_s, bool handover)
{
	struct plan *p = m->out;
	bool again = plan_first(p, how->contact);
	if (p->n == PLAN_MAX)
		return;
	p->v[p->n++] = (struct plan_page){
	    .at_s = at_s,
	    .held_until_s = quiet_until(m->conf->contacts[how->contact].quiet, m->state, at_s),
	    .again = again,
	    .handover = handover,
	    .how = *how};
}

/* As in pagerd: while all who were to be told sleep, nobody could have acknowledged. */
static bool all_held(const struct plan *p, int64_t at_s)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->v[i].held_until_s <= at_s)
			return false;
	return p->n > 0;
}

static void climb(struct made *m, int64_t at_s)
{
	bool held = all_held(m->out, at_s);
	for (size_t i = 0; i < m->ntargets; i++) {
		struct target *t = &m->targets[i];
		struct who_ref ref;
		int64_t left;
		t->begins = false;
		if (!who_find(m->conf, t->name, &ref) || ref.kind != WHO_LADDER)
			continue;
		if (!held)
			t->begins = ladder_advance(&m->conf->ladders[ref.n].ladder, &t->rung,
						   (at_s - m->since_s[i]) * 1000, &left);
		if (held || t->begins)
			m->since_s[i] = at_s;
	}
}

static void tell(struct made *m, int64_t at_s, bool first)
{
	struct audience now;
	who_audience(m->conf, m->targets, m->ntargets, at_s, &now);
	for (size_t i = 0; i < now.n; i++) {
		bool news = !who_in(&m->was, now.v[i].contact);
		if (first || news || now.v[i].again)
			add(m, &now.v[i], at_s, !first && !now.v[i].again && news);
	}
	m->was = now;
}

/* Every ladder has come to its second round. */
static bool again(const struct made *m)
{
	bool any = false;
	for (size_t i = 0; i < m->ntargets; i++) {
		struct who_ref ref;
		if (!who_find(m->conf, m->targets[i].name, &ref) || ref.kind != WHO_LADDER)
			continue;
		if (!m->targets[i].rung.round)
			return false;
		any = true;
	}
	return any;
}

/* Duty changes at full minutes; a step is due when it is due. */
static int64_t next_look(const struct made *m, int64_t t)
{
	int64_t next = MINUTE - t % MINUTE;
	for (size_t i = 0; i < m->ntargets; i++) {
		struct rung r = m->targets[i].rung;
		struct who_ref ref;
		int64_t left;
		if (!who_find(m->conf, m->targets[i].name, &ref) || ref.kind != WHO_LADDER)
			continue;
		ladder_advance(&m->conf->ladders[ref.n].ladder, &r, (t - m->since_s[i]) * 1000, &left);
		if (left / 1000 < next)
			next = left < 1000 ? 1 : left / 1000;
	}
	return next;
}

void plan_make(const struct config *conf, char *const *names, size_t n, enum nag_state state, int64_t from_s,
	       int64_t length_s, struct plan *out)
{
	struct made m = {.conf = conf, .state = state, .out = out};
	out->n = 0;
	out->round_s = 0;
	for (size_t i = 0; i < n && i < TARGETS_MAX; i++) {
		snprintf(m.targets[i].name, sizeof m.targets[i].name, "%s", names[i]);
		m.since_s[i] = from_s;
		m.ntargets++;
	}
	tell(&m, from_s, true);
	for (int64_t t = from_s + 1; t <= from_s + length_s;
	     t += t < from_s + MINUTE ? 1 : next_look(&m, t)) {
		climb(&m, t);
		if (again(&m)) {
			out->round_s = t;
			return;
		}
		tell(&m, t, false);
	}
}
