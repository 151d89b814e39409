/* The dead-man switch; see deadman.h. The verdict itself is beat_judge's (lib/contract/heartbeat.h). */
#include "deadman.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/config/config.h"
#include "lib/file.h"
#include "lib/contract/heartbeat.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/loop.h"

/* A look that comes so late means that we slept ourselves (suspend, SIGSTOP). So many crashes within so long: it may live
 * each time just long enough to beat. */
enum { DEADMAN_LOOK_MS = 1000, DEADMAN_SLEPT_MS = 5000, DEADMAN_CRASHES = 5, DEADMAN_CRASHES_MS = 600000 };

struct deadman {
	struct event_base *base;
	const struct config *conf;
	const struct deadman_calls *calls;
	void *arg;
	char *path;
	struct heartbeat *heart;
	int64_t interval_ms;
	struct loop_timer *timer;
	enum beat_verdict verdict; /* at the last look */
	bool leaving;
	int64_t looked_ms;
	unsigned crashes; /* as last seen */
	int64_t crashed_ms[DEADMAN_CRASHES]; /* newest first; 0: none */
	bool looping;
	struct beat_watch watch; /* as last seen */
	char why[256];
	char digest[20]; /* of the other side, when its difference was last said */
};

static const char *const verdict_names[] = {"alive", "planned", "silent", "wedged"};

static const char *const verdict_words[] = {"", "", "monitord is silent", "monitord is stuck"};

static void fill(void *arg, struct beat *b)
{
	struct deadman *d = arg;
	const char *check;
	*b = (struct beat){.from = "pagerd", .pid = getpid()};
	snprintf(b->digest, sizeof b->digest, "%s", d->conf->digest);
	b->overdue_ms = d->calls->overdue(d->arg, &check);
	snprintf(b->overdue, sizeof b->overdue, "%s", check);
	b->back_ms = d->leaving ? d->conf->planned_ms : 0;
}

static void say_silent(struct deadman *d, const struct beat_watch *w, int64_t now)
{
	char text[256], span[48];
	clock_span(now - w->last_boot_ms, span, sizeof span);
	if (!w->ever)
		snprintf(text, sizeof text,
			 "monitord was not heard since the pager started %s ago: nothing is being checked",
			 span);
	else if (w->last.back_ms > 0)
		snprintf(text, sizeof text,
			 "monitord stopped as planned %s ago and did not come back in time: nothing is being "
			 "checked",
			 span);
	else
		snprintf(text, sizeof text, "monitord (pid %lld) is silent for %s: nothing is being checked",
			 (long long)w->last.pid, span);
	d->calls->problem(d->arg, text);
}

static void say_wedged(struct deadman *d, const struct beat_watch *w)
{
	char text[400], span[48];
	clock_span(w->last.overdue_ms, span, sizeof span);
	snprintf(text, sizeof text,
		 "monitord is stuck: check %s is overdue for %s; its alarms cannot be trusted",
		 w->last.overdue[0] ? w->last.overdue : "(unnamed)", span);
	d->calls->problem(d->arg, text);
}

/* Dying at once after each start it beats, and checks nothing. */
static void watch_crashes(struct deadman *d, const struct beat_watch *w, int64_t now)
{
	enum { LAST = DEADMAN_CRASHES - 1 };
	char text[256], span[48];
	for (; d->crashes < w->crashes; d->crashes++) {
		memmove(&d->crashed_ms[1], &d->crashed_ms[0], LAST * sizeof d->crashed_ms[0]);
		d->crashed_ms[0] = now;
	}
	d->crashes = w->crashes;
	bool looping = d->crashed_ms[LAST] && now - d->crashed_ms[LAST] < DEADMAN_CRASHES_MS;
	if (looping && !d->looping) {
		snprintf(text, sizeof text,
			 "monitord dies again and again: %d times within %s, now pid %lld; checks may not be made",
			 DEADMAN_CRASHES, clock_span(now - d->crashed_ms[LAST], span, sizeof span),
			 (long long)w->last.pid);
		d->calls->problem(d->arg, text);
	}
	d->looping = looping;
}

/* Reloads are not simultaneous: a difference is worth a line only while it lasts. */
static void note_digest(struct deadman *d, const struct beat_watch *w)
{
	if (!w->ever || strcmp(w->last.digest, d->digest) == 0)
		return;
	snprintf(d->digest, sizeof d->digest, "%s", w->last.digest);
	if (w->last.digest[0] && strcmp(w->last.digest, d->conf->digest) != 0)
		log_notice("monitord runs configuration %s, the pager %s", w->last.digest,
			   d->conf->digest);
}

