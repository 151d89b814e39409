/*
 * What runner.c and watchdog.c do to jobs alike; see runner_impl.h. Calls neither of them.
 */
#include <stdlib.h>
#include <time.h>

#include "runner_impl.h"

void job_list_remove(struct job_list *l, struct job *j)
{
	*(j->prev ? &j->prev->next : &l->first) = j->next;
	*(j->next ? &j->next->prev : &l->last) = j->prev;
	j->prev = j->next = NULL;
	l->n--;
}

void runner_wait(struct runner *r, pthread_cond_t *c, int64_t ms)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += (ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_cond_timedwait(c, &r->lock, &until);
}

void job_free(struct job *j)
{
	request_fini(&j->q);
	result_fini(&j->result);
	buf_fini(&j->run.newstate);
	pthread_cond_destroy(&j->stored_cond);
	free(j);
}

void job_claim(struct job *j)
{
	j->answered = true;
	atomic_store(&j->run.cancelled, true);
	pthread_cond_signal(&j->stored_cond);
}

void runner_answer_failed(struct runner *r, void *session, const char *id, double run_ms, const char *layer,
			  const char *text)
{
	struct result result;

	result_init(&result);
	result_fail(&result, NAG_UNKNOWN, layer, "%s", text);
	result.measured = false;
	r->calls.done(session,
		      &(struct runner_done){ .id = id, .result = &result, .state = "", .run_ms = run_ms });
	result_fini(&result);
}

void runner_watch_by(struct runner *r, int64_t boot_ms)
{
	if (boot_ms >= r->wake_ms)
		return;
	r->wake_ms = boot_ms;
	pthread_cond_signal(&r->watch);
}
