/*
 * The incident machine; see incident.h. Called by intake.c (events), control_cmds.c
 * (acknowledgements) and pager.c (time, outcomes). It decides who is told what; how
 * a page travels is route.c's.
 */
#include "incident.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "incident_pages.h"

static const char *const phase_names[] = {"none", "suppressed", "new", "acknowledged", "recovered", "notice"};

/* clang-format off */
/*
 * DO_RECORD         remember the event, tell nobody
 * DO_PROBLEM        open; page each contact that was not paged for this state yet
 * DO_ACKED_PROBLEM  worse than what was acknowledged: as DO_PROBLEM; else record
 * DO_QUIET          a problem nobody is to hear of
 * DO_HUSH           remember the state; the problem is suppressed from here on: no repeats
 * DO_CLOSE          recovered: tell those who know of the problem; overtaken pages become one that says both
 * DO_CLOSE_HUSHED   recovered, suppressed: only the overtaken pages
 * DO_CLOSE_SILENT   recovered, nobody ever heard of it
 * DO_LATE_PROBLEM   it was already over when we heard of it: those who were told nothing get one page that says both
 * DO_NOTICE         page it once
 * DO_ACK            somebody acts: pages that did not leave are dropped, repeats end, others who were told hear of it
 * DO_ACK_NOTICE     pages that did not leave are dropped
 * DO_REPEAT         page those again whose time has come
 */
static const enum inc_do table[][10] = {
	/*                 PROBLEM           P_SUPPR.   P_LATE           RECOVERY         R_SUPPR.         R_LATE
	 *                 NOTICE            N_SUPPR.   ACK              REPEAT */
	[INC_NONE] =      { DO_PROBLEM,      DO_QUIET,  DO_PROBLEM,      DO_CLOSE,        DO_CLOSE_SILENT, DO_CLOSE,
			    DO_NOTICE,       DO_RECORD, DO_REFUSE,       DO_NOTHING },
	[INC_QUIET] =     { DO_PROBLEM,      DO_RECORD, DO_PROBLEM,      DO_CLOSE_SILENT, DO_CLOSE_SILENT, DO_RECORD,
			    DO_NOTICE,       DO_RECORD, DO_ACK,          DO_NOTHING },
	[INC_OPEN] =      { DO_PROBLEM,      DO_HUSH,   DO_RECORD,       DO_CLOSE,        DO_CLOSE_HUSHED, DO_RECORD,
			    DO_NOTICE,       DO_RECORD, DO_ACK,          DO_REPEAT },
	[INC_ACKED] =     { DO_ACKED_PROBLEM, DO_HUSH,  DO_RECORD,       DO_CLOSE,        DO_CLOSE_HUSHED, DO_RECORD,
			    DO_NOTICE,       DO_RECORD, DO_ACK,          DO_NOTHING },
	[INC_RECOVERED] = { DO_PROBLEM,      DO_RECORD, DO_LATE_PROBLEM, DO_RECORD,       DO_RECORD,       DO_RECORD,
			    DO_NOTICE,       DO_RECORD, DO_REFUSE,       DO_NOTHING },
	[INC_NOTICE] =    { DO_PROBLEM,      DO_QUIET,  DO_PROBLEM,      DO_CLOSE,        DO_CLOSE_SILENT, DO_CLOSE,
			    DO_NOTICE,       DO_RECORD, DO_ACK_NOTICE,   DO_NOTHING },
};
/* clang-format on */

enum inc_do incident_cell(enum inc_phase phase, enum inc_input input)
{
	return table[phase][input];
}

const char *inc_phase_name(enum inc_phase p)
{
	return phase_names[p];
}

bool inc_phase_from_name(const char *s, enum inc_phase *p)
{
	for (size_t i = 0; s && i < sizeof phase_names / sizeof *phase_names; i++) {
		if (strcmp(s, phase_names[i]) == 0) {
			*p = (enum inc_phase)i;
			return true;
		}
	}
	return false;
}

struct incident *incident_new(const char *check, uint64_t opened)
{
	struct incident *i = calloc(1, sizeof *i);
	if (!i)
		return NULL;
	snprintf(i->check, sizeof i->check, "%s", check);
	i->opened = opened;
	i->measured = true;
	event_incident(check, opened, i->id, sizeof i->id);
	return i;
}

