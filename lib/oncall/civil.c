/* Days and wall seconds; see civil.h. Called by all that has to do with duty times, and by tz.c. */
#include "civil.h"

#include <string.h>

/* Howard Hinnant's method: years begin in March, so that the leap day is the last of one; 400 years repeat.
 */
int64_t civil_days(int year, int month, int day)
{
	int64_t y = month <= 2 ? (int64_t)year - 1 : year;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t of_era = y - era * 400;
	int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

int64_t civil_day_of(int64_t wall_s)
{
	return (wall_s >= 0 ? wall_s : wall_s - CIVIL_DAY + 1) / CIVIL_DAY;
}

struct civil civil_of(int64_t wall_s)
{
	int64_t days = civil_day_of(wall_s), rest = wall_s - days * CIVIL_DAY;
	int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097, of_era = z - era * 146097;
	int64_t years = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * years + years / 4 - years / 100), month = (5 * of_year + 2) / 153;
	struct civil c = {
	    .hour = (int)(rest / 3600), .minute = (int)(rest / 60 % 60), .second = (int)(rest % 60)};
	c.day = (int)(of_year - (153 * month + 2) / 5 + 1);
	c.month = (int)(month < 10 ? month + 3 : month - 9);
	c.year = (int)(years + era * 400 + (c.month <= 2));
	return c;
}

int civil_weekday(int64_t days)
{
	int64_t w = (days + 3) % 7; /* 1970-01-01 was a Thursday */
	return (int)(w < 0 ? w + 7 : w);
}

bool civil_is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* Exactly n digits. */
static bool digits(const char **s, int n, int *out)
{
	*out = 0;
	for (; n > 0; n--, ++*s) {
		if (**s < '0' || **s > '9')
			return false;
		*out = *out * 10 + (**s - '0');
	}
	return true;
}

static bool parse_date(const char **s, int64_t *days)
{
	static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int y, m, d;
	if (!digits(s, 4, &y) || *(*s)++ != '-' || !digits(s, 2, &m) || *(*s)++ != '-' || !digits(s, 2, &d))
		return false;
	if (y < 1970 || m < 1 || m > 12 || d < 1 || d > lengths[m - 1] + (m == 2 && civil_is_leap(y)))
		return false;
	*days = civil_days(y, m, d);
	return true;
}

bool civil_parse_date(const char *s, int64_t *days)
{
	return parse_date(&s, days) && !*s;
}

bool civil_parse_minutes(const char **s, int *minutes)
{
	int h, m;
	if (!digits(s, 2, &h) || **s != ':')
		return false;
	++*s;
	if (!digits(s, 2, &m) || m > 59 || h > 24 || (h == 24 && m))
		return false;
	*minutes = h * 60 + m;
	return true;
}

bool civil_parse(const char *s, int64_t *wall_s)
{
	int64_t days;
	int minutes;
	if (!parse_date(&s, &days) || (*s != ' ' && *s != 'T'))
		return false;
	s++;
	if (!civil_parse_minutes(&s, &minutes) || *s)
		return false;
	*wall_s = days * CIVIL_DAY + minutes * 60;
	return true;
}

const char *civil_weekday_name(int weekday)
{
	static const char *const names[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
	return names[weekday];
}
