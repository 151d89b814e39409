/* The last resort; see lastresort.h. Owned by pagerwatch.c. */
#include "lastresort.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json.h"
#include "lib/log.h"

enum {
	AGAIN_MIN_MS = 10000,
	AGAIN_MAX_MS = 300000,
	UNKNOWN_MS = 60000,
	DEADLINE_MS = 120000,
	ANSWER_MS = 150000,
	LET_GO_MS = 12000
};

struct item {
	struct lastresort_news news;
	char id[64];
	bool in_flight, tried, resend;
	int64_t next_ms; /* not before */
	int64_t sent_ms;
	int64_t again_ms; /* how long after a failure */
};

struct lastresort {
	struct event_base *base;
	char *libexec;
	void (*sent)(void *arg, const struct lastresort_news *n);
	void *arg;
	bool set, standing;
	char line_name[EVENT_NAME_MAX], notifier[64], to[256];
	cJSON *options;
	struct line *line;
	int64_t let_go_ms; /* the line was told to stop; freed then. 0: no */
	struct item queue[LASTRESORT_QUEUE];
	int n;
	int news, more;
	unsigned long long next_id;
};

static void remove_item(struct lastresort *l, int i)
{
	memmove(&l->queue[i], &l->queue[i + 1], (size_t)(l->n - i - 1) * sizeof l->queue[0]);
	l->n--;
}

static void fail(struct item *it, int64_t now, int64_t wait)
{
	it->in_flight = false;
	it->next_ms = now + (wait ? wait : it->again_ms);
	it->again_ms = it->again_ms * 2 > AGAIN_MAX_MS ? AGAIN_MAX_MS : it->again_ms * 2;
}

static void send_due(struct lastresort *l, int64_t now);

static void on_outcome(void *arg, struct line *line, const char *id, enum outcome o, const char *detail)
{
	struct lastresort *l = arg;
	int64_t now = clock_boot_ms();
	(void)line;
	for (int i = 0; i < l->n; i++) {
		struct item *it = &l->queue[i];
		if (strcmp(it->id, id) != 0)
			continue;
		log_notice("last resort: page about %s to %s: %s%s%s", it->news.check, l->to, outcome_name(o),
			   *detail ? ": " : "", detail);
		if (o == OUTCOME_SENT || o == OUTCOME_UNKNOWN || o == OUTCOME_DOUBTFUL)
			l->sent(l->arg, &it->news);
		if (o == OUTCOME_SENT) {
			remove_item(l, i);
		} else if (o == OUTCOME_UNKNOWN) {
			it->resend = true;
			fail(it, now, UNKNOWN_MS);
		} else {
			it->resend |= o == OUTCOME_DOUBTFUL;
			fail(it, now, 0);
		}
		break;
	}
	if (l->set && !l->let_go_ms)
		send_due(l, now);
}

static void on_health(void *arg, struct line *line, bool ok, const char *text)
{
	(void)arg;
	(void)line;
	log_info("last resort: line is %s: %s", ok ? "ready" : "not ready", text);
}

static void on_line_down(void *arg, struct line *line, const char *why)
{
	(void)arg;
	(void)line;
	log_warn("last resort: notifier ended: %s", why);
}

struct lastresort *lastresort_new(struct event_base *base, const char *libexec,
				  void (*sent)(void *arg, const struct lastresort_news *n), void *arg)
{
	struct lastresort *l = calloc(1, sizeof *l);
	if (!l || !(l->libexec = strdup(libexec))) {
		free(l);
		return NULL;
	}
	l->base = base;
	l->sent = sent;
	l->arg = arg;
	return l;
}

void lastresort_free(struct lastresort *l)
{
	if (!l)
		return;
	if (l->line)
		line_free(l->line);
	cJSON_Delete(l->options);
	free(l->libexec);
	free(l);
}

static bool same_way(const struct lastresort *l, const struct conf_line *k, const char *to)
{
	return l->set && strcmp(l->line_name, k->name) == 0 && strcmp(l->notifier, k->notifier) == 0 &&
	       strcmp(l->to, to) == 0 && cJSON_Compare(l->options, k->options, true);
}

void lastresort_use(struct lastresort *l, const struct config *conf)
{
	const struct conf_line *k = conf->has_last_resort ? config_line(conf, conf->last_resort.line) : NULL;
	if (k && same_way(l, k, conf->last_resort.to))
		return;
	if (l->line)
		line_free(l->line);
	l->line = NULL;
	l->let_go_ms = 0;
	for (int i = 0; i < l->n; i++) {
		l->queue[i].resend |= l->queue[i].in_flight;
		l->queue[i].in_flight = false;
	}
	cJSON_Delete(l->options);
	l->options = NULL;
	l->set = k != NULL;
	if (!k)
		return;
	snprintf(l->line_name, sizeof l->line_name, "%s", k->name);
	snprintf(l->notifier, sizeof l->notifier, "%s", k->notifier);
	snprintf(l->to, sizeof l->to, "%s", conf->last_resort.to);
	l->options = k->options ? cJSON_Duplicate(k->options, true) : cJSON_CreateObject();
}

bool lastresort_is_set(const struct lastresort *l)
{
	return l->set;
}

