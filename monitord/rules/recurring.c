/* Recurring downtimes; see recurring.h. Called by settle.c. */
#include "recurring.h"

#include <stdio.h>

#include "lib/oncall/civil.h"

/* Spans are a few a day: more steps than that are a week's. */
enum { STEPS_MAX = 400, AHEAD_S = 9 * CIVIL_DAY };

static const struct holidays no_holidays;

bool recurring_holds(const struct conf_downtime *d, int64_t utc_s)
{
	return d->zone && when_covers(&d->when, &no_holidays, tz_wall(d->zone, utc_s));
}

/* The next moment at which it may be otherwise: an edge of a span, or the clock is changed. */
static int64_t step(const struct conf_downtime *d, int64_t utc_s)
{
	int64_t edge = when_next(&d->when, tz_wall(d->zone, utc_s));
	int64_t at = tz_utc(d->zone, edge, false), change = tz_next_change(d->zone, utc_s);
	if (at <= utc_s)
		at = tz_utc(d->zone, edge, true);
	if (at <= utc_s)
		at = utc_s + 60;
	return change < at ? change : at;
}

int64_t recurring_change(const struct conf_downtime *d, int64_t utc_s)
{
	bool now = recurring_holds(d, utc_s);
	int64_t at = utc_s;
	for (int i = 0; d->zone && i < STEPS_MAX && at < utc_s + AHEAD_S; i++) {
		at = step(d, at);
		if (recurring_holds(d, at) != now)
			return at;
	}
	return utc_s + AHEAD_S;
}

void recurring_look(struct recurring *r, int64_t now_wall_ms)
{
	int64_t now_s = now_wall_ms / 1000;
	if (r->looked_s == now_s)
		return;
	/* the clock may have been set: what was seen last says nothing */
	bool holds = recurring_holds(r->conf, now_s);
	if (!r->looked_s || holds != r->holds || now_wall_ms >= r->change_ms || now_s < r->looked_s)
		r->change_ms = recurring_change(r->conf, now_s) * 1000;
	r->holds = holds;
	r->looked_s = now_s;
}

void recurring_apply(const struct recurring *r, struct downtime *what, int64_t now_wall_ms)
{
	int64_t from = downtime_given(what) ? what->from_ms : now_wall_ms;
	*what = (struct downtime){.from_ms = from, .until_ms = r->change_ms};
	snprintf(what->by, sizeof what->by, "%.60s", r->conf->name);
	snprintf(what->comment, sizeof what->comment, "%s", r->conf->comment);
}
