/*
 * Answers: a person's message comes in, is written into the book, obeyed, and answered over the line it came
 * by.
 *
 * Order, each step durable before the next: the message stands in the book (then the line may forget it);
 * what it asks for is done (an acknowledgement is in the incident's record); the answer leaves; the book says
 * so. A crash in between goes on where it stopped: nothing is lost and nothing is done twice, an answer may
 * come twice.
 *
 * Called by inputs.c (messages), pager.c (each turn), pagerd.c.
 */
#ifndef PAGERD_ANSWERS_H
#define PAGERD_ANSWERS_H

#include "lib/contract/line.h"
#include "state.h"

struct answers;

enum {
	ANSWERS_UNTIL_MS = 1800000, /* an answer that could not leave by then is of no use any more */
	ANSWERS_ASKED_MAX = 8,	    /* questions to monitord at a time */
	ANSWERS_SENDER_MAX = 16	    /* contacts that may share a number */
};

struct answers *answers_new(struct pager *p);
void answers_free(struct answers *a);
void answers_received(struct answers *a, const char *line, const struct received *m);
/* Goes on with what is not done; ms until it wants to be called again. */
int64_t answers_watch(struct answers *a);

#endif