uint64_t incident_tag(const struct incident *i)
{
	uint64_t h = 14695981039346656037u; /* FNV-1a, 64 bits */
	for (const unsigned char *p = (const unsigned char *)i->check; *p; p++)
		h = (h ^ *p) * 1099511628211u;
	for (int k = 0; k < 8; k++)
		h = (h ^ (i->opened >> (8 * k) & 0xff)) * 1099511628211u;
	return h;
}

void incident_free(struct incident *i)
{
	if (!i)
		return;
	for (size_t k = 0; k < i->ncalls; k++)
		call_free(i->calls[k]);
	free(i->calls);
	free(i->contacts);
	free(i->targets);
	free(i->text);
	free(i->more);
	free(i->problem_text);
	free(i->text_ja);
	free(i->problem_ja);
	free(i);
}

bool incident_is_problem(const struct incident *i)
{
	return i->phase == INC_QUIET || i->phase == INC_OPEN || i->phase == INC_ACKED;
}

bool incident_is_over(const struct incident *i)
{
	for (size_t k = 0; k < i->ncalls; k++)
		if (!call_is_done(i->calls[k]))
			return false;
	return !incident_is_problem(i);
}

struct call *incident_find_call(const struct incident *i, unsigned n)
{
	for (size_t k = 0; k < i->ncalls; k++)
		if (i->calls[k]->n == n)
			return i->calls[k];
	return NULL;
}

/* --- what was applied ------------------------------------------------------------------------------ */

bool incident_has(const struct incident *i, uint64_t change)
{
	if (i->nchanges == INC_CHANGES_KEPT && change < i->changes[0])
		return true;
	for (size_t k = 0; k < i->nchanges; k++)
		if (i->changes[k] == change)
			return true;
	return false;
}

static void remember(struct incident *i, uint64_t change)
{
	if (i->nchanges == INC_CHANGES_KEPT) {
		memmove(i->changes, i->changes + 1, (INC_CHANGES_KEPT - 1) * sizeof *i->changes);
		i->nchanges--;
	}
	size_t k = i->nchanges++;
	while (k > 0 && i->changes[k - 1] > change) {
		i->changes[k] = i->changes[k - 1];
		k--;
	}
	i->changes[k] = change;
}

/* --- inputs ---------------------------------------------------------------------------------------- */

static void do_problem(struct incident *i, const struct contact_view *who, size_t nwho,
		       const struct stamp *now)
{
	if (!incident_is_problem(i)) {
		/* opened anew: what was said of the last time is history */
		inc_end_calls(i, inc_is_untouched_recovery, CALL_MERGED, now);
		i->ncontacts = 0;
		i->episode = i->last_call;
	}
	i->phase = INC_OPEN;
	i->hushed = false;
	inc_page_problem(i, who, nwho, now);
}

static void close_at(struct incident *i, bool hushed, const struct stamp *at)
{
	i->phase = INC_RECOVERED;
	i->state = NAG_OK;
	i->hushed = hushed;
	i->closed_at = *at;
}

/* A recovery of a problem that was never recorded (its state was lost): those who want recoveries hear of it.
 */
static void close_unheard(struct incident *i, const struct contact_view *who, size_t nwho,
			  const struct stamp *now)
{
	for (size_t k = 0; k < nwho; k++) {
		struct inc_contact *c = who[k].recovery && !who[k].bystander ? inc_contact_make(i, who[k].name) : NULL;
		if (c && !c->closed)
			inc_page_recovered(i, c, who[k].ja, now);
	}
}

static void late_problem(struct incident *i, const struct contact_view *who, size_t nwho,
			 const struct stamp *now)
{
	for (size_t k = 0; k < nwho; k++) {
		struct inc_contact *c = who[k].bystander ? NULL : inc_contact_make(i, who[k].name);
		if (c && !c->closed && !c->paged && !c->excused)
			inc_page_recovered(i, c, who[k].ja, now);
	}
}

static void replace_text(char **to, const char *from)
{
	char *s = from ? strdup(from) : NULL;
	free(*to);
	*to = s;
}

