/* The TZ rule; see posixtz.h. */
#include "posixtz.h"

#include "civil.h"

#include <stddef.h>
#include <string.h>

enum { HOURS_MAX = 167 };

static bool is_letter(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* "CET" or "<+09>": only stepped over. */
static bool name(const char **s)
{
	const char *begin = *s;
	if (**s == '<') {
		*s = strchr(begin, '>');
		return *s && *(*s)++ && *s - begin >= 3;
	}
	while (is_letter(**s))
		++*s;
	return *s - begin >= 3;
}

static bool number(const char **s, int max, int *out)
{
	if (**s < '0' || **s > '9')
		return false;
	for (*out = 0; **s >= '0' && **s <= '9'; ++*s)
		if ((*out = *out * 10 + (**s - '0')) > max)
			return false;
	return true;
}

/* [+-]hh[:mm[:ss]] */
static bool hms(const char **s, int max_hours, int32_t *out)
{
	int h, m = 0, sec = 0, sign = **s == '-' ? -1 : 1;
	*s += **s == '-' || **s == '+';
	if (!number(s, max_hours, &h))
		return false;
	if (**s == ':' && (++*s, !number(s, 59, &m)))
		return false;
	if (**s == ':' && (++*s, !number(s, 59, &sec)))
		return false;
	*out = sign * (h * 3600 + m * 60 + sec);
	return true;
}

static bool day(const char **s, struct posixtz_day *d)
{
	bool ok;
	d->time = 7200;
	if (**s == 'M') {
		d->kind = TZ_DAY_MONTH;
		ok = (++*s, number(s, 12, &d->month)) && *(*s)++ == '.' && number(s, 5, &d->week) &&
		     *(*s)++ == '.' && number(s, 6, &d->day) && d->month >= 1 && d->week >= 1;
	} else if (**s == 'J') {
		d->kind = TZ_DAY_JULIAN;
		ok = (++*s, number(s, 365, &d->day)) && d->day >= 1;
	} else {
		d->kind = TZ_DAY_ZERO;
		ok = number(s, 365, &d->day);
	}
	return ok && (**s != '/' || (++*s, hms(s, HOURS_MAX, &d->time)));
}

bool posixtz_parse(const char *s, struct posixtz *z)
{
	*z = (struct posixtz){0};
	if (!name(&s) || !hms(&s, 24, &z->offset))
		return false;
	z->offset = -z->offset; /* POSIX counts west */
	z->dst_offset = z->offset + 3600;
	if (!*s)
		return true;
	z->has_dst = true;
	if (!name(&s))
		return false;
	if (*s && *s != ',') {
		if (!hms(&s, 24, &z->dst_offset))
			return false;
		z->dst_offset = -z->dst_offset;
	}
	return *s++ == ',' && day(&s, &z->begin) && *s++ == ',' && day(&s, &z->end) && !*s;
}

/* The wall's second of that year's change. */
static int64_t change_wall(const struct posixtz_day *d, int year)
{
	static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int64_t days = civil_days(year, 1, 1);
	if (d->kind == TZ_DAY_ZERO) {
		days += d->day;
	} else if (d->kind == TZ_DAY_JULIAN) { /* February 29 is never counted */
		days += d->day - 1 + (civil_is_leap(year) && d->day >= 60);
	} else {
		int length = lengths[d->month - 1] + (d->month == 2 && civil_is_leap(year));
		days = civil_days(year, d->month, 1);
		int first = (d->day + 6 - civil_weekday(days) + 7) % 7; /* 0 is Sunday here */
		int of_month = first + 7 * (d->week - 1);
		while (of_month >= length) /* the fifth is the last one */
			of_month -= 7;
		days += of_month;
	}
	return days * CIVIL_DAY + d->time;
}

static int64_t begins(const struct posixtz *z, int year)
{
	return change_wall(&z->begin, year) - z->offset;
}

static int64_t ends(const struct posixtz *z, int year)
{
	return change_wall(&z->end, year) - z->dst_offset;
}

/* Far enough for everybody, and no sum of seconds overflows. */
static int year_of(const struct posixtz *z, int64_t utc_s)
{
	const int64_t far = (int64_t)9000 * 366 * CIVIL_DAY;
	return civil_of((utc_s > far ? far : utc_s < -far ? -far : utc_s) + z->offset).year;
}

int32_t posixtz_offset(const struct posixtz *z, int64_t utc_s)
{
	if (!z->has_dst)
		return z->offset;
	int year = year_of(z, utc_s);
	int64_t b = begins(z, year), e = ends(z, year);
	/* south of the equator the year begins in summer */
	bool dst = b < e ? utc_s >= b && utc_s < e : utc_s >= b || utc_s < e;
	return dst ? z->dst_offset : z->offset;
}

int64_t posixtz_next_change(const struct posixtz *z, int64_t utc_s)
{
	int64_t next = INT64_MAX;
	if (!z->has_dst)
		return next;
	int year = year_of(z, utc_s);
	for (int y = year - 1; y <= year + 1; y++) {
		const int64_t changes[] = {begins(z, y), ends(z, y)};
		for (size_t i = 0; i < 2; i++)
			if (changes[i] > utc_s && changes[i] < next)
				next = changes[i];
	}
	return next;
}