/* While nothing listens (a reload that failed to) the other side counts as silent from then on. */
static void listen_now(struct deadman *d)
{
	d->interval_ms = d->conf->beat_ms;
	d->heart = heartbeat_listen(d->base, d->path, d->interval_ms, fill, d, d->why, sizeof d->why);
	if (!d->heart)
		log_err("heartbeat: %s", d->why);
}

static const struct beat_watch *watch_of(struct deadman *d)
{
	if (d->heart)
		d->watch = *heartbeat_watch(d->heart);
	return &d->watch;
}

static void look(void *arg)
{
	struct deadman *d = arg;
	int64_t now = clock_boot_ms(), slept = now - d->looked_ms - DEADMAN_LOOK_MS;
	char span[48];
	d->looked_ms = now;
	loop_timer_in(d->timer, DEADMAN_LOOK_MS);
	if (!d->heart)
		listen_now(d);
	if (slept > DEADMAN_SLEPT_MS) {
		log_warn("this process did not run for %s", clock_span(slept, span, sizeof span));
		if (d->heart)
			heartbeat_forgive(d->heart, slept);
	}
	const struct beat_watch *w = watch_of(d);
	enum beat_verdict v = beat_judge(w, now, d->conf->beat_limit_ms);
	note_digest(d, w);
	watch_crashes(d, w, now);
	if (v == BEAT_SILENT && d->verdict != v)
		say_silent(d, w, now);
	else if (v == BEAT_WEDGED && d->verdict != v)
		say_wedged(d, w);
	else if (v == BEAT_ALIVE && w->ever && !d->looping) {
		char text[64];
		snprintf(text, sizeof text, "monitord is heard again (pid %lld)", (long long)w->last.pid);
		d->calls->over(d->arg, text);
	}
	if (v != d->verdict) {
		log_notice("monitord: %s -> %s", verdict_names[d->verdict], verdict_names[v]);
		d->calls->changed(d->arg);
	}
	d->verdict = v;
	d->calls->looked(d->arg, v == BEAT_ALIVE || v == BEAT_PLANNED, verdict_words[v]);
}

struct deadman *deadman_new(struct event_base *base, const struct config *conf, const struct deadman_calls *calls,
			    void *arg, char *why, size_t size)
{
	struct deadman *d = calloc(1, sizeof *d);
	if (!d) {
		snprintf(why, size, "out of memory");
		return NULL;
	}
	d->base = base;
	d->conf = conf;
	d->calls = calls;
	d->arg = arg;
	d->path = file_join(conf->pagerd_run, "heartbeat.sock");
	d->timer = loop_timer_new(base, look, d);
	if (d->path && d->timer)
		listen_now(d);
	if (!d->heart) {
		snprintf(why, size, "%s", d->why);
		deadman_free(d);
		return NULL;
	}
	d->looked_ms = clock_boot_ms();
	loop_timer_in(d->timer, DEADMAN_LOOK_MS);
	return d;
}

void deadman_free(struct deadman *d)
{
	if (!d)
		return;
	heartbeat_free(d->heart);
	loop_timer_free(d->timer);
	free(d->path);
	free(d);
}

void deadman_use_conf(struct deadman *d, const struct config *conf)
{
	d->conf = conf;
	if (d->interval_ms == d->conf->beat_ms)
		return;
	heartbeat_free(d->heart);
	d->heart = NULL;
	listen_now(d);
}

void deadman_say_goodbye(struct deadman *d)
{
	d->leaving = true;
	if (d->heart)
		heartbeat_now(d->heart);
}

cJSON *deadman_show(struct deadman *d)
{
	const struct beat_watch *w = watch_of(d);
	cJSON *o = cJSON_CreateObject();
	cJSON_AddStringToObject(o, "verdict",
				verdict_names[beat_judge(w, clock_boot_ms(), d->conf->beat_limit_ms)]);
	json_add_int(o, "last_beat_ms", w->ever ? clock_boot_ms() - w->last_boot_ms : -1);
	json_add_int(o, "pid", w->last.pid);
	cJSON_AddStringToObject(o, "digest", w->last.digest);
	cJSON_AddStringToObject(o, "overdue", w->last.overdue);
	return o;
}
