/* Durations, sizes, ranges and the nearest name; see units.h. */
#include "units.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool fail(const char **why, const char *reason)
{
	if (why)
		*why = reason;
	return false;
}

static locale_t c_locale;

static void c_locale_make(void)
{
	c_locale = newlocale(LC_ALL_MASK, "C", NULL);
}

/* strtod in the C locale, whatever the process uses; plain decimal only. */
static double to_double(const char *s, char **end)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, c_locale_make);
	const char *p = s + (*s == '-' || *s == '+');
	if (!isdigit((unsigned char)*p) && !(*p == '.' && isdigit((unsigned char)p[1]))) {
		*end = (char *)s;
		return 0;
	}
	if (p[0] == '0' && (p[1] == 'x' || p[1] == 'X')) {
		*end = (char *)s;
		return 0;
	}
	return strtod_l(s, end, c_locale);
}

struct suffix {
	const char *name;
	double factor;
};

static bool with_suffix(const char *s, const struct suffix *table, const char *unknown, int64_t *out, const char **why)
{
	char *end;
	double v = to_double(s, &end);
	if (end == s)
		return fail(why, "not a number");
	if (v < 0)
		return fail(why, "must not be negative");
	for (; table->name; table++) {
		if (strcmp(end, table->name) != 0)
			continue;
		v *= table->factor;
		if (!(v < 9e15))
			return fail(why, "too large");
		*out = (int64_t)llround(v);
		return true;
	}
	return fail(why, unknown);
}

bool units_duration(const char *s, int64_t *ms, const char **why)
{
	static const struct suffix table[] = {
		{ "", 1000 },	 { "ms", 1 },	     { "s", 1000 },	   { "m", 60000 }, { "min", 60000 },
		{ "h", 3600000 }, { "d", 86400000.0 }, { "w", 604800000.0 }, { NULL, 0 },
	};
	return with_suffix(s, table, "not a duration; write 500ms, 30s, 5m, 2h, 1d or 1w", ms, why);
}

bool units_size(const char *s, int64_t *bytes, const char **why)
{
	static const struct suffix table[] = {
		{ "", 1 },	{ "B", 1 },	   { "K", 0x1p10 },   { "KB", 0x1p10 }, { "KiB", 0x1p10 },
		{ "M", 0x1p20 },  { "MB", 0x1p20 },  { "MiB", 0x1p20 }, { "G", 0x1p30 },	{ "GB", 0x1p30 },
		{ "GiB", 0x1p30 }, { "T", 0x1p40 },  { "TB", 0x1p40 },  { "TiB", 0x1p40 }, { NULL, 0 },
	};
	return with_suffix(s, table, "not a size; write 512, 64K, 10M, 2G or 1T", bytes, why);
}

bool units_int(const char *s, int64_t *v, const char **why)
{
	char *end;
	errno = 0;
	intmax_t n = strtoimax(s, &end, 10);
	if (end == s || *end || isspace((unsigned char)*s))
		return fail(why, "not a whole number");
	if (errno == ERANGE)
		return fail(why, "too large");
	*v = n;
	return true;
}

bool units_number(const char *s, double *v, const char **why)
{
	char *end;
	double d = to_double(s, &end);
	if (end == s || *end || !isfinite(d))
		return fail(why, "not a number");
	*v = d;
	return true;
}

bool units_bool(const char *s, bool *v, const char **why)
{
	static const char *const yes[] = { "yes", "true", "on", NULL }, *const no[] = { "no", "false", "off", NULL };
	for (int i = 0; yes[i]; i++) {
		if (strcasecmp(s, yes[i]) == 0 || strcasecmp(s, no[i]) == 0) {
			*v = strcasecmp(s, yes[i]) == 0;
			return true;
		}
	}
	return fail(why, "must be yes or no");
}

/* One end of a range: a number or, for the start, "~". */
static bool range_end(const char *s, size_t n, bool tilde, double *out)
{
	char text[64], *end;
	if (n == 1 && *s == '~' && tilde) {
		*out = -INFINITY;
		return true;
	}
	if (n == 0 || n >= sizeof text)
		return false;
	memcpy(text, s, n);
	text[n] = '\0';
	*out = to_double(text, &end);
	return end != text && *end == '\0' && isfinite(*out);
}

