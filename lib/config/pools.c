/*
 * Pools: several lines that are one to whoever routes pages: `lines: {sms: {pool: [modem1, modem2]}}`. A route over a pool
 * becomes one route for each of its lines, of which none comes before the other (pagerd/rules/route.h); all that is said
 * and proved of routes then holds for each of them. Called by the readers of lines and contacts.
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

bool conf_is_pool(const struct node *map)
{
	return map->kind == NODE_MAP && tree_get(map, "pool") != NULL;
}

const struct conf_pool *config_pool(const struct config *conf, const char *name)
{
	for (size_t i = 0; i < conf->npools; i++)
		if (strcmp(conf->pools[i].name, name) == 0)
			return &conf->pools[i];
	return NULL;
}

void conf_read_pool(struct conf_loader *l, const struct node *map)
{
	static const char *const keys[] = {"pool"};
	struct config *conf = l->conf;
	struct conf_pool *v, *p;

	if (!conf_name(l, map, "lines"))
		return;
	v = realloc(conf->pools, (conf->npools + 1) * sizeof(*v));
	if (!v) {
		complaint_add(l->c, &map->at, "lines", NULL, "out of memory");
		return;
	}
	conf->pools = v;
	p = &v[conf->npools++];
	*p = (struct conf_pool){.at = map->key_at};
	snprintf(p->name, sizeof(p->name), "%s", map->key);
	for (size_t i = 0; i < map->nkids; i++) {
		const struct node *n = map->kids[i];
		const char *item = conf_item(l, "lines.%s.%s", p->name, n->key);
		if (strcmp(n->key, "pool") == 0)
			conf_names(l, n, item, false, &p->lines, &p->nlines);
		else
			conf_unknown(l, n, item, keys, 1);
	}
}

static bool copy_needs(struct conf_route *r, const struct conf_route *of)
{
	r->needs = of->nneeds ? calloc(of->nneeds, sizeof(*r->needs)) : NULL;
	r->nneeds = 0;
	for (size_t i = 0; i < of->nneeds; i++) {
		char *name = r->needs ? strdup(of->needs[i]) : NULL;
		if (!name)
			return false;
		r->needs[r->nneeds++] = name;
	}
	return true;
}

/* Route at becomes the pool's lines; what follows moves down. */
static bool expand(struct conf_contact *k, size_t at, const struct conf_pool *p)
{
	size_t more = p->nlines - 1;
	struct conf_route *v = realloc(k->routes, (k->nroutes + more) * sizeof(*v)), of;
	bool ok = true;

	if (!v)
		return false;
	k->routes = v;
	memmove(&v[at + 1 + more], &v[at + 1], (k->nroutes - at - 1) * sizeof(*v));
	k->nroutes += more;
	of = v[at];
	for (size_t i = 0; i < p->nlines; i++) {
		struct conf_route *r = &v[at + i];
		if (i > 0) {
			*r = of;
			ok = copy_needs(r, &of) && ok;
		}
		snprintf(r->line, sizeof(r->line), "%s", p->lines[i]);
		snprintf(r->pool, sizeof(r->pool), "%s", p->name);
	}
	return ok;
}

static void expand_contact(struct conf_loader *l, struct conf_contact *k)
{
	for (size_t i = 0; i < k->nroutes; i++) {
		const struct conf_pool *p = k->routes[i].pool[0] ? NULL : config_pool(l->conf, k->routes[i].line);
		const char *item = conf_item(l, "contacts.%s.routes[%u].line", k->name, k->routes[i].number);
		if (!p || !p->nlines)
			continue;
		if (k->nroutes + p->nlines - 1 > CONF_ROUTES_MAX)
			complaint_add(l->c, &k->routes[i].at, item, p->name,
				      "with the lines of its pools this contact has more than %d routes", CONF_ROUTES_MAX);
		else if (!expand(k, i, p))
			complaint_add(l->c, &k->routes[i].at, item, p->name, "out of memory");
		else
			i += p->nlines - 1;
	}
}

static void check_pool(struct conf_loader *l, const struct conf_pool *p)
{
	const char *item = conf_item(l, "lines.%s.pool", p->name);

	if (config_line(l->conf, p->name))
		complaint_add(l->c, &p->at, item, p->name, "is the name of a line as well");
	for (size_t i = 0; i < p->nlines; i++)
		if (config_pool(l->conf, p->lines[i]))
			complaint_add(l->c, &p->at, item, p->lines[i], "is a pool itself; name its lines");
		else if (!config_line(l->conf, p->lines[i]))
			complaint_add(l->c, &p->at, item, p->lines[i], "there is no such line");
}

void conf_expand_pools(struct conf_loader *l)
{
	struct config *conf = l->conf;

	for (size_t i = 0; i < conf->npools; i++)
		check_pool(l, &conf->pools[i]);
	for (size_t i = 0; i < conf->ncontacts; i++)
		expand_contact(l, &conf->contacts[i]);
	if (conf->has_last_resort && config_pool(conf, conf->last_resort.line))
		complaint_add(l->c, &conf->last_resort.at, "last_resort.line", conf->last_resort.line,
			      "is a pool; the last resort is one line");
}
