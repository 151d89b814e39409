/*
 * Who knows what of an incident, and the pages that tell them; the second half of the
 * incident machine (incident.h). Called by incident.c only, but for incident_call and
 * incident_settle.
 */
#include "incident_pages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- contacts -------------------------------------------------------------------------------------- */

static struct inc_contact *contact_find(struct incident *i, const char *name)
{
	for (size_t k = 0; k < i->ncontacts; k++)
		if (strcmp(i->contacts[k].name, name) == 0)
			return &i->contacts[k];
	return NULL;
}

struct inc_contact *inc_contact_make(struct incident *i, const char *name)
{
	struct inc_contact *c = contact_find(i, name);
	if (c || i->ncontacts >= INC_CONTACTS_MAX)
		return c;
	struct inc_contact *v = realloc(i->contacts, (i->ncontacts + 1) * sizeof *v);
	if (!v)
		return NULL;
	i->contacts = v;
	c = &v[i->ncontacts++];
	*c = (struct inc_contact){0};
	snprintf(c->name, sizeof c->name, "%s", name);
	return c;
}

/* A contact that is not configured any more is paged through the default ones: it wants what they get. */
struct contact_view inc_view_of(const struct contact_view *who, size_t nwho, const char *name)
{
	for (size_t k = 0; k < nwho; k++)
		if (strcmp(who[k].name, name) == 0)
			return who[k];
	return (struct contact_view){.name = name, .recovery = true};
}

/* --- pages ----------------------------------------------------------------------------------------- */

bool inc_is_problem_call(const struct call *c)
{
	return c->kind == PAGE_NEW || c->kind == PAGE_REPEAT;
}

bool inc_has_open_problem_call(const struct incident *i, const char *contact)
{
	for (size_t k = 0; k < i->ncalls; k++)
		if (inc_is_problem_call(i->calls[k]) && !call_is_done(i->calls[k]) &&
		    strcmp(i->calls[k]->contact, contact) == 0)
			return true;
	return false;
}

static void calls_trim(struct incident *i)
{
	for (size_t k = 0; i->ncalls >= INC_CALLS_KEPT && k < i->ncalls;) {
		if (!call_is_done(i->calls[k])) {
			k++;
			continue;
		}
		call_free(i->calls[k]);
		memmove(&i->calls[k], &i->calls[k + 1], (i->ncalls - k - 1) * sizeof *i->calls);
		i->ncalls--;
	}
}

struct call *incident_call(struct incident *i, const char *contact, enum page_kind kind, const char *text,
			   const struct stamp *now)
{
	calls_trim(i);
	struct call **v = realloc(i->calls, (i->ncalls + 1) * sizeof *v);
	struct call *c = calloc(1, sizeof *c);
	if (v)
		i->calls = v;
	if (!v || !c) {
		free(c);
		return NULL;
	}
	c->n = ++i->last_call;
	snprintf(c->contact, sizeof c->contact, "%s", contact);
	c->kind = kind;
	c->state = i->state;
	c->text = strdup(text);
	c->more = i->more ? strdup(i->more) : NULL;
	c->made = *now;
	c->since = i->since;
	i->calls[i->ncalls++] = c;
	return c;
}

/* Nothing of it has left: it may still be changed or taken back. */
bool inc_is_untouched(const struct call *c)
{
	return c->phase == CALL_WAITING && !c->doubt;
}

static struct call *waiting_problem_call(const struct incident *i, const char *contact)
{
	for (size_t k = 0; k < i->ncalls; k++)
		if (inc_is_problem_call(i->calls[k]) && inc_is_untouched(i->calls[k]) &&
		    strcmp(i->calls[k]->contact, contact) == 0)
			return i->calls[k];
	return NULL;
}

/* What may have left of an earlier state is overtaken by the page that is made now. */
static void end_doubtful(struct incident *i, const char *contact, const struct stamp *now)
{
	for (size_t k = 0; k < i->ncalls; k++) {
		struct call *c = i->calls[k];
		if (inc_is_problem_call(c) &&
		    (c->phase == CALL_UNSURE || (c->phase == CALL_WAITING && c->doubt)) &&
		    strcmp(c->contact, contact) == 0)
			call_end(c, CALL_MERGED, now);
	}
}

const char *inc_text_for(const struct incident *i, bool ja)
{
	return ja && i->text_ja ? i->text_ja : i->text;
}

static void call_rewrite(struct call *c, const struct incident *i, bool ja)
{
	char *text = strdup(inc_text_for(i, ja)), *more = i->more ? strdup(i->more) : NULL;
	free(c->text);
	free(c->more);
	c->text = text;
	c->more = more;
	c->state = i->state;
}

void inc_page_problem(struct incident *i, const struct contact_view *who, size_t nwho,
		      const struct stamp *now)
{
	for (size_t k = 0; k < nwho; k++) {
		struct inc_contact *c = who[k].bystander ? NULL : inc_contact_make(i, who[k].name);
		if (!c)
			continue;
		struct call *waiting = waiting_problem_call(i, c->name);
		bool known = c->paged && c->paged_state == i->state && !c->excused;
		/* what is known by now goes with the page that has not left yet */
		if (waiting)
			call_rewrite(waiting, i, who[k].ja);
		if (known)
			continue;
		end_doubtful(i, c->name, now);
		if (waiting)
			waiting->kind = PAGE_NEW;
		else
			incident_call(i, c->name, PAGE_NEW, inc_text_for(i, who[k].ja), now);
		c->paged = true;
		c->paged_state = i->state;
		c->excused = false;
		c->closed = false;
	}
}

