/*
 * Checks that stand for many: `template`, `hosts`, `hosts_from` and `overrides` are worked out here, nodes to
 * nodes, before any check is read, so that whatever reads checks sees only single ones. Called by the loader.
 * Pure: lists from elsewhere were read before (lists.c).
 *
 * A node that stands for itself is handed on as it is; one that holds {host} is copied with the host in it,
 * at the place of what a person wrote (made.c).
 */
#include "internal.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "units.h"

enum { KEYS_MAX = 200 };

/* Keys that are worked out here and belong to no single check. */
static const char *const ours[] = {"template", "hosts", "hosts_from", "overrides"};

static bool is_ours(const char *key)
{
	for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
		if (strcmp(key, ours[i]) == 0)
			return true;
	return false;
}

/* --- what a check consists of -------------------------------------------------------------------------- */

/* A check as it is meant: its own keys, else its template's. */
struct mold {
	const struct node *map, *template, *overrides;
	struct conf_hosts hosts;
	bool many;    /* stands for its hosts */
	bool changes; /* some of them come from elsewhere and may be others tomorrow */
	struct node *keys[KEYS_MAX];
	size_t nkeys;
};

static struct node *value(const struct mold *m, const char *key)
{
	struct node *n = tree_get(m->map, key);
	return n ? n : tree_get(m->template, key);
}

/* False: there are too many, which was said. */
static bool put(struct conf_loader *l, struct mold *m, struct node *n)
{
	for (size_t i = 0; i < m->nkeys; i++)
		if (strcmp(m->keys[i]->key, n->key) == 0) {
			m->keys[i] = n;
			return true;
		}
	if (m->nkeys == KEYS_MAX) {
		complaint_add(l->c, &n->key_at, conf_item(l, "checks.%s", m->map->key), NULL,
			      "has more than %d keys", KEYS_MAX);
		return false;
	}
	m->keys[m->nkeys++] = n;
	return true;
}

static bool put_all(struct conf_loader *l, struct mold *m, const struct node *map)
{
	bool ok = true;
	for (size_t i = 0; map && i < map->nkids && ok; i++)
		if (!is_ours(map->kids[i]->key))
			ok = put(l, m, map->kids[i]);
	return ok;
}

static bool find_template(struct conf_loader *l, struct mold *m)
{
	const struct conf_section *sec = &l->sections[SEC_TEMPLATES];
	const struct node *n = tree_get(m->map, "template");
	char item[CONF_ITEM_BYTES];
	snprintf(item, sizeof item, "checks.%s.template", m->map->key);
	const char *name = n ? conf_text(l, n, item) : NULL;
	const char *names[CONF_TEMPLATES_MAX];
	size_t i = 0;
	if (!name)
		return !n;
	for (; i < sec->n && i < CONF_TEMPLATES_MAX && strcmp(sec->v[i]->key, name) != 0; i++)
		names[i] = sec->v[i]->key;
	if (i < sec->n && i < CONF_TEMPLATES_MAX) {
		m->template = sec->v[i];
		l->templates_used[i] = true;
		return m->template->kind == NODE_MAP; /* else it was said */
	}
	const char *near = units_nearest(name, names, i);
	if (!l->broken)
		complaint_add(l->c, &n->at, item, name,
			      near ? "there is no such template; did you mean \"%s\"?"
				   : "there is no such template",
			      near);
	return false;
}

/* Its hosts, wherever they are named. */
static bool find_hosts(struct conf_loader *l, struct mold *m)
{
	const struct node *own = tree_get(m->map, "host");
	bool single = own && !tree_get(m->map, "hosts") && !tree_get(m->map, "hosts_from");
	const struct node *hosts = single ? NULL : value(m, "hosts"),
			  *from = single ? NULL : value(m, "hosts_from");
	const char *item = conf_item(l, "checks.%s.hosts", m->map->key);
	bool ok = true;
	m->many = hosts || from;
	m->overrides = m->many ? value(m, "overrides") : tree_get(m->map, "overrides");
	if (hosts)
		ok = conf_hosts_read(l, &m->hosts, hosts, item);
	if (ok && from)
		ok = conf_hosts_from(l, &m->hosts, from, &m->changes);
	if (!ok)
		return false;
	item = conf_item(l, "checks.%s.hosts", m->map->key);
	return conf_hosts_differ(l, &m->hosts, item);
}