/* Takes over what the event says; a late one only fills what is missing. */
static void take_facts(struct incident *i, const struct event *e, bool late)
{
	if (!i->opened_at.wall_ms || e->at.wall_ms < i->opened_at.wall_ms)
		i->opened_at = e->at;
	if (e->kind == EVENT_PROBLEM && (!late || !i->problem_text)) {
		replace_text(&i->problem_text, e->text);
		replace_text(&i->problem_ja, e->text_ja);
		i->worst = e->state;
		i->since = e->since;
	}
	if (late)
		return;
	if (!i->since.wall_ms)
		i->since = e->since;
	snprintf(i->host, sizeof i->host, "%s", e->host);
	snprintf(i->source, sizeof i->source, "%s", e->source);
	snprintf(i->layer, sizeof i->layer, "%s", e->layer);
	snprintf(i->why_suppressed, sizeof i->why_suppressed, "%s", e->why_suppressed);
	snprintf(i->parent, sizeof i->parent, "%s", e->suppressed ? e->parent : "");
	i->state = e->state;
	i->measured = e->measured;
	i->suppressed = e->suppressed;
	i->changed_at = e->at;
	replace_text(&i->text, e->text ? e->text : "");
	replace_text(&i->text_ja, e->text_ja);
	replace_text(&i->more, e->more);
}

static bool is_worse(enum nag_state a, enum nag_state than)
{
	return a != than && nag_worse(a, than) == a;
}

static enum inc_input input_of(const struct incident *i, const struct event *e)
{
	bool late = i->nchanges > 0 && e->change < i->changes[i->nchanges - 1];
	if (e->kind == EVENT_NOTICE)
		return e->suppressed ? IN_NOTICE_SUPPRESSED : IN_NOTICE;
	if (e->kind == EVENT_RECOVERY)
		return late ? IN_RECOVERY_LATE : e->suppressed ? IN_RECOVERY_SUPPRESSED : IN_RECOVERY;
	/* one that is over and was to be told to nobody needs no telling */
	return e->suppressed ? IN_PROBLEM_SUPPRESSED : late ? IN_PROBLEM_LATE : IN_PROBLEM;
}

enum inc_do incident_will(const struct incident *i, const struct event *e)
{
	enum inc_do what = incident_has(i, e->change) ? DO_NOTHING : table[i->phase][input_of(i, e)];
	if (what == DO_ACKED_PROBLEM)
		return is_worse(e->state, i->acked_state) ? DO_PROBLEM : DO_RECORD;
	return what;
}

/* A notice within a problem must not change what is known of the problem. */
static void do_notice(struct incident *i, const struct event *e, const struct contact_view *who, size_t nwho,
		      const struct stamp *now)
{
	if (i->phase == INC_NONE)
		i->phase = INC_NOTICE;
	for (size_t k = 0; k < nwho; k++) {
		struct call *c = who[k].bystander ? NULL : incident_call(i, who[k].name, PAGE_NOTICE, e->text, now);
		if (!c)
			continue;
		c->state = e->state;
		c->since = e->since;
		replace_text(&c->more, e->more);
	}
}

static void perform(struct incident *i, enum inc_do what, const struct event *e,
		    const struct contact_view *who, size_t nwho, const struct stamp *now)
{
	switch (what) {
	case DO_PROBLEM:
		do_problem(i, who, nwho, now);
		break;
	case DO_ACKED_PROBLEM:
		if (is_worse(i->state, i->acked_state))
			do_problem(i, who, nwho, now);
		break;
	case DO_QUIET:
		i->phase = INC_QUIET;
		break;
	case DO_CLOSE:
		close_at(i, false, &e->at);
		if (!i->problem_text)
			close_unheard(i, who, nwho, now);
		break;
	case DO_CLOSE_HUSHED:
	case DO_CLOSE_SILENT:
		close_at(i, true, &e->at);
		break;
	case DO_LATE_PROBLEM:
		late_problem(i, who, nwho, now);
		break;
	case DO_NOTICE:
		do_notice(i, e, who, nwho, now);
		break;
	case DO_RECORD:
		if (i->phase == INC_NONE)
			i->phase = INC_NOTICE;
		break;
	default: /* DO_HUSH: take_facts did it */
		break;
	}
}

