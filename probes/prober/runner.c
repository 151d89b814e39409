/*
 * The prober's threads and jobs; runner.h says what is promised, runner_impl.h who
 * owns a job when. Calls out are made without the lock.
 */
#include "runner_impl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "crash.h"

#if defined __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define SANITIZED 1
#endif

enum {
#ifdef SANITIZED
	STACK_BYTES = 2 * 1024 * 1024, /* the sanitizers' frames are several times as large */
#else
	STACK_BYTES = 256 * 1024,
#endif
	IDLE_MS = 10000 /* an idle thread ends after that time */
};

/* --- jobs ------------------------------------------------------------------------------------------- */

static void list_add(struct job_list *l, struct job *j)
{
	j->next = NULL;
	j->prev = l->last;
	*(l->last ? &l->last->next : &l->first) = j;
	l->last = j;
	l->n++;
}

static struct job *list_find(const struct job_list *l, const void *session, const char *id)
{
	for (struct job *j = l->first; j; j = j->next)
		if (j->session == session && !j->answered && strcmp(j->q.id, id) == 0)
			return j;
	return NULL;
}

static void cond_init(pthread_cond_t *c)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(c, &attr);
	pthread_condattr_destroy(&attr);
}

/* --- a run ------------------------------------------------------------------------------------------ */

static double cpu_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static bool store_send(struct runner *r, struct job *j, const char *state, size_t len)
{
	pthread_mutex_lock(&r->lock);
	bool ok = !j->answered && !j->no_answers;
	j->stored = j->stored_ok = false;
	if (ok)
		r->calls.hold(j->session); /* the watchdog may answer for this run meanwhile and release it */
	pthread_mutex_unlock(&r->lock);
	if (!ok)
		return false;
	ok = r->calls.store(j->session, j->q.id, state, len);
	r->calls.released(j->session);
	return ok;
}

static bool store(struct probe_run *run, const char *state, size_t len)
{
	struct job *j = run->owner;
	struct runner *r = j->runner;
	int64_t left;

	if (len > PROBE_STATE_MAX || !store_send(r, j, state, len))
		return false;
	pthread_mutex_lock(&r->lock);
	while (!j->stored && !j->answered && !j->no_answers && (left = run->deadline - clock_boot_ms()) > 0)
		runner_wait(r, &j->stored_cond, left > 1000 ? 1000 : left);
	bool ok = j->stored && j->stored_ok;
	pthread_mutex_unlock(&r->lock);
	return ok;
}

static void run_job(struct runner *r, struct job *j)
{
	double cpu = cpu_ms();

	crash_begin(r->calls.crashed, j->session, j->q.id);
	j->q.probe->run(&j->run);
	crash_end();
	cpu = cpu_ms() - cpu + j->run.child_cpu_ms;
	double ran = (double)(clock_boot_us() - j->began_us) / 1e3;
	pthread_mutex_lock(&r->lock);
	job_list_remove(&r->running, j);
	bool mine = !j->answered;
	j->answered = true;
	pthread_mutex_unlock(&r->lock);
	if (mine) {
		r->calls.done(j->session, &(struct runner_done){ .id = j->q.id,
								 .result = &j->result,
								 .state = buf_str(&j->run.newstate),
								 .state_len = j->run.newstate.len,
								 .run_ms = ran,
								 .cpu_ms = cpu });
		r->calls.released(j->session);
	}
	job_free(j);
}

/* --- threads ---------------------------------------------------------------------------------------- */

/* With the lock held. */
static struct job *take(struct runner *r, pid_t tid)
{
	struct job *j = r->queue.first;

	job_list_remove(&r->queue, j);
	list_add(&r->running, j);
	if (r->running.n > r->peak)
		r->peak = r->running.n;
	j->running = true;
	j->tid = tid;
	j->began_us = clock_boot_us();
	j->due_ms = j->run.deadline + RUNNER_STUCK_MS;
	return j;
}

