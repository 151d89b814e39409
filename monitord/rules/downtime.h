/*
 * A downtime of one check: from, until (wall clock, as people give it), by whom, why. Pure. A fixed one holds from its
 * beginning to its end; a flexible one begins when a problem is confirmed (or stands) between the two, and then lasts its
 * duration, be it beyond the end, as Nagios has it.
 * A check has at most one; a new one replaces it.
 */
#ifndef MONITORD_RULES_DOWNTIME_H
#define MONITORD_RULES_DOWNTIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DOWNTIME_BY_MAX = 64, DOWNTIME_COMMENT_MAX = 256 };
/* A downtime that nobody remembers setting is a check that nobody watches. */
#define DOWNTIME_LONGEST_MS (INT64_C(366) * 24 * 3600 * 1000)

struct downtime {
	int64_t from_ms, until_ms; /* wall clock; until_ms 0: none */
	int64_t duration_ms;	   /* of a flexible one; 0: fixed */
	int64_t began_ms;	   /* when a flexible one was set off; 0: not yet */
	char by[DOWNTIME_BY_MAX];
	char comment[DOWNTIME_COMMENT_MAX];
};

/* Checks and fills d. from_ms 0: now. duration_ms 0: fixed. False and a reason for people in why. */
bool downtime_set(struct downtime *d, int64_t from_ms, int64_t until_ms, int64_t duration_ms, const char *by,
		  const char *comment, int64_t now_wall_ms, char *why, size_t size);
void downtime_clear(struct downtime *d);
bool downtime_given(const struct downtime *d); /* set, even if it has not begun */
bool downtime_active(const struct downtime *d, int64_t now_wall_ms);
/* A problem is confirmed: sets a flexible one off whose time it is; true when it did. */
bool downtime_set_off(struct downtime *d, int64_t now_wall_ms);
/* When what holds now ends (or, of a flexible one that waits, when it ceases to wait). */
int64_t downtime_end(const struct downtime *d);
bool downtime_over(const struct downtime *d, int64_t now_wall_ms); /* given, and its end has passed */
/* "in downtime until 2026-11-21 03:12:45 (alice: new disks)", into out; returns out. */
char *downtime_text(const struct downtime *d, char *out, size_t size);

#endif
