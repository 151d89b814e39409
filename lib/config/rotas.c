/*
 * The section rotas: shifts, overrides, and the proof that somebody is always on duty. Called by the loader.
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

#include "lib/oncall/civil.h"

/* --- shifts --- */

static bool day_time(struct conf_loader *l, const struct node *n, const char *item, bool date_ok,
		     int64_t *wall_s)
{
	const char *text = conf_text(l, n, item);
	int64_t day;
	if (!text)
		return false;
	if (civil_parse(text, wall_s))
		return true;
	if (date_ok && civil_parse_date(text, &day)) {
		*wall_s = day * CIVIL_DAY;
		return true;
	}
	complaint_add(l->c, &n->at, item, text, "is not a time; write \"2026-01-31 09:00\"");
	return false;
}

static bool rotate_days(struct conf_loader *l, struct shift *s, const struct node *n, const char *item)
{
	struct {
		int64_t ms;
	} every = {0};
	static const struct conf_setting setting = {"rotate", SET_DURATION, 0, 86400000, 31536000000, NULL};
	conf_setting_read(l, &setting, &every, n, item);
	s->rotate_days = (int)(every.ms / 86400000);
	if (every.ms % 86400000 == 0)
		return every.ms > 0;
	complaint_add(l->c, &n->at, item, n->scalar, "must be whole days, such as 1d or 1w");
	return false;
}

static bool shift_key(struct conf_loader *l, struct shift *s, const struct node *n, const char *prefix)
{
	static const char *const known[] = {"when", "who", "rotate", "from"};
	const char *item = conf_item(l, "%s.%s", prefix, n->key);
	if (strcmp(n->key, "when") == 0)
		return conf_when(l, n, item, &s->when);
	if (strcmp(n->key, "who") == 0)
		return conf_refs(l, n, item, WHO_GROUP, &s->who, &s->nwho);
	if (strcmp(n->key, "rotate") == 0)
		return rotate_days(l, s, n, item);
	if (strcmp(n->key, "from") == 0)
		return day_time(l, n, item, true, &s->first_wall_s);
	conf_unknown(l, n, item, known, 4);
	return false;
}

static bool missing(struct conf_loader *l, const struct node *map, const char *prefix, const char *key,
		    const char *say)
{
	if (tree_get(map, key))
		return false;
	complaint_add(l->c, &map->at, conf_item(l, "%s.%s", prefix, key), NULL, "is missing: %s", say);
	return true;
}

static bool read_shift(struct conf_loader *l, struct shift *s, const struct node *n, const char *prefix)
{
	bool ok = true, turns = tree_get(n, "rotate"), from = tree_get(n, "from");
	for (size_t i = 0; i < n->nkids; i++)
		ok &= shift_key(l, s, n->kids[i], prefix);
	bool gap = missing(l, n, prefix, "when", "say when, such as \"mon-fri 09:00-18:00\" or always");
	gap |= missing(l, n, prefix, "who", "say who is on duty then");
	if (gap)
		return false;
	if (turns && missing(l, n, prefix, "from",
			     "say when the first of them takes over, such as \"2026-01-05 09:00\""))
		return false;
	if (from && !turns)
		return !missing(l, n, prefix, "rotate",
				"`from` is where turns begin; say how long one is, such as 1w");
	return ok;
}

/* --- overrides --- */

static bool override_key(struct conf_loader *l, struct override *o, const struct node *n, const char *prefix)
{
	static const char *const known[] = {"from", "until", "who", "why"};
	const char *item = conf_item(l, "%s.%s", prefix, n->key);
	if (strcmp(n->key, "who") == 0)
		return conf_refs(l, n, item, WHO_GROUP, &o->who, &o->nwho);
	if (strcmp(n->key, "from") == 0)
		return day_time(l, n, item, false, &o->from_s);
	if (strcmp(n->key, "until") == 0)
		return day_time(l, n, item, false, &o->until_s);
	if (strcmp(n->key, "why") == 0)
		return conf_text(l, n, item) != NULL; /* for the reader of the file */
	conf_unknown(l, n, item, known, 4);
	return false;
}

static bool read_override(struct conf_loader *l, const struct tz *zone, struct override *o,
			  const struct node *n, const char *prefix)
{
	bool ok = true;
	for (size_t i = 0; i < n->nkids; i++)
		ok &= override_key(l, o, n->kids[i], prefix);
	bool gap = missing(l, n, prefix, "from", "say when it begins");
	gap |= missing(l, n, prefix, "until", "an override has an end");
	gap |= missing(l, n, prefix, "who", "say who is on duty meanwhile");
	if (gap)
		return false;
	if (!ok)
		return false;
	o->from_s = tz_utc(zone, o->from_s, false);
	o->until_s = tz_utc(zone, o->until_s, false);
	if (o->from_s < o->until_s)
		return true;
	complaint_add(l->c, &tree_get(n, "until")->at, conf_item(l, "%s.until", prefix),
		      tree_get(n, "until")->scalar, "does not come after `from`");
	return false;
}

/* --- rotas --- */

