/*
 * Runs probes in threads: one thread for each run that goes on, a queue for what is
 * beyond, deadlines that count from the moment a job came, and a watchdog that answers
 * for a run that is blocked. Knows nothing of JSON or connections; each job belongs to
 * an opaque session, and everything about it is told through runner_calls.
 */
#ifndef PROBES_PROBER_RUNNER_H
#define PROBES_PROBER_RUNNER_H

#include "request.h"

enum {
	RUNNER_QUEUE_MAX = 10000,
	RUNNER_STUCK_MS = 5000, /* a run that is still blocked that long after its deadline is given up */
	RUNNER_IDLE_MAX = 8	/* threads kept for the next job */
};

struct runner;

struct runner_done {
	const char *id;
	const struct result *result;
	const char *state; /* the new state; length 0: unchanged */
	size_t state_len;
	double run_ms, cpu_ms;
};

/* Called from the runner's threads, several at once. */
struct runner_calls {
	/* At most once a job; never for a cancelled one. */
	void (*done)(void *session, const struct runner_done *d);
	/* Passes a state on; false when that cannot be. The answer comes by runner_stored. */
	bool (*store)(void *session, const char *id, const char *state, size_t len);
	/* A run is stuck and was answered: this process should be replaced. */
	void (*retire)(void *session, const char *why);
	/* From a signal handler: this run's thread dies of a signal, and the process with it. */
	void (*crashed)(void *session, const char *id, int signal);
	/* The session must stay until released is called as often as hold was. May be called with a lock
	 * held: only counts. */
	void (*hold)(void *session);
	void (*released)(void *session);
};

/* NULL with a reason in why. */
struct runner *runner_new(size_t threads_max, const struct runner_calls *calls, char *why, size_t size);
/* Takes over what q owns and holds the session until it is answered or cancelled. Always answers, if only
 * "the queue is full". From one thread at a time. */
void runner_submit(struct runner *r, void *session, struct request *q);
void runner_stored(struct runner *r, void *session, const char *id, bool ok);
/* Nobody wants this result any more: there will be no done. */
void runner_cancel(struct runner *r, void *session, const char *id);
/* The session is gone: all its jobs are cancelled. */
void runner_forget(struct runner *r, void *session);
/* No more stored answers will come in this session: whoever waits for one is told it could not be stored. */
void runner_no_answers(struct runner *r, void *session);
/* Ends the threads and frees. False when some are still in a run after wait_ms: then nothing was freed and
 * only _exit remains. */
bool runner_free(struct runner *r, int64_t wait_ms);

#endif
