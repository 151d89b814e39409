/*
 * One notifier per configured line; see lines.h. pager.c sends through here, inputs.c hears what notifiers say, contacts.c
 * asks how a route stands, the snapshot shows it.
 */
#include "lines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json.h"
#include "lib/log.h"
#include "lib/loop.h"

struct pline {
	struct lines *ls;
	struct pline *next;
	char name[EVENT_NAME_MAX];
	char notifier[64];
	cJSON *options;
	struct line *line;
	bool retiring; /* no longer configured (like this): finishes and goes */
	bool health_known, ok;
	char text[256];
	char inflight[64]; /* id of the page it has; "" when idle */
	int64_t kill_at;
	bool killed;
	int64_t started;
	unsigned long sent, failed;
	struct stamp sent_at; /* the last page that left; boot_ms 0: none since this process began */
};

struct lines {
	struct event_base *base;
	const struct lines_calls *calls;
	void *arg;
	struct pline *first;
	struct loop_timer *sweeper; /* frees what ended, outside of its own call backs */
};

static struct pline *find(const struct lines *ls, const char *name)
{
	for (struct pline *l = ls->first; l; l = l->next)
		if (!l->retiring && strcmp(l->name, name) == 0)
			return l;
	return NULL;
}

/* --- what notifiers say ---------------------------------------------------------------------------- */

static void on_outcome(void *arg, struct line *line, const char *id, enum outcome o, const char *detail)
{
	struct pline *l = arg;
	(void)line;
	if (strcmp(l->inflight, id) == 0) {
		l->inflight[0] = '\0';
		l->killed = false;
	}
	if (o == OUTCOME_SENT) {
		l->sent++;
		l->sent_at = clock_stamp();
	} else {
		l->failed++;
	}
	log_info("line %s: page %s %s%s%s", l->name, id, outcome_name(o), *detail ? ": " : "", detail);
	l->ls->calls->outcome(l->ls->arg, l->name, id, o, detail);
}

static void on_health(void *arg, struct line *line, bool ok, const char *text)
{
	struct pline *l = arg;
	(void)line;
	if (!l->health_known || l->ok != ok)
		log_msg(ok ? LOG_L_INFO : LOG_L_WARN, "line %s: %s", l->name,
			*text ? text
			: ok  ? "good"
			      : "not good");
	bool back = ok && l->health_known && !l->ok;
	l->health_known = true;
	l->ok = ok;
	snprintf(l->text, sizeof l->text, "%s", text);
	if (back)
		l->ls->calls->back(l->ls->arg, l->name);
	l->ls->calls->health(l->ls->arg);
}

static void on_received(void *arg, struct line *line, const struct received *r)
{
	struct pline *l = arg;
	(void)line;
	log_notice("line %s: message from %s: %s", l->name, r->from, r->text);
	l->ls->calls->received(l->ls->arg, l->name, r);
}

static void on_report(void *arg, struct line *line, const char *id, bool delivered, const char *detail)
{
	struct pline *l = arg;
	(void)line;
	l->ls->calls->report(l->ls->arg, l->name, id, delivered, detail);
}

static void on_down(void *arg, struct line *line, const char *why)
{
	struct pline *l = arg;
	(void)line;
	l->inflight[0] = '\0';
	l->killed = false;
	l->health_known = false;
	snprintf(l->text, sizeof l->text, "down: %s", why);
	log_msg(l->retiring ? LOG_L_INFO : LOG_L_WARN, "line %s: the notifier ended: %s", l->name, why);
	l->ls->calls->down(l->ls->arg, l->name);
	if (l->retiring)
		loop_timer_in(l->ls->sweeper, 0);
}

static const struct line_calls calls = {on_outcome, on_health, on_received, on_report, on_down};

/* --- starting and stopping ------------------------------------------------------------------------- */

static void pline_free(struct pline *l)
{
	line_free(l->line);
	cJSON_Delete(l->options);
	free(l);
}

static void sweep(void *arg)
{
	struct lines *ls = arg;
	for (struct pline **at = &ls->first; *at;) {
		struct pline *l = *at;
		if (l->retiring && (!l->line || !line_is_up(l->line)) && !l->inflight[0]) {
			*at = l->next;
			pline_free(l);
		} else {
			at = &l->next;
		}
	}
}

static void retire(struct pline *l)
{
	if (l->retiring)
		return;
	l->retiring = true;
	if (l->line)
		line_stop(l->line);
	loop_timer_in(l->ls->sweeper, 0);
}

static void start(struct lines *ls, const struct conf_line *c, const char *libexec)
{
	struct pline *l = calloc(1, sizeof *l);
	if (!l)
		return;
	l->ls = ls;
	l->ok = true;
	l->started = clock_boot_ms();
	snprintf(l->name, sizeof l->name, "%s", c->name);
	snprintf(l->notifier, sizeof l->notifier, "%s", c->notifier);
	snprintf(l->text, sizeof l->text, "starting");
	l->options = c->options ? cJSON_Duplicate(c->options, true) : cJSON_CreateObject();
	l->line = line_new(ls->base, c->name, c->notifier, libexec, l->options, &calls, l);
	if (!l->line)
		log_err("line %s: cannot be started: out of memory", l->name);
	l->next = ls->first;
	ls->first = l;
}

