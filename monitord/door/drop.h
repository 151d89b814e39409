/*
 * An event from outside into the spool: for monitord-page and notify-by-monitord. Both are short-lived and
 * have no rights of their own: who may write into the spool is decided by its directories.
 */
#ifndef MONITORD_DOOR_DROP_H
#define MONITORD_DOOR_DROP_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/contract/event.h"

/* Exit codes, after sysexits.h. */
enum door_exit {
	DOOR_QUEUED = 0,
	DOOR_USAGE = 64, /* the command line */
	DOOR_DATA = 65,	 /* what it is given to say: too long a name, control characters, no text */
	DOOR_MEMORY = 71,
	DOOR_SPOOL = 73,  /* neither the spool nor its twin takes it */
	DOOR_RIGHTS = 77, /* this user may not write there */
};

/* Where to put it; each NULL: what the configuration says, else the usual places. */
struct door_place {
	const char *config, *spool, *twin;
	bool quiet; /* no notes */
};

/* Writes it durably. What went wrong, and what is worth a note, is said on stderr after "PROGRAM: ". */
enum door_exit door_drop(const struct event *e, const struct door_place *place, const char *program);
/* Numbers of events: microseconds of the wall clock. */
uint64_t door_now(void);
/* A number for a key: the same for the same key, and below every door_now(). Never 0. */
uint64_t door_key(const char *key);
/* Copies a name of at most size - 1 bytes without control characters, invalid UTF-8 as '?'. False: what is
 * wrong is said. */
bool door_name(char *field, size_t size, const char *text, const char *what, const char *program);
/* Sets the text: the first line as the event's text, what follows (and more, if given) as its further lines.
 * False: there is nothing but blanks. */
bool door_text(struct event *e, const char *text, const char *more);
/* OK, WARNING, CRITICAL, UNKNOWN; UP, DOWN, UNREACHABLE of hosts; in any case. */
bool door_state(const char *name, enum nag_state *s);
/* Adds a contact. */
bool door_contact(struct event *e, const char *name);

#endif
