/*
 * "group:NAME" where checks are named (parents, depends_on, needs): the checks that are in that group, each
 * by its name. NAME may be a pattern, as in downtimes. A check that is really called so is itself. Called by
 * config.c once all checks, lines and contacts are read; whoever comes later sees names of checks only.
 */
#include "internal.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "units.h"

#define MARK "group:"
enum {
	MARK_LEN = sizeof MARK - 1,
	NAMED_MAX = 256,
	ALL_NAMED_MAX = 200000,
	GROUPS_SHOWN_MAX = 1000,
	KEPT = 4
};

/* Which checks a pattern means, by their numbers; n: all of them, of which v holds at most NAMED_MAX + 1. */
struct meant {
	char pattern[EVENT_NAME_MAX];
	size_t v[NAMED_MAX + 1], n;
};

struct work {
	struct conf_loader *l;
	struct meant kept[KEPT]; /* the last few: the checks of a template all say the same */
	size_t next;
	size_t named; /* names that groups stood for so far */
	bool too_many;
};

static bool is_group(const struct conf_loader *l, const char *name)
{
	return strncmp(name, MARK, MARK_LEN) == 0 && name[MARK_LEN] && !config_check(l->conf, name);
}

static bool is_in(const struct conf_check *k, const char *pattern, bool plain)
{
	for (size_t i = 0; i < k->ngroups; i++)
		if (plain ? strcmp(pattern, k->groups[i]) == 0 : fnmatch(pattern, k->groups[i], 0) == 0)
			return true;
	return false;
}

static const struct meant *find_meant(struct work *w, const char *pattern)
{
	bool plain = !strpbrk(pattern, "*?[\\");
	for (size_t i = 0; i < KEPT; i++)
		if (strcmp(w->kept[i].pattern, pattern) == 0)
			return &w->kept[i];
	struct meant *m = &w->kept[w->next++ % KEPT];
	snprintf(m->pattern, sizeof m->pattern, "%s", pattern);
	m->n = 0;
	for (size_t i = 0; i < w->l->conf->nchecks; i++) {
		if (!is_in(&w->l->conf->checks[i], pattern, plain))
			continue;
		if (m->n <= NAMED_MAX)
			m->v[m->n] = i;
		m->n++;
	}
	return m;
}

/* Where a name stands in the list that was written. */
static const struct mark *written_at(const struct node *list, const char *name, const struct mark *dflt)
{
	if (!list || list->kind != NODE_SEQ)
		return list ? &list->at : dflt;
	for (size_t i = 0; i < list->nkids; i++)
		if (list->kids[i]->kind == NODE_SCALAR && strcmp(list->kids[i]->scalar, name) == 0)
			return &list->kids[i]->at;
	return &list->at;
}

/* No check is in it: which one was meant? Hosts of a list that was never known may be its members. */
static void no_such_group(struct conf_loader *l, const char *name, const struct mark *at, const char *item)
{
	const char **names = calloc(GROUPS_SHOWN_MAX, sizeof *names), *near;
	size_t n = 0;
	if (l->unknown_lists) {
		free(names);
		return;
	}
	for (size_t i = 0; names && i < l->conf->nchecks; i++)
		for (size_t k = 0; k < l->conf->checks[i].ngroups && n < GROUPS_SHOWN_MAX; k++)
			names[n++] = l->conf->checks[i].groups[k];
	near = names ? units_nearest(name + MARK_LEN, names, n) : NULL;
	if (near && strcmp(near, name + MARK_LEN) != 0)
		complaint_add(l->c, at, item, name,
			      "no other check is in such a group; did you mean \"" MARK "%s\"?", near);
	else
		complaint_add(l->c, at, item, name, "no other check is in such a group");
	free(names);
}

/* The members' numbers among the checks, at most NAMED_MAX; self is none of them. More are complained about.
 */
static size_t find_members(struct work *w, const char *name, const struct conf_check *self, size_t *v,
			   const struct mark *at, const char *item)
{
	const struct meant *m = find_meant(w, name + MARK_LEN);
	size_t n = 0;
	if (m->n > NAMED_MAX + (size_t)(self != NULL && is_in(self, m->pattern, false))) {
		complaint_add(w->l->c, at, item, name, "stands for %zu checks; at most %d are taken", m->n,
			      NAMED_MAX);
		return 0;
	}
	for (size_t i = 0; i < m->n; i++)
		if (&w->l->conf->checks[m->v[i]] != self)
			v[n++] = m->v[i];
	if (!n)
		no_such_group(w->l, name, at, item);
	w->named += n;
	if (w->named <= ALL_NAMED_MAX)
		return n;
	if (!w->too_many)
		complaint_add(w->l->c, at, item, name,
			      "with this, groups stand for more than %d names in all", ALL_NAMED_MAX);
	w->too_many = true;
	return 0;
}

/* --- lists of names --- */