/* --- what differs by host --------------------------------------------------------------------------------
 */

static bool is_for(const struct node *override, const char *host)
{
	return strcasecmp(override->key, host) == 0 || fnmatch(override->key, host, FNM_CASEFOLD) == 0;
}

/* "mx9.example.org: no" */
static bool leaves_out(const struct node *override)
{
	const char *why;
	bool yes = true;
	return override->kind == NODE_SCALAR && units_bool(override->scalar, &yes, &why) && !yes;
}

static void look_at_override(struct conf_loader *l, const struct mold *m, const struct node *o)
{
	char item[CONF_ITEM_BYTES];
	size_t i = 0;
	snprintf(item, sizeof item, "checks.%s.overrides.%s", m->map->key, o->key);
	while (i < m->hosts.n && !is_for(o, m->hosts.v[i].name))
		i++;
	if (i == m->hosts.n)
		complaint_add(m->changes ? &l->conf->warnings : l->c, &o->key_at, item, NULL,
			      "none of its hosts has this name");
	if (o->kind != NODE_MAP && !leaves_out(o))
		complaint_add(l->c, &o->at, item, NULL,
			      "must be a map of what differs, or `no` to leave the host out");
	for (size_t k = 0; o->kind == NODE_MAP && k < o->nkids; k++)
		if (is_ours(o->kids[k]->key))
			complaint_add(l->c, &o->kids[k]->key_at, item, o->kids[k]->key,
				      "cannot differ by host");
}

static bool look_at_overrides(struct conf_loader *l, const struct mold *m)
{
	size_t before = conf_count(l);
	const struct node *o = m->overrides;
	const char *item = conf_item(l, "checks.%s.overrides", m->map->key);
	if (o && !m->many)
		complaint_add(l->c, &o->key_at, item, NULL,
			      "is for checks with hosts: this one stands for itself");
	else if (o && o->kind != NODE_MAP)
		complaint_add(l->c, &o->at, item, NULL,
			      "must be a map, such as {mx9.example.org: {port: 2525}}");
	else if (o && o->nkids > KEYS_MAX)
		complaint_add(l->c, &o->at, item, NULL, "are %zu; at most %d are taken", o->nkids, KEYS_MAX);
	else if (o)
		for (size_t i = 0; i < o->nkids; i++)
			look_at_override(l, m, o->kids[i]);
	return conf_count(l) == before;
}

/* False: the host is left out, or it cannot be done. */
static bool put_overrides(struct conf_loader *l, struct mold *m, const char *host)
{
	for (size_t i = 0; m->overrides && i < m->overrides->nkids; i++) {
		const struct node *o = m->overrides->kids[i];
		if (is_for(o, host) && (leaves_out(o) || !put_all(l, m, o)))
			return false;
	}
	return true;
}

/* --- making single ones -----------------------------------------------------------------------------------
 */

static void hand_on(struct conf_loader *l, struct conf_section *out, struct node *n)
{
	l->checks_meant++;
	if (out->n > CONF_CHECKS_MAX)
		return; /* one too many is enough to say so */
	if (out->n == l->checks_cap) {
		size_t cap = l->checks_cap ? l->checks_cap * 2 : 64;
		struct node **v = realloc(out->v, cap * sizeof *v);
		if (!v)
			return;
		out->v = v;
		l->checks_cap = cap;
	}
	out->v[out->n++] = n;
}

/* A map of the keys; host: what {host} stands for, or NULL. */
static struct node *cast(struct conf_loader *l, const struct mold *m, const struct conf_host *host)
{
	struct node *n = conf_make(l, NODE_MAP, m->map);
	bool ok = n != NULL;
	if (ok && host) {
		char *name = conf_with_host(m->map->key, host->name);
		free(n->key);
		n->key = name;
	}
	ok = ok && n->key && (n->kids = calloc(m->nkeys + 1, sizeof *n->kids));
	for (size_t i = 0; ok && i < m->nkeys; i++)
		if ((ok = (n->kids[n->nkids] = conf_for_host(l, m->keys[i], host ? host->name : NULL))))
			n->nkids++;
	if (ok && host && !tree_get(n, "host")) {
		const struct node like = {.key = (char *)"host", .at = host->at, .key_at = host->at};
		struct node *h = conf_make(l, NODE_SCALAR, &like);
		if (h && h->key && (h->scalar = strdup(host->name)))
			n->kids[n->nkids++] = h;
	}
	return ok ? n : NULL;
}

