/*
 * The inside of the runner, shared by runner.c (jobs and threads), watchdog.c
 * (who answers for what does not come back) and jobs.c (what both do to a job). One mutex guards all of it.
 *
 * A job is owned by the queue, then by the thread that runs it. Who sets `answered` (the
 * thread, the watchdog or a cancel) is the one who tells the session and releases it; a
 * run that comes back after that is dropped in silence. A thread frees its job only with
 * the job unlinked under the lock, so whoever finds a job in a list may read it there.
 */
#ifndef PROBES_PROBER_RUNNER_IMPL_H
#define PROBES_PROBER_RUNNER_IMPL_H

#include <pthread.h>
#include <sys/types.h>

#include "runner.h"

struct job {
	struct job *prev, *next; /* in the queue or among the running */
	struct runner *runner;
	void *session; /* not to be touched once answered */
	struct request q;
	int64_t came_ms;
	int64_t due_ms; /* when the watchdog answers for it */
	bool running, answered;
	bool no_answers, stored, stored_ok;
	pthread_cond_t stored_cond;
	pid_t tid;
	int64_t began_us;
	struct result result;
	struct probe_run run;
};

struct job_list {
	struct job *first, *last;
	size_t n;
};

struct worker {
	struct worker *next;
	pthread_t thread;
	struct runner *runner;
};

struct runner {
	struct runner_calls calls;
	pthread_mutex_t lock;
	pthread_cond_t work;  /* for idle threads */
	pthread_cond_t watch; /* for the watchdog */
	pthread_cond_t gone;  /* for runner_free */
	pthread_attr_t attr;
	pthread_t watchdog;
	struct job_list queue, running;
	size_t threads, threads_max, idle;
	struct worker *finished; /* ended, to be joined by the watchdog */
	int64_t wake_ms;	 /* when the watchdog will look again */
	int64_t trimmed_ms;
	size_t peak; /* running at once since memory was trimmed */
	bool stop;
};

void job_list_remove(struct job_list *l, struct job *j);
void job_free(struct job *j);
/* With the lock held: marks it answered, so that its probe comes back early if it can. */
void job_claim(struct job *j);
/* UNKNOWN, not measured. Without the lock; the session must be held. */
void runner_answer_failed(struct runner *r, void *session, const char *id, double run_ms, const char *layer,
			  const char *text);
/* At most ms, by CLOCK_MONOTONIC because condition variables know no better: callers look at the clock again.
 */
void runner_wait(struct runner *r, pthread_cond_t *c, int64_t ms);
/* With the lock held: the watchdog must look by then. */
void runner_watch_by(struct runner *r, int64_t boot_ms);
/* The watchdog's thread; ends after stop. */
void *runner_watchdog(void *runner);

#endif
