/* A notifier as its users see it; see line.h and doc/contracts.md, "notifier". */
#include "line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "coproc.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/loop.h"

enum { LINE_PAGES_MAX = 64, LINE_ID_MAX = 128, LINE_HELLO_MS = 20000, LINE_VALUES_MAX = 4096 };

static const char *const outcome_names[] = { "sent", "retry", "refused", "unknown", "doubtful" };
static const char *const kind_names[] = { "new", "repeat", "ack", "recovered", "notice", "test", "digest", "info" };

struct line {
	char *name;
	cJSON *configure; /* the line that follows the hello */
	struct coproc *child;
	struct line_calls calls;
	void *arg;
	char inflight[LINE_PAGES_MAX][LINE_ID_MAX];
	size_t ninflight;
	bool ready; /* the hello came */
	bool confirms, beats; /* as the hello said */
	cJSON *values;        /* of the last health; NULL: none */
	struct loop_timer *hello; /* not there by then: the notifier is stuck */
};

const char *outcome_name(enum outcome o)
{
	return outcome_names[o];
}

const char *page_kind_name(enum page_kind k)
{
	return kind_names[k];
}

static int index_of(const char *const *names, int n, const char *s)
{
	for (int i = 0; i < n; i++)
		if (strcmp(names[i], s) == 0)
			return i;
	return -1;
}

bool outcome_from_name(const char *s, enum outcome *o)
{
	int i = index_of(outcome_names, sizeof outcome_names / sizeof *outcome_names, s);
	if (i >= 0)
		*o = (enum outcome)i;
	return i >= 0;
}

bool page_kind_from_name(const char *s, enum page_kind *k)
{
	int i = index_of(kind_names, sizeof kind_names / sizeof *kind_names, s);
	if (i >= 0)
		*k = (enum page_kind)i;
	return i >= 0;
}

cJSON *page_to_json(const struct page *p)
{
	cJSON *o = cJSON_CreateObject();
	cJSON *page = cJSON_AddObjectToObject(o, "page");
	cJSON_AddStringToObject(page, "id", p->id);
	cJSON_AddStringToObject(page, "to", p->to ? p->to : "");
	cJSON_AddStringToObject(page, "kind", kind_names[p->kind]);
	cJSON_AddBoolToObject(page, "resend", p->resend);
	cJSON_AddStringToObject(page, "incident", p->incident ? p->incident : "");
	cJSON_AddStringToObject(page, "check", p->check ? p->check : "");
	cJSON_AddStringToObject(page, "host", p->host ? p->host : "");
	cJSON_AddStringToObject(page, "state", p->state ? p->state : "");
	cJSON_AddStringToObject(page, "text", p->text ? p->text : "");
	if (p->more && p->more[0])
		cJSON_AddStringToObject(page, "more", p->more);
	if (p->lang && p->lang[0])
		cJSON_AddStringToObject(page, "lang", p->lang);
	if (p->template && p->template[0])
		cJSON_AddStringToObject(page, "template", p->template);
	if (p->code && p->code[0])
		cJSON_AddStringToObject(page, "code", p->code);
	if (p->number)
		json_add_int(page, "number", p->number);
	json_add_int(page, "since_wall_ms", p->since_wall_ms);
	json_add_int(page, "at_wall_ms", p->at_wall_ms);
	json_add_int(page, "deadline_ms", p->deadline_ms);
	return o;
}

static bool forget(struct line *l, const char *id)
{
	for (size_t i = 0; i < l->ninflight; i++) {
		if (strcmp(l->inflight[i], id) != 0)
			continue;
		memmove(l->inflight[i], l->inflight[i + 1], (l->ninflight - i - 1) * LINE_ID_MAX);
		l->ninflight--;
		return true;
	}
	return false;
}

static void take_outcome(struct line *l, const cJSON *o)
{
	enum outcome outcome;
	const char *id = json_str(o, "id", ""), *result = json_str(o, "result", "");
	if (!outcome_from_name(result, &outcome)) {
		log_warn("%s: an outcome \"%.40s\" that is none", l->name, result);
		return;
	}
	forget(l, id);
	l->calls.outcome(l->arg, l, id, outcome, json_str(o, "detail", ""));
}

void line_taken(struct line *l, const char *id)
{
	if (!*id)
		return;
	cJSON *o = cJSON_CreateObject();
	cJSON_AddStringToObject(o, "taken", id);
	coproc_send(l->child, o); /* when it is down it tells the message again */
	cJSON_Delete(o);
}

static void take_received(struct line *l, const cJSON *o)
{
	struct received r = { .id = json_str(o, "id", ""), .from = json_str(o, "from", ""),
			      .text = json_str(o, "text", ""), .at_wall_ms = json_int(o, "at_wall_ms", 0) };
	if (l->calls.received)
		l->calls.received(l->arg, l, &r);
	else
		line_taken(l, r.id);
}

static void take_report(struct line *l, const cJSON *o)
{
	const char *id = json_str(o, "id", ""), *detail = json_str(o, "detail", "");
	bool delivered = json_bool(o, "delivered", false);
	log_info("%s: page %s %s: %s", l->name, *id ? id : "?", delivered ? "delivered" : "not delivered", detail);
	if (l->calls.report)
		l->calls.report(l->arg, l, id, delivered, detail);
}

/* Taken out of the line that brought them. Too many, or a deeper tree: none. */
static void take_values(struct line *l, cJSON *health)
{
	cJSON *v = cJSON_DetachItemFromObjectCaseSensitive(health, "values"), *item;
	struct buf b;
	bool ok = cJSON_IsObject(v);
	cJSON_ArrayForEach(item, v) ok = ok && !cJSON_IsObject(item) && !cJSON_IsArray(item);
	buf_init(&b, LINE_VALUES_MAX);
	ok = ok && json_line(v, &b);
	buf_fini(&b);
	if (v && !ok)
		log_warn("%s: the values of its health are too many, or not flat", l->name);
	cJSON_Delete(l->values);
	l->values = ok ? v : NULL;
	if (!ok)
		cJSON_Delete(v);
}

