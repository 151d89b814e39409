/*
 * The section downtimes: times of the week in which checks, chosen by patterns, page nobody. Called after the
 * checks were read, so that a pattern which matches none can be said.
 */
#include "internal.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

static const char *const keys[] = {"checks", "hosts", "groups", "when", "timezone", "duration", "comment"};
enum { KEYS = sizeof(keys) / sizeof(keys[0]) };

static const struct conf_setting duration[] = {
    {"duration", SET_DURATION, offsetof(struct conf_downtime, duration_ms), 1000, 2592000000, NULL},
    {NULL, 0, 0, 0, 0, NULL},
};

static void read_when(struct conf_loader *l, struct conf_downtime *d, const struct node *n, const char *item)
{
	conf_when(l, n, item, &d->when);
	if (when_needs_holidays(&d->when))
		complaint_add(l->c, &n->at, item, NULL, "a downtime knows no holidays; name the days");
}

static void read_zone(struct conf_loader *l, struct conf_downtime *d, const struct node *n, const char *item)
{
	char why[160];
	const char *text = conf_text(l, n, item);
	d->zone = text ? tz_load(text, why, sizeof(why)) : NULL;
	if (text && !d->zone)
		complaint_add(l->c, &n->at, item, text, "%s", why);
}

static void read_key(struct conf_loader *l, struct conf_downtime *d, const struct node *n)
{
	const char *item = conf_item(l, "downtimes.%s.%s", d->name, n->key), *text;
	if (strcmp(n->key, "checks") == 0)
		conf_names(l, n, item, false, &d->checks, &d->nchecks);
	else if (strcmp(n->key, "hosts") == 0)
		conf_names(l, n, item, false, &d->hosts, &d->nhosts);
	else if (strcmp(n->key, "groups") == 0)
		conf_names(l, n, item, false, &d->groups, &d->ngroups);
	else if (strcmp(n->key, "when") == 0)
		read_when(l, d, n, item);
	else if (strcmp(n->key, "timezone") == 0)
		read_zone(l, d, n, item);
	else if (strcmp(n->key, "duration") == 0)
		conf_setting_read(l, &duration[0], d, n, item);
	else if (strcmp(n->key, "comment") == 0) {
		if ((text = conf_text(l, n, item)))
			conf_copy(l, d->comment, sizeof(d->comment), text, n, item);
	} else
		conf_unknown(l, n, item, keys, KEYS);
}

bool conf_downtime_matches(const struct conf_downtime *d, const struct conf_check *k)
{
	for (size_t i = 0; i < d->nchecks; i++)
		if (fnmatch(d->checks[i], k->name, 0) == 0)
			return true;
	for (size_t i = 0; k->host[0] && i < d->nhosts; i++)
		if (fnmatch(d->hosts[i], k->host, 0) == 0)
			return true;
	for (size_t i = 0; i < d->ngroups; i++)
		for (size_t j = 0; j < k->ngroups; j++)
			if (fnmatch(d->groups[i], k->groups[j], 0) == 0)
				return true;
	return false;
}

static void check_whole(struct conf_loader *l, const struct conf_downtime *d, const struct node *map)
{
	bool any = false;
	if (!tree_get(map, "checks") && !tree_get(map, "hosts") && !tree_get(map, "groups"))
		complaint_add(l->c, &d->at, conf_item(l, "downtimes.%s.checks", d->name), NULL,
			      "is missing, and so are hosts and groups: say whose downtime it is");
	for (size_t i = 3; i < 5; i++) /* when, timezone */
		if (!tree_get(map, keys[i]))
			complaint_add(l->c, &d->at, conf_item(l, "downtimes.%s.%s", d->name, keys[i]), NULL,
				      "is missing");
	for (size_t i = 0; i < l->conf->nchecks && !any; i++)
		any = conf_downtime_matches(d, &l->conf->checks[i]);
	if (!any)
		complaint_add(&l->conf->warnings, &d->at, conf_item(l, "downtimes.%s", d->name), NULL,
			      "no check matches it");
}

void conf_read_downtimes(struct conf_loader *l)
{
	const struct conf_section *sec = &l->sections[SEC_DOWNTIMES];
	if (sec->n > CONF_DOWNTIMES_MAX) {
		complaint_add(l->c, &sec->v[CONF_DOWNTIMES_MAX]->key_at, "downtimes", NULL,
			      "are %zu; at most %d are taken", sec->n, CONF_DOWNTIMES_MAX);
		return;
	}
	l->conf->downtimes = sec->n ? calloc(sec->n, sizeof(*l->conf->downtimes)) : NULL;
	if (sec->n && !l->conf->downtimes) {
		complaint_add(l->c, NULL, NULL, NULL, "out of memory");
		return;
	}
	for (size_t i = 0; i < sec->n; i++) {
		const struct node *map = sec->v[i];
		struct conf_downtime *d = &l->conf->downtimes[l->conf->ndowntimes];
		if (!conf_name(l, map, "downtimes"))
			continue;
		l->conf->ndowntimes++;
		d->at = map->key_at;
		snprintf(d->name, sizeof(d->name), "%s", map->key);
		if (map->kind != NODE_MAP) {
			complaint_add(l->c, &map->at, conf_item(l, "downtimes.%s", d->name), NULL,
				      "must be a map of settings");
			continue;
		}
		for (size_t k = 0; k < map->nkids; k++)
			read_key(l, d, map->kids[k]);
		check_whole(l, d, map);
	}
}