/* The maps of a list; 0 after a complaint. */
static size_t maps_of(struct conf_loader *l, const struct node *n, size_t max, const char *item)
{
	bool good = n->kind == NODE_SEQ && n->nkids && n->nkids <= max;
	for (size_t i = 0; good && i < n->nkids; i++)
		good = n->kids[i]->kind == NODE_MAP;
	if (!good)
		complaint_add(l->c, &n->at, item, NULL, "must be a list of 1 to %zu maps", max);
	return good ? n->nkids : 0;
}

static bool read_shifts(struct conf_loader *l, struct conf_rota *k, const struct node *n)
{
	char prefix[CONF_ITEM_BYTES / 2];
	bool ok = true;
	size_t max = maps_of(l, n, ROTA_SHIFTS_MAX, conf_item(l, "rotas.%s.shifts", k->name));
	k->rota.shifts = calloc(max + 1, sizeof *k->rota.shifts);
	for (size_t i = 0; k->rota.shifts && i < max; i++) {
		snprintf(prefix, sizeof prefix, "rotas.%s.shifts[%zu]", k->name, i + 1);
		ok &= read_shift(l, &k->rota.shifts[k->rota.nshifts++], n->kids[i], prefix);
	}
	return ok && max;
}

static bool read_overrides(struct conf_loader *l, struct conf_rota *k, const struct node *n)
{
	char prefix[CONF_ITEM_BYTES / 2];
	bool ok = true;
	if (n->kind == NODE_SEQ && !n->nkids)
		return true;
	size_t max = maps_of(l, n, ROTA_OVERRIDES_MAX, conf_item(l, "rotas.%s.overrides", k->name));
	k->rota.overrides = calloc(max + 1, sizeof *k->rota.overrides);
	for (size_t i = 0; k->rota.overrides && i < max; i++) {
		struct override *o = &k->rota.overrides[k->rota.noverrides++];
		snprintf(prefix, sizeof prefix, "rotas.%s.overrides[%zu]", k->name, i + 1);
		ok &= read_override(l, k->rota.zone, o, n->kids[i], prefix);
	}
	return ok && max;
}

static void say_hole(struct conf_loader *l, const struct conf_rota *k)
{
	char a[TZ_TEXT_MAX], b[TZ_TEXT_MAX];
	int64_t from, until;
	if (rota_hole(&k->rota, clock_wall_ms() / 1000, &from, &until))
		complaint_add(l->c, &k->at, conf_item(l, "rotas.%s", k->name), NULL,
			      "nobody is on duty from %s until %s", tz_text(k->rota.zone, from, a, sizeof a),
			      tz_text(k->rota.zone, until, b, sizeof b));
}

static void warn_holidays(struct conf_loader *l, const struct conf_rota *k)
{
	for (size_t i = 0; i < k->rota.nshifts; i++)
		if (when_needs_holidays(&k->rota.shifts[i].when) && !k->rota.holidays.n) {
			complaint_add(&l->conf->warnings, &k->at, conf_item(l, "rotas.%s.holidays", k->name),
				      NULL, "speaks of holidays or workdays, and no holidays are given");
			return;
		}
}

static void read_rota(struct conf_loader *l, const struct node *map)
{
	static const char *const known[] = {"shifts", "overrides", "timezone", "holidays"};
	struct conf_rota *k = &l->conf->rotas[l->conf->nrotas];
	char prefix[CONF_ITEM_BYTES / 2];
	*k = (struct conf_rota){.at = map->key_at};
	if (!conf_who_name(l, map, "rotas", k->name))
		return;
	l->conf->nrotas++;
	snprintf(prefix, sizeof prefix, "rotas.%s", k->name);
	const struct node *shifts = tree_get(map, "shifts"), *overrides = tree_get(map, "overrides");
	for (size_t i = 0; map->kind == NODE_MAP && i < map->nkids; i++) {
		size_t w = 0;
		while (w < 4 && strcmp(known[w], map->kids[i]->key) != 0)
			w++;
		if (w == 4)
			conf_unknown(l, map->kids[i], conf_item(l, "%s.%s", prefix, map->kids[i]->key), known,
				     4);
	}
	bool ok = conf_zone(l, map, &k->at, prefix, &k->rota.zone, &k->rota.holidays);
	if (!shifts)
		complaint_add(l->c, &k->at, conf_item(l, "%s.shifts", prefix), NULL,
			      "is missing: a list such as [{when: always, who: NAME}]");
	else
		ok &= read_shifts(l, k, shifts);
	if (ok && overrides)
		ok = read_overrides(l, k, overrides);
	if (!ok || !shifts)
		return; /* who is on duty cannot be told */
	say_hole(l, k);
	warn_holidays(l, k);
}

void conf_read_rotas(struct conf_loader *l)
{
	size_t n = conf_room(l, SEC_ROTAS, CONF_ROTAS_MAX, sizeof *l->conf->rotas, &l->conf->rotas);
	for (size_t i = 0; i < n; i++)
		read_rota(l, l->sections[SEC_ROTAS].v[i]);
}
