/*
 * The queue directories of one Postfix instance: how many messages each holds, told by the
 * directory entries alone (getdents64; no file is opened, none is stat'ed), and a
 * call back per entry for whoever takes a sample.
 */
#ifndef PROBES_POSTFIX_SPOOL_H
#define PROBES_POSTFIX_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In the order mail passes through them. Counted in this order, a message that moves on meanwhile may be seen
 * twice, but none is missed. */
enum postfix_queue { PQ_MAILDROP, PQ_INCOMING, PQ_ACTIVE, PQ_DEFERRED, PQ_HOLD, PQ_CORRUPT, PQ_N };

enum { POSTFIX_HASH_DEPTH = 4, POSTFIX_PATH_MAX = 96 };

struct postfix_count {
	uint64_t n;
	uint64_t long_ids;	   /* entries whose name tells when they came */
	int64_t oldest_id_ms;	   /* the least time among those; 0 when there are none */
	bool late;		   /* the deadline came first: at least n */
	int error;		   /* errno of what could not be read; n is then too low */
	char at[POSTFIX_PATH_MAX]; /* which directory that was, below the queue directory */
};

struct postfix_scan {
	int64_t deadline; /* CLOCK_BOOTTIME ms */
	/* Each message: dir below the queue directory ("deferred/4") and its name, both only for the call.
	 * May be NULL. */
	void (*entry)(void *arg, enum postfix_queue q, const char *dir, const char *name);
	void *arg;
};

/* Counts one queue below dirfd. A directory that is not there holds nothing (error ENOENT, n 0). */
void postfix_spool_count(int dirfd, enum postfix_queue q, const struct postfix_scan *scan,
			 struct postfix_count *c);
const char *postfix_queue_name(enum postfix_queue q);

#endif