bool incident_event(struct incident *i, const struct event *e, const struct contact_view *who, size_t nwho,
		    const struct stamp *now)
{
	if (incident_has(i, e->change))
		return false;
	if (e->kind == EVENT_ACK) {
		char why[256]; /* what is over needs none: it is known from now on, and that is all */
		remember(i, e->change);
		incident_ack(i, e->by, e->text, who, nwho, now, why, sizeof why);
		i->dirty = true;
		return true;
	}
	enum inc_input in = input_of(i, e);
	bool late = i->nchanges > 0 && e->change < i->changes[i->nchanges - 1];
	bool notice_within = e->kind == EVENT_NOTICE && i->phase != INC_NONE;
	if (!notice_within)
		take_facts(i, e, late);
	remember(i, e->change);
	perform(i, table[i->phase][in], e, who, nwho, now);
	incident_settle(i, who, nwho, now);
	i->dirty = true;
	return true;
}

/* The others who were told hear that somebody acts; the only one who was told is taken to be the one who
 * does. A siren acts never, and hears of it always. */
static void page_ack(struct incident *i, const struct contact_view *who, size_t nwho, const struct stamp *now)
{
	size_t told = 0;
	char text[EVENT_NAME_MAX + INC_COMMENT_MAX + 64];
	for (size_t k = 0; k < i->ncontacts; k++)
		told += i->contacts[k].told != TOLD_NO && !inc_view_of(who, nwho, i->contacts[k].name).follows;
	snprintf(text, sizeof text, "acknowledged by %s%s%s", i->by[0] ? i->by : "somebody",
		 i->comment[0] ? ": " : "", i->comment);
	for (size_t k = 0; k < i->ncontacts; k++) {
		const struct inc_contact *c = &i->contacts[k];
		bool other = told > 1 && strcmp(c->name, i->by) != 0;
		if (c->told != TOLD_NO && (other || inc_view_of(who, nwho, c->name).follows))
			incident_call(i, c->name, PAGE_ACK, text, now);
	}
}

static bool is_notice_call(const struct call *c)
{
	return c->kind == PAGE_NOTICE;
}

bool incident_ack(struct incident *i, const char *by, const char *comment, const struct contact_view *who,
		  size_t nwho, const struct stamp *now, char *why, size_t size)
{
	enum inc_do what = table[i->phase][IN_ACK];
	if (what == DO_REFUSE) {
		snprintf(why, size, "incident %s (%s) is %s: there is nothing to acknowledge", i->id,
			 i->check, i->phase == INC_RECOVERED ? "over" : "unknown");
		return false;
	}
	snprintf(i->by, sizeof i->by, "%s", by);
	snprintf(i->comment, sizeof i->comment, "%s", comment);
	i->dirty = true;
	if (what == DO_ACK_NOTICE) {
		inc_end_calls(i, is_notice_call, CALL_ACKED, now);
		return true;
	}
	bool again = i->phase == INC_ACKED;
	incident_settle(i, who, nwho, now);
	i->phase = INC_ACKED;
	i->acked_state = i->state;
	if (!again)
		i->acked_at = *now;
	for (size_t k = 0; k < i->ncontacts; k++)
		i->contacts[k].excused = i->contacts[k].told == TOLD_NO;
	incident_settle(i, who, nwho, now);
	if (!again)
		page_ack(i, who, nwho, now);
	return true;
}

int64_t incident_repeat(struct incident *i, const struct contact_view *who, size_t nwho,
			const struct stamp *now)
{
	int64_t next = INT64_MAX;
	if (table[i->phase][IN_REPEAT] != DO_REPEAT || i->suppressed)
		return next;
	for (size_t k = 0; k < i->ncontacts; k++) {
		struct inc_contact *c = &i->contacts[k];
		struct contact_view v = inc_view_of(who, nwho, c->name);
		if (c->away || v.repeat_ms <= 0 || !c->last_sent.wall_ms || inc_has_open_problem_call(i, c->name))
			continue;
		int64_t left = v.repeat_ms - clock_age_ms(&c->last_sent, now);
		if (left > 0) {
			next = left < next ? left : next;
			continue;
		}
		struct call *p = incident_call(i, c->name, PAGE_REPEAT, inc_text_for(i, v.ja), now);
		if (p)
			i->dirty = true;
	}
	return next;
}
