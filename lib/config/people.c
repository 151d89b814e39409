/*
 * What the sections about who must know share: names that may stand for people, times of the week, zones,
 * holidays. Called by oncall.c, rotas.c and refs.c.
 */
#include "internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/file.h"
#include "lib/oncall/civil.h"
#include "units.h"

/* --- names --- */

static const char *const kinds[] = {"contact", "group", "rota", "ladder"};

static const struct mark *place(const struct config *conf, const struct who_ref *ref)
{
	switch (ref->kind) {
	case WHO_GROUP:
		return &conf->groups[ref->n].at;
	case WHO_ROTA:
		return &conf->rotas[ref->n].at;
	case WHO_LADDER:
		return &conf->ladders[ref->n].at;
	default:
		return &conf->contacts[ref->n].at;
	}
}

bool conf_who_name(struct conf_loader *l, const struct node *map, const char *section, char *name)
{
	struct who_ref other;
	if (!conf_name(l, map, section))
		return false;
	if (who_find(l->conf, map->key, &other)) {
		const struct mark *at = place(l->conf, &other);
		complaint_add(l->c, &map->key_at, conf_item(l, "%s.%s", section, map->key), NULL,
			      "is also the name of a %s, at %s:%d:%d: a check could not tell which is meant",
			      kinds[other.kind], at->file, at->line, at->column);
		return false;
	}
	snprintf(name, EVENT_NAME_MAX, "%s", map->key);
	return true;
}

static size_t all_names(const struct config *conf, const char **v)
{
	size_t n = 0;
	for (size_t i = 0; i < conf->ncontacts; i++)
		v[n++] = conf->contacts[i].name;
	for (size_t i = 0; i < conf->ngroups; i++)
		v[n++] = conf->groups[i].name;
	for (size_t i = 0; i < conf->nrotas; i++)
		v[n++] = conf->rotas[i].name;
	for (size_t i = 0; i < conf->nladders; i++)
		v[n++] = conf->ladders[i].name;
	return n;
}

void conf_no_such_contact(struct conf_loader *l, const struct mark *at, const char *item, const char *written)
{
	const struct config *conf = l->conf;
	bool several = conf->ngroups || conf->nrotas || conf->nladders;
	const char **v =
	    calloc(conf->ncontacts + conf->ngroups + conf->nrotas + conf->nladders + 1, sizeof *v);
	const char *near = v ? units_nearest(written, v, all_names(conf, v)) : NULL;
	const char *what = several ? "contact, group, rota or ladder" : "contact";
	if (near)
		complaint_add(l->c, at, item, written, "there is no such %s; did you mean \"%s\"?", what,
			      near);
	else
		complaint_add(l->c, at, item, written, "there is no such %s", what);
	free(v);
}

/* What may stand in no group or shift is not read yet when these are. */
static bool find_later(const struct conf_loader *l, const char *name, struct who_ref *out)
{
	static const enum conf_section_id sections[] = {SEC_GROUPS, SEC_ROTAS, SEC_LADDERS};
	for (size_t k = 0; k < 3; k++)
		for (size_t i = 0; i < l->sections[sections[k]].n; i++)
			if (strcmp(l->sections[sections[k]].v[i]->key, name) == 0) {
				*out = (struct who_ref){(enum who_kind)(WHO_GROUP + k), i};
				return true;
			}
	return false;
}

static bool add_ref(struct conf_loader *l, const struct node *n, const char *item, const char *name,
		    enum who_kind up_to, struct who_ref *out)
{
	bool known = who_find(l->conf, name, out);
	if (known && out->kind <= up_to)
		return true;
	if (!known && (!find_later(l, name, out) || out->kind <= up_to)) {
		if (!l->broken)
			conf_no_such_contact(l, &n->at, item, name);
		return false;
	}
	complaint_add(l->c, &n->at, item, name, "is a %s; %s may stand here", kinds[out->kind],
		      up_to == WHO_CONTACT ? "only contacts"
		      : up_to == WHO_GROUP ? "only contacts and groups"
					   : "only contacts, groups and rotas");
	return false;
}

bool conf_refs(struct conf_loader *l, const struct node *n, const char *item, enum who_kind up_to,
	       struct who_ref **v, size_t *nv)
{
	char **names, at[CONF_ITEM_BYTES];
	size_t n_names, before = conf_count(l);
	snprintf(at, sizeof at, "%s", item); /* it may be the loader's buffer */
	conf_names(l, n, at, false, &names, &n_names);
	*v = calloc(n_names + 1, sizeof **v);
	*nv = 0;
	for (size_t i = 0; i < n_names; i++) {
		const struct node *where = n->kind == NODE_SEQ && i < n->nkids ? n->kids[i] : n;
		if (*v && add_ref(l, where, at, names[i], up_to, &(*v)[*nv]))
			++*nv;
		free(names[i]);
	}
	free(names);
	return *v && conf_count(l) == before && *nv == n_names;
}

size_t conf_room(struct conf_loader *l, enum conf_section_id id, size_t max, size_t size, void *things)
{
	const struct conf_section *sec = &l->sections[id];
	size_t n = sec->n;
	if (n > max) {
		complaint_add(l->c, &sec->v[max]->key_at, conf_section_names[id], NULL,
			      "are %zu; at most %zu are taken", n, max);
		n = max;
	}
	void *v = n ? calloc(n, size) : NULL;
	if (n && !v)
		complaint_add(l->c, NULL, NULL, NULL, "out of memory");
	memcpy(things, &v, sizeof v);
	return v ? n : 0;
}

