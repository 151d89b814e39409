/*
 * The sections lines, contacts and last_resort.
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

/* --- lines --- */

static const char *const line_keys[] = {"notifier", "needs", "budget", "number", "loopback"};
enum { LINE_KEYS = sizeof(line_keys) / sizeof(line_keys[0]) };

/* It becomes part of a path (LIBEXEC/notify_NAME), so only what a program of ours can be called. */
static bool program_name(const char *s)
{
	return *s && strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_-") == strlen(s);
}

static void read_line_options(struct conf_loader *l, struct conf_line *k, const struct node *map,
			      struct conf_origin *o, const struct node *notifier)
{
	char prefix[CONF_ITEM_BYTES / 2], what[80];
	const char *item = conf_item(l, "lines.%s.notifier", k->name);
	if (!program_name(k->notifier)) {
		complaint_add(l->c, &notifier->at, item, k->notifier, "is not the name of a notifier");
		return;
	}
	const cJSON *description = conf_notifier(l, k->notifier, notifier, item);
	o->options = description ? cJSON_GetObjectItemCaseSensitive(description, "options") : NULL;
	if (!o->options)
		return;
	k->follows = json_bool(description, "follows", false);
	k->blind = !json_bool(description, "confirms", true);
	snprintf(prefix, sizeof(prefix), "lines.%s", k->name);
	snprintf(what, sizeof(what), "notifier \"%s\"", k->notifier);
	conf_options(l, map, prefix, what, line_keys, LINE_KEYS, o->options, k->options);
	conf_options_required(l, map, prefix, what, o->options, k->options);
}

static void read_line(struct conf_loader *l, const struct node *map)
{
	struct conf_line *k = &l->conf->lines[l->conf->nlines];
	struct conf_origin *o = &l->line_origins[l->conf->nlines];
	size_t before = conf_count(l);

	if (!conf_name(l, map, "lines"))
		return;
	k->at = map->key_at;
	snprintf(k->name, sizeof(k->name), "%s", map->key);
	k->options = cJSON_CreateObject();
	*o = (struct conf_origin){.node = map};
	l->conf->nlines++;
	if (map->kind != NODE_MAP) {
		complaint_add(l->c, &map->at, conf_item(l, "lines.%s", k->name), NULL,
			      "must be a map of settings");
		return;
	}
	const struct node *n = tree_get(map, "needs");
	if (n)
		conf_names(l, n, conf_item(l, "lines.%s.needs", k->name), true, &k->needs, &k->nneeds);
	for (size_t i = 0; i < map->nkids; i++)
		conf_loopback_key(l, k, map->kids[i], conf_item(l, "lines.%s.%s", k->name, map->kids[i]->key));
	if ((n = tree_get(map, "budget")))
		conf_budget_read(l, &k->budget, n, conf_item(l, "lines.%s.budget", k->name));
	const char *item = conf_item(l, "lines.%s.notifier", k->name);
	n = tree_get(map, "notifier");
	const char *text = n ? conf_text(l, n, item) : NULL;
	if (!n)
		complaint_add(l->c, &k->at, item, NULL, "is missing: say what speaks on this line");
	else if (text && conf_copy(l, k->notifier, sizeof(k->notifier), text, n, item))
		read_line_options(l, k, map, o, n);
	o->clean = conf_count(l) == before && o->options;
}

/* --- routes --- */

static const char *const route_keys[] = {"line", "to", "needs", "budget"};
enum { ROUTE_KEYS = sizeof(route_keys) / sizeof(route_keys[0]) };

static void route_key(struct conf_loader *l, struct conf_route *r, const struct node *n, const char *prefix)
{
	const char *item = conf_item(l, "%s.%s", prefix, n->key), *text;
	if (strcmp(n->key, "needs") == 0) {
		conf_names(l, n, item, true, &r->needs, &r->nneeds);
	} else if (strcmp(n->key, "budget") == 0) {
		conf_budget_read(l, &r->budget, n, item);
	} else if (strcmp(n->key, "line") == 0) {
		if ((text = conf_text(l, n, item)))
			conf_copy(l, r->line, sizeof(r->line), text, n, item);
	} else if (strcmp(n->key, "to") == 0) {
		if ((text = conf_text(l, n, item)))
			conf_copy(l, r->to, sizeof(r->to), text, n, item);
	} else {
		conf_unknown(l, n, item, route_keys, ROUTE_KEYS);
	}
}

