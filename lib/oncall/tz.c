/* Time zones from their files; see tz.h. Called by the configuration's loader (rotas, quiet hours) and by all
 * who ask when somebody is on duty. The rule behind the file's last change is posixtz.c's. */
#include "tz.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "civil.h"
#include "lib/file.h"
#include "posixtz.h"

#define ZONES "/usr/share/zoneinfo"
enum { HEADER = 44, TIMES_MAX = 4000, TYPES_MAX = 256, OFFSET_MAX = 26 * 3600 };

struct tz {
	char name[TZ_NAME_MAX];
	size_t ntimes, ntypes;
	int64_t *times; /* ascending */
	uint8_t *types; /* from each time on */
	int32_t offsets[TYPES_MAX];
	bool has_rule;
	struct posixtz rule; /* from the last time on */
};

/* --- the file --- */

struct header {
	int version;
	uint32_t isut, isstd, leap, times, types, chars;
};

static int64_t big_endian(const uint8_t *p, int n)
{
	uint64_t v = p[0] & 0x80 ? UINT64_MAX : 0;
	for (int i = 0; i < n; i++)
		v = v << 8 | p[i];
	return (int64_t)v;
}

static bool read_header(const uint8_t *p, size_t len, struct header *h)
{
	if (len < HEADER || memcmp(p, "TZif", 4) != 0 || (p[4] && (p[4] < '2' || p[4] > '9')))
		return false;
	h->version = p[4] ? p[4] - '0' : 1;
	uint32_t *const counts[] = {&h->isut, &h->isstd, &h->leap, &h->times, &h->types, &h->chars};
	for (size_t i = 0; i < 6; i++)
		*counts[i] = (uint32_t)big_endian(p + 20 + 4 * i, 4);
	return h->times <= TIMES_MAX && h->types >= 1 && h->types <= TYPES_MAX && h->leap <= TIMES_MAX &&
	       h->isut <= TYPES_MAX && h->isstd <= TYPES_MAX && h->chars <= TZ_FILE_MAX;
}

static size_t body_size(const struct header *h, size_t width)
{
	return h->times * (width + 1) + h->types * 6 + h->chars + h->leap * (width + 4) + h->isstd + h->isut;
}

static bool read_times(struct tz *z, const uint8_t *p, const struct header *h, int width)
{
	const uint8_t *types = p + (size_t)h->times * (size_t)width;
	z->times = calloc(h->times + 1, sizeof *z->times);
	z->types = calloc(h->times + 1, 1);
	if (!z->times || !z->types)
		return false;
	for (size_t i = 0; i < h->times; i++) {
		z->times[i] = big_endian(p + i * (size_t)width, width);
		z->types[i] = types[i];
		if (types[i] >= h->types || (i && z->times[i] <= z->times[i - 1]))
			return false;
	}
	z->ntimes = h->times;
	return true;
}

static bool read_types(struct tz *z, const uint8_t *p, const struct header *h)
{
	for (size_t i = 0; i < h->types; i++) {
		z->offsets[i] = (int32_t)big_endian(p + 6 * i, 4);
		if (z->offsets[i] < -OFFSET_MAX || z->offsets[i] > OFFSET_MAX)
			return false;
	}
	z->ntypes = h->types;
	return true;
}

static bool read_body(struct tz *z, const uint8_t *p, const struct header *h, int width)
{
	return read_times(z, p, h, width) && read_types(z, p + (size_t)h->times * (size_t)(width + 1), h);
}

/* "\nCET-1CEST,M3.5.0,M10.5.0/3\n"; empty when nothing is known of the time after the last change. */
static bool read_footer(struct tz *z, const uint8_t *p, size_t len)
{
	char text[128];
	const uint8_t *end = len ? memchr(p + 1, '\n', len - 1) : NULL;
	if (!end || p[0] != '\n' || (size_t)(end - p) >= sizeof text)
		return false;
	memcpy(text, p + 1, (size_t)(end - p) - 1);
	text[end - p - 1] = '\0';
	z->has_rule = text[0] != '\0';
	return !z->has_rule || posixtz_parse(text, &z->rule);
}

/* What is wrong with the file; NULL: nothing. */
static const char *read_file(struct tz *z, const uint8_t *p, size_t len)
{
	struct header h;
	if (!read_header(p, len, &h))
		return "is not a time zone's file (TZif)";
	size_t first = HEADER + body_size(&h, 4);
	if (len < first)
		return "is cut short";
	if (h.leap)
		return "counts leap seconds, as this host's clock does not";
	if (h.version == 1)
		return read_body(z, p + HEADER, &h, 4) ? NULL : "is damaged";
	p += first;
	len -= first;
	if (!read_header(p, len, &h))
		return "is damaged";
	size_t second = HEADER + body_size(&h, 8);
	if (len < second)
		return "is cut short";
	if (h.leap)
		return "counts leap seconds, as this host's clock does not";
	bool ok = read_body(z, p + HEADER, &h, 8) && read_footer(z, p + second, len - second);
	return ok ? NULL : "is damaged";
}

