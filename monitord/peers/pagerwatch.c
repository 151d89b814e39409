/* Watching pagerd; see pagerwatch.h. Called by the core's tick and by say.c. */
#include "pagerwatch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/contract/heartbeat.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lastresort.h"

/* Problems that are remembered, in case pagerd turns out to have been gone when they were said. */
enum { RECENT = 32 };

struct pagerwatch {
	struct super *s;
	struct pagerwatch_calls calls;
	struct heartbeat *beat;
	char *socket;
	int64_t interval_ms;
	enum beat_verdict verdict;
	bool gone;
	int64_t differ_ms; /* the digests differ since; 0: they do not */
	struct lastresort *last;
	struct lastresort_news recent[RECENT];
	int nrecent;
};

static const char *const verdicts[] = {"alive", "planned", "silent", "wedged"};

static void fill_beat(void *arg, struct beat *b)
{
	struct pagerwatch *w = arg;
	const char *name;
	*b = (struct beat){.from = "monitord", .pid = getpid()};
	snprintf(b->digest, sizeof b->digest, "%s", w->s->conf->digest);
	b->overdue_ms = w->calls.overdue(w->s, &name);
	snprintf(b->overdue, sizeof b->overdue, "%s", name);
	if (w->s->stopping)
		b->back_ms = w->s->conf->planned_ms;
}

/* Whether people were told by the last resort outlives a restart, in the check's record. */
static bool was_told(const struct check *c)
{
	return c->blob && strcmp(c->blob, "told") == 0;
}

static void set_told(struct pagerwatch *w, bool told)
{
	struct check *c = checks_find(&w->s->checks, "self.pagerd");
	if (was_told(c) == told)
		return;
	free(c->blob);
	c->blob = told ? strdup("told") : NULL;
	state_save(&w->s->state, c);
}

static void on_sent(void *arg, const struct lastresort_news *n)
{
	struct pagerwatch *w = arg;
	if (strcmp(n->check, "self.pagerd") == 0)
		set_told(w, n->kind == PAGE_NEW);
}

struct pagerwatch *pagerwatch_new(struct super *s, const struct pagerwatch_calls *calls)
{
	struct pagerwatch *w = calloc(1, sizeof *w);
	char *libexec = file_libexec(s->conf->libexec);
	if (w && libexec)
		w->last = lastresort_new(s->base, libexec, on_sent, w);
	free(libexec);
	if (!w || !w->last) {
		free(w);
		return NULL;
	}
	w->s = s;
	w->calls = *calls;
	pagerwatch_apply(w);
	return w;
}

void pagerwatch_apply(struct pagerwatch *w)
{
	const struct config *conf = w->s->conf;
	char *socket = file_join(conf->pagerd_run, "heartbeat.sock");
	if (socket && (!w->socket || strcmp(socket, w->socket) != 0 || conf->beat_ms != w->interval_ms)) {
		heartbeat_free(w->beat);
		w->beat = heartbeat_connect(w->s->base, socket, conf->beat_ms, fill_beat, w);
		w->interval_ms = conf->beat_ms;
		free(w->socket);
		w->socket = socket;
	} else {
		free(socket);
	}
	w->differ_ms = 0;
	lastresort_use(w->last, conf);
}

static void forget_recent(struct pagerwatch *w, const char *check)
{
	for (int i = w->nrecent - 1; i >= 0; i--) {
		if (strcmp(w->recent[i].check, check) != 0)
			continue;
		memmove(&w->recent[i], &w->recent[i + 1], (size_t)(w->nrecent - i - 1) * sizeof w->recent[0]);
		w->nrecent--;
	}
}

void pagerwatch_event(struct pagerwatch *w, const struct event *e)
{
	struct lastresort_news n;
	if (!w || strcmp(e->check, "self.pagerd") == 0)
		return;
	forget_recent(w, e->check);
	if (e->suppressed)
		return;
	lastresort_from_event(&n, e);
	/* a name found late goes with the next page, and makes none */
	if (w->gone && !e->named)
		lastresort_page(w->last, &n);
	if (e->kind == EVENT_RECOVERY)
		return;
	if (w->nrecent == RECENT)
		forget_recent(w, w->recent[0].check);
	w->recent[w->nrecent++] = n;
}

/* What went wrong since pagerd was last known to be well may have reached nobody. */
static void page_recent(struct pagerwatch *w, int64_t last_ms)
{
	for (int i = 0; i < w->nrecent; i++)
		if (w->recent[i].at.boot_ms >= last_ms - 2 * w->interval_ms)
			lastresort_page(w->last, &w->recent[i]);
}

static void page_pagerd(struct pagerwatch *w, enum page_kind kind, const char *text)
{
	const struct check *c = checks_find(&w->s->checks, "self.pagerd");
	struct lastresort_news n = {.kind = kind, .opened = c->judge.opened, .at = clock_stamp()};
	char host[64] = "";
	gethostname(host, sizeof host - 1);
	snprintf(n.check, sizeof n.check, "self.pagerd");
	snprintf(n.host, sizeof n.host, "%s", host);
	snprintf(n.text, sizeof n.text, "%s", text);
	n.state = kind == PAGE_RECOVERED ? NAG_OK : NAG_CRITICAL;
	n.since = kind == PAGE_RECOVERED ? n.at : c->judge.since;
	lastresort_page(w->last, &n);
}

