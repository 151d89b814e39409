/*
 * Values as people write them: durations (500ms 30s 5m 2h 1d 1w; a bare number
 * is seconds), sizes (512 64K 10M 2G 1T, powers of 1024), Nagios ranges
 * ([@][start:]end). Numbers are parsed in the C locale, whole, finite.
 */
#ifndef LIB_CONFIG_UNITS_H
#define LIB_CONFIG_UNITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Nagios plugin guidelines, "threshold and ranges". */
struct range {
	bool set;    /* false: never alerts */
	bool inside; /* "@": alerts inside, ends included */
	double start, end; /* -INFINITY and INFINITY where open */
};

/* Each returns false and a reason (static text) in *why; why may be NULL. */
bool units_duration(const char *s, int64_t *ms, const char **why);
/* The other way round, as an administrator would write it: "90s". Returns out. */
const char *units_duration_text(int64_t ms, char *out, size_t size);
bool units_size(const char *s, int64_t *bytes, const char **why);
bool units_int(const char *s, int64_t *v, const char **why);
bool units_number(const char *s, double *v, const char **why);
bool units_bool(const char *s, bool *v, const char **why); /* yes no true false on off */
bool units_range(const char *s, struct range *r, const char **why);

/* True when v must alert. NaN always alerts. */
bool range_alerts(const struct range *r, double v);
/* The range as Nagios writes it, into out; "" when unset. Returns out. */
char *range_text(const struct range *r, char *out, size_t size);

/* The nearest of n names to what was written (edit distance; else one that begins alike), or NULL when none is near. */
const char *units_nearest(const char *written, const char *const *names, size_t n);

#endif
