/*
 * The further lines of the queue probe's result, and the few sums that line 1 needs, too.
 */
#ifndef PROBES_QUEUE_MORE_H
#define PROBES_QUEUE_MORE_H

#include "queue.h"

/* With fewer files read, or fewer messages queued, nobody is named as the one behind it. */
enum { QUEUE_NOTE_READ = 20, QUEUE_NOTE_QUEUED = 100 };
/* With fewer messages, or slower, nothing is stuck. */
enum { QUEUE_STUCK_LEAST = 10, QUEUE_STUCK_GROWTH = 5 /* a minute */ };

/* Adds all lines below line 1. */
void queue_more(const struct queue_seen *s, const struct queue_conf *conf, struct result *r);
double queue_percent(uint64_t hits, uint64_t of);
/* Age of the oldest message known of; 0 when there is none. */
int64_t queue_age_ms(const struct queue_seen *s, const struct queue_stage *st);
/* Distinct client addresses seen with a login. */
size_t queue_account_clients(const struct queue_shape *sh, const char *account);
/* Whether mail piles up in front of what stands between two stages, while the one behind it drains: a scanner
 * that is stuck. */
bool queue_stuck(const struct queue_seen *s);
/* The leader of a count, when it has at least `least` percent of `of` and there is enough to tell. */
bool queue_leads(const struct queue_shape *sh, const struct top *t, uint64_t of, double least,
		 struct top_item *it);

#endif
