/* Duty; see rota.h. Called by the loader (holes), pagerd and monitorctl (who.c). */
#include "rota.h"

#include <stdlib.h>

#include "civil.h"

enum { YEAR_S = 371 * CIVIL_DAY, HORIZON_S = 10 * YEAR_S };

/* --- rotation --- */

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* Wall seconds of the handover to turn number n. */
static int64_t handover_wall(const struct shift *s, int64_t n)
{
	return s->first_wall_s + n * s->rotate_days * CIVIL_DAY;
}

/* The number of handovers since the start. A handover is a moment: clocks put back do not undo it. */
static int64_t turn_number(const struct rota *r, const struct shift *s, int64_t utc_s)
{
	int64_t n = floor_div(tz_wall(r->zone, utc_s) - s->first_wall_s, (int64_t)s->rotate_days * CIVIL_DAY);
	while (utc_s < tz_utc(r->zone, handover_wall(s, n), false))
		n--;
	while (utc_s >= tz_utc(r->zone, handover_wall(s, n + 1), false))
		n++;
	return n;
}

static int turn_of(const struct rota *r, const struct shift *s, int64_t utc_s)
{
	if (!s->rotate_days || s->nwho < 2)
		return 0;
	int64_t n = turn_number(r, s, utc_s) % (int64_t)s->nwho;
	return (int)(n < 0 ? n + (int64_t)s->nwho : n);
}

/* --- now --- */

struct duty rota_at(const struct rota *r, int64_t utc_s)
{
	int64_t wall = tz_wall(r->zone, utc_s);
	for (size_t i = 0; i < r->noverrides; i++)
		if (utc_s >= r->overrides[i].from_s && utc_s < r->overrides[i].until_s)
			return (struct duty){(int)i, 0};
	for (size_t i = 0; i < r->nshifts; i++)
		if (when_covers(&r->shifts[i].when, &r->holidays, wall))
			return (struct duty){(int)(r->noverrides + i), turn_of(r, &r->shifts[i], utc_s)};
	return (struct duty){ROTA_NEVER, 0};
}

size_t rota_names(const struct rota *r, const struct duty *d, const struct who_ref **who)
{
	*who = NULL;
	if (d->entry == ROTA_NEVER)
		return 0;
	if ((size_t)d->entry < r->noverrides) {
		*who = r->overrides[d->entry].who;
		return r->overrides[d->entry].nwho;
	}
	const struct shift *s = &r->shifts[(size_t)d->entry - r->noverrides];
	*who = s->who + d->turn;
	return s->rotate_days ? 1 : s->nwho;
}

/* --- until when --- */

static void sooner(int64_t *next, int64_t utc_s, int64_t after)
{
	if (utc_s > after && utc_s < *next)
		*next = utc_s;
}

/* Both times a wall reading comes. */
static void sooner_wall(const struct rota *r, int64_t *next, int64_t wall_s, int64_t after)
{
	sooner(next, tz_utc(r->zone, wall_s, false), after);
	sooner(next, tz_utc(r->zone, wall_s, true), after);
}

/* A moment after which duty may differ, not necessarily does. */
static int64_t next_moment(const struct rota *r, int64_t utc_s)
{
	int64_t wall = tz_wall(r->zone, utc_s), next = tz_next_change(r->zone, utc_s);
	for (size_t i = 0; i < r->noverrides; i++) {
		sooner(&next, r->overrides[i].from_s, utc_s);
		sooner(&next, r->overrides[i].until_s, utc_s);
	}
	for (size_t i = 0; i < r->nshifts; i++) {
		const struct shift *s = &r->shifts[i];
		sooner_wall(r, &next, when_next(&s->when, wall), utc_s);
		if (s->rotate_days)
			sooner(&next, tz_utc(r->zone, handover_wall(s, turn_number(r, s, utc_s) + 1), false),
			       utc_s);
	}
	return next;
}

static bool same(const struct duty *a, const struct duty *b)
{
	return a->entry == b->entry && a->turn == b->turn;
}

int64_t rota_until(const struct rota *r, int64_t utc_s, int64_t limit)
{
	struct duty was = rota_at(r, utc_s);
	for (int64_t t = utc_s;;) {
		int64_t next = next_moment(r, t);
		if (next >= limit)
			return limit;
		struct duty is = rota_at(r, next);
		if (!same(&was, &is))
			return next;
		t = next;
	}
}

/* --- holes --- */

static int64_t last_exception(const struct rota *r, int64_t utc_s)
{
	int64_t last = utc_s;
	for (size_t i = 0; i < r->noverrides; i++)
		last = r->overrides[i].until_s > last ? r->overrides[i].until_s : last;
	if (r->holidays.n && (r->holidays.days[r->holidays.n - 1] + 2) * CIVIL_DAY > last)
		last = (r->holidays.days[r->holidays.n - 1] + 2) * CIVIL_DAY;
	return last;
}

bool rota_hole(const struct rota *r, int64_t utc_s, int64_t *from_s, int64_t *until_s)
{
	int64_t limit = last_exception(r, utc_s) + YEAR_S;
	if (limit > utc_s + HORIZON_S)
		limit = utc_s + HORIZON_S;
	for (int64_t t = utc_s; t < limit; t = rota_until(r, t, limit)) {
		if (rota_at(r, t).entry != ROTA_NEVER)
			continue;
		*from_s = t;
		*until_s = rota_until(r, t, limit);
		return true;
	}
	return false;
}

void rota_fini(struct rota *r)
{
	for (size_t i = 0; i < r->noverrides; i++)
		free(r->overrides[i].who);
	for (size_t i = 0; i < r->nshifts; i++)
		free(r->shifts[i].who);
	free(r->overrides);
	free(r->shifts);
	free(r->holidays.days);
	tz_free(r->zone);
}
