/*
 * The incidents pagerd has in memory, and those it makes of its own concerns; see pager.h.
 */
#include "pager.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/log.h"
#include "contacts.h"

/* --- the list of incidents ------------------------------------------------------------------------- */

struct incident *pager_incident(struct pager *p, const char *check, uint64_t opened, bool make)
{
	for (size_t k = p->ninc; k-- > 0;)
		if (p->inc[k]->opened == opened && strcmp(p->inc[k]->check, check) == 0)
			return p->inc[k];
	if (!make)
		return NULL;
	if (p->ninc >= PAGER_INCIDENTS_MAX) {
		if (!p->full)
			log_err("%d incidents are open: no more are taken, further events wait in the spool", PAGER_INCIDENTS_MAX);
		p->full = true;
		return NULL;
	}
	p->full = false;
	struct incident **v = realloc(p->inc, (p->ninc + 1) * sizeof *v);
	if (v)
		p->inc = v;
	struct incident *i = v ? incident_new(check, opened) : NULL;
	if (i)
		p->inc[p->ninc++] = i;
	return i;
}

struct incident *pager_open_incident(const struct pager *p, const char *check)
{
	for (size_t k = p->ninc; k-- > 0;)
		if (incident_is_problem(p->inc[k]) && strcmp(p->inc[k]->check, check) == 0)
			return p->inc[k];
	return NULL;
}

static bool is_named(const struct incident *i, const char *name)
{
	return !i->ephemeral && (strcasecmp(i->id, name) == 0 || strcmp(i->check, name) == 0);
}

struct incident *pager_find(const struct pager *p, const char *name)
{
	for (size_t k = p->ninc; k-- > 0;)
		if (incident_is_problem(p->inc[k]) && is_named(p->inc[k], name))
			return p->inc[k];
	for (size_t k = p->ninc; k-- > 0;)
		if (is_named(p->inc[k], name))
			return p->inc[k];
	return NULL;
}

void pager_drop(struct pager *p, struct incident *i)
{
	for (size_t k = 0; k < p->ninc; k++) {
		if (p->inc[k] != i)
			continue;
		memmove(&p->inc[k], &p->inc[k + 1], (p->ninc - k - 1) * sizeof *p->inc);
		p->ninc--;
		break;
	}
	incident_free(i);
}

void pager_settle(struct pager *p, struct incident *i, const struct stamp *now)
{
	incident_settle(i, p->views, p->nviews, now);
}

int64_t pager_overdue_ms(const struct pager *p, const char **check)
{
	struct stamp now = clock_stamp();
	int64_t oldest = 0;
	*check = "";
	for (size_t k = 0; k < p->ninc; k++) {
		const struct incident *i = p->inc[k];
		for (size_t m = 0; !i->ephemeral && m < i->ncalls; m++) {
			const struct call *c = i->calls[m];
			int64_t age = clock_age_ms(&c->made, &now);
			if (call_is_done(c) || c->tried || age <= oldest)
				continue;
			oldest = age;
			*check = i->check;
		}
	}
	return oldest;
}

/* --- our own concerns ------------------------------------------------------------------------------ */

uint64_t pager_next_change(struct pager *p)
{
	uint64_t now = (uint64_t)clock_wall_ms();
	p->last_change = now > p->last_change ? now : p->last_change + 1;
	return p->last_change;
}

static void self_event(struct pager *p, const char *check, enum event_kind kind, enum nag_state state,
		       uint64_t opened, uint64_t change, const char *text)
{
	struct contact_view who[PAGER_VIEWS_MAX];
	struct stamp now = clock_stamp();
	struct event e;
	event_init(&e);
	snprintf(e.check, sizeof e.check, "%s", check);
	e.change = change;
	e.opened = opened;
	e.kind = kind;
	e.state = state;
	e.at = e.since = now;
	e.text = strdup(text);
	struct incident *i = pager_incident(p, check, opened, true);
	if (i && e.text && incident_event(i, &e, who, contacts_of(p->conf, &e, who, PAGER_VIEWS_MAX), &now)) {
		log_msg(kind == EVENT_RECOVERY ? LOG_L_NOTICE : LOG_L_ERR, "incident %s: %s: %s", i->id,
			check, text);
		p->changed = true;
		pager_soon(p, 0);
	}
	event_fini(&e);
}

void pager_self_problem(struct pager *p, const char *check, enum nag_state state, const char *text)
{
	const struct incident *open = pager_open_incident(p, check);
	if (open && open->state == state && strcmp(open->text, text) == 0)
		return;
	uint64_t change = pager_next_change(p);
	self_event(p, check, EVENT_PROBLEM, state, open ? open->opened : change, change, text);
}

void pager_self_over(struct pager *p, const char *check, const char *text)
{
	const struct incident *open = pager_open_incident(p, check);
	if (open)
		self_event(p, check, EVENT_RECOVERY, NAG_OK, open->opened, pager_next_change(p), text);
}

void pager_self_notice(struct pager *p, const char *check, uint64_t change, const char *text)
{
	self_event(p, check, EVENT_NOTICE, NAG_CRITICAL, change, change, text);
}
