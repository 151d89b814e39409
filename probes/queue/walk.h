/*
 * Walking directories of a spool by their entries alone (getdents64: no file is opened, none is stat'ed),
 * with a deadline and one buffer whatever their size; and what a walk finds.
 */
#ifndef PROBES_QUEUE_WALK_H
#define PROBES_QUEUE_WALK_H

#include "queue.h"

enum queue_walked {
	WALK_ALL,
	WALK_NONE,  /* there is no such directory, or it is a plain file */
	WALK_FAILED /* noted as trouble of the instance, or the time was up */
};

struct queue_scan {
	int64_t deadline; /* CLOCK_BOOTTIME ms */
	bool late;	  /* it came first: everything is "at least" */
	char *buffer;
	/* Each message that may be drawn: dir below the instance's directory and its name, both only for the
	 * call. */
	void (*entry)(void *arg, const struct queue_instance *in, size_t stage, const char *dir,
		      const char *name);
	void *arg;
};

/* One entry, not "." nor "..". type: DT_REG, DT_DIR ... or DT_UNKNOWN. */
typedef void queue_each(void *arg, const char *name, unsigned char type);

bool queue_scan_init(struct queue_scan *scan, int64_t deadline); /* false: out of memory */
void queue_scan_fini(struct queue_scan *scan);
/* path: below the instance's directory, "." for itself. */
enum queue_walked queue_walk(struct queue_scan *scan, struct queue_instance *in, const char *path,
			     queue_each *each, void *arg);
/* Counts one message of a stage and offers it. time_ms: its arrival when its name tells it, else 0. */
void queue_found(struct queue_scan *scan, struct queue_instance *in, size_t stage, const char *dir,
		 const char *name, int64_t time_ms);
/* Whether an entry may be a file, or a directory. */
bool queue_may_be_file(unsigned char type);
bool queue_may_be_dir(unsigned char type);

#endif