static bool push(char ***v, size_t *n, const char *name)
{
	for (size_t i = 0; i < *n; i++)
		if (strcmp((*v)[i], name) == 0)
			return true;
	char **more = realloc(*v, (*n + 1) * sizeof *more);
	if (!more)
		return false;
	*v = more;
	more[*n] = strdup(name);
	*n += more[*n] != NULL;
	return more[*n - 1] != NULL;
}

static bool any_group(const struct conf_loader *l, char *const *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (is_group(l, v[i]))
			return true;
	return false;
}

/* list: the node it was read from, or NULL; at: else. */
static void expand(struct work *w, char ***v, size_t *n, const struct conf_check *self,
		   const struct node *list, const struct mark *at, const char *item)
{
	size_t found[NAMED_MAX], nfound, nout = 0;
	const struct conf_loader *l = w->l;
	char **out = NULL;
	bool ok = true;
	if (!any_group(l, *v, *n))
		return;
	for (size_t i = 0; i < *n; i++) {
		if (!is_group(l, (*v)[i])) {
			ok = push(&out, &nout, (*v)[i]) && ok;
			continue;
		}
		nfound = find_members(w, (*v)[i], self, found, written_at(list, (*v)[i], at), item);
		for (size_t k = 0; k < nfound; k++)
			ok = push(&out, &nout, l->conf->checks[found[k]].name) && ok;
	}
	if (!ok)
		complaint_add(l->c, at, item, NULL, "out of memory");
	for (size_t i = 0; i < *n; i++)
		free((*v)[i]);
	free(*v);
	*v = out;
	*n = nout;
}

static const struct node *key_of(const struct conf_origin *o, const char *key)
{
	return o && o->node && o->node->kind == NODE_MAP ? tree_get(o->node, key) : NULL;
}

/* --- depends_on --- */

static bool push_depend(struct conf_depend **v, size_t *n, const struct conf_depend *like, const char *name)
{
	struct conf_depend *more = realloc(*v, (*n + 1) * sizeof *more);
	if (!more)
		return false;
	*v = more;
	more[*n] = *like;
	snprintf(more[*n].check, sizeof more[*n].check, "%s", name);
	(*n)++;
	return true;
}

static void expand_depends(struct work *w, struct conf_check *k)
{
	struct conf_loader *l = w->l;
	size_t found[NAMED_MAX], nfound, nout = 0;
	struct conf_depend *out = NULL;
	const char *item = conf_item(l, "checks.%s.depends_on", k->name);
	bool ok = true, any = false;
	for (size_t i = 0; i < k->ndepends; i++)
		any |= is_group(l, k->depends[i].check);
	for (size_t i = 0; any && i < k->ndepends; i++) {
		const struct conf_depend *d = &k->depends[i];
		if (!is_group(l, d->check)) {
			ok = push_depend(&out, &nout, d, d->check) && ok;
			continue;
		}
		nfound = find_members(w, d->check, k, found, &d->at, item);
		for (size_t j = 0; j < nfound; j++)
			ok = push_depend(&out, &nout, d, l->conf->checks[found[j]].name) && ok;
	}
	if (!any)
		return;
	if (!ok)
		complaint_add(l->c, &k->at, item, NULL, "out of memory");
	free(k->depends);
	k->depends = out;
	k->ndepends = nout;
}

/* --- all of it --- */

static void expand_contact(struct work *w, struct conf_contact *c)
{
	for (size_t i = 0; i < c->nroutes; i++)
		expand(w, &c->routes[i].needs, &c->routes[i].nneeds, NULL, NULL, &c->routes[i].at,
		       conf_item(w->l, "contacts.%s.routes[%u].needs", c->name, c->routes[i].number));
}

static void expand_check(struct work *w, size_t i)
{
	struct conf_check *k = &w->l->conf->checks[i];
	expand(w, &k->parents, &k->nparents, k, key_of(&w->l->check_origins[i], "parents"), &k->at,
	       conf_item(w->l, "checks.%s.parents", k->name));
	expand_depends(w, k);
}

static void expand_line(struct work *w, size_t i)
{
	struct conf_line *k = &w->l->conf->lines[i];
	expand(w, &k->needs, &k->nneeds, NULL, key_of(&w->l->line_origins[i], "needs"), &k->at,
	       conf_item(w->l, "lines.%s.needs", k->name));
}

void conf_expand_members(struct conf_loader *l)
{
	struct config *conf = l->conf;
	struct work *w = calloc(1, sizeof *w);
	if (!w) {
		complaint_add(l->c, NULL, NULL, NULL, "out of memory");
		return;
	}
	w->l = l;
	for (size_t i = 0; i < conf->nchecks; i++)
		expand_check(w, i);
	for (size_t i = 0; i < conf->nlines; i++)
		expand_line(w, i);
	for (size_t i = 0; i < conf->ncontacts; i++)
		expand_contact(w, &conf->contacts[i]);
	expand(w, &conf->last_resort.needs, &conf->last_resort.nneeds, NULL, NULL, &conf->last_resort.at,
	       "last_resort.needs");
	free(w);
}
