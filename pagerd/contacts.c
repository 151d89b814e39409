/* Contacts and their routes; see contacts.h. Called by inputs.c, state.c, tests.c and pager.c. */
#include "contacts.h"

#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "lib/clock.h"
#include "pagerd/rules/escalation.h"
#include "lines.h"
#include "needs.h"

/* A route of this contact leads to a siren. */
static bool follows(const struct config *conf, const struct conf_contact *c)
{
	for (size_t i = 0; i < c->nroutes; i++) {
		const struct conf_line *l = config_line(conf, c->routes[i].line);
		if (l && l->follows)
			return true;
	}
	return false;
}

static struct contact_view view_of(const struct config *conf, const struct conf_contact *c)
{
	return (struct contact_view){.name = c->name,
				     .repeat_ms = c->repeat_ms,
				     .recovery = c->recovery,
				     .follows = follows(conf, c),
				     .ja = strcmp(c->lang, "ja") == 0,
				     .forget_held = c->quiet && c->quiet->drop};
}

bool contacts_follows(const struct config *conf, const char *contact)
{
	const struct conf_contact *c = config_contact(conf, contact);
	return c && follows(conf, c);
}

struct contact_view *contacts_all(const struct config *conf, size_t *n)
{
	struct contact_view *v = calloc(conf->ncontacts + 1, sizeof *v);
	*n = v ? conf->ncontacts : 0;
	for (size_t i = 0; i < *n; i++)
		v[i] = view_of(conf, &conf->contacts[i]);
	return v;
}

/* The names of an event. Some that are not configured are replaced by the default ones, so are none. */
static size_t names_of(const struct config *conf, const struct event *e, const char **out, size_t max)
{
	size_t n = 0;
	struct who_ref ref;
	bool missing = e->ncontacts == 0;
	for (size_t i = 0; i < e->ncontacts && n < max; i++) {
		if (who_find(conf, e->contacts[i], &ref)) {
			out[n++] = e->contacts[i];
			continue;
		}
		log_warn("%s: contact \"%s\" is not configured; the default contacts get its pages", e->check,
			 e->contacts[i]);
		missing = true;
	}
	for (size_t i = 0; missing && i < conf->ndefault_contacts && n < max; i++)
		out[n++] = conf->default_contacts[i];
	/* nobody: everybody, for somebody must hear of it */
	for (size_t i = 0, none = !n; none && i < conf->ncontacts && n < max; i++)
		out[n++] = conf->contacts[i].name;
	return n;
}

static size_t views_of(const struct config *conf, const struct audience *a, struct contact_view *out, size_t max)
{
	size_t n = 0;
	for (; n < a->n && n < max; n++)
		out[n] = view_of(conf, &conf->contacts[a->v[n].contact]);
	return n;
}

static bool is_in(const struct contact_view *v, size_t n, const char *name)
{
	for (size_t k = 0; k < n; k++)
		if (strcmp(v[k].name, name) == 0)
			return true;
	return false;
}

/* Who was told and is off duty now: how they want to hear of the end counts all the same. */
static size_t add_bystanders(const struct config *conf, const struct incident *i, struct contact_view *out, size_t n,
			     size_t max)
{
	for (size_t k = 0; k < i->ncontacts && n < max; k++) {
		const struct conf_contact *c = config_contact(conf, i->contacts[k].name);
		if (!c || is_in(out, n, c->name))
			continue;
		out[n] = view_of(conf, c);
		out[n++].bystander = true;
	}
	return n;
}

size_t contacts_of(const struct config *conf, struct incident *i, const struct event *e, const struct stamp *now,
		   struct contact_view *out, size_t max)
{
	const char *names[INC_TARGETS_MAX];
	struct audience a;
	escalation_concern(i, e, names, names_of(conf, e, names, INC_TARGETS_MAX), now);
	escalation_look(i, conf, now, &a);
	if (a.cut)
		log_warn("incident %s (%s) concerns more than %d people: the first %d are told", i->id, i->check, WHO_MAX, WHO_MAX);
	return add_bystanders(conf, i, out, views_of(conf, &a, out, max), max);
}

void contacts_dress(const struct config *conf, const char *contact, struct page *page)
{
	const struct conf_contact *c = config_contact(conf, contact);
	page->lang = c ? c->lang : "";
	page->template = c && c->template[0] ? c->template : NULL;
}

static struct route_view see_route(struct pager *p, const char *line, const char *to, int64_t now)
{
	struct route_view v = {.line = line, .to = to};
	const struct proof *proof = p->proofs.doubted ? proofs_find(&p->proofs, line, to) : NULL;
	lines_look(p->lines, &v, now);
	v.doubtful |= proof && proof->doubted;
	return v;
}

static bool needs_fail(struct pager *p, const struct conf_route *r)
{
	const struct conf_line *l = config_line(p->conf, r->line);
	for (size_t i = 0; i < r->nneeds; i++)
		if (needs_failing(p->needs, r->needs[i]))
			return true;
	for (size_t i = 0; l && i < l->nneeds; i++)
		if (needs_failing(p->needs, l->needs[i]))
			return true;
	return false;
}

/* Where the routes begin that are equals of route i. */
static size_t first_of_pool(const struct conf_contact *c, size_t i)
{
	while (i > 0 && c->routes[i - 1].pool[0] && c->routes[i - 1].number == c->routes[i].number)
		i--;
	return i;
}

static size_t add_routes(struct pager *p, const struct conf_contact *c, int64_t now, struct route_view *out,
			 size_t n, size_t max)
{
	for (size_t i = 0; c && i < c->nroutes && n < max; i++) {
		const struct conf_route *r = &c->routes[i];
		out[n] = see_route(p, r->line, r->to, now);
		/* of several contacts no two may have the same */
		out[n].pool = r->pool[0] ? (unsigned)(n + 1 - (i - first_of_pool(c, i))) : 0;
		if (needs_fail(p, r))
			out[n].doubtful = true;
		n++;
	}
	return n;
}

size_t contacts_routes(struct pager *p, const struct call *c, int64_t now, struct route_view *out, size_t max)
{
	if (c->only_line) {
		out[0] = see_route(p, c->only_line, c->only_to, now);
		return 1;
	}
	size_t n = add_routes(p, config_contact(p->conf, c->contact), now, out, 0, max);
	if (n)
		return n;
	struct audience a;
	escalation_defaults(p->conf, clock_wall_ms(), &a);
	for (size_t i = 0; i < a.n; i++)
		n = add_routes(p, &p->conf->contacts[a.v[i].contact], now, out, n, max);
	return n;
}
