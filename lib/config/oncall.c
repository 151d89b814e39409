/*
 * Who must know: the sections oncall (what holds for all), groups and ladders, and quiet hours. Called by the
 * loader. Rotas are rotas.c's, what both need people.c's.
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

/* --- oncall --- */

void conf_read_oncall(struct conf_loader *l)
{
	static const char *const known[] = {"timezone", "holidays"};
	const struct conf_section *sec = &l->sections[SEC_ONCALL];
	struct tz *zone = NULL;
	struct holidays holidays = {NULL, 0};
	for (size_t i = 0; i < sec->n; i++) {
		const struct node *n = sec->v[i];
		if (strcmp(n->key, "timezone") == 0)
			l->zone = n;
		else if (strcmp(n->key, "holidays") == 0)
			l->holidays = n;
		else
			conf_unknown(l, n, conf_item(l, "oncall.%s", n->key), known, 2);
	}
	/* what is wrong with them is said once, not at each use */
	size_t before = conf_count(l);
	if (l->zone)
		conf_zone(l, NULL, &sec->at, "oncall", &zone, &holidays);
	else if (l->holidays)
		complaint_add(l->c, &l->holidays->at, "oncall.holidays", NULL, "needs oncall.timezone");
	if (conf_count(l) != before)
		l->oncall_bad = true;
	tz_free(zone);
	free(holidays.days);
}

/* --- quiet hours --- */

static bool read_holds(struct conf_loader *l, const struct node *n, const char *item, unsigned *holds)
{
	char **names;
	size_t nnames;
	bool ok = true;
	conf_names(l, n, item, false, &names, &nnames);
	*holds = 0;
	for (size_t i = 0; i < nnames; i++) {
		enum nag_state s;
		if (!nag_from_name(names[i], &s) || s == NAG_OK || s == NAG_CRITICAL) {
			complaint_add(l->c, &n->at, item, names[i], "%s",
				      strcmp(names[i], "CRITICAL") == 0 ? "a CRITICAL never waits"
									: "must be WARNING or UNKNOWN");
			ok = false;
		} else {
			*holds |= 1u << s;
		}
		free(names[i]);
	}
	free(names);
	return ok && nnames;
}

static bool quiet_key(struct conf_loader *l, struct quiet *q, const struct node *n, const char *prefix)
{
	static const char *const known[] = {"hours", "holds", "recovered", "timezone", "holidays"};
	const char *item = conf_item(l, "%s.%s", prefix, n->key), *text;
	if (strcmp(n->key, "hours") == 0)
		return conf_when(l, n, item, &q->hours);
	if (strcmp(n->key, "holds") == 0)
		return read_holds(l, n, item, &q->holds);
	if (strcmp(n->key, "timezone") == 0 || strcmp(n->key, "holidays") == 0)
		return true; /* conf_zone reads them */
	if (strcmp(n->key, "recovered") != 0) {
		conf_unknown(l, n, item, known, 5);
		return false;
	}
	if (!(text = conf_text(l, n, item)))
		return false;
	q->drop = strcmp(text, "drop") == 0;
	if (q->drop || strcmp(text, "tell") == 0)
		return true;
	complaint_add(l->c, &n->at, item, text, "must be tell (once, when the hours are over) or drop");
	return false;
}

/* What no single key can say. */
static bool quiet_whole(struct conf_loader *l, const struct quiet *q, const struct node *map,
			const char *prefix)
{
	const struct node *hours = tree_get(map, "hours");
	if (!hours) {
		complaint_add(l->c, &map->key_at, conf_item(l, "%s.hours", prefix), NULL,
			      "is missing: say when, such as \"22:00-07:00\"");
		return false;
	}
	if (quiet_ends(q, clock_wall_ms() / 1000))
		return true;
	complaint_add(l->c, &hours->at, conf_item(l, "%s.hours", prefix), NULL,
		      "never end: what waits for that would never be told");
	return false;
}

