/*
 * When to run what. Pure: slots and hosts in, the next slot to start out; the caller brings the clock
 * (CLOCK_BOOTTIME, ms) and does the starting.
 *
 * - The first run of each check is spread over its interval (at most SCHED_SPREAD_MAX_MS, so that a daily
 * check is not silent for a day), at a place that depends on its name only. After that it keeps its rhythm:
 * due + interval, however late the last start was.
 * - Two runs of one check never overlap: a due time that passes while one is running, or while it could not
 * be started, is skipped and counted.
 * - Two starts at one host are at least gap_ms apart; who waits longest goes first.
 * - late_ms is how late the last start was. Waiting for the gap is no lateness of ours: sched_overdue leaves
 * it out.
 */
#ifndef MONITORD_RULES_SCHED_H
#define MONITORD_RULES_SCHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCHED_SPREAD_MAX_MS 60000
#define SCHED_NEVER INT64_MAX

struct sched_host {
	int64_t free_ms; /* from then on another check may start there */
};

struct sched_slot {
	int64_t interval_ms, retry_ms;
	int64_t due_ms;	    /* the next planned start; SCHED_NEVER: none */
	int64_t waiting_ms; /* since when a start is owed, skipped ones included; SCHED_NEVER: none is */
	int64_t started_ms; /* last start */
	bool running;
	bool again;   /* asked for once more while it is running */
	bool blocked; /* cannot start now (its prober is down or full) */
	uint64_t skipped;
	int64_t late_ms;	 /* of the last start */
	struct sched_host *host; /* NULL: no gap to keep */
};

/* A place in [0, span) from a name: the same in every process. */
int64_t sched_spread(const char *name, int64_t span_ms);
/* A slot's first due time. last_ms: when it last ran (this boot's clock; SCHED_NEVER: never or long ago);
 * hurry: something is wrong with the check, look soon. */
void sched_first(struct sched_slot *s, const char *name, int64_t last_ms, bool hurry, int64_t now_ms);
/* New times for a slot that goes on (reload): it never has to wait longer than the new interval. */
void sched_retime(struct sched_slot *s, int64_t interval_ms, int64_t retry_ms, int64_t now_ms);
/* Run it as soon as possible; while it is running: once more right after. */
void sched_now(struct sched_slot *s, int64_t now_ms);
/* The slot that must start now, or NULL. *wake_ms: when to ask again (SCHED_NEVER: nothing is due). */
struct sched_slot *sched_next(struct sched_slot *const *slots, size_t n, int64_t now_ms, int64_t *wake_ms);
void sched_started(struct sched_slot *s, int64_t now_ms, int64_t gap_ms);
/* The run ended. retry: the retry interval counts, from this run's planned start on. at_once: again as soon
 * as possible. */
void sched_ended(struct sched_slot *s, bool retry, bool at_once, int64_t now_ms);
/* It is due, and is not to run this time: an interval later. */
void sched_skip(struct sched_slot *s, int64_t now_ms);
/* Its next planned start is not before that. */
void sched_not_before(struct sched_slot *s, int64_t ms);
/* How long the slot has been owed a start that only we hold up; 0: not at all. */
int64_t sched_overdue(const struct sched_slot *s, int64_t now_ms);

#endif