static void read_route(struct conf_loader *l, struct conf_route *r, struct node *const *kids, size_t nkids,
		       const struct mark *at, const char *prefix)
{
	bool line = false, to = false;
	r->at = *at;
	for (size_t i = 0; i < nkids; i++) {
		line |= strcmp(kids[i]->key, "line") == 0;
		to |= strcmp(kids[i]->key, "to") == 0;
		route_key(l, r, kids[i], prefix);
	}
	if (!line)
		complaint_add(l->c, at, conf_item(l, "%s.line", prefix), NULL, "is missing: say which line");
	if (!to)
		complaint_add(l->c, at, conf_item(l, "%s.to", prefix), NULL,
			      "is missing: say which address on the line");
}

/* --- contacts --- */

static const struct conf_setting contact_settings[] = {
	{"repeat", SET_DURATION, offsetof(struct conf_contact, repeat_ms), 0, 2592000000, "30m"},
	{"recovery", SET_BOOL, offsetof(struct conf_contact, recovery), 0, 0, "yes"},
	{"digest", SET_BOOL, offsetof(struct conf_contact, digest), 0, 0, "yes"},
	{"confirm", SET_BOOL, offsetof(struct conf_contact, confirm), 0, 0, "no"},
	{NULL, 0, 0, 0, 0, NULL},
};

static void read_routes(struct conf_loader *l, struct conf_contact *k, const struct node *n)
{
	const char *item = conf_item(l, "contacts.%s.routes", k->name);
	if (n->kind != NODE_SEQ || !n->nkids) {
		complaint_add(l->c, &n->at, item, NULL,
			      "must be a list of at least one route, such as [{line: LINE, to: ADDRESS}]");
		return;
	}
	if (n->nkids > CONF_ROUTES_MAX) {
		complaint_add(l->c, &n->at, item, NULL, "are %zu; at most %d are taken", n->nkids,
			      CONF_ROUTES_MAX);
		return;
	}
	k->routes = calloc(n->nkids, sizeof(*k->routes));
	if (!k->routes) {
		complaint_add(l->c, &n->at, item, NULL, "out of memory");
		return;
	}
	k->nroutes = n->nkids;
	for (size_t i = 0; i < n->nkids; i++) {
		const struct node *r = n->kids[i];
		char prefix[CONF_ITEM_BYTES / 2];
		snprintf(prefix, sizeof(prefix), "contacts.%s.routes[%zu]", k->name, i + 1);
		if (r->kind == NODE_MAP)
			read_route(l, &k->routes[i], r->kids, r->nkids, &r->at, prefix);
		else
			complaint_add(l->c, &r->at, prefix, NULL,
				      "must be a map, such as {line: LINE, to: ADDRESS}");
		k->routes[i].at = r->at;
		k->routes[i].number = (unsigned)i + 1;
	}
}

static void read_language(struct conf_loader *l, struct conf_contact *k, const struct node *n, const char *item)
{
	const char *text = conf_text(l, n, item);
	if (text && strcmp(text, "en") != 0 && strcmp(text, "ja") != 0)
		complaint_add(l->c, &n->at, item, text, "is no language that pages are written in; there are en and ja");
	else if (text)
		snprintf(k->lang, sizeof(k->lang), "%s", text);
}

static void read_template(struct conf_loader *l, struct conf_contact *k, const struct node *n, const char *item)
{
	struct template_part parts[TEMPLATE_PARTS_MAX];
	char why[256];
	size_t nparts;
	const char *text = conf_text(l, n, item);
	if (text && !template_parse(text, parts, &nparts, why, sizeof(why)))
		complaint_add(l->c, &n->at, item, text, "%s", why);
	else if (text)
		snprintf(k->template, sizeof(k->template), "%s", text);
}

