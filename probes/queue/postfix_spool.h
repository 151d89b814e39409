/*
 * The queue directories of one Postfix instance: their names, and counting them by their entries.
 */
#ifndef PROBES_QUEUE_POSTFIX_SPOOL_H
#define PROBES_QUEUE_POSTFIX_SPOOL_H

struct queue_instance;
struct queue_scan;

/* In the order mail passes through them. Counted in this order, a message that moves on meanwhile may be seen
 * twice, but none is missed. */
enum postfix_queue { PQ_MAILDROP, PQ_INCOMING, PQ_ACTIVE, PQ_DEFERRED, PQ_HOLD, PQ_CORRUPT, PQ_N };

enum { POSTFIX_HASH_DEPTH = 4 };

/* Counts one queue of an instance; its number is that of its stage. A directory that is not there holds
 * nothing. */
void postfix_spool_count(struct queue_scan *scan, struct queue_instance *in, enum postfix_queue q);
const char *postfix_queue_name(enum postfix_queue q);

#endif
