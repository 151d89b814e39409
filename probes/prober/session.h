/*
 * One connection of the prober: lines in, lines out. Reading belongs to the serving
 * thread; writing may be done by any thread and never blocks: what the other side does
 * not take at once waits in a bounded outbox, and who leaves 8 MiB unread is cut off.
 */
#ifndef PROBES_PROBER_SESSION_H
#define PROBES_PROBER_SESSION_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/buf.h"
#include "request.h"

struct cJSON;
struct runner;
struct runner_calls;

enum { SESSION_OUTBOX_MAX = 8 * 1024 * 1024 };
/* In held: the serving thread waits for the last release; else it need not be woken for it. */
#define SESSION_ENDING (SIZE_MAX / 2 + 1)

struct session {
	struct session *next;
	int in, out;
	int wake; /* an eventfd: written when the serving thread must look */
	unsigned places;
	struct runner *runner;
	struct buf line;      /* what came and is not a whole line yet */
	bool skipping;	      /* in the rest of a line that is too long */
	bool eof;	      /* no more input */
	int64_t heard_ms;     /* boot ms of the last input */
	const struct opt_list *without; /* probes that are not run for it */
	bool forgotten;	      /* the runner was told that nobody listens */
	atomic_bool retired;  /* a run of this session is stuck: this process should be replaced */
	atomic_bool dead;     /* the other side does not read any more */
	atomic_size_t held;   /* jobs not answered, and calls under way; SESSION_ENDING */
	pthread_mutex_t lock; /* the outbox's */
	struct buf outbox;
};

/* What the runner calls; the session is their first argument. */
extern const struct runner_calls session_calls;

/* Takes the descriptors over; both may be the same. NULL when memory is out. */
struct session *session_new(int in, int out, int wake, unsigned places, struct runner *runner);
/* Closes the descriptors (never 0 to 2). Only when nothing holds it. */
void session_free(struct session *s);
void session_hello(struct session *s, size_t threads);
/* Reads what is there and submits the jobs in it. */
void session_read(struct session *s);
/* Writes what waits, if it is taken. */
void session_flush(struct session *s);
bool session_has_output(struct session *s);
/* Some of its jobs are not answered. After session_tell_release the serving thread is woken when that ends. */
bool session_is_held(struct session *s);
void session_tell_release(struct session *s);
/* Nothing more will happen here: input ended and all is answered, or the other side is gone. */
bool session_over(struct session *s);

#endif
