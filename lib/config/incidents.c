/*
 * The section incidents: rows that a user adds to the diagnosis' table or puts in place of built-in ones.
 * Called by the loader; monitord lays them over its table (monitord/diagnosis.c).
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

#include "terms.h"

enum { INCIDENTS_MAX = 32, WHEN_MAX = 8 }; /* of the table's 64 rows; of a rule's conditions */

static const char *const keys[] = {"when", "text", "text_ja", "rank", "scope", "explains", "enabled"};
enum { KEYS = sizeof keys / sizeof keys[0] };

static const struct conf_setting rank[] = {
    {"rank", SET_INT, offsetof(struct conf_incident, rank), 0, 100, "50"},
    {NULL, SET_INT, 0, 0, 0, NULL},
};

static void read_when(struct conf_loader *l, struct conf_incident *d, const struct node *n, const char *item)
{
	char why[160];
	struct condition c;
	conf_names(l, n, item, false, &d->when, &d->nwhen);
	if (d->nwhen > WHEN_MAX)
		complaint_add(l->c, &n->at, item, NULL, "has %zu conditions; at most %d are taken", d->nwhen,
			      WHEN_MAX);
	for (size_t i = 0; i < d->nwhen; i++)
		if (!condition_parse(d->when[i], &c, why, sizeof why))
			complaint_add(l->c, &n->at, item, d->when[i], "%s", why);
}

static void read_text(struct conf_loader *l, char **field, const struct node *n, const char *item,
		      bool sentence)
{
	char why[160];
	const char *text = conf_text(l, n, item);
	if (!text)
		return;
	if (strlen(text) > 300)
		complaint_add(l->c, &n->at, item, NULL, "is longer than 300 bytes");
	else if (sentence && !sentence_check(text, why, sizeof why))
		complaint_add(l->c, &n->at, item, text, "%s", why);
	else if (!(*field = strdup(text)))
		complaint_add(l->c, &n->at, item, NULL, "out of memory");
}

/* One of two words. */
static bool read_either(struct conf_loader *l, const struct node *n, const char *item, const char *yes,
			const char *no)
{
	const char *text = conf_text(l, n, item);
	if (text && strcmp(text, yes) != 0 && strcmp(text, no) != 0)
		complaint_add(l->c, &n->at, item, text, "must be %s or %s", no, yes);
	return text && strcmp(text, yes) == 0;
}

static void read_key(struct conf_loader *l, struct conf_incident *d, const struct node *n)
{
	const char *item = conf_item(l, "incidents.%s.%s", d->name, n->key);
	if (strcmp(n->key, "when") == 0)
		read_when(l, d, n, item);
	else if (strcmp(n->key, "text") == 0)
		read_text(l, &d->text, n, item, true);
	else if (strcmp(n->key, "text_ja") == 0)
		read_text(l, &d->ja, n, item, true);
	else if (strcmp(n->key, "explains") == 0)
		read_text(l, &d->explains, n, item, false);
	else if (strcmp(n->key, "rank") == 0)
		conf_setting_read(l, rank, d, n, item);
	else if (strcmp(n->key, "scope") == 0)
		d->site = read_either(l, n, item, "site", "host");
	else if (strcmp(n->key, "enabled") == 0)
		d->off = read_either(l, n, item, "no", "yes");
	else
		conf_unknown(l, n, item, keys, KEYS);
}

static void read_one(struct conf_loader *l, struct conf_incident *d, const struct node *map)
{
	if (!conf_copy(l, d->name, sizeof d->name, map->key, map, "incidents"))
		return;
	conf_settings_defaults(rank, d);
	if (map->kind != NODE_MAP) {
		complaint_add(l->c, &map->at, conf_item(l, "incidents.%s", d->name), NULL,
			      "must be a map of settings");
		return;
	}
	for (size_t k = 0; k < map->nkids; k++)
		read_key(l, d, map->kids[k]);
	for (size_t i = 0; i < 2 && !d->off; i++) /* when, text */
		if (!tree_get(map, keys[i]))
			complaint_add(l->c, &map->key_at, conf_item(l, "incidents.%s.%s", d->name, keys[i]),
				      NULL, "is missing");
}

void conf_read_incidents(struct conf_loader *l)
{
	const struct conf_section *sec = &l->sections[SEC_INCIDENTS];
	if (sec->n > INCIDENTS_MAX) {
		complaint_add(l->c, &sec->v[INCIDENTS_MAX]->key_at, "incidents", NULL,
			      "are %zu; at most %d are taken", sec->n, INCIDENTS_MAX);
		return;
	}
	l->conf->incidents = sec->n ? calloc(sec->n, sizeof *l->conf->incidents) : NULL;
	if (sec->n && !l->conf->incidents) {
		complaint_add(l->c, NULL, NULL, NULL, "out of memory");
		return;
	}
	for (size_t i = 0; i < sec->n; i++)
		if (conf_name(l, sec->v[i], "incidents"))
			read_one(l, &l->conf->incidents[l->conf->nincidents++], sec->v[i]);
}

void conf_incidents_free(struct config *conf)
{
	for (size_t i = 0; i < conf->nincidents; i++) {
		struct conf_incident *d = &conf->incidents[i];
		for (size_t k = 0; k < d->nwhen; k++)
			free(d->when[k]);
		free(d->when);
		free(d->explains);
		free(d->text);
		free(d->ja);
	}
	free(conf->incidents);
	conf->incidents = NULL;
	conf->nincidents = 0;
}