struct tz *tz_parse(const char *name, const void *bytes, size_t len, char *why, size_t size)
{
	struct tz *z = calloc(1, sizeof *z);
	const char *wrong = z ? read_file(z, bytes, len) : "does not fit into memory";
	if (!wrong) {
		snprintf(z->name, sizeof z->name, "%s", name);
		return z;
	}
	snprintf(why, size, "its file in %s %s", ZONES, wrong);
	tz_free(z);
	return NULL;
}

/* It becomes part of a path: only what a zone can be called. */
static bool is_zone_name(const char *s)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/_+-";
	return *s && strlen(s) < TZ_NAME_MAX && strspn(s, allowed) == strlen(s) && s[0] != '/' &&
	       s[0] != '-' && s[strlen(s) - 1] != '/' && !strstr(s, "//");
}

struct tz *tz_load(const char *name, char *why, size_t size)
{
	struct buf b;
	struct tz *z = NULL;
	if (!is_zone_name(name)) {
		snprintf(why, size, "is not the name of a time zone, such as Asia/Tokyo");
		return NULL;
	}
	char *path = file_join(ZONES, name);
	buf_init(&b, TZ_FILE_MAX);
	errno = ENOMEM;
	if (path && file_read(path, &b))
		z = tz_parse(name, buf_str(&b), b.len, why, size);
	else if (errno == ENOENT || errno == ENOTDIR || errno == EISDIR || errno == EINVAL)
		snprintf(why, size, "there is no such time zone in %s; write one such as Asia/Tokyo", ZONES);
	else
		snprintf(why, size, "its file in %s cannot be read: %s", ZONES, strerror(errno));
	buf_fini(&b);
	free(path);
	return z;
}

void tz_free(struct tz *z)
{
	if (!z)
		return;
	free(z->times);
	free(z->types);
	free(z);
}

const char *tz_name(const struct tz *z)
{
	return z->name;
}

/* --- asking --- */

/* How many of the changes lie at or before that time. */
static size_t changes_until(const struct tz *z, int64_t utc_s)
{
	size_t low = 0, high = z->ntimes;
	while (low < high) {
		size_t mid = (low + high) / 2;
		if (z->times[mid] <= utc_s)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

int32_t tz_offset(const struct tz *z, int64_t utc_s)
{
	size_t n = changes_until(z, utc_s);
	if (n == z->ntimes && z->has_rule)
		return posixtz_offset(&z->rule, utc_s);
	return z->offsets[n ? z->types[n - 1] : 0];
}

int64_t tz_wall(const struct tz *z, int64_t utc_s)
{
	return utc_s + tz_offset(z, utc_s);
}

int64_t tz_next_change(const struct tz *z, int64_t utc_s)
{
	size_t n = changes_until(z, utc_s);
	if (n < z->ntimes)
		return z->times[n];
	return z->has_rule ? posixtz_next_change(&z->rule, utc_s) : INT64_MAX;
}

int64_t tz_utc(const struct tz *z, int64_t wall_s, bool last)
{
	/* whatever the offset is now, it is one of a day before and a day after */
	int64_t before = tz_offset(z, wall_s - CIVIL_DAY), after = tz_offset(z, wall_s + CIVIL_DAY);
	int64_t early = wall_s - (before > after ? before : after);
	int64_t late = wall_s - (before > after ? after : before);
	bool early_good = tz_wall(z, early) == wall_s, late_good = tz_wall(z, late) == wall_s;
	if (early_good && !(last && late_good))
		return early;
	return late_good ? late : tz_next_change(z, early);
}

char *tz_text(const struct tz *z, int64_t utc_s, char *out, size_t size)
{
	int32_t offset = tz_offset(z, utc_s), o = offset < 0 ? -offset : offset;
	int64_t wall = utc_s + offset;
	struct civil c = civil_of(wall);
	snprintf(out, size, "%s %04d-%02d-%02d %02d:%02d %c%02d:%02d",
		 civil_weekday_name(civil_weekday(civil_day_of(wall))), c.year, c.month, c.day, c.hour,
		 c.minute, offset < 0 ? '-' : '+', o / 3600, o / 60 % 60);
	return out;
}
