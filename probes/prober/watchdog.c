/*
 * The runner's watchdog thread: sleeps until the earliest job is overdue, answers for
 * runs that did not come back (UNKNOWN, not measured, and where they are blocked) and
 * for jobs that waited too long; joins ended threads; gives freed memory back.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "blocked.h"
#include "runner_impl.h"

enum {
	TRIM_EVERY_MS = 30000, /* how often freed memory is given back ... */
	TRIM_PEAK = 32	       /* ... when at least that many ran at once since */
};

/* What must be said about a job after the lock was let go. */
struct overdue {
	void *session;
	char id[REQUEST_ID_MAX];
	bool running;
	int64_t age_ms, late_ms;
	pid_t tid;
	char where[200];
	struct job *queued; /* to be freed */
};

/* With the lock held. Says in *next when the next job will be overdue. */
static struct job *find_overdue(struct job_list *l, int64_t now, int64_t *next)
{
	for (struct job *j = l->first; j; j = j->next) {
		if (j->answered)
			continue;
		if (j->due_ms <= now)
			return j;
		if (j->due_ms < *next)
			*next = j->due_ms;
	}
	return NULL;
}

/* With the lock held: takes one overdue job. */
static bool claim_overdue(struct runner *r, int64_t now, struct overdue *o, int64_t *next)
{
	struct job *j = find_overdue(&r->queue, now, next);

	if (!j)
		j = find_overdue(&r->running, now, next);
	if (!j)
		return false;
	job_claim(j);
	*o = (struct overdue){ .session = j->session,
			       .running = j->running,
			       .tid = j->tid,
			       .age_ms = now - j->came_ms,
			       .late_ms = now - j->run.deadline };
	memcpy(o->id, j->q.id, sizeof o->id);
	probe_where(&j->run, o->where, sizeof o->where);
	if (!j->running) {
		job_list_remove(&r->queue, j);
		o->queued = j;
	}
	return true;
}

static void answer(struct runner *r, const struct overdue *o)
{
	char text[900], kernel[200], why[300];

	if (o->running) {
		blocked_in_kernel(o->tid, kernel, sizeof kernel);
		snprintf(why, sizeof why, "blocked in %s", o->where);
		snprintf(text, sizeof text, "%s, %.1f s past its deadline%s%s%s", why,
			 (double)o->late_ms / 1e3, *kernel ? " (" : "", kernel, *kernel ? ")" : "");
	} else {
		snprintf(text, sizeof text, "not run: waited %.1f s for one of the prober's %zu threads",
			 (double)o->age_ms / 1e3, r->threads_max);
	}
	log_warn("job %s: %s", o->id, text);
	runner_answer_failed(r, o->session, o->id, (double)o->age_ms, o->running ? "blocked" : "prober",
			     text);
	if (o->running)
		r->calls.retire(o->session, why);
	r->calls.released(o->session);
	if (o->queued)
		job_free(o->queued);
}

/* With the lock held, which is let go meanwhile. True when there was one. */
static bool join_finished(struct runner *r)
{
	struct worker *w = r->finished, *next;

	if (!w)
		return false;
	r->finished = NULL;
	pthread_mutex_unlock(&r->lock);
	for (; w; w = next) {
		next = w->next;
		pthread_join(w->thread, NULL);
		free(w);
	}
	pthread_mutex_lock(&r->lock);
	return true;
}

/* With the lock held, which is let go meanwhile. Says in *next when it wants to be called again. */
static void trim(struct runner *r, int64_t now, int64_t *next)
{
	if (r->peak < TRIM_PEAK)
		return;
	int64_t when = r->trimmed_ms + TRIM_EVERY_MS;
	if (now >= when) {
		r->peak = r->running.n;
		r->trimmed_ms = now;
		pthread_mutex_unlock(&r->lock);
		malloc_trim(64 * 1024);
		pthread_mutex_lock(&r->lock);
	} else if (when < *next) {
		*next = when;
	}
}

void *runner_watchdog(void *runner)
{
	struct runner *r = runner;
	struct overdue o;

	pthread_mutex_lock(&r->lock);
	r->trimmed_ms = clock_boot_ms();
	for (;;) {
		int64_t now = clock_boot_ms(), next = INT64_MAX;
		if (join_finished(r))
			continue;
		if (r->stop && r->threads == 0)
			break;
		if (claim_overdue(r, now, &o, &next)) {
			pthread_mutex_unlock(&r->lock);
			answer(r, &o);
			pthread_mutex_lock(&r->lock);
			continue;
		}
		trim(r, now, &next);
		r->wake_ms = next;
		/* a minute at most: CLOCK_BOOTTIME also counts suspend, waiting does not */
		int64_t pause = next - now > 60000 ? 60000 : next - now;
		if (!r->finished)
			runner_wait(r, &r->watch, pause > 0 ? pause : 1);
	}
	pthread_mutex_unlock(&r->lock);
	return NULL;
}
