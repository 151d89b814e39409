/*
 * The rule for daylight saving in POSIX's TZ syntax ("CET-1CEST,M3.5.0,M10.5.0/3"), with RFC 8536's longer
 * hours: what holds in a zone after the last change that its file lists. Pure; called by tz.c.
 */
#ifndef LIB_ONCALL_POSIXTZ_H
#define LIB_ONCALL_POSIXTZ_H

#include <stdbool.h>
#include <stdint.h>

struct posixtz_day {
	enum { TZ_DAY_MONTH, TZ_DAY_JULIAN, TZ_DAY_ZERO } kind; /* Mm.w.d, Jn, n */
	int month, week, day;
	int32_t time; /* seconds on the wall after that day's midnight; may be negative or beyond a day */
};

struct posixtz {
	int32_t offset, dst_offset; /* seconds east */
	bool has_dst;
	struct posixtz_day begin, end; /* of daylight saving */
};

bool posixtz_parse(const char *text, struct posixtz *z);
int32_t posixtz_offset(const struct posixtz *z, int64_t utc_s);
/* The first change after utc_s; INT64_MAX when there is none. */
int64_t posixtz_next_change(const struct posixtz *z, int64_t utc_s);

#endif
