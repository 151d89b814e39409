/* Quiet hours; see quiet.h. Called by pagerd (hold.c), by monitorctl explain and by the loader. */
#include "quiet.h"

#include <stdlib.h>

#include "civil.h"

enum { LOOK_S = 40 * CIVIL_DAY };

static bool covers(const struct quiet *q, int64_t utc_s)
{
	return when_covers(&q->hours, &q->holidays, tz_wall(q->zone, utc_s));
}

static int64_t next_moment(const struct quiet *q, int64_t utc_s)
{
	int64_t wall = when_next(&q->hours, tz_wall(q->zone, utc_s)), next = tz_next_change(q->zone, utc_s);
	const int64_t both[] = {tz_utc(q->zone, wall, false), tz_utc(q->zone, wall, true)};
	for (int i = 0; i < 2; i++)
		if (both[i] > utc_s && both[i] < next)
			next = both[i];
	return next;
}

/* The end of the hours that cover this moment, looked for so far ahead. */
static int64_t end_of(const struct quiet *q, int64_t utc_s)
{
	int64_t t = utc_s;
	while (covers(q, t) && t < utc_s + LOOK_S)
		t = next_moment(q, t);
	return t;
}

int64_t quiet_until(const struct quiet *q, enum nag_state severity, int64_t utc_s)
{
	if (!q || !(q->holds & 1u << severity) || severity == NAG_CRITICAL || !covers(q, utc_s))
		return 0;
	return end_of(q, utc_s);
}

bool quiet_ends(const struct quiet *q, int64_t utc_s)
{
	return end_of(q, utc_s) < utc_s + 8 * CIVIL_DAY;
}

void quiet_free(struct quiet *q)
{
	if (!q)
		return;
	tz_free(q->zone);
	free(q->holidays.days);
	free(q);
}
