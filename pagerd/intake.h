/*
 * The spool's reader: events become incidents. Woken by inotify and, whatever inotify
 * missed, every 2 s. An event is let go of (moved to done/) only when its incident is on the
 * disk; one that was applied before changes nothing. A file that is no event is itself a page.
 * What is read goes to whoever made the reader, by struct intake_calls.
 */
#ifndef PAGERD_INTAKE_H
#define PAGERD_INTAKE_H

#include "lib/contract/event.h"

struct config;
struct event_base;
struct intake;

enum { INTAKE_RESCAN_MS = 2000, INTAKE_DONE_KEPT = 1000, INTAKE_BAD_PAGES = 5, INTAKE_BAD_SPAN_MS = 600000 };

enum intake_answer {
	INTAKE_NO_ROOM, /* it waits in the spool */
	INTAKE_PENDING, /* taken; its file stays until it is recorded */
	INTAKE_RECORDED /* on the disk: the file may go */
};

struct intake_calls {
	enum intake_answer (*event)(void *arg, const struct event *e);
	/* A file that is no event; change is the same when the same file is told again. */
	void (*bad)(void *arg, uint64_t change, const char *text);
	/* Something may have been taken: time for a turn. */
	void (*scanned)(void *arg);
	/* All that was taken is on the disk, as far as the disk works. */
	bool (*disk_works)(void *arg);
};

/* NULL with a reason. Nothing is read before intake_start. */
struct intake *intake_new(struct event_base *base, const struct config *conf, const struct intake_calls *calls,
			  void *arg, char *why, size_t size);
void intake_start(struct intake *in);
void intake_free(struct intake *in);
/* Reads the spool: applies what is new, lets go of what is recorded. */
void intake_scan(struct intake *in);
/* Something was applied whose file is still in the spool. */
bool intake_pending(const struct intake *in);
/* Files in new/ at the last scan, and bad ones since the start. */
size_t intake_new_count(const struct intake *in);
size_t intake_bad_count(const struct intake *in);

#endif