/* --- times --- */

/* What is wrong with a period is said where it stands. */
static bool add_period(struct conf_loader *l, const struct node *period, const struct node *n, const char *item,
		       struct when *w)
{
	const char *why = NULL;
	bool ok = true, seq = period->kind == NODE_SEQ;
	for (size_t i = 0; ok && i < (seq ? period->nkids : 1); i++) {
		const struct node *k = seq ? period->kids[i] : period;
		ok = k->kind == NODE_SCALAR && when_add(w, k->scalar, &why);
	}
	if (!ok && why && w->n == WHEN_SPANS_MAX)
		complaint_add(l->c, &n->at, item, n->scalar, "%s", why);
	return ok;
}

static bool add_when(struct conf_loader *l, const struct node *n, const char *item, struct when *w)
{
	const char *why, *text = conf_text(l, n, item);
	const struct conf_section *sec = &l->sections[SEC_PERIODS];
	if (!text)
		return false;
	if (when_add(w, text, &why))
		return true;
	for (size_t i = 0; i < sec->n && !l->in_periods; i++)
		if (strcmp(sec->v[i]->key, text) == 0)
			return add_period(l, sec->v[i], n, item, w);
	complaint_add(l->c, &n->at, item, text, "%s", why);
	return false;
}

bool conf_when(struct conf_loader *l, const struct node *n, const char *item, struct when *w)
{
	bool ok = true;
	if (n->kind != NODE_SEQ)
		return add_when(l, n, item, w);
	if (!n->nkids)
		complaint_add(l->c, &n->at, item, NULL, "must hold at least one time of the week");
	for (size_t i = 0; i < n->nkids; i++)
		ok &= add_when(l, n->kids[i], item, w);
	return ok && n->nkids;
}

/* --- zone and holidays --- */

static int by_day(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

static bool add_day(struct conf_loader *l, struct holidays *h, const char *text, const struct mark *at,
		    const char *item)
{
	int64_t day;
	if (h->n == WHEN_HOLIDAYS_MAX) {
		complaint_add(l->c, at, item, NULL, "are more than %d", WHEN_HOLIDAYS_MAX);
		return false;
	}
	if (!civil_parse_date(text, &day)) {
		complaint_add(l->c, at, item, text, "is not a day; write 2026-01-31");
		return false;
	}
	int64_t *v = realloc(h->days, (h->n + 1) * sizeof *v);
	if (!v)
		return false;
	h->days = v;
	h->days[h->n++] = day;
	return true;
}

/* A day a line; what stands behind the day, and behind #, is for people. */
static bool read_day_file(struct conf_loader *l, struct holidays *h, const struct node *n, const char *item)
{
	struct buf b;
	bool ok = true;
	struct mark at = {n->scalar, 0, 1};
	buf_init(&b, 65536);
	if (!file_read(n->scalar, &b)) {
		complaint_add(l->c, &n->at, item, n->scalar, "cannot be read: %s", strerror(errno));
		buf_fini(&b);
		return false;
	}
	char *rest = b.data, *line;
	while (ok && (line = strsep(&rest, "\n"))) {
		at.line++;
		line += strspn(line, " \t\r");
		line[strcspn(line, "# \t\r")] = '\0';
		ok = !*line || add_day(l, h, line, &at, item);
	}
	buf_fini(&b);
	return ok;
}

static bool read_holidays(struct conf_loader *l, const struct node *n, const char *item, struct holidays *h)
{
	bool ok = true;
	if (n->kind == NODE_SCALAR && !n->null && n->scalar[0] == '/') {
		ok = read_day_file(l, h, n, item);
	} else if (n->kind == NODE_SEQ) {
		for (size_t i = 0; i < n->nkids && ok; i++) {
			const char *text = conf_text(l, n->kids[i], item);
			ok = text && add_day(l, h, text, &n->kids[i]->at, item);
		}
	} else {
		complaint_add(l->c, &n->at, item, NULL,
			      "must be a list of days, or the path of a file that holds them");
		ok = false;
	}
	if (h->n)
		qsort(h->days, h->n, sizeof *h->days, by_day);
	return ok;
}

static struct tz *read_zone(struct conf_loader *l, const struct node *n, const char *item)
{
	char why[200];
	const char *text = conf_text(l, n, item);
	struct tz *z = text ? tz_load(text, why, sizeof why) : NULL;
	if (text && !z)
		complaint_add(l->c, &n->at, item, text, "%s", why);
	return z;
}

bool conf_zone(struct conf_loader *l, const struct node *map, const struct mark *at, const char *prefix,
	       struct tz **zone, struct holidays *holidays)
{
	const struct node *z = map ? tree_get(map, "timezone") : NULL,
			  *h = map ? tree_get(map, "holidays") : NULL;
	if (l->oncall_bad && (!z || !h))
		return false; /* said where it stands */
	if (!z && !l->zone) {
		complaint_add(
		    l->c, at, conf_item(l, "%s.timezone", prefix), NULL,
		    "is missing, and so is oncall.timezone: say where the clock hangs, such as Asia/Tokyo");
		return false;
	}
	*zone = read_zone(l, z ? z : l->zone, conf_item(l, "%s.timezone", z ? prefix : "oncall"));
	h = h ? h : l->holidays;
	bool ok = !h || read_holidays(l, h, conf_item(l, "%s.holidays", h == l->holidays ? "oncall" : prefix),
				      holidays);
	return *zone && ok;
}
