/* Events become incidents; see arrivals.h. Called by inputs.c. */
#include "arrivals.h"

#include <stdio.h>
#include <string.h>

#include "lib/log.h"
#include "contacts.h"
#include "state.h"
#include "sources.h"

static enum intake_answer answer(const struct incident *i)
{
	return i->dirty || i->owed ? INTAKE_PENDING : INTAKE_RECORDED;
}

/* --- one that may not be said ------------------------------------------------------------------------- */

/* A number that the same event has whenever it is read. */
static uint64_t number_of(const struct event *e)
{
	uint64_t h = 14695981039346656037u; /* FNV-1a */
	for (const char *s = e->check; *s; s++)
		h = (h ^ (unsigned char)*s) * 1099511628211u;
	h = (h ^ e->change) * 1099511628211u;
	return h >> 12 | 1;
}

/* It is not lost: what it says is told once, with why it was not taken as what it claims to be. */
static enum intake_answer refuse(struct pager *p, const struct event *e, const char *why)
{
	char text[2400];
	uint64_t number = number_of(e);
	const struct incident *i = pager_incident(p, "self.spool", number, false);
	if (i)
		return answer(i);
	snprintf(text, sizeof text, "an event was not taken as what it says: %s. It says: %s %s %s: %s", why,
		 event_kind_name(e->kind), nag_name(e->state), e->check, e->text);
	pager_self_notice(p, "self.spool", number, text);
	return INTAKE_PENDING;
}

/* --- one incident ------------------------------------------------------------------------------------- */

/* What would ring anew is counted against its source's budget; what is known to people already is not. */
static bool rings_anew(const struct incident *i, const struct event *e)
{
	if (e->suppressed || e->kind == EVENT_RECOVERY || e->kind == EVENT_ACK)
		return false;
	return e->kind == EVENT_NOTICE || !incident_is_problem(i);
}

static void fold(struct pager *p, const struct incident *i, struct event *e)
{
	char why[sizeof e->why_suppressed];
	if (!rings_anew(i, e) || sources_spend(p->sources, e->source, why, sizeof why))
		return;
	e->suppressed = true;
	memcpy(e->why_suppressed, why, sizeof why);
}

static void note(const struct incident *i, const struct event *e)
{
	bool ack = e->kind == EVENT_ACK;
	log_info("incident %s: %s of %s, %s%s: %s", i->id, event_kind_name(e->kind), e->check,
		 ack ? e->by : nag_name(e->state), e->suppressed ? " (suppressed)" : "", e->text);
}

static enum intake_answer apply(struct pager *p, struct incident *i, const struct event *given)
{
	struct contact_view who[PAGER_VIEWS_MAX];
	struct event e = *given; /* shares its strings */
	struct stamp now = clock_stamp();
	i->seen_ms = now.boot_ms;
	if (incident_has(i, e.change))
		return answer(i);
	fold(p, i, &e);
	if (e.kind == EVENT_ACK)
		incident_event(i, &e, p->views, p->nviews, &now);
	else
		incident_event(i, &e, who, contacts_of(p->conf, i, &e, &now, who, PAGER_VIEWS_MAX), &now);
	p->changed = true;
	note(i, &e);
	return INTAKE_PENDING;
}

static enum intake_answer apply_to(struct pager *p, uint64_t opened, const struct event *e)
{
	struct incident *i = pager_incident(p, e->check, opened, e->kind != EVENT_ACK);
	if (i)
		return apply(p, i, e);
	if (e->kind != EVENT_ACK)
		return INTAKE_NO_ROOM;
	log_warn("%s: an acknowledgement of a problem that is not known", e->check);
	return INTAKE_RECORDED;
}

/* --- whichever incident is open ------------------------------------------------------------------------ */

static bool was_applied(const struct incident *i, uint64_t change)
{
	for (size_t k = i->nchanges; k-- > 0;)
		if (i->changes[k] == change)
			return true;
	return false;
}

/* Applies e to those of its check that are meant; how many there were. */
static size_t apply_where(struct pager *p, const struct event *e,
			  bool (*meant)(const struct incident *, uint64_t), enum intake_answer *out)
{
	size_t n = 0;
	*out = INTAKE_RECORDED;
	for (size_t k = p->ninc; k-- > 0;) {
		struct incident *i = p->inc[k];
		if (strcmp(i->check, e->check) != 0 || !meant(i, e->change))
			continue;
		if (apply(p, i, e) == INTAKE_PENDING)
			*out = INTAKE_PENDING;
		n++;
	}
	return n;
}

static bool is_open(const struct incident *i, uint64_t change)
{
	(void)change;
	return incident_is_problem(i);
}

static enum intake_answer take_open(struct pager *p, const struct event *e)
{
	enum intake_answer a;
	/* the same event again, whatever it did to its incidents */
	if (apply_where(p, e, was_applied, &a))
		return a;
	const struct incident *open = pager_open_incident(p, e->check);
	if (e->kind == EVENT_PROBLEM || e->kind == EVENT_NOTICE)
		return apply_to(p, open ? open->opened : e->change, e);
	if (apply_where(p, e, is_open, &a))
		return a;
	/* what ended is not opened again by another end of it */
	const struct incident *last = pager_find(p, e->check);
	return apply_to(p, last ? last->opened : e->change, e);
}

enum intake_answer arrivals_take(struct pager *p, const struct event *given)
{
	struct event e = *given; /* shares its strings */
	char *const *contacts = NULL;
	char why[400];
	size_t n;
	if (!sources_admit(p->sources, &e, &contacts, &n, why, sizeof why))
		return refuse(p, &e, why);
	if (n) {
		e.contacts = (char **)contacts;
		e.ncontacts = n;
	}
	return e.opened ? apply_to(p, e.opened, &e) : take_open(p, &e);
}
