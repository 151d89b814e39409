/*
 * Time periods: names for times of the week (`periods`), which checks, rotas, quiet hours and downtimes may
 * use alike; and `when` of a check: outside it the check is not run. Called by the loader; config_runs_now by
 * monitord.
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

#include "lib/oncall/civil.h"

enum { STEPS_MAX = 400, AHEAD_S = 9 * CIVIL_DAY };

void conf_read_periods(struct conf_loader *l)
{
	const struct conf_section *sec = &l->sections[SEC_PERIODS];
	const char *why;
	if (sec->n > CONF_PERIODS_MAX)
		complaint_add(l->c, &sec->v[CONF_PERIODS_MAX]->key_at, "periods", NULL,
			      "are %zu; at most %d are taken", sec->n, CONF_PERIODS_MAX);
	for (size_t i = 0; i < sec->n && i < CONF_PERIODS_MAX; i++) {
		struct when w = {.n = 0};
		const struct node *n = sec->v[i];
		const char *item = conf_item(l, "periods.%s", n->key);
		if (!conf_name(l, n, "periods"))
			continue;
		if (when_add(&w, n->key, &why))
			complaint_add(l->c, &n->key_at, item, NULL,
				      "is a time of the week itself; take another name");
		w.n = 0;
		l->in_periods = true; /* one period does not name another */
		conf_when(l, n, conf_item(l, "periods.%s", n->key), &w);
		l->in_periods = false;
	}
}

/* The zone and holidays that count for all checks; once. */
static bool zone(struct conf_loader *l, const struct mark *at, const char *prefix)
{
	if (l->conf->period_zone)
		return true;
	return conf_zone(l, NULL, at, prefix, &l->conf->period_zone, &l->conf->holidays);
}

void conf_read_check_when(struct conf_loader *l, struct conf_check *k, const struct node *n)
{
	char item[CONF_ITEM_BYTES / 2], prefix[CONF_ITEM_BYTES / 2];
	snprintf(item, sizeof item, "checks.%s.when", k->name);
	snprintf(prefix, sizeof prefix, "checks.%s", k->name);
	k->when = calloc(1, sizeof *k->when);
	if (!k->when || !conf_when(l, n, item, k->when) || !zone(l, &n->at, prefix))
		return;
	k->zone = l->conf->period_zone;
	k->holidays = &l->conf->holidays;
	if (when_needs_holidays(k->when) && !l->conf->holidays.n)
		complaint_add(&l->conf->warnings, &n->at, item, NULL,
			      "speaks of holidays or workdays, and oncall gives no holidays");
	int64_t next = 0, now = clock_wall_ms() / 1000;
	if (!config_runs_now(k, now, &next) && next >= now + AHEAD_S)
		complaint_add(&l->conf->warnings, &n->at, item, NULL,
			      "does not come within nine days: until then it is not run");
}

bool config_runs_now(const struct conf_check *k, int64_t now_s, int64_t *next_s)
{
	if (!k->when || !k->zone || when_covers(k->when, k->holidays, tz_wall(k->zone, now_s)))
		return true;
	int64_t at = now_s;
	for (int i = 0; i < STEPS_MAX && at < now_s + AHEAD_S; i++) {
		int64_t edge = tz_utc(k->zone, when_next(k->when, tz_wall(k->zone, at)), false);
		at = edge > at ? edge : at + 60;
		if (when_covers(k->when, k->holidays, tz_wall(k->zone, at)))
			break;
	}
	*next_s = at;
	return false;
}
