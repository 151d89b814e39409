/*
 * sendmail's queue control files (qf*) and configuration, the parts that the queue probe needs (sendmail 8:
 * sendmail/queue.c, doc/op). Pure.
 */
#ifndef PROBES_QUEUE_SENDMAIL_QF_H
#define PROBES_QUEUE_SENDMAIL_QF_H

#include "message.h"

/* A qf file: a line a thing, its letter first; V8 is the youngest version that there is. whole: text is all
 * of it. */
enum queue_got sendmail_qf_parse(struct queue_slice text, bool whole, const struct queue_sink *to,
				 struct queue_message *m);
/* The time that a queue id of sendmail 8.10 and later begins with (year modulo 60, month, day, hour, minute,
 * second, GMT), wall clock; 0 when it is none. now_ms tells the sixty years. */
int64_t sendmail_id_time_ms(const char *id, int64_t now_ms);
/* Each queue directory that a sendmail.cf names: O QueueDirectory=, and P= of queue groups. path is as
 * written there, globs and all. */
void sendmail_cf_queues(struct queue_slice text, void (*queue)(void *arg, const char *path), void *arg);

#endif
