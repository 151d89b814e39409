/* What comes in; see inputs.h. */
#include "inputs.h"

#include <stdio.h>
#include <string.h>

#include "lib/contract/control.h"
#include "lib/json.h"
#include "lib/log.h"
#include "answers.h"
#include "arrivals.h"
#include "batch.h"
#include "deadman.h"
#include "intake.h"
#include "lines.h"
#include "needs.h"
#include "outcome.h"
#include "pager.h"
#include "prover.h"

/* --- from the spool -------------------------------------------------------------------------------- */

static enum intake_answer on_event(void *arg, const struct event *e)
{
	return arrivals_take(arg, e);
}

static void on_bad(void *arg, uint64_t change, const char *text)
{
	pager_self_notice(arg, "self.spool", change, text);
}

static void on_scanned(void *arg)
{
	pager_turn(arg);
}

static bool disk_works(void *arg)
{
	const struct pager *p = arg;
	return !p->store_trouble;
}

static const struct intake_calls spool_calls = {on_event, on_bad, on_scanned, disk_works};

/* --- from the lines -------------------------------------------------------------------------------- */

static struct call *find_attempt(struct pager *p, const char *line, const char *id, struct incident **out,
				 unsigned *n)
{
	char incident[8];
	unsigned call, tag;
	if (sscanf(id, "%7[^-]-%u.%u.%8x", incident, &call, n, &tag) != 4)
		return NULL;
	for (size_t k = p->ninc; k-- > 0;) {
		bool meant = strcmp(p->inc[k]->id, incident) == 0 && (unsigned)incident_tag(p->inc[k]) == tag;
		struct call *c = meant ? incident_find_call(p->inc[k], call) : NULL;
		for (size_t m = 0; c && m < c->nattempts; m++) {
			if (c->attempts[m].n != *n || strcmp(c->attempts[m].line, line) != 0)
				continue;
			*out = p->inc[k];
			return c;
		}
	}
	return NULL;
}

static const struct attempt *attempt_of(const struct call *c, unsigned n)
{
	size_t k = 0;
	while (c->attempts[k].n != n) /* find_attempt has seen it */
		k++;
	return &c->attempts[k];
}

/* To be asked before the outcome is applied. */
static void count(struct pager *p, const struct call *c, unsigned n, enum outcome o, const struct stamp *now)
{
	for (size_t k = 0; k < c->nattempts; k++)
		if (c->attempts[k].n == n && !c->attempts[k].ended)
			outcome_spend(p, c->attempts[k].line, c->attempts[k].to, o, now);
}

static void on_outcome(void *arg, const char *line, const char *id, enum outcome o, const char *detail)
{
	struct pager *p = arg;
	struct stamp now = clock_stamp();
	struct incident *i = NULL;
	unsigned n;
	if (batch_outcome(p, line, id, o, detail, &now)) {
		if (o == OUTCOME_SENT)
			prover_sent(p->prover, line, batch_to(p, line, id), id, PAGE_DIGEST, &now);
		pager_soon(p, 0);
		return;
	}
	struct call *c = find_attempt(p, line, id, &i, &n);
	if (!c) {
		log_warn("line %s: an outcome for page %s, which is not known (any more)", line, id);
		return;
	}
	const struct attempt *a = attempt_of(c, n);
	count(p, c, n, o, &now);
	if (!outcome_apply(p, c, n, line, o, detail, &now))
		return;
	if (o == OUTCOME_SENT)
		prover_sent(p->prover, line, a->to, id, c->kind, &now);
	pager_page_changed(p, i, c->n, &now);
	pager_soon(p, 0);
}

static void on_line_down(void *arg, const char *line)
{
	struct pager *p = arg;
	struct stamp now = clock_stamp();
	for (size_t k = 0; k < p->ninc; k++) {
		struct incident *i = p->inc[k];
		for (size_t m = 0; m < i->ncalls; m++) {
			if (!call_no_answer(i->calls[m], line, now.boot_ms))
				continue;
			i->dirty = true;
			pager_settle(p, i, &now);
		}
	}
	p->changed = true;
	pager_soon(p, 0);
}

static void on_line_back(void *arg, const char *line)
{
	struct pager *p = arg;
	for (size_t k = 0; k < p->ninc; k++)
		for (size_t m = 0; m < p->inc[k]->ncalls; m++)
			call_line_back(p->inc[k]->calls[m], line);
	p->changed = true;
	pager_soon(p, 0);
}

static void on_health(void *arg)
{
	pager_soon(arg, 0);
}

static void on_report(void *arg, const char *line, const char *id, bool delivered, const char *detail)
{
	struct pager *p = arg;
	struct incident *i = NULL;
	unsigned n;
	prover_reported(p->prover, line, id, delivered);
	struct call *c = find_attempt(p, line, id, &i, &n);
	if (!c)
		return;
	if (!delivered)
		log_warn("line %s: page %s (%s of %s to %s) did not arrive: %s", line, id,
			 page_kind_name(c->kind), i->check, c->contact, detail);
	else if (!c->delivered.wall_ms)
		c->delivered = clock_stamp();
	else
		return;
	pager_page_changed(p, i, c->n, &c->delivered);
	pager_soon(p, 0);
}

static void on_received(void *arg, const char *line, const struct received *m)
{
	struct pager *p = arg;
	cJSON *o = cJSON_CreateObject(), *r = cJSON_AddObjectToObject(o, "received");
	cJSON_AddStringToObject(r, "line", line);
	cJSON_AddStringToObject(r, "from", m->from);
	cJSON_AddStringToObject(r, "text", m->text);
	if (p->control)
		control_publish(p->control, o);
	cJSON_Delete(o);
	if (prover_received(p->prover, line, m))
		lines_taken(p->lines, line, m->id);
	else
		answers_received(p->answers, line, m);
}

static const struct lines_calls line_calls = {on_outcome, on_health, on_line_down, on_line_back, on_received,
					      on_report};

/* --- from the heartbeat ---------------------------------------------------------------------------- */

static void monitord_fails(void *arg, const char *text)
{
	pager_self_problem(arg, "self.monitord", NAG_CRITICAL, text);
}

static void monitord_lives(void *arg, const char *text)
{
	pager_self_over(arg, "self.monitord", text);
}

static void looked(void *arg, bool ok, const char *why)
{
	const struct pager *p = arg;
	lines_beat(p->lines, ok, why);
}

static void verdict_changed(void *arg)
{
	struct pager *p = arg;
	p->changed = true;
	pager_soon(p, 0);
}

static int64_t overdue(void *arg, const char **check)
{
	return pager_overdue_ms(arg, check);
}

static const struct deadman_calls deadman_calls = {monitord_fails, monitord_lives, looked, verdict_changed,
						   overdue};

/* --- beginning ------------------------------------------------------------------------------------- */

static bool has_incident(void *arg, const char *check)
{
	return pager_open_incident(arg, check) != NULL;
}

bool inputs_new(struct pager *p, char *why, size_t size)
{
	snprintf(why, size, "out of memory");
	p->lines = lines_new(p->base, &line_calls, p);
	p->needs = needs_new(p->base, p->conf, has_incident, p);
	if (!p->lines || !p->needs)
		return false;
	p->intake = intake_new(p->base, p->conf, &spool_calls, p, why, size);
	p->deadman = p->intake ? deadman_new(p->base, p->conf, &deadman_calls, p, why, size) : NULL;
	return p->deadman != NULL;
}
