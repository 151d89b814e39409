/*
 * The further lines of the queue probe's result, and the few sums that line 1 needs, too.
 */
#ifndef PROBES_QUEUE_MORE_H
#define PROBES_QUEUE_MORE_H

#include "queue.h"

/* With fewer files read, or fewer messages queued, nobody is named as the one behind it. */
enum { QUEUE_NOTE_READ = 20, QUEUE_NOTE_QUEUED = 100 };

/* Adds all lines below line 1. */
void queue_more(const struct queue_seen *s, const struct queue_conf *conf, struct result *r);
double queue_percent(uint64_t hits, uint64_t of);
/* Age of the oldest message known of; 0 when there is none. */
int64_t queue_age_ms(const struct queue_seen *s, enum postfix_queue q);
/* The leader of a count, when it has at least `least` percent of `of` and there is enough to tell. */
bool queue_leads(const struct queue_shape *sh, const struct top *t, uint64_t of, double least,
		 struct top_item *it);

#endif