/* With the lock held. False when this thread may end. */
static bool wait_for_work(struct runner *r)
{
	if (r->idle >= RUNNER_IDLE_MAX)
		return false;
	int64_t until = clock_boot_ms() + IDLE_MS, left;
	r->idle++;
	while (!r->queue.first && !r->stop && (left = until - clock_boot_ms()) > 0)
		runner_wait(r, &r->work, left);
	r->idle--;
	return r->queue.first != NULL;
}

static void *work(void *arg)
{
	struct worker *w = arg;
	struct runner *r = w->runner;
	pid_t tid = gettid();
#ifndef SANITIZED /* the sanitizers have one of their own */
	_Alignas(16) char crash_stack[CRASH_STACK_BYTES];

	crash_thread(crash_stack);
#endif
	pthread_mutex_lock(&r->lock);
	while (r->queue.first || (!r->stop && wait_for_work(r))) {
		struct job *j = take(r, tid);
		pthread_mutex_unlock(&r->lock);
		run_job(r, j);
		pthread_mutex_lock(&r->lock);
	}
	r->threads--;
	w->next = r->finished;
	r->finished = w;
	pthread_cond_signal(&r->watch);
	pthread_cond_signal(&r->gone);
	pthread_mutex_unlock(&r->lock);
	return NULL;
}

/* The lock is held throughout, so that w->thread is written before the new thread can be joined. */
static int start_thread(struct runner *r)
{
	struct worker *w = calloc(1, sizeof *w);

	if (!w)
		return ENOMEM;
	w->runner = r;
	int err = pthread_create(&w->thread, &r->attr, work, w);
	if (err)
		free(w);
	else
		r->threads++;
	return err;
}

/* --- what others ask for --------------------------------------------------------------------------- */

static bool init_thread_attr(struct runner *r)
{
	return pthread_attr_init(&r->attr) == 0 && pthread_attr_setstacksize(&r->attr, STACK_BYTES) == 0;
}

struct runner *runner_new(size_t threads_max, const struct runner_calls *calls, char *why, size_t size)
{
	struct runner *r = calloc(1, sizeof *r);

	if (!r || !init_thread_attr(r)) {
		snprintf(why, size, "out of memory");
		free(r);
		return NULL;
	}
	r->calls = *calls;
	r->threads_max = threads_max;
	r->wake_ms = INT64_MAX;
	pthread_mutex_init(&r->lock, NULL);
	cond_init(&r->work);
	cond_init(&r->watch);
	cond_init(&r->gone);
	int err = pthread_create(&r->watchdog, &r->attr, runner_watchdog, r);
	if (!err)
		return r;
	snprintf(why, size, "cannot start a thread: %s", strerror(err));
	free(r);
	return NULL;
}

static struct job *job_new(struct runner *r, void *session, struct request *q)
{
	struct job *j = calloc(1, sizeof *j);

	if (!j)
		return NULL;
	j->runner = r;
	j->session = session;
	j->q = *q;
	j->came_ms = clock_boot_ms();
	j->due_ms = j->came_ms + q->timeout_ms;
	cond_init(&j->stored_cond);
	result_init(&j->result);
	buf_init(&j->run.newstate, PROBE_STATE_MAX);
	j->run.conf = q->conf;
	j->run.check = j->q.check;
	j->run.state = q->state;
	j->run.state_len = q->state_len;
	j->run.deadline = j->due_ms;
	j->run.result = &j->result;
	j->run.store = store;
	j->run.owner = j;
	return j;
}

/* With the lock held: queues it and finds a thread for it; *wake says that one waits. NULL, or why it was not accepted. */
static const char *enqueue(struct runner *r, struct job *j, bool *wake)
{
	if (r->queue.n >= RUNNER_QUEUE_MAX)
		return "the prober's queue is full: 10000 jobs wait for a thread";
	list_add(&r->queue, j);
	runner_watch_by(r, j->due_ms);
	*wake = r->idle >= r->queue.n;
	if (*wake)
		return NULL;
	if (r->threads >= r->threads_max)
		return NULL;
	int err = start_thread(r);
	if (!err || r->threads > 0)
		return NULL; /* without a new thread it waits for one of the old */
	job_list_remove(&r->queue, j);
	return "the prober cannot start a thread";
}