struct quiet *conf_read_quiet(struct conf_loader *l, const struct node *map, const char *prefix)
{
	struct quiet *q = calloc(1, sizeof *q);
	bool ok = q != NULL;
	if (map->kind != NODE_MAP || !q) {
		complaint_add(l->c, &map->at, prefix, NULL,
			      "must be a map, such as {hours: \"22:00-07:00\"}");
		free(q);
		return NULL;
	}
	q->holds = 1u << NAG_WARNING | 1u << NAG_UNKNOWN;
	for (size_t i = 0; i < map->nkids; i++)
		ok &= quiet_key(l, q, map->kids[i], prefix);
	ok &= conf_zone(l, map, &map->key_at, prefix, &q->zone, &q->holidays);
	if (ok && quiet_whole(l, q, map, prefix))
		return q;
	quiet_free(q);
	return NULL;
}

/* --- groups --- */

static void group_key(struct conf_loader *l, struct conf_group *g, const struct node *n)
{
	static const char *const known[] = {"members", "quiet"};
	char item[CONF_ITEM_BYTES / 2];
	snprintf(item, sizeof item, "groups.%s.%s", g->name, n->key);
	if (strcmp(n->key, "members") == 0)
		conf_refs(l, n, item, WHO_CONTACT, &g->members, &g->nmembers);
	else if (strcmp(n->key, "quiet") == 0)
		g->quiet = conf_read_quiet(l, n, item);
	else
		conf_unknown(l, n, item, known, 2);
}

/* "ops: [a, b]", or a map with members and quiet hours. */
static void read_group(struct conf_loader *l, const struct node *n)
{
	struct conf_group *g = &l->conf->groups[l->conf->ngroups];
	*g = (struct conf_group){.at = n->key_at};
	if (!conf_who_name(l, n, "groups", g->name))
		return;
	l->conf->ngroups++;
	if (n->kind != NODE_MAP) {
		conf_refs(l, n, conf_item(l, "groups.%s", g->name), WHO_CONTACT, &g->members, &g->nmembers);
		return;
	}
	for (size_t i = 0; i < n->nkids; i++)
		group_key(l, g, n->kids[i]);
	if (!tree_get(n, "members"))
		complaint_add(l->c, &g->at, conf_item(l, "groups.%s.members", g->name), NULL,
			      "is missing: a group without members tells nobody");
}

/* A contact's own quiet hours, else those of the first group that has some. */
static void inherit_quiet(struct config *conf)
{
	for (size_t i = 0; i < conf->ncontacts; i++) {
		struct conf_contact *k = &conf->contacts[i];
		k->quiet = k->own_quiet;
		for (size_t g = 0; g < conf->ngroups && !k->quiet; g++) {
			const struct who_ref ref = {WHO_GROUP, g};
			if (conf->groups[g].quiet && who_reaches(conf, &ref, i))
				k->quiet = conf->groups[g].quiet;
		}
		conf->has_quiet |= k->quiet != NULL;
	}
}

void conf_read_groups(struct conf_loader *l)
{
	size_t n = conf_room(l, SEC_GROUPS, CONF_GROUPS_MAX, sizeof *l->conf->groups, &l->conf->groups);
	for (size_t i = 0; i < n; i++)
		read_group(l, l->sections[SEC_GROUPS].v[i]);
	inherit_quiet(l->conf);
}

/* --- ladders --- */

static bool step_key(struct conf_loader *l, struct ladder_step *s, const struct node *n, const char *prefix)
{
	static const char *const known[] = {"after", "tell", "all"};
	static const struct conf_setting after = {
	    "after", SET_DURATION, offsetof(struct ladder_step, after_ms), 1000, 2592000000, NULL};
	static const struct conf_setting all = {"all", SET_BOOL, offsetof(struct ladder_step, all),
						0,     0,	 NULL};
	const char *item = conf_item(l, "%s.%s", prefix, n->key);
	if (strcmp(n->key, "tell") == 0)
		return conf_refs(l, n, item, WHO_ROTA, &s->who, &s->nwho);
	if (strcmp(n->key, "after") == 0)
		conf_setting_read(l, &after, s, n, item);
	else if (strcmp(n->key, "all") == 0)
		conf_setting_read(l, &all, s, n, item);
	else
		conf_unknown(l, n, item, known, 3);
	return true;
}

