/* What a queue is made of, message by message: the sums and the most frequent names. Pure. */
#ifndef PROBES_QUEUE_SHAPE_H
#define PROBES_QUEUE_SHAPE_H

#include "queue.h"

bool queue_shape_init(struct queue_shape *sh,
		      bool by_domain); /* false: out of memory; fini is due all the same */
void queue_shape_fini(struct queue_shape *sh);
/* One recipient of the message that queue_shape_add is called for next; of one message at most
 * QUEUE_RCPTS_MAX count. */
void queue_shape_rcpt(struct queue_shape *sh, const char *address, bool done);
/* One message that told something. */
void queue_shape_add(struct queue_shape *sh, const struct queue_message *m, int64_t now_ms);
/* One that did not, and why; error is what errno was when it was refused. */
void queue_shape_miss(struct queue_shape *sh, enum queue_got got, int error);
/* The arrival of one message of a stage. */
void queue_age_note(struct queue_age *a, int64_t ms);

#endif