static void cast_one(struct conf_loader *l, struct conf_section *out, struct mold *m,
		     const struct conf_host *host)
{
	m->nkeys = 0;
	if (out->n > CONF_CHECKS_MAX) {
		l->checks_meant++;
		return;
	}
	if (!put_all(l, m, m->template) || !put_all(l, m, m->map) ||
	    (host && m->many && !put_overrides(l, m, host->name)))
		return;
	struct node *n = cast(l, m, host);
	if (n)
		hand_on(l, out, n);
}

static void cast_all(struct conf_loader *l, struct conf_section *out, struct mold *m)
{
	if ((m->hosts.n > 1 || m->changes) && !strstr(m->map->key, CONF_HOST_MARK)) {
		complaint_add(l->c, &m->map->key_at, "checks", m->map->key,
			      "stands for %zu hosts: its name must hold {host}", m->hosts.n);
		return;
	}
	for (size_t i = 0; i < m->hosts.n && !l->made_full; i++)
		cast_one(l, out, m, &m->hosts.v[i]);
}

/* With a template and for one host, or none. */
static void cast_single(struct conf_loader *l, struct conf_section *out, struct mold *m)
{
	const struct node *n = value(m, "host");
	bool known = n && n->kind == NODE_SCALAR && !n->null && !strstr(n->scalar, CONF_HOST_MARK);
	struct conf_host host = {.name = known ? n->scalar : NULL};
	if (known)
		host.at = n->at;
	cast_one(l, out, m, known ? &host : NULL);
}

static void expand(struct conf_loader *l, struct conf_section *out, struct node *map)
{
	struct mold m = {.map = map};
	bool any = false;
	for (size_t i = 0; map->kind == NODE_MAP && i < map->nkids && !any; i++)
		any = is_ours(map->kids[i]->key);
	if (!any) {
		hand_on(l, out, map);
		return;
	}
	if (find_template(l, &m) && find_hosts(l, &m) && look_at_overrides(l, &m)) {
		if (m.many)
			cast_all(l, out, &m);
		else
			cast_single(l, out, &m);
	}
	conf_hosts_fini(&m.hosts);
}

/* --- templates
 * ---------------------------------------------------------------------------------------------- */

static void look_at_templates(struct conf_loader *l)
{
	struct conf_section *sec = &l->sections[SEC_TEMPLATES];
	if (sec->n > CONF_TEMPLATES_MAX)
		complaint_add(l->c, &sec->v[CONF_TEMPLATES_MAX]->key_at, "templates", NULL,
			      "are %zu; at most %d are taken", sec->n, CONF_TEMPLATES_MAX);
	for (size_t i = 0; i < sec->n && i < CONF_TEMPLATES_MAX; i++) {
		const struct node *t = sec->v[i], *deeper = tree_get(t, "template");
		if (!conf_name(l, t, "templates"))
			continue;
		const char *item = conf_item(l, "templates.%s%s", t->key, deeper ? ".template" : "");
		if (t->kind != NODE_MAP)
			complaint_add(l->c, &t->at, item, NULL, "must be a map of settings");
		else if (deeper)
			complaint_add(l->c, &deeper->key_at, item, NULL,
				      "a template has no template: there is one level");
	}
}

static void warn_unused(struct conf_loader *l)
{
	const struct conf_section *sec = &l->sections[SEC_TEMPLATES];
	for (size_t i = 0; i < sec->n && i < CONF_TEMPLATES_MAX; i++)
		if (!l->templates_used[i])
			complaint_add(&l->conf->warnings, &sec->v[i]->key_at,
				      conf_item(l, "templates.%s", sec->v[i]->key), NULL,
				      "no check uses it: what it holds was not looked at");
}

void conf_expand_checks(struct conf_loader *l)
{
	struct conf_section *sec = &l->sections[SEC_CHECKS], out = {.at = sec->at};
	look_at_templates(l);
	for (size_t i = 0; i < sec->n; i++)
		expand(l, &out, sec->v[i]);
	warn_unused(l);
	free(sec->v);
	*sec = out;
}