bool units_range(const char *s, struct range *r, const char **why)
{
	struct range v = { .set = true, .start = 0, .end = INFINITY };
	if (*s == '@') {
		v.inside = true;
		s++;
	}
	if (!*s)
		return fail(why, "an empty range");
	const char *colon = strchr(s, ':');
	if (colon) {
		if (!range_end(s, (size_t)(colon - s), true, &v.start) && colon != s)
			return fail(why, "the start of the range is not a number");
		if (colon[1] && !range_end(colon + 1, strlen(colon + 1), false, &v.end))
			return fail(why, "the end of the range is not a number");
	} else if (!range_end(s, strlen(s), false, &v.end)) {
		return fail(why, "not a range; write 10, 10:, ~:10, 10:20 or @10:20");
	}
	if (v.start > v.end)
		return fail(why, "the range's start is above its end");
	*r = v;
	return true;
}

bool range_alerts(const struct range *r, double v)
{
	if (!r->set)
		return false;
	if (isnan(v))
		return true;
	bool within = v >= r->start && v <= r->end;
	return r->inside ? within : !within;
}

static void range_number(double v, char *out, size_t size)
{
	if (v == floor(v) && fabs(v) < 1e15) {
		snprintf(out, size, "%lld", (long long)v);
		return;
	}
	snprintf(out, size, "%.6f", v);
	if (strchr(out, '.')) {
		char *e = out + strlen(out);
		while (e[-1] == '0')
			*--e = '\0';
		if (e[-1] == '.')
			e[-1] = '\0';
	}
}

char *range_text(const struct range *r, char *out, size_t size)
{
	char a[40] = "", b[40] = "";
	if (!r->set) {
		snprintf(out, size, "%s", "");
		return out;
	}
	if (isinf(r->start))
		snprintf(a, sizeof a, "~");
	else if (r->start != 0 || isinf(r->end))
		range_number(r->start, a, sizeof a);
	bool colon = isinf(r->start) || a[0];
	if (!isinf(r->end))
		range_number(r->end, b, sizeof b);
	snprintf(out, size, "%s%s%s%s", r->inside ? "@" : "", a, colon ? ":" : "", b);
	return out;
}

/* Levenshtein with early cut; names are short. */
static size_t distance(const char *a, const char *b)
{
	size_t la = strlen(a), lb = strlen(b);
	size_t row[65];
	if (la > 64 || lb > 64)
		return SIZE_MAX;
	for (size_t j = 0; j <= lb; j++)
		row[j] = j;
	for (size_t i = 1; i <= la; i++) {
		size_t diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= lb; j++) {
			size_t best = diagonal + (a[i - 1] != b[j - 1]);
			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[lb];
}

/* "lang" for "language", "hosts" for "host". */
static bool begins(const char *a, const char *b)
{
	size_t la = strlen(a), lb = strlen(b), n = la < lb ? la : lb;
	return n >= 3 && strncmp(a, b, n) == 0;
}

const char *units_nearest(const char *written, const char *const *names, size_t n)
{
	const char *best = NULL;
	size_t limit = strlen(written) / 3 + 1, least = limit + 1;
	for (size_t i = 0; i < n; i++) {
		size_t d = distance(written, names[i]);
		if (d < least) {
			least = d;
			best = names[i];
		}
	}
	for (size_t i = 0; i < n && !best; i++)
		if (begins(written, names[i]))
			best = names[i];
	return best;
}

const char *units_duration_text(int64_t ms, char *out, size_t size)
{
	static const struct {
		int64_t ms;
		const char *unit;
	} units[] = {{86400000, "d"}, {3600000, "h"}, {60000, "m"}, {1000, "s"}};
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (ms && ms % units[i].ms == 0) {
			snprintf(out, size, "%lld%s", (long long)(ms / units[i].ms), units[i].unit);
			return out;
		}
	snprintf(out, size, "%lldms", (long long)ms);
	return out;
}