static bool unchanged(const struct pline *l, const struct conf_line *c)
{
	if (strcmp(l->notifier, c->notifier) != 0)
		return false;
	return c->options ? cJSON_Compare(l->options, c->options, true) : cJSON_GetArraySize(l->options) == 0;
}

/* The last resort's line is monitord's alone. */
static bool is_ours(const struct config *conf, const char *line)
{
	return !conf->has_last_resort || strcmp(conf->last_resort.line, line) != 0;
}

void lines_sync(struct lines *ls, const struct config *conf)
{
	for (struct pline *l = ls->first; l; l = l->next) {
		const struct conf_line *c = config_line(conf, l->name);
		if (!l->retiring && (!c || !is_ours(conf, l->name) || !unchanged(l, c)))
			retire(l);
	}
	for (size_t i = 0; i < conf->nlines; i++) {
		if (is_ours(conf, conf->lines[i].name) && !find(ls, conf->lines[i].name))
			start(ls, &conf->lines[i], conf->libexec);
	}
}

struct lines *lines_new(struct event_base *base, const struct lines_calls *on, void *arg)
{
	struct lines *ls = calloc(1, sizeof *ls);
	if (!ls)
		return NULL;
	ls->base = base;
	ls->calls = on;
	ls->arg = arg;
	ls->sweeper = loop_timer_new(base, sweep, ls);
	if (!ls->sweeper) {
		free(ls);
		return NULL;
	}
	return ls;
}

void lines_free(struct lines *ls)
{
	if (!ls)
		return;
	while (ls->first) {
		struct pline *l = ls->first;
		ls->first = l->next;
		pline_free(l);
	}
	loop_timer_free(ls->sweeper);
	free(ls);
}

void lines_stop(struct lines *ls)
{
	for (struct pline *l = ls->first; l; l = l->next)
		retire(l);
}

size_t lines_busy(const struct lines *ls)
{
	size_t n = 0;
	for (struct pline *l = ls->first; l; l = l->next)
		n += l->line && line_is_up(l->line);
	return n;
}

/* --- use ------------------------------------------------------------------------------------------- */

void lines_look(struct lines *ls, struct route_view *v, int64_t now)
{
	const struct pline *l = find(ls, v->line);
	v->up = l && l->line && line_is_up(l->line);
	v->starting = l && !v->up && now - l->started < LINE_START_MS && strcmp(l->text, "starting") == 0;
	v->busy = l && l->inflight[0];
	v->doubtful = l && l->health_known && !l->ok;
	v->confirms = !l || !l->line || line_confirms(l->line);
}

bool lines_send(struct lines *ls, const char *line, const struct page *p)
{
	struct pline *l = find(ls, line);
	if (!l || !l->line || !line_send(l->line, p))
		return false;
	snprintf(l->inflight, sizeof l->inflight, "%s", p->id);
	l->kill_at = clock_boot_ms() + p->deadline_ms * LINE_LIMIT_NUM / LINE_LIMIT_DEN;
	return true;
}

void lines_beat(struct lines *ls, bool ok, const char *why)
{
	for (struct pline *l = ls->first; l; l = l->next)
		if (l->line && !l->retiring)
			line_beat(l->line, ok, why);
}

bool lines_confirm(const struct lines *ls, const char *line)
{
	const struct pline *l = find(ls, line);
	return l && l->line && line_confirms(l->line);
}

void lines_taken(struct lines *ls, const char *line, const char *id)
{
	const struct pline *l = find(ls, line);
	if (l && l->line)
		line_taken(l->line, id);
}

int64_t lines_watch(struct lines *ls, int64_t now)
{
	int64_t next = INT64_MAX;
	for (struct pline *l = ls->first; l; l = l->next) {
		if (!l->inflight[0] || l->killed)
			continue;
		if (l->kill_at > now) {
			next = l->kill_at - now < next ? l->kill_at - now : next;
			continue;
		}
		log_err("line %s: no outcome for page %s long after its deadline: the notifier is killed",
			l->name, l->inflight);
		l->killed = true;
		line_kill(l->line);
	}
	return next;
}

cJSON *lines_show(const struct lines *ls)
{
	cJSON *v = cJSON_CreateArray();
	for (const struct pline *l = ls->first; l; l = l->next) {
		if (l->retiring)
			continue;
		bool up = l->line && line_is_up(l->line);
		cJSON *o = cJSON_CreateObject();
		cJSON_AddStringToObject(o, "name", l->name);
		cJSON_AddStringToObject(o, "notifier", l->notifier);
		cJSON_AddBoolToObject(o, "up", up);
		cJSON_AddBoolToObject(o, "ok", up && (!l->health_known || l->ok));
		cJSON_AddStringToObject(o, "text", up && !l->health_known ? "ready" : l->text);
		json_add_int(o, "queue", l->inflight[0] ? 1 : 0);
		cJSON_AddStringToObject(o, "page", l->inflight);
		json_add_int(o, "sent", (int64_t)l->sent);
		json_add_int(o, "failed", (int64_t)l->failed);
		if (l->sent)
			json_add_stamp(o, "sent_at", &l->sent_at);
		if (up && line_values(l->line))
			cJSON_AddItemToObject(o, "values", cJSON_Duplicate(line_values(l->line), true));
		cJSON_AddItemToArray(v, o);
	}
	return v;
}