static void take_health(struct line *l, cJSON *health)
{
	take_values(l, health);
	if (l->calls.health)
		l->calls.health(l->arg, l, json_bool(health, "ok", false), json_str(health, "text", ""));
}

static void on_line(void *arg, struct coproc *c, cJSON *v)
{
	struct line *l = arg;
	cJSON *o;
	if (!l->ready) {
		if (!json_str(v, "hello", NULL) || json_int(v, "v", 0) != 1) {
			log_err("%s: the notifier's first line is no hello of version 1", l->name);
			coproc_kill(c);
			return;
		}
		l->ready = true;
		l->confirms = json_bool(v, "confirms", true);
		l->beats = json_bool(v, "beats", false);
		loop_timer_off(l->hello);
		coproc_send(c, l->configure);
		return;
	}
	if ((o = cJSON_GetObjectItemCaseSensitive(v, "outcome")))
		take_outcome(l, o);
	else if ((o = cJSON_GetObjectItemCaseSensitive(v, "health")))
		take_health(l, o);
	else if ((o = cJSON_GetObjectItemCaseSensitive(v, "received")))
		take_received(l, o);
	else if (cJSON_HasObjectItem(v, "confirms"))
		l->confirms = json_bool(v, "confirms", true);
	else if ((o = cJSON_GetObjectItemCaseSensitive(v, "report")))
		take_report(l, o);
}

static void on_up(void *arg, struct coproc *c)
{
	struct line *l = arg;
	(void)c;
	l->ready = false;
	loop_timer_in(l->hello, LINE_HELLO_MS);
}

static void no_hello(void *arg)
{
	struct line *l = arg;
	log_err("%s: the notifier said no hello for %d s; it is killed", l->name, LINE_HELLO_MS / 1000);
	coproc_kill(l->child);
}

static void on_down(void *arg, struct coproc *c, const char *why)
{
	struct line *l = arg;
	(void)c;
	l->ready = false;
	cJSON_Delete(l->values);
	l->values = NULL;
	loop_timer_off(l->hello);
	while (l->ninflight) {
		char id[LINE_ID_MAX];
		memcpy(id, l->inflight[0], LINE_ID_MAX);
		forget(l, id);
		l->calls.outcome(l->arg, l, id, OUTCOME_UNKNOWN, why);
	}
	if (l->calls.down)
		l->calls.down(l->arg, l, why);
}

struct line *line_new(struct event_base *base, const char *name, const char *notifier, const char *libexec,
		      const cJSON *options, const struct line_calls *calls, void *arg)
{
	static const struct coproc_calls child_calls = { .line = on_line, .up = on_up, .down = on_down };
	char program[512], label[160];
	struct line *l = calloc(1, sizeof *l);
	if (!l)
		return NULL;
	l->name = strdup(name);
	l->calls = *calls;
	l->arg = arg;
	l->confirms = true;
	l->configure = cJSON_CreateObject();
	json_add_int(l->configure, "v", 1);
	cJSON_AddItemToObject(l->configure, "configure", options ? cJSON_Duplicate(options, true) : cJSON_CreateObject());
	cJSON_AddStringToObject(l->configure, "line", name);
	snprintf(program, sizeof program, "%s/notify_%s", libexec, notifier);
	snprintf(label, sizeof label, "line %.140s", name);
	char *argv[] = { program, NULL };
	l->hello = loop_timer_new(base, no_hello, l);
	l->child = l->hello ? coproc_new(base, label, argv, NULL, JSON_LINE_MAX, &child_calls, l) : NULL;
	if (!l->child) {
		line_free(l);
		return NULL;
	}
	return l;
}

bool line_send(struct line *l, const struct page *p)
{
	if (!l->ready || l->ninflight == LINE_PAGES_MAX || strlen(p->id) >= LINE_ID_MAX)
		return false;
	for (size_t i = 0; i < l->ninflight; i++)
		if (strcmp(l->inflight[i], p->id) == 0)
			return false;
	cJSON *o = page_to_json(p);
	bool ok = coproc_send(l->child, o);
	cJSON_Delete(o);
	if (ok)
		snprintf(l->inflight[l->ninflight++], LINE_ID_MAX, "%s", p->id);
	return ok;
}

bool line_is_up(const struct line *l)
{
	return l->ready;
}

bool line_confirms(const struct line *l)
{
	return l->confirms;
}

const cJSON *line_values(const struct line *l)
{
	return l->values;
}

void line_beat(struct line *l, bool ok, const char *why)
{
	if (!l->ready || !l->beats)
		return;
	cJSON *v = cJSON_CreateObject(), *beat = cJSON_AddObjectToObject(v, "beat");
	cJSON_AddBoolToObject(beat, "ok", ok);
	if (!ok)
		cJSON_AddStringToObject(beat, "why", why);
	coproc_send(l->child, v);
	cJSON_Delete(v);
}

const char *line_name(const struct line *l)
{
	return l->name;
}

void line_stop(struct line *l)
{
	coproc_stop(l->child, 10000);
}

void line_kill(struct line *l)
{
	coproc_kill(l->child);
}

void line_free(struct line *l)
{
	if (!l)
		return;
	coproc_free(l->child);
	loop_timer_free(l->hello);
	cJSON_Delete(l->configure);
	cJSON_Delete(l->values);
	free(l->name);
	free(l);
}
