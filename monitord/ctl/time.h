/*
 * Points in time as people write them on a command line: "now", "03:00", "2026-11-21 03:00", in local time.
 * Pure but for the time zone.
 */
#ifndef MONITORD_CTL_TIME_H
#define MONITORD_CTL_TIME_H

#include <stdbool.h>
#include <stdint.h>

/* Of a time without a date the next one counts: tomorrow's when today's is past. False: it is none of these.
 */
bool ctl_time(const char *text, int64_t now_wall_ms, int64_t *wall_ms);

#endif
