/*
 * One question to another daemon's control socket without waiting for it: the answer, or why there is none,
 * comes by a call. A daemon that is wedged costs nothing but the answer.
 */
#ifndef PAGERD_ASKER_H
#define PAGERD_ASKER_H

#include <stddef.h>
#include <stdint.h>

struct cJSON;
struct event_base;
struct asker;

enum { ASKER_WAIT_MS = 10000 };

/* answer: NULL when none came, and why says the reason. Called once; the asker frees itself behind it. */
typedef void asker_done(void *arg, const struct cJSON *answer, const char *why);
/* Takes request over. NULL: out of memory, done is not called. */
struct asker *asker_start(struct event_base *base, const char *path, struct cJSON *request, asker_done *done,
			  void *arg);
/* Forgets the question; done is not called. */
void asker_free(struct asker *a);

#endif
