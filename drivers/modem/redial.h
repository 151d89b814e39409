/*
 * The rules of redialling: when a number may be dialled again. Pure functions of (memory, rules, now);
 * redial_file.c keeps the memory on the disk, so that a restart forgets nothing. For the notifiers that dial.
 *
 * Time is CLOCK_BOOTTIME, so no jump of the wall clock matters. What was dialled before a reboot counts as
 * dialled at the boot: that is the latest it can have been, whatever the wall clock says.
 */
#ifndef DRIVERS_MODEM_REDIAL_H
#define DRIVERS_MODEM_REDIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/clock.h"

struct redial_rules {
	const char *name;
	int64_t window_ms; /* 0: none of this counts */
	int redials;	   /* so many redials within any window, the first dial not counted */
	int series; /* > 0: instead so many redials of one number in all, as fast as one likes; then a whole
		       window's rest */
	int64_t off_hook_ms;   /* off the hook before dialling when dial tone is not listened for */
	int64_t unanswered_ms; /* hung up by then when nobody answers; 0: no limit */
};

/* Japan, Terminal Equipment Rules, art. 11: 3 s off the hook, 2 min unanswered; japan: at most 2 redials in 3
 * min; japan15: at most 15 in all. cautious: the third dial in 3 min, which makes some modems blacklist a
 * number, never comes. none. */
extern const struct redial_rules redial_rules[];
#define REDIAL_RULES "japan|japan15|cautious|none" /* in the order of the table, for an option's choices */

enum { REDIAL_NUMBERS_MAX = 64, REDIAL_DIALS_MAX = 16, REDIAL_NUMBER_MAX = 32 };

struct redial_number {
	char number[REDIAL_NUMBER_MAX + 1];  /* its digits; the last ones of a longer one */
	struct stamp dial[REDIAL_DIALS_MAX]; /* calls that came to nothing, or are under way; oldest first */
	size_t n;
	struct stamp rest_from; /* the modem itself refuses the number */
	int64_t rest_ms;	/* 0: it does not */
};

struct redial {
	struct redial_number v[REDIAL_NUMBERS_MAX];
	size_t n;
	struct redial_number
	    all; /* for every number: a memory that could not be read is taken for the worst */
};

/* How many ms until the number may be dialled; 0: now. */
int64_t redial_wait(const struct redial *r, const struct redial_rules *rules, const char *number,
		    const struct stamp *now);
/* To be called (and kept, see redial_keep) before the modem is told to dial. */
void redial_dialled(struct redial *r, const char *number, const struct stamp *now);
/* The call came to its end: what comes next is no redial. */
void redial_answered(struct redial *r, const char *number);
/* It came to nothing before a digit was dialled (no dial tone): the last one does not count. */
void redial_undone(struct redial *r, const char *number);
void redial_rest(struct redial *r, const char *number, const struct stamp *now, int64_t ms);

/* --- on the disk (redial_file.c) ---------------------------------------------------------------------- */
/* DIR/redial-LINE.json, malloced. */
char *redial_path(const char *dir, const char *line);
/* No file: an empty memory. One that cannot be read: every number rests as long as the rules can ask for,
 * from now on; why says so (else ""). */
void redial_load(struct redial *r, const char *path, const struct redial_rules *rules,
		 const struct stamp *now, char *why, size_t size);
/* Durable when it returns true. Else why says why. */
bool redial_keep(const struct redial *r, const char *path, char *why, size_t size);
/* The file's text; false when it is none. Pure, for the fuzz target. */
bool redial_parse(struct redial *r, const char *text, size_t len);

#endif