static struct quiet *read_quiet(struct conf_loader *l, const struct conf_contact *k, const struct node *n)
{
	char prefix[CONF_ITEM_BYTES / 2];
	snprintf(prefix, sizeof(prefix), "contacts.%s.quiet", k->name);
	return conf_read_quiet(l, n, prefix);
}

static void read_contact(struct conf_loader *l, const struct node *map)
{
	static const char *const keys[] = {"routes", "repeat", "recovery", "digest", "confirm", "language", "template", "reply", "test", "all_well", "quiet"};
	struct conf_contact *k = &l->conf->contacts[l->conf->ncontacts];

	if (!conf_name(l, map, "contacts"))
		return;
	k->at = map->key_at;
	snprintf(k->name, sizeof(k->name), "%s", map->key);
	conf_settings_defaults(contact_settings, k);
	snprintf(k->lang, sizeof(k->lang), "en");
	conf_answers_defaults(k);
	l->contact_origins[l->conf->ncontacts++].node = map;
	if (map->kind != NODE_MAP) {
		complaint_add(l->c, &map->at, conf_item(l, "contacts.%s", k->name), NULL,
			      "must be a map of settings");
		return;
	}
	for (size_t i = 0; i < map->nkids; i++) {
		const struct node *n = map->kids[i];
		const char *item = conf_item(l, "contacts.%s.%s", k->name, n->key);
		const struct conf_setting *s = conf_setting_find(contact_settings, n->key);
		if (s)
			conf_setting_read(l, s, k, n, item);
		else if (strcmp(n->key, "routes") == 0)
			read_routes(l, k, n);
		else if (strcmp(n->key, "language") == 0)
			read_language(l, k, n, item);
		else if (strcmp(n->key, "template") == 0)
			read_template(l, k, n, item);
		else if (strcmp(n->key, "quiet") == 0)
			k->own_quiet = read_quiet(l, k, n);
		else if (!conf_answers_key(l, k, n, item))
			conf_unknown(l, n, item, keys, sizeof(keys) / sizeof(keys[0]));
	}
	if (!tree_get(map, "routes"))
		complaint_add(l->c, &k->at, conf_item(l, "contacts.%s.routes", k->name), NULL,
			      "is missing: a contact without a route cannot be reached");
}

/* Room for a section's things; 0 when there are none or none can be taken. */
static size_t make_room(struct conf_loader *l, enum conf_section_id id, size_t max, size_t size, void *things,
			struct conf_origin **origins)
{
	const struct conf_section *sec = &l->sections[id];
	size_t n = sec->n;
	if (n > max) {
		complaint_add(l->c, &sec->v[max]->key_at, conf_section_names[id], NULL,
			      "are %zu; at most %zu are taken", n, max);
		n = max;
	}
	if (!n)
		return 0;
	void *v = calloc(n, size);
	*origins = calloc(n, sizeof(**origins));
	memcpy(things, &v, sizeof(v));
	if (v && *origins)
		return n;
	complaint_add(l->c, NULL, NULL, NULL, "out of memory");
	return 0;
}

void conf_read_lines(struct conf_loader *l)
{
	struct config *conf = l->conf;
	const struct conf_section *last = &l->sections[SEC_LAST_RESORT];
	size_t n =
		make_room(l, SEC_LINES, CONF_LINES_MAX, sizeof(*conf->lines), &conf->lines, &l->line_origins);
	for (size_t i = 0; i < n; i++) {
		const struct node *map = l->sections[SEC_LINES].v[i];
		if (conf_is_pool(map))
			conf_read_pool(l, map);
		else
			read_line(l, map);
	}
	n = make_room(l, SEC_CONTACTS, CONF_CONTACTS_MAX, sizeof(*conf->contacts), &conf->contacts,
		      &l->contact_origins);
	for (size_t i = 0; i < n; i++)
		read_contact(l, l->sections[SEC_CONTACTS].v[i]);
	if (last->n) {
		conf->has_last_resort = true;
		read_route(l, &conf->last_resort, last->v, last->n, &last->at, "last_resort");
	} else if (!l->broken) {
		complaint_add(&conf->warnings, NULL, "last_resort", NULL,
			      "is not given: when pagerd is gone, monitord can page nobody");
	}
	conf_expand_pools(l);
}