static void read_step(struct conf_loader *l, struct ladder_step *s, const struct node *n, const char *prefix,
		      bool first)
{
	if (n->kind != NODE_MAP) {
		complaint_add(l->c, &n->at, prefix, NULL, "must be a map, such as {after: 15m, tell: NAME}");
		return;
	}
	for (size_t i = 0; i < n->nkids; i++)
		step_key(l, s, n->kids[i], prefix);
	const struct node *after = tree_get(n, "after");
	if (first && after)
		complaint_add(l->c, &after->at, conf_item(l, "%s.after", prefix), after->scalar,
			      "the first step never waits");
	if (!first && !after)
		complaint_add(l->c, &n->at, conf_item(l, "%s.after", prefix), NULL,
			      "is missing: say how long nobody acknowledged");
	bool tell = tree_get(n, "tell");
	if (!tell && !s->all)
		complaint_add(l->c, &n->at, conf_item(l, "%s.tell", prefix), NULL,
			      "is missing: say whom, or all: yes for everybody of every step");
	else if (first && s->all)
		complaint_add(l->c, &n->at, conf_item(l, "%s.all", prefix), NULL,
			      "the first step names its people: telling all at once is a group");
}

static void read_steps(struct conf_loader *l, struct conf_ladder *k, const struct node *n)
{
	char prefix[CONF_ITEM_BYTES / 2];
	const char *item = conf_item(l, "ladders.%s.steps", k->name);
	if (n->kind != NODE_SEQ || !n->nkids || n->nkids > LADDER_STEPS_MAX) {
		complaint_add(l->c, &n->at, item, NULL,
			      "must be a list of 1 to %d steps, such as [{tell: NAME}]", LADDER_STEPS_MAX);
		return;
	}
	k->ladder.steps = calloc(n->nkids, sizeof *k->ladder.steps);
	if (!k->ladder.steps) {
		complaint_add(l->c, &n->at, item, NULL, "out of memory");
		return;
	}
	k->ladder.nsteps = n->nkids;
	for (size_t i = 0; i < n->nkids; i++) {
		snprintf(prefix, sizeof prefix, "ladders.%s.steps[%zu]", k->name, i + 1);
		read_step(l, &k->ladder.steps[i], n->kids[i], prefix, i == 0);
	}
}

static void read_ladder(struct conf_loader *l, const struct node *map)
{
	static const char *const known[] = {"steps", "again"};
	static const struct conf_setting again = {"again", SET_DURATION, offsetof(struct ladder, again_ms),
						  0,	   2592000000,	 NULL};
	struct conf_ladder *k = &l->conf->ladders[l->conf->nladders];
	*k = (struct conf_ladder){.at = map->key_at};
	if (!conf_who_name(l, map, "ladders", k->name))
		return;
	l->conf->nladders++;
	for (size_t i = 0; map->kind == NODE_MAP && i < map->nkids; i++) {
		const struct node *n = map->kids[i];
		const char *item = conf_item(l, "ladders.%s.%s", k->name, n->key);
		if (strcmp(n->key, "steps") == 0)
			read_steps(l, k, n);
		else if (strcmp(n->key, "again") == 0)
			conf_setting_read(l, &again, &k->ladder, n, item);
		else
			conf_unknown(l, n, item, known, 2);
	}
	if (map->kind != NODE_MAP || !tree_get(map, "steps"))
		complaint_add(l->c, &k->at, conf_item(l, "ladders.%s.steps", k->name), NULL,
			      "is missing: a list such as [{tell: NAME}, {after: 15m, tell: NAME}]");
}

void conf_read_ladders(struct conf_loader *l)
{
	size_t n = conf_room(l, SEC_LADDERS, CONF_LADDERS_MAX, sizeof *l->conf->ladders, &l->conf->ladders);
	for (size_t i = 0; i < n; i++)
		read_ladder(l, l->sections[SEC_LADDERS].v[i]);
}
