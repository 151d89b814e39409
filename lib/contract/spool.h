/*
 * The event spool (doc/spool.md lists every on-disk state and its repair).
 * Maildir-like: tmp/ new/ done/ bad/. The writer (monitord, or any script) writes
 * tmp/X, fsyncs, renames to new/X, fsyncs new/. The reader (pagerd) takes what is
 * in new/, records it in its own state, then moves it to done/, which is bounded.
 */
#ifndef LIB_CONTRACT_SPOOL_H
#define LIB_CONTRACT_SPOOL_H

#include <stdbool.h>
#include <stddef.h>

#include "event.h"

/* Makes the directories (0770, set-gid as inherited). False with a reason. */
bool spool_make(const char *dir, char *why, size_t size);
/* Whether a reader looks after this spool now: it holds a lock that ends with its process. For who drops events and
 * may not ask the reader itself. */
bool spool_is_read(const char *dir);

/* --- the writer: a thread of its own, so that a slow disk never stops the caller's loop --- */
struct spool_writer;
/* One event's fate, told on the writer's thread or, with an event loop, through spool_writer_fd().
 * where: 0 the spool, 1 its twin, -1 nowhere yet (it is kept in memory and tried again every second). */
struct spool_fate {
	char id[EVENT_NAME_MAX * 3 + 24];
	int where;
	char why[160]; /* why not in the spool; "" when it is */
};
/* dir: the spool; twin: a directory on another file system (under /run), used when the spool answers ENOSPC, EIO,
 * any other error, or nothing for 2 s. NULL with a reason. */
struct spool_writer *spool_writer_new(const char *dir, const char *twin, char *why, size_t size);
/* Queues a copy of the event. Never blocks, never refuses (at 100,000 queued the oldest RECOVERY or NOTICE goes first
 * and is counted). */
void spool_write(struct spool_writer *w, const struct event *e);
/* Readable when fates wait; spool_writer_fate returns false when there are none. */
int spool_writer_fd(const struct spool_writer *w);
bool spool_writer_fate(struct spool_writer *w, struct spool_fate *fate);
/* Events accepted and not yet on any disk. */
size_t spool_writer_pending(const struct spool_writer *w);
/* Waits at most ms for pending to become 0; true when it did. */
bool spool_writer_flush(struct spool_writer *w, int ms);
void spool_writer_free(struct spool_writer *w);

/* --- the reader --- */
struct spool_reader;
struct spool_reader *spool_reader_new(const char *dir, const char *twin, char *why, size_t size);
/* An inotify descriptor on both new/ directories, for the loop; the caller also scans every 2 s. -1: none. */
int spool_reader_fd(const struct spool_reader *r);
/* One item found by a scan. path is what spool_reader_done takes. */
struct spool_item {
	char path[512];
	char stem[EVENT_NAME_MAX * 3 + 24]; /* file name without .json */
};
/* Calls f for each file in both new/, oldest event first (by at, then change); at most 1,000 of each in one scan, the next
 * goes on behind them. A file that cannot be read or parsed (or is larger than 64 KiB, or no regular file) is moved to
 * bad/ and reported to bad(). The event's uid is the file's owner.
 * f returns true when the event is safely recorded elsewhere: then the file moves to done/; false: it stays. */
size_t spool_scan(struct spool_reader *r, bool (*f)(void *arg, const struct event *e, const struct spool_item *item),
		  void (*bad)(void *arg, const char *path, const char *why), void *arg);
/* Keeps the newest keep files of done/, bad/ and tmp/. */
void spool_trim(struct spool_reader *r, size_t keep);
void spool_reader_free(struct spool_reader *r);

#endif
