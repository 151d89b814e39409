/*
 * When does which of the waiting pages of one contact leave, alone or folded into a digest? Two answers: the
 * pace (what a person can take in) and the budget (what a route may cost). Called by dispatch.c.
 *
 * In calm weather nothing waits: the first page of an incident leaves at once. What comes while the line is
 * busy, or within the window after the last message, is folded. An alarm of a cause that the contact has not
 * heard of
 * ("fresh") waits for no window unless several such came at once right after a digest, or PACE_BURST messages
 * left within one window.
 *
 * Pure: no I/O, no clock, no globals. Times are CLOCK_BOOTTIME milliseconds.
 */
#ifndef PAGERD_RULES_PACE_H
#define PAGERD_RULES_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/contract/line.h"

enum {
	PACE_WINDOW_MS = 10000,	     /* from one message to the next digest */
	PACE_WINDOW_MAX_MS = 300000, /* doubling to this while one digest follows another */
	PACE_BURST = 5,		     /* messages within a window: more are folded, whatever their cause */
	PACE_MANY = 3		     /* fewer pages leave one by one: a digest says less of each */
};

/* What may be folded with what, in the order of importance. */
enum pace_class { PACE_ALARM, PACE_NOTICE, PACE_TEST, PACE_ACK, PACE_RECOVERED, PACE_REPEAT, PACE_CLASSES };

/* Messages of one class to one contact. */
struct pace {
	int64_t left[PACE_BURST]; /* when they were handed over, newest first; 0: none */
	int64_t window_ms;	  /* 0: the first */
	bool folded;		  /* the last one was a digest */
};

enum pace_what { PACE_WAIT, PACE_ONE, PACE_ALL };

enum pace_class pace_class_of(enum page_kind k);
/* fresh: pages of causes that the contact has not heard of; known: the others. again: a page among them was
 * tried before and failed: its next route must not wait. PACE_WAIT: ask again in *again_ms. */
enum pace_what pace_decide(const struct pace *p, size_t fresh, size_t known, bool again, int64_t now,
			   int64_t *again_ms);
/* Nothing has been folded of late, and nothing would have to be now: the weather in which no alarm may be
 * held back. */
bool pace_is_calm(const struct pace *p, size_t pages, int64_t now);
/* A message was handed over. */
void pace_left(struct pace *p, bool digest, int64_t now);

/* What a route may cost (its budget): at most max messages per span, all at once if need be; then one each span/max. */
struct purse {
	int64_t spent_until; /* the time at which all that was spent has come in again */
};
/* Ms until one more may leave; 0: now. max 0: no limit. */
int64_t purse_wait(const struct purse *b, unsigned max, int64_t span_ms, int64_t now);
/* After one more there is nothing left. */
bool purse_is_last(const struct purse *b, unsigned max, int64_t span_ms, int64_t now);
void purse_spend(struct purse *b, unsigned max, int64_t span_ms, int64_t now);

#endif
