/*
 * The clock on the wall and the calendar beside it: days and seconds counted as if there
 * were no time zones (proleptic Gregorian, from 1970-01-01). What a zone makes of them is tz.h's.
 * Pure.
 */
#ifndef LIB_ONCALL_CIVIL_H
#define LIB_ONCALL_CIVIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CIVIL_DAY = 86400, CIVIL_DAY_MIN = 1440, CIVIL_WEEK_MIN = 7 * 1440 };

struct civil {
	int year, month, day; /* 1 to 12, 1 to 31 */
	int hour, minute, second;
};

/* Days since 1970-01-01. */
int64_t civil_days(int year, int month, int day);
/* The day a wall second falls on; rounds down before 1970. */
int64_t civil_day_of(int64_t wall_s);
struct civil civil_of(int64_t wall_s);
/* 0 Monday ... 6 Sunday */
int civil_weekday(int64_t days);
bool civil_is_leap(int year);
/* "2026-11-21", nothing before or behind; a day that does not exist is refused. Years 1970 to 9999. */
bool civil_parse_date(const char *s, int64_t *days);
/* "2026-11-21 09:00" (or a T between): wall seconds. "24:00" is the end of the day. */
bool civil_parse(const char *s, int64_t *wall_s);
/* "HH:MM" at *s, which moves behind it; minutes of the day, 0 to 1440. */
bool civil_parse_minutes(const char **s, int *minutes);
/* "Mon" ... "Sun" */
const char *civil_weekday_name(int weekday);

#endif