static void describe_gone(const struct pagerwatch *w, int64_t now_ms, char *text, size_t size)
{
	const struct beat_watch *b = heartbeat_watch(w->beat);
	char span[32];
	if (w->verdict == BEAT_WEDGED)
		snprintf(
		    text, size,
		    "pagerd is stuck: a page (%s) has waited %s and no route was tried; pages may not leave",
		    b->last.overdue, clock_span(b->last.overdue_ms, span, sizeof span));
	else
		snprintf(text, size, "pagerd is gone: %s for %s; pages do not leave",
			 b->ever ? "no heartbeat" : "never heard of",
			 clock_span(now_ms - b->last_boot_ms, span, sizeof span));
}

static void goes(struct pagerwatch *w, const char *text, int64_t last_ms)
{
	bool told = was_told(checks_find(&w->s->checks, "self.pagerd"));
	log_err("%s", text);
	w->gone = true;
	lastresort_stand_up(w->last);
	if (!lastresort_is_set(w->last))
		log_err("there is no last resort in the configuration: nobody is told");
	else if (!told)
		page_pagerd(w, PAGE_NEW, text);
	page_recent(w, last_ms);
}

static void comes_back(struct pagerwatch *w)
{
	log_notice("pagerd is back");
	w->gone = false;
	lastresort_stand_down(w->last);
	if (was_told(checks_find(&w->s->checks, "self.pagerd")))
		page_pagerd(w, PAGE_RECOVERED, "pagerd is back; it pages what is still open");
}

/* The two run different configurations for longer than a reload takes. */
static bool differs(struct pagerwatch *w, const struct beat_watch *b, int64_t now_ms, char *text, size_t size)
{
	const char *ours = w->s->conf->digest, *theirs = b->last.digest;
	char span[32];
	if (!b->ever || !*theirs || strcmp(ours, theirs) == 0) {
		w->differ_ms = 0;
		return false;
	}
	if (!w->differ_ms)
		w->differ_ms = now_ms;
	if (now_ms - w->differ_ms < PAGERWATCH_DIFFER_BEATS * w->interval_ms)
		return false;
	snprintf(text, size,
		 "pagerd runs configuration %s, monitord %s, for %s: one of them did not take the newest",
		 theirs, ours, clock_span(now_ms - w->differ_ms, span, sizeof span));
	return true;
}

void pagerwatch_tick(struct pagerwatch *w, int64_t now_ms)
{
	const struct beat_watch *b = heartbeat_watch(w->beat);
	char text[300] = "pagerd answers and runs the same configuration";
	w->verdict = beat_judge(b, now_ms, w->s->conf->beat_limit_ms);
	bool gone = w->verdict == BEAT_SILENT || w->verdict == BEAT_WEDGED;
	if (gone) {
		describe_gone(w, now_ms, text, sizeof text);
		w->calls.found(w->s, "self.pagerd", NAG_CRITICAL, "pager", text);
		/* of one that is stuck, what was said since it stopped to try has reached nobody */
		if (!w->gone)
			goes(w, text, b->last_boot_ms - (w->verdict == BEAT_WEDGED ? b->last.overdue_ms : 0));
	} else if (w->verdict == BEAT_ALIVE && b->ever) {
		bool told = was_told(checks_find(&w->s->checks, "self.pagerd"));
		if (w->gone || told)
			comes_back(w);
		if (told)
			set_told(w, false);
		bool differ = differs(w, b, now_ms, text, sizeof text);
		w->calls.found(w->s, "self.pagerd", differ ? NAG_CRITICAL : NAG_OK, differ ? "config" : "",
			       text);
	}
	lastresort_tick(w->last, now_ms);
}

void pagerwatch_forgive(struct pagerwatch *w, int64_t now_ms)
{
	/* the beats that came meanwhile are still in the socket: listen for a limit's time before judging */
	(void)now_ms;
	heartbeat_free(w->beat);
	w->beat = heartbeat_connect(w->s->base, w->socket, w->interval_ms, fill_beat, w);
}

bool pagerwatch_alive(const struct pagerwatch *w)
{
	return w && w->verdict == BEAT_ALIVE && heartbeat_watch(w->beat)->ever;
}

bool pagerwatch_knows(const struct pagerwatch *w)
{
	return w && (heartbeat_watch(w->beat)->ever || w->verdict >= BEAT_SILENT);
}

const char *pagerwatch_paged(const struct pagerwatch *w)
{
	return w && w->verdict >= BEAT_SILENT && lastresort_is_set(w->last)
		   ? "paged on the last resort's line"
		   : NULL;
}

cJSON *pagerwatch_json(const struct pagerwatch *w)
{
	cJSON *o = cJSON_CreateObject();
	const struct beat_watch *b = w ? heartbeat_watch(w->beat) : NULL;
	cJSON_AddBoolToObject(o, "connected", pagerwatch_alive(w));
	bool heard = b && (b->ever || w->verdict != BEAT_ALIVE);
	cJSON_AddStringToObject(o, "verdict", heard ? verdicts[w->verdict] : "not heard yet");
	cJSON_AddStringToObject(o, "digest", b && b->ever ? b->last.digest : "");
	json_add_int(o, "last_beat_ms", b && b->ever ? clock_boot_ms() - b->last_boot_ms : -1);
	return o;
}

void pagerwatch_goodbye(struct pagerwatch *w)
{
	if (w)
		heartbeat_now(w->beat);
}

void pagerwatch_free(struct pagerwatch *w)
{
	if (!w)
		return;
	heartbeat_free(w->beat);
	lastresort_free(w->last);
	free(w->socket);
	free(w);
}