void lastresort_from_event(struct lastresort_news *n, const struct event *e)
{
	*n = (struct lastresort_news){.opened = e->opened,
				      .state = e->state,
				      .since = e->since,
				      .at = e->at,
				      .kind = e->kind == EVENT_RECOVERY ? PAGE_RECOVERED
					      : e->kind == EVENT_NOTICE ? PAGE_NOTICE
									: PAGE_NEW};
	memcpy(n->check, e->check, sizeof n->check);
	memcpy(n->host, e->host, sizeof n->host);
	snprintf(n->text, sizeof n->text, "%s", e->text ? e->text : "");
}

/* A problem nobody was told of is over: nothing to say. True when it was so. */
static bool cancelled(struct lastresort *l, const struct lastresort_news *n)
{
	if (n->kind != PAGE_RECOVERED)
		return false;
	for (int i = 0; i < l->n; i++) {
		struct item *it = &l->queue[i];
		if (it->tried || strcmp(it->news.check, n->check) != 0 || it->news.kind != PAGE_NEW)
			continue;
		remove_item(l, i);
		return true;
	}
	return false;
}

static void push(struct lastresort *l, const struct lastresort_news *n)
{
	struct item *it = &l->queue[l->n++];
	*it = (struct item){.news = *n, .again_ms = AGAIN_MIN_MS};
	snprintf(it->id, sizeof it->id, "last-resort-%llx-%llu", (unsigned long long)clock_wall_ms(),
		 ++l->next_id);
}

void lastresort_page(struct lastresort *l, const struct lastresort_news *n)
{
	if (!l->set || cancelled(l, n))
		return;
	bool own = strcmp(n->check, "self.pagerd") == 0;
	if (!own && ++l->news > LASTRESORT_NEWS) {
		if (l->more++ > 0 || l->n == LASTRESORT_QUEUE)
			return;
		struct lastresort_news last = *n;
		last.kind = PAGE_NOTICE;
		snprintf(
		    last.text, sizeof last.text,
		    "more than %d changes while pagerd is gone; no more are paged, see monitorctl status",
		    LASTRESORT_NEWS);
		push(l, &last);
		return;
	}
	if (l->n == LASTRESORT_QUEUE)
		remove_item(l, l->queue[0].in_flight ? 1 : 0);
	push(l, n);
}

void lastresort_stand_up(struct lastresort *l)
{
	l->standing = true;
	l->news = l->more = 0;
}

void lastresort_stand_down(struct lastresort *l)
{
	l->standing = false;
	for (int i = l->n - 1; i >= 0; i--)
		if (!l->queue[i].in_flight && l->queue[i].news.kind != PAGE_RECOVERED)
			remove_item(l, i);
}

static struct page page_of(const struct lastresort *l, const struct item *it, char incident[8])
{
	const struct lastresort_news *n = &it->news;
	event_incident(n->check, n->opened, incident, 8);
	return (struct page){.id = it->id,
			     .to = l->to,
			     .kind = n->kind,
			     .resend = it->resend,
			     .incident = incident,
			     .check = n->check,
			     .host = n->host,
			     .state = nag_name(n->state),
			     .text = n->text,
			     .more = NULL,
			     .since_wall_ms = n->since.wall_ms,
			     .at_wall_ms = n->at.wall_ms,
			     .deadline_ms = DEADLINE_MS};
}

static void send_one(struct lastresort *l, struct item *it, int64_t now)
{
	char incident[8];
	struct page p = page_of(l, it, incident);
	if (!line_send(l->line, &p))
		return; /* not up yet: with the next tick */
	it->in_flight = it->tried = true;
	it->sent_ms = now;
}

static void send_due(struct lastresort *l, int64_t now)
{
	static const struct line_calls calls = {
	    .outcome = on_outcome, .health = on_health, .down = on_line_down};
	for (int i = 0; i < l->n; i++) {
		struct item *it = &l->queue[i];
		if (it->in_flight && now - it->sent_ms > ANSWER_MS) {
			/* with its end comes the outcome: unknown */
			log_warn("last resort: the notifier gives no outcome for the page about %s; it is killed",
				 it->news.check);
			it->sent_ms = now;
			if (l->line)
				line_kill(l->line);
		}
		if (it->in_flight)
			return; /* one at a time, in order */
	}
	for (int i = 0; i < l->n; i++) {
		if (l->queue[i].next_ms > now)
			continue;
		if (!l->line)
			l->line =
			    line_new(l->base, l->line_name, l->notifier, l->libexec, l->options, &calls, l);
		if (l->line && line_is_up(l->line))
			send_one(l, &l->queue[i], now);
		return;
	}
}

void lastresort_tick(struct lastresort *l, int64_t now_ms)
{
	if (l->let_go_ms && now_ms >= l->let_go_ms) {
		line_free(l->line);
		l->line = NULL;
		l->let_go_ms = 0;
	}
	if (!l->set || l->let_go_ms)
		return;
	send_due(l, now_ms);
	if (l->n == 0 && !l->standing && l->line) {
		line_stop(l->line);
		l->let_go_ms = now_ms + LET_GO_MS;
	}
}
