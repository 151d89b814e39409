/*
 * Reads a log that grows, from where it stood: through rotation by rename (with or without a gap of several
 * files, gz too), truncation and copytruncate, each line once. A place is told by device and inode, the
 * offset, and a fingerprint of the bytes before it, so that a file that was rewritten is noticed and a copy
 * is found again. Memory is fixed: lines beyond LOG_LINE_MAX are told cut. Used by the probes log and rate.
 */
#ifndef PROBES_LOG_TAIL_H
#define PROBES_LOG_TAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	LOG_CHUNK = 256 * 1024,
	LOG_LINE_MAX = 8192,   /* more of a line is not looked at */
	LOG_PRINT_BYTES = 256, /* covered by a fingerprint */
	LOG_ROTATED_MAX = 64   /* rotated files looked at */
};

struct log_place {
	bool known;
	uint64_t dev, ino, offset;
	uint32_t covered; /* bytes before offset that print covers */
	uint64_t print;
	bool inside; /* the place is inside a line that was too long: pass by its end first */
};

struct log_tail {
	/* What to do with each line, newline cut off. */
	void (*line)(void *arg, const char *s, size_t n);
	void *arg;
	int64_t deadline; /* CLOCK_BOOTTIME ms: stop there, the place carries on */
	bool from_start;  /* with no place known: the whole file; else only what comes from now on */
	/* What came of it. */
	uint64_t bytes, lines, cut; /* cut: lines that were longer */
	unsigned rotated;	    /* files that had been rotated away and were read */
	bool late;		    /* the deadline came first */
	bool lost;		    /* what followed the place is gone: rotated away or truncated */
	uint64_t missing; /* then, of a journal: so many entries of any kind; 0: not known how many */
	uint64_t left;	  /* bytes of this file not read, when late */
	int error;	  /* errno: the log, or a rotated one, could not be opened or read */
	bool absent;	  /* there is no log (yet) */
};

/* Reads what is new in path and moves the place. False: t->error or t->absent say why. */
bool log_tail_read(struct log_tail *t, const char *path, struct log_place *place);

#endif
