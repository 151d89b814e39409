/* Contacts and their routes; see contacts.h. Called by intake.c and pager.c. */
#include "contacts.h"

#include <stdlib.h>
#include <string.h>

#include "../lib/log.h"
#include "lines.h"
#include "needs.h"

static struct contact_view view_of(const struct conf_contact *c)
{
	return (struct contact_view){.name = c->name, .repeat_ms = c->repeat_ms, .recovery = c->recovery};
}

struct contact_view *contacts_all(const struct config *conf, size_t *n)
{
	struct contact_view *v = calloc(conf->ncontacts + 1, sizeof *v);
	*n = v ? conf->ncontacts : 0;
	for (size_t i = 0; i < *n; i++)
		v[i] = view_of(&conf->contacts[i]);
	return v;
}

static size_t add_contact(const struct config *conf, const char *name, struct contact_view *out, size_t n,
			  size_t max)
{
	const struct conf_contact *c = config_contact(conf, name);
	for (size_t i = 0; c && i < n; i++)
		if (strcmp(out[i].name, c->name) == 0)
			return n;
	if (!c || n >= max)
		return n;
	out[n] = view_of(c);
	return n + 1;
}

/* The default contacts; everybody when there are none, for somebody must hear of it. */
static size_t add_defaults(const struct config *conf, struct contact_view *out, size_t n, size_t max)
{
	size_t before = n;
	for (size_t i = 0; i < conf->ndefault_contacts; i++)
		n = add_contact(conf, conf->default_contacts[i], out, n, max);
	if (n > before || before > 0)
		return n;
	for (size_t i = 0; i < conf->ncontacts; i++)
		n = add_contact(conf, conf->contacts[i].name, out, n, max);
	return n;
}

size_t contacts_of(const struct config *conf, const struct event *e, struct contact_view *out, size_t max)
{
	size_t n = 0;
	bool missing = false;
	for (size_t i = 0; i < e->ncontacts; i++) {
		if (config_contact(conf, e->contacts[i])) {
			n = add_contact(conf, e->contacts[i], out, n, max);
			continue;
		}
		log_warn("%s: contact \"%s\" is not configured; the default contacts get its pages", e->check,
			 e->contacts[i]);
		missing = true;
	}
	return missing || n == 0 ? add_defaults(conf, out, n, max) : n;
}

static struct route_view see_route(struct pager *p, const char *line, const char *to, int64_t now)
{
	struct route_view v = {.line = line, .to = to};
	lines_look(p->lines, &v, now);
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

static size_t add_routes(struct pager *p, const struct conf_contact *c, int64_t now, struct route_view *out,
			 size_t n, size_t max)
{
	for (size_t i = 0; c && i < c->nroutes && n < max; i++) {
		const struct conf_route *r = &c->routes[i];
		out[n] = see_route(p, r->line, r->to, now);
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
	struct contact_view defaults[PAGER_VIEWS_MAX];
	size_t ndefaults = add_defaults(p->conf, defaults, 0, PAGER_VIEWS_MAX);
	for (size_t i = 0; i < ndefaults; i++)
		n = add_routes(p, config_contact(p->conf, defaults[i].name), now, out, n, max);
	return n;
}
