/*
 * One time zone of the IANA database, read from its TZif file (RFC 8536) without touching
 * the process's own zone, which logs and texts use. Times are seconds; "wall" seconds are
 * what the clock on the wall shows there, counted as if there were no zones (civil.h).
 * Parsing and asking are pure; only tz_load reads a file.
 */
#ifndef LIB_ONCALL_TZ_H
#define LIB_ONCALL_TZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TZ_FILE_MAX = 65536, TZ_NAME_MAX = 64, TZ_TEXT_MAX = 48 };

struct tz;

/* The bytes of a TZif file, version 1 to 4. NULL and a reason in why. */
struct tz *tz_parse(const char *name, const void *bytes, size_t len, char *why, size_t size);
/* "Asia/Tokyo", from the system's database. NULL and a reason in why. */
struct tz *tz_load(const char *name, char *why, size_t size);
void tz_free(struct tz *z);
const char *tz_name(const struct tz *z);

/* Seconds east of Greenwich at that time. */
int32_t tz_offset(const struct tz *z, int64_t utc_s);
/* What the clock on the wall shows. */
int64_t tz_wall(const struct tz *z, int64_t utc_s);
/* The first moment after utc_s at which the clock may be changed; INT64_MAX: it never is again. */
int64_t tz_next_change(const struct tz *z, int64_t utc_s);
/* When the wall shows that. A reading that comes twice (clocks put back): the first time, or the last if
 * asked for. One that never comes (put forward): the moment of the change. */
int64_t tz_utc(const struct tz *z, int64_t wall_s, bool last);
/* "Sat 2026-11-28 18:00 +09:00" into out (TZ_TEXT_MAX is enough); returns out. */
char *tz_text(const struct tz *z, int64_t utc_s, char *out, size_t size);

#endif
