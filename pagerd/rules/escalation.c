/*
 * Ladders, handovers, quiet hours; see escalation.h. Called by intake and by the turn. Who is meant by a name
 * is lib/oncall/who.c's, as in monitorctl explain.
 */
#include "escalation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "incident_pages.h"

static int64_t sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* --- whom it concerns ------------------------------------------------------------------------------ */

static struct target *target_make(struct incident *i, const char *name)
{
	for (size_t k = 0; k < i->ntargets; k++)
		if (strcmp(i->targets[k].name, name) == 0)
			return &i->targets[k];
	if (i->ntargets >= INC_TARGETS_MAX)
		return NULL;
	struct target *v = realloc(i->targets, (i->ntargets + 1) * sizeof *v);
	if (!v)
		return NULL;
	i->targets = v;
	struct target *t = &v[i->ntargets++];
	*t = (struct target){.begins = false};
	snprintf(t->name, sizeof t->name, "%s", name);
	return t;
}

void escalation_concern(struct incident *i, const struct event *e, const char *const *names, size_t n,
			const struct stamp *now)
{
	if (incident_has(i, e->change))
		return;
	bool anew = incident_will(i, e) == DO_PROBLEM && i->phase != INC_OPEN;
	bool lifted = i->suppressed && !e->suppressed && e->kind == EVENT_PROBLEM;
	for (size_t k = 0; k < n; k++) {
		struct target *t = target_make(i, names[k]);
		if (t && !t->since.wall_ms)
			t->since = *now;
	}
	for (size_t k = 0; (anew || lifted) && k < i->ntargets; k++) {
		i->targets[k].since = *now;
		if (anew)
			i->targets[k].rung = (struct rung){0, 0};
	}
	i->look_ms = 0;
}

void escalation_defaults(const struct config *conf, int64_t wall_ms, struct audience *a)
{
	a->n = 0;
	for (size_t k = 0; !a->n && k < conf->ndefault_contacts; k++) {
		struct target t = {.begins = false};
		snprintf(t.name, sizeof t.name, "%s", conf->default_contacts[k]);
		who_audience(conf, &t, 1, wall_ms / 1000, a);
	}
}

void escalation_look(const struct incident *i, const struct config *conf, const struct stamp *now,
		     struct audience *a)
{
	who_audience(conf, i->targets, i->ntargets, now->wall_ms / 1000, a);
	if (!a->n)
		escalation_defaults(conf, now->wall_ms, a);
}

/* --- quiet hours ----------------------------------------------------------------------------------- */

/* Of an answer (recovery, acknowledgement): the worst that its contact was to be told. */
static enum nag_state severity_of(const struct incident *i, const struct call *c)
{
	enum nag_state worst = NAG_OK;
	if (c->kind != PAGE_RECOVERED && c->kind != PAGE_ACK)
		return c->state;
	/* pages that are done may be forgotten, what they told is not */
	for (size_t k = 0; k < i->ncontacts; k++)
		if (strcmp(i->contacts[k].name, c->contact) == 0)
			worst = i->contacts[k].reached;
	for (size_t k = 0; k < i->ncalls; k++) {
		const struct call *p = i->calls[k];
		if (inc_is_problem_call(p) && p->n > i->episode && strcmp(p->contact, c->contact) == 0)
			worst = nag_worse(worst, p->state);
	}
	return worst == NAG_OK ? i->worst : worst;
}

int64_t escalation_hold(const struct incident *i, const struct call *c, const struct config *conf,
			const struct stamp *now)
{
	if (!conf->has_quiet || c->phase != CALL_WAITING || c->doubt || c->kind == PAGE_TEST || c->kind == PAGE_INFO ||
	    c->only_line)
		return 0;
	for (size_t k = 0; k < conf->ncontacts; k++)
		if (strcmp(conf->contacts[k].name, c->contact) == 0)
			return quiet_until(conf->contacts[k].quiet, severity_of(i, c), now->wall_ms / 1000) *
			       1000;
	return 0;
}

static int64_t hold(struct incident *i, const struct config *conf, const struct stamp *now)
{
	int64_t next = INT64_MAX;
	for (size_t k = 0; k < i->ncalls; k++) {
		struct call *c = i->calls[k];
		int64_t until = escalation_hold(i, c, conf, now);
		if (until) {
			i->dirty |= c->held_until != until;
			c->held_until = until;
			next = sooner(next, until - now->wall_ms);
		} else if (c->phase == CALL_WAITING && c->held_until > now->wall_ms) {
			c->held_until = now->wall_ms; /* worse now, or the hours were changed */
			i->dirty = true;
		}
	}
	return next;
}

