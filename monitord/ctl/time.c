/* Points in time; see time.h. Called by monitorctl for --from and --until. */
#include "time.h"

#include <string.h>
#include <time.h>

static bool to_wall(struct tm *tm, int64_t *wall_ms)
{
	tm->tm_isdst = -1; /* let the zone decide */
	time_t t = mktime(tm);
	*wall_ms = (int64_t)t * 1000;
	return t != (time_t)-1;
}

static bool whole_date(const char *text, struct tm *tm)
{
	int day;
	const char *end = strptime(text, "%Y-%m-%d %H:%M", tm);
	if (!end)
		end = strptime(text, "%Y-%m-%dT%H:%M", tm);
	day = tm->tm_mday;
	struct tm copy = *tm;
	/* strptime takes the 31st of any month */
	copy.tm_isdst = -1;
	return end && !*end && mktime(&copy) != (time_t)-1 && copy.tm_mday == day;
}

bool ctl_time(const char *text, int64_t now_wall_ms, int64_t *wall_ms)
{
	time_t now = (time_t)(now_wall_ms / 1000);
	struct tm today, tm;
	if (strcmp(text, "now") == 0) {
		*wall_ms = now_wall_ms;
		return true;
	}
	memset(&tm, 0, sizeof tm);
	if (whole_date(text, &tm))
		return to_wall(&tm, wall_ms);
	localtime_r(&now, &today);
	today.tm_sec = 0;
	tm = today;
	const char *end = strptime(text, "%H:%M", &tm);
	if (!end || *end || !to_wall(&tm, wall_ms))
		return false;
	if (*wall_ms >= now_wall_ms)
		return true;
	int hour = tm.tm_hour, minute = tm.tm_min;
	tm = today;
	tm.tm_mday++;
	tm.tm_hour = hour;
	tm.tm_min = minute;
	return to_wall(&tm, wall_ms);
}