void runner_submit(struct runner *r, void *session, struct request *q)
{
	struct job *j = job_new(r, session, q);

	r->calls.hold(session);
	if (!j) {
		runner_answer_failed(r, session, q->id, 0, "prober", "the prober is out of memory");
		r->calls.released(session);
		request_fini(q);
		return;
	}
	bool wake = false;
	pthread_mutex_lock(&r->lock);
	const char *refused = enqueue(r, j, &wake);
	pthread_mutex_unlock(&r->lock);
	if (wake) /* without the lock, or the thread would wake only to wait for it */
		pthread_cond_signal(&r->work);
	if (!refused)
		return;
	runner_answer_failed(r, session, j->q.id, 0, "prober", refused);
	r->calls.released(session);
	job_free(j);
}

void runner_stored(struct runner *r, void *session, const char *id, bool ok)
{
	pthread_mutex_lock(&r->lock);
	struct job *j = list_find(&r->running, session, id);
	if (j) {
		j->stored = true;
		j->stored_ok = ok;
		pthread_cond_signal(&j->stored_cond);
	}
	pthread_mutex_unlock(&r->lock);
}

void runner_cancel(struct runner *r, void *session, const char *id)
{
	pthread_mutex_lock(&r->lock);
	struct job *queued = list_find(&r->queue, session, id),
		   *j = queued ? queued : list_find(&r->running, session, id);
	if (queued)
		job_list_remove(&r->queue, queued);
	if (j)
		job_claim(j);
	pthread_mutex_unlock(&r->lock);
	if (j)
		r->calls.released(session);
	if (queued)
		job_free(queued);
}

void runner_forget(struct runner *r, void *session)
{
	struct job *dropped = NULL, *next;
	size_t released = 0;

	pthread_mutex_lock(&r->lock);
	for (struct job *j = r->running.first; j; j = j->next)
		if (j->session == session && !j->answered) {
			job_claim(j);
			released++;
		}
	for (struct job *j = r->queue.first; j; j = next) {
		next = j->next;
		if (j->session != session)
			continue;
		job_list_remove(&r->queue, j);
		j->next = dropped;
		dropped = j;
		released++;
	}
	pthread_mutex_unlock(&r->lock);
	for (; dropped; dropped = next) {
		next = dropped->next;
		job_free(dropped);
	}
	for (; released > 0; released--)
		r->calls.released(session);
}

void runner_no_answers(struct runner *r, void *session)
{
	pthread_mutex_lock(&r->lock);
	for (struct job_list *l = &r->queue; l; l = l == &r->queue ? &r->running : NULL)
		for (struct job *j = l->first; j; j = j->next)
			if (j->session == session) {
				j->no_answers = true;
				pthread_cond_signal(&j->stored_cond);
			}
	pthread_mutex_unlock(&r->lock);
}

bool runner_free(struct runner *r, int64_t wait_ms)
{
	int64_t until = clock_boot_ms() + wait_ms, left;

	pthread_mutex_lock(&r->lock);
	r->stop = true;
	pthread_cond_broadcast(&r->work);
	while (r->threads > 0 && (left = until - clock_boot_ms()) > 0)
		runner_wait(r, &r->gone, left);
	bool all = r->threads == 0;
	pthread_cond_signal(&r->watch);
	pthread_mutex_unlock(&r->lock);
	if (!all)
		return false;
	pthread_join(r->watchdog, NULL); /* it joins the others before it ends */
	pthread_attr_destroy(&r->attr);
	pthread_mutex_destroy(&r->lock);
	free(r);
	return true;
}