/* Whoever was to be told sleeps: nobody could have acknowledged, so no ladder is climbed. */
static bool all_held(const struct incident *i, const struct stamp *now)
{
	bool held = false;
	for (size_t k = 0; k < i->ncontacts; k++)
		if (i->contacts[k].told != TOLD_NO && !i->contacts[k].away)
			return false;
	for (size_t k = 0; k < i->ncalls; k++) {
		const struct call *c = i->calls[k];
		if (!inc_is_problem_call(c) || call_is_done(c))
			continue;
		if (c->held_until <= now->wall_ms)
			return false;
		held = true;
	}
	return held;
}

/* --- ladders and duty ------------------------------------------------------------------------------ */

static int64_t climb(struct incident *i, const struct config *conf, const struct stamp *now)
{
	int64_t next = INT64_MAX, left;
	bool held = all_held(i, now);
	for (size_t k = 0; k < i->ntargets; k++) {
		struct target *t = &i->targets[k];
		struct who_ref ref;
		t->begins = false;
		if (!who_find(conf, t->name, &ref) || ref.kind != WHO_LADDER)
			continue;
		if (held) {
			t->since = *now;
			continue; /* that changes nothing on the disk: after a restart the same is found */
		}
		t->begins = ladder_advance(&conf->ladders[ref.n].ladder, &t->rung,
					   clock_age_ms(&t->since, now), &left);
		if (t->begins) {
			t->since = *now;
			i->dirty = true;
		}
		next = sooner(next, left);
	}
	return next;
}

static void repeat(struct incident *i, const struct inc_contact *c, const struct stamp *now)
{
	if (!inc_has_open_problem_call(i, c->name) && incident_call(i, c->name, PAGE_REPEAT, i->text, now))
		i->dirty = true;
}

static void tell(struct incident *i, const struct contact_view *view, bool again, const struct stamp *now)
{
	struct inc_contact *c = inc_contact_make(i, view->name);
	if (!c)
		return;
	bool back = c->away;
	if (back)
		i->dirty = true;
	c->away = false;
	if (!c->paged || c->paged_state != i->state || c->excused) {
		inc_page_problem(i, view, 1, now);
		i->dirty = true;
	} else if (back || again) {
		repeat(i, c, now);
	}
}

/* Off duty: no repeats; what waits for the end of the night is the next one's to hear. */
static void leave(struct incident *i, struct inc_contact *c, const struct stamp *now)
{
	if (c->away)
		return;
	c->away = true;
	i->dirty = true;
	for (size_t k = 0; k < i->ncalls; k++) {
		struct call *p = i->calls[k];
		if (!inc_is_problem_call(p) || !inc_is_untouched(p) || p->held_until <= now->wall_ms ||
		    strcmp(p->contact, c->name) != 0)
			continue;
		call_end(p, CALL_MERGED, now);
		c->paged = c->told != TOLD_NO;
	}
}

static bool named(const struct audience *a, const struct contact_view *views, const char *name)
{
	for (size_t k = 0; k < a->n; k++)
		if (strcmp(views[a->v[k].contact].name, name) == 0)
			return true;
	return false;
}

static int64_t escalate(struct incident *i, const struct config *conf, const struct contact_view *views,
			size_t nviews, const struct stamp *now)
{
	struct audience a;
	if (i->phase != INC_OPEN || i->suppressed || !i->ntargets)
		return INT64_MAX;
	if (now->boot_ms < i->look_ms)
		return i->look_ms - now->boot_ms;
	int64_t next = sooner(climb(i, conf, now), ESCALATION_LOOK_MS);
	escalation_look(i, conf, now, &a);
	for (size_t k = 0; k < a.n && a.v[k].contact < nviews; k++)
		tell(i, &views[a.v[k].contact], a.v[k].again, now);
	for (size_t k = 0; a.n && k < i->ncontacts; k++)
		if (!named(&a, views, i->contacts[k].name))
			leave(i, &i->contacts[k], now);
	i->look_ms = now->boot_ms + next;
	return next;
}

int64_t escalation_pass(struct incident *i, const struct config *conf, const struct contact_view *views,
			size_t nviews, const struct stamp *now)
{
	int64_t next = hold(i, conf, now);
	next = sooner(next, escalate(i, conf, views, nviews, now));
	next = sooner(next, incident_repeat(i, views, nviews, now));
	/* pages that were made just now may have to wait too */
	return sooner(next, hold(i, conf, now));
}
