/*
 * The section sources: other monitors, and who else may drop events into the spool.
 */
#include "internal.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "units.h"

/* "30/1h": so many within that time. */
static bool parse_budget(const char *text, int64_t *n, int64_t *ms, const char **why)
{
	char count[24];
	const char *slash = strchr(text, '/');
	size_t len = slash ? (size_t)(slash - text) : 0;
	*why = "must be a number and a span of time, such as 30/1h";
	if (!len || len >= sizeof(count))
		return false;
	memcpy(count, text, len);
	count[len] = '\0';
	if (!units_int(count, n, why) || !units_duration(slash + 1, ms, why))
		return false;
	if (*n < 1 || *n > CONF_BUDGET_MAX)
		*why = "must allow 1 to 1000 within its span";
	else if (*ms < 1000 || *ms > 604800000)
		*why = "must count within 1s to 7d";
	else
		return true;
	return false;
}

static void read_budget(struct conf_loader *l, struct conf_source *k, const struct node *n, const char *item)
{
	const char *text = conf_text(l, n, item), *why = NULL;
	if (text && !parse_budget(text, &k->budget, &k->budget_ms, &why)) {
		complaint_add(l->c, &n->at, item, text, "%s", why);
		k->budget = 0;
	}
}

static void read_contacts(struct conf_loader *l, struct conf_source *k, const struct node *n,
			  const char *item)
{
	struct who_ref ref;
	conf_names(l, n, item, false, &k->contacts, &k->ncontacts);
	for (size_t i = 0; !l->broken && i < k->ncontacts; i++)
		if (!who_find(l->conf, k->contacts[i], &ref))
			conf_no_such_contact(l, &n->at, item, k->contacts[i]);
}

/* A user that is not there yet may come with the other monitor's package. */
static void look_up_user(struct conf_loader *l, const struct conf_source *k)
{
	char item[CONF_ITEM_BYTES];
	snprintf(item, sizeof(item), "sources.%s.user", k->name);
	if (!getpwnam(k->user))
		complaint_add(&l->conf->warnings, &k->at, item, k->user,
			      "is no user of this host: nobody can drop events of this source");
}

static void read_source(struct conf_loader *l, const struct node *map)
{
	static const char *const keys[] = {"user", "contacts", "budget"};
	struct conf_source *k = &l->conf->sources[l->conf->nsources];

	if (!conf_name(l, map, "sources"))
		return;
	const char *own = conf_item(l, "sources.%s", map->key);
	if (!conf_copy(l, k->name, sizeof(k->name), map->key, map, own))
		return;
	k->at = map->key_at;
	snprintf(k->user, sizeof(k->user), "%s", k->name);
	l->conf->nsources++;
	if (map->kind != NODE_MAP && !(map->kind == NODE_SCALAR && map->null)) {
		complaint_add(l->c, &map->at, own, NULL, "must be a map of settings");
		return;
	}
	for (size_t i = 0; i < map->nkids; i++) {
		const struct node *n = map->kids[i];
		const char *item = conf_item(l, "sources.%s.%s", k->name, n->key), *text;
		if (strcmp(n->key, "contacts") == 0)
			read_contacts(l, k, n, item);
		else if (strcmp(n->key, "budget") == 0)
			read_budget(l, k, n, item);
		else if (strcmp(n->key, "user") != 0)
			conf_unknown(l, n, item, keys, sizeof(keys) / sizeof(keys[0]));
		else if ((text = conf_text(l, n, item)))
			conf_copy(l, k->user, sizeof(k->user), text, n, item);
	}
	look_up_user(l, k);
}

void conf_read_sources(struct conf_loader *l)
{
	const struct conf_section *sec = &l->sections[SEC_SOURCES];
	size_t n = sec->n;
	if (n > CONF_SOURCES_MAX) {
		complaint_add(l->c, &sec->v[CONF_SOURCES_MAX]->key_at, "sources", NULL,
			      "are %zu; at most %d are taken", n, CONF_SOURCES_MAX);
		n = CONF_SOURCES_MAX;
	}
	l->conf->sources = n ? calloc(n, sizeof(*l->conf->sources)) : NULL;
	for (size_t i = 0; l->conf->sources && i < n; i++)
		read_source(l, sec->v[i]);
}
