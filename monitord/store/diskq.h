/*
 * A thread that writes files, so that a slow disk never stops the loop. Whole files are replaced
 * atomically and durably (lib/file.h); of several versions of one file that wait, only the newest is
 * written. A file that cannot be written now goes to its twin (another directory, under /run), which
 * outlives this process though not the machine, and is tried again every few seconds until it can.
 */
#ifndef MONITORD_STORE_DISKQ_H
#define MONITORD_STORE_DISKQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/contract/event.h"

struct diskq;

enum diskq_where { DISKQ_NOWHERE = -1, DISKQ_DURABLE = 0, DISKQ_TWIN = 1 };

/* What became of a write. Tickets grow; a fate holds for all earlier tickets of the same key too. */
struct diskq_fate {
	char key[EVENT_NAME_MAX];
	uint64_t ticket;
	enum diskq_where where;
	char why[160]; /* "" when durable */
};

struct diskq *diskq_new(void);
/* Replaces path by data (taken over). key: what fates are told by. twin: a path or NULL. Returns the ticket.
 */
uint64_t diskq_put(struct diskq *q, const char *key, const char *path, const char *twin, char *data,
		   size_t len);
/* Calls f(arg) on the thread, in order with the writes; f frees arg. At most DISKQ_CALLS_MAX wait: then
 * false, and arg stays the caller's. */
enum { DISKQ_CALLS_MAX = 10000 };
bool diskq_call(struct diskq *q, void (*f)(void *arg), void *arg);
/* Removes a file (and forgets what waits to be written there). */
void diskq_remove(struct diskq *q, const char *path, const char *twin);
/* Readable when fates wait. */
int diskq_fd(const struct diskq *q);
bool diskq_fate(struct diskq *q, struct diskq_fate *fate);
/* Waits at most ms until nothing waits; true when so. */
bool diskq_flush(struct diskq *q, int ms);
/* Does not wait: flush first. A thread that hangs in a write is left alone. */
void diskq_free(struct diskq *q);

#endif