void inc_end_calls(struct incident *i, bool (*which)(const struct call *), enum call_phase phase,
		   const struct stamp *now)
{
	for (size_t k = 0; k < i->ncalls; k++) {
		struct call *c = i->calls[k];
		if (which(c) && (c->phase == CALL_WAITING || c->phase == CALL_UNSURE))
			call_end(c, phase, now);
	}
}

bool inc_is_untouched_recovery(const struct call *c)
{
	return c->kind == PAGE_RECOVERED && inc_is_untouched(c);
}

/* Bytes of s that fit into max without cutting a UTF-8 character. */
static int fits(const char *s, size_t max)
{
	size_t n = strlen(s);
	if (n <= max)
		return (int)n;
	while (max > 0 && ((unsigned char)s[max] & 0xc0) == 0x80)
		max--;
	return (int)max;
}

/* "was CRITICAL: connection refused; now: 220 ready". For how long, the page itself says (since and at). */
static char *closing_text(const struct incident *i, bool ja)
{
	enum { EACH = RESULT_TEXT_MAX / 2 - 48 };
	const char *problem = ja && i->problem_ja ? i->problem_ja : i->problem_text;
	const char *text = inc_text_for(i, ja);
	char *s;
	if (!problem)
		return strdup(text ? text : "");
	const char *was = result_words(problem, nag_name(i->worst));
	const char *is = result_words(text ? text : "", nag_name(NAG_OK));
	int n = asprintf(&s, "was %s: %.*s; now: %.*s", nag_name(i->worst), fits(was, EACH), was, fits(is, EACH), is);
	return n < 0 ? strdup(is) : s;
}

void inc_page_recovered(struct incident *i, struct inc_contact *c, bool ja, const struct stamp *now)
{
	char *text = closing_text(i, ja);
	if (text)
		incident_call(i, c->name, PAGE_RECOVERED, text, now);
	free(text);
	c->closed = true;
}

/* --- settling -------------------------------------------------------------------------------------- */

static enum told told_by(const struct call *c)
{
	if (c->phase == CALL_SENT)
		return TOLD_YES;
	return c->phase == CALL_TRYING || c->phase == CALL_UNSURE || c->doubt ? TOLD_MAYBE : TOLD_NO;
}

static void update_told(struct incident *i, struct inc_contact *c)
{
	if (c->told == TOLD_MAYBE)
		c->told = TOLD_NO; /* unless a page still says so: a late "no" may have settled it */
	for (size_t k = 0; k < i->ncalls; k++) {
		const struct call *p = i->calls[k];
		if (!inc_is_problem_call(p) || p->n <= i->episode || strcmp(p->contact, c->name) != 0)
			continue;
		enum told t = told_by(p);
		if (t == TOLD_YES && p->done.wall_ms > c->last_sent.wall_ms)
			c->last_sent = p->done;
		if (t > c->told)
			c->told = t;
		if (t != TOLD_NO)
			c->reached = nag_worse(c->reached, p->state);
	}
}

static bool in_flight(const struct incident *i, const char *contact)
{
	for (size_t k = 0; k < i->ncalls; k++)
		if (inc_is_problem_call(i->calls[k]) && i->calls[k]->phase == CALL_TRYING &&
		    strcmp(i->calls[k]->contact, contact) == 0)
			return true;
	return false;
}

/* All that was made for this contact waited for the morning. */
static bool only_held(const struct incident *i, const char *contact)
{
	bool any = false;
	for (size_t k = 0; k < i->ncalls; k++) {
		const struct call *c = i->calls[k];
		if (!inc_is_problem_call(c) || c->n <= i->episode || strcmp(c->contact, contact) != 0)
			continue;
		if (!c->held_until || c->tried)
			return false;
		any = true;
	}
	return any;
}

/* The incident is over: does this contact need the page that says so? Whoever was never certainly told of the
 * problem gets it in any case, or the incident would have come and gone unseen. */
static bool wants_closing(const struct incident *i, const struct inc_contact *c, const struct contact_view *v)
{
	if (c->closed || !c->paged || c->excused)
		return false;
	if (v->follows || (v->recovery && !i->hushed))
		return true;
	return c->told != TOLD_YES && !in_flight(i, c->name);
}

void incident_settle(struct incident *i, const struct contact_view *who, size_t nwho, const struct stamp *now)
{
	for (size_t k = 0; k < i->ncontacts; k++)
		update_told(i, &i->contacts[k]);
	if (i->phase == INC_ACKED)
		inc_end_calls(i, inc_is_problem_call, CALL_ACKED, now);
	if (i->phase != INC_RECOVERED)
		return;
	inc_end_calls(i, inc_is_problem_call, CALL_MERGED, now);
	/* asked of all before a page is made: making one may forget pages that are done */
	bool wanted[INC_CONTACTS_MAX] = {false}, ja[INC_CONTACTS_MAX] = {false};
	for (size_t k = 0; k < i->ncontacts && k < INC_CONTACTS_MAX; k++) {
		struct contact_view v = inc_view_of(who, nwho, i->contacts[k].name);
		if (v.forget_held && i->contacts[k].told == TOLD_NO && only_held(i, i->contacts[k].name))
			i->contacts[k].closed = true; /* nothing is to be said, now or when it is asked again */
		wanted[k] = wants_closing(i, &i->contacts[k], &v);
		ja[k] = v.ja;
	}
	for (size_t k = 0; k < i->ncontacts && k < INC_CONTACTS_MAX; k++)
		if (wanted[k])
			inc_page_recovered(i, &i->contacts[k], ja[k], now);
}
