/*
 * Whether the names that checks, contacts and routes give each other exist, and what a
 * reader should be told of that is allowed but hardly meant. (Parents and needs are looked
 * at by the proof, prove.c.)
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

#include "units.h"

static void no_such(struct conf_loader *l, const struct mark *at, const char *item, const char *written,
		    const char *what, const char *const *names, size_t n)
{
	const char *near = units_nearest(written, names, n);
	if (near)
		complaint_add(l->c, at, item, written, "there is no such %s; did you mean \"%s\"?", what,
			      near);
	else
		complaint_add(l->c, at, item, written, "there is no such %s", what);
}

static void route_reference(struct conf_loader *l, const struct conf_route *r, const char *item,
			    const char *const *names)
{
	if (r->line[0] && !config_line(l->conf, r->line))
		no_such(l, &r->at, item, r->line, "line", names, l->conf->nlines);
}

static void route_references(struct conf_loader *l)
{
	const struct config *conf = l->conf;
	const char *names[CONF_LINES_MAX];
	for (size_t i = 0; i < conf->nlines; i++)
		names[i] = conf->lines[i].name;
	for (size_t i = 0; i < conf->ncontacts; i++)
		for (size_t j = 0; j < conf->contacts[i].nroutes; j++)
			route_reference(
				l, &conf->contacts[i].routes[j],
				conf_item(l, "contacts.%s.routes[%u].line", conf->contacts[i].name,
					  conf->contacts[i].routes[j].number),
				names);
	if (conf->has_last_resort)
		route_reference(l, &conf->last_resort, "last_resort.line", names);
}

/* used: by contact, then by group, rota and ladder */
static size_t place_of(const struct config *conf, const struct who_ref *ref)
{
	const size_t first[] = {0, conf->ncontacts, conf->ncontacts + conf->ngroups,
				conf->ncontacts + conf->ngroups + conf->nrotas};
	return first[ref->kind] + ref->n;
}

static void use(const struct config *conf, const struct who_ref *ref, bool *used);

static void use_all(const struct config *conf, const struct who_ref *v, size_t n, bool *used)
{
	for (size_t i = 0; i < n; i++)
		use(conf, &v[i], used);
}

/* It ends: a ladder names rotas, a rota groups, a group contacts. */
static void use(const struct config *conf, const struct who_ref *ref, bool *used)
{
	if (used[place_of(conf, ref)])
		return;
	used[place_of(conf, ref)] = true;
	if (ref->kind == WHO_GROUP) {
		use_all(conf, conf->groups[ref->n].members, conf->groups[ref->n].nmembers, used);
	} else if (ref->kind == WHO_ROTA) {
		const struct rota *r = &conf->rotas[ref->n].rota;
		for (size_t i = 0; i < r->noverrides; i++)
			use_all(conf, r->overrides[i].who, r->overrides[i].nwho, used);
		for (size_t i = 0; i < r->nshifts; i++)
			use_all(conf, r->shifts[i].who, r->shifts[i].nwho, used);
	} else if (ref->kind == WHO_LADDER) {
		const struct ladder *l = &conf->ladders[ref->n].ladder;
		for (size_t i = 0; i < l->nsteps; i++)
			use_all(conf, l->steps[i].who, l->steps[i].nwho, used);
	}
}

/* Things of all four kinds. */
static size_t places(const struct config *conf)
{
	return conf->ncontacts + conf->ngroups + conf->nrotas + conf->nladders;
}

static void too_many(struct conf_loader *l, const bool *meant, const struct mark *at, const char *item)
{
	size_t people = 0;
	for (size_t i = 0; i < l->conf->ncontacts; i++)
		people += meant[i];
	if (people > WHO_MAX)
		complaint_add(l->c, at, item, NULL, "mean %zu people; an incident tells at most %d", people, WHO_MAX);
}

/* used: twice as many as there are places; the second half is scratch */
static void contact_list(struct conf_loader *l, char *const *v, size_t n, const struct mark *at,
			 const char *item, bool *used)
{
	size_t all = places(l->conf);
	bool *meant = used + all;
	struct who_ref ref;
	memset(meant, 0, all * sizeof(*meant));
	for (size_t i = 0; i < n; i++) {
		if (who_find(l->conf, v[i], &ref))
			use(l->conf, &ref, meant);
		else
			conf_no_such_contact(l, at, item, v[i]);
	}
	too_many(l, meant, at, item);
	for (size_t i = 0; i < all; i++)
		used[i] |= meant[i];
}

static void warn_unused(struct conf_loader *l, const bool *used)
{
	struct config *conf = l->conf;
	struct complaints *w = &conf->warnings;
	size_t k = 0;
	for (size_t i = 0; i < conf->ncontacts; i++)
		if (!used[k++])
			complaint_add(w, &conf->contacts[i].at, conf_item(l, "contacts.%s", conf->contacts[i].name),
				      NULL, "no check concerns this contact");
	for (size_t i = 0; i < conf->ngroups; i++)
		if (!used[k++] && !conf->groups[i].quiet)
			complaint_add(w, &conf->groups[i].at, conf_item(l, "groups.%s", conf->groups[i].name), NULL,
				      "no check concerns this group");
	for (size_t i = 0; i < conf->nrotas; i++)
		if (!used[k++])
			complaint_add(w, &conf->rotas[i].at, conf_item(l, "rotas.%s", conf->rotas[i].name), NULL,
				      "no check concerns this rota");
	for (size_t i = 0; i < conf->nladders; i++)
		if (!used[k++])
			complaint_add(w, &conf->ladders[i].at, conf_item(l, "ladders.%s", conf->ladders[i].name), NULL,
				      "no check concerns this ladder");
}

/* monitord's own troubles concern the default contacts, so somebody must be one: where there is only one
 * contact it is meant, and of several somebody must choose. */
static void default_contacts(struct conf_loader *l)
{
	struct config *conf = l->conf;
	if (l->default_contacts)
		return;
	if (!conf->ncontacts) {
		complaint_add(conf->nchecks ? l->c : &conf->warnings, NULL, "contacts", NULL,
			      "there are none: nobody would be paged");
		return;
	}
	if (conf->ncontacts > 1) {
		complaint_add(l->c, &l->sections[SEC_CONTACTS].at, "defaults.contacts", NULL,
			      "is missing: with several contacts, say whom monitord's own troubles concern");
		return;
	}
	conf->default_contacts = calloc(1, sizeof(char *));
	if (conf->default_contacts)
		conf->default_contacts[0] = strdup(conf->contacts[0].name);
	if (conf->default_contacts && conf->default_contacts[0])
		conf->ndefault_contacts = 1;
	else
		complaint_add(l->c, NULL, NULL, NULL, "out of memory");
}

static const struct mark *check_key_mark(const struct conf_loader *l, size_t i, const char *key)
{
	const struct node *n = tree_get(l->check_origins[i].node, key);
	return n ? &n->at : &l->conf->checks[i].at;
}

static void contact_references(struct conf_loader *l)
{
	static const struct mark nowhere;
	struct config *conf = l->conf;
	bool *used = calloc(2 * places(conf) + 1, sizeof(*used));
	if (!used)
		return;
	contact_list(l, conf->default_contacts, conf->ndefault_contacts,
		     l->default_contacts ? &l->default_contacts->at : &nowhere, "defaults.contacts", used);
	for (size_t i = 0; i < conf->nchecks; i++) {
		const struct conf_check *k = &conf->checks[i];
		char item[CONF_ITEM_BYTES / 2];
		snprintf(item, sizeof(item), "checks.%s.contacts", k->name);
		contact_list(l, k->contacts, k->ncontacts, check_key_mark(l, i, "contacts"), item, used);
		if (conf->ncontacts && !conf->ndefault_contacts && !l->default_contacts &&
		    !tree_get(l->check_origins[i].node, "contacts"))
			complaint_add(l->c, &k->at, item, NULL,
				      "is missing, and so is defaults.contacts: nobody would be paged");
	}
	warn_unused(l, used);
	free(used);
}

/* Two notifiers on one modem would talk into each other's dialogue. A simulated device is no path. */
static void same_devices(struct conf_loader *l)
{
	const struct config *conf = l->conf;
	for (size_t i = 0; i < conf->nlines; i++) {
		const char *device = json_str(conf->lines[i].options, "device", NULL);
		const struct node *n = tree_get(l->line_origins[i].node, "device");
		for (size_t j = 0; device && device[0] == '/' && n && j < i; j++) {
			const char *other = json_str(conf->lines[j].options, "device", NULL);
			if (other && strcmp(device, other) == 0)
				complaint_add(l->c, &n->at,
					      conf_item(l, "lines.%s.device", conf->lines[i].name), device,
					      "is also the device of line \"%s\"", conf->lines[j].name);
		}
	}
}

static bool reaches_somebody(const struct config *conf, const char *line)
{
	bool does = false;
	for (size_t j = 0; j < conf->ncontacts && !does; j++)
		for (size_t k = 0; k < conf->contacts[j].nroutes && !does; k++)
			does = strcmp(conf->contacts[j].routes[k].line, line) == 0;
	return does;
}

/* What stands behind a route that counts as sent whoever got it, and may never ring. */
static void behind_blind_routes(struct conf_loader *l)
{
	struct config *conf = l->conf;
	for (size_t i = 0; i < conf->ncontacts; i++) {
		const struct conf_contact *c = &conf->contacts[i];
		for (size_t k = 0; k + 1 < c->nroutes && !c->confirm; k++) {
			const struct conf_line *line = config_line(conf, c->routes[k].line);
			if (!line || !line->blind || strcmp(c->routes[k + 1].line, line->name) == 0)
				continue;
			complaint_add(&conf->warnings, &c->routes[k].at,
				      conf_item(l, "contacts.%s.routes[%u]", c->name, c->routes[k].number), NULL,
				      "nobody knows whether a page over line \"%s\" was got, and it counts as sent: what stands "
				      "behind it rings only when the line fails; \"confirm: yes\" rings that too",
				      line->name);
			break;
		}
	}
}

/* The only line that pages whom pagerd pages. */
static void only_line(struct conf_loader *l)
{
	struct config *conf = l->conf;
	const struct conf_line *only = NULL;
	size_t n = 0;
	for (size_t i = 0; i < conf->nlines; i++) {
		if (!reaches_somebody(conf, conf->lines[i].name))
			continue;
		only = &conf->lines[i];
		n++;
	}
	if (n == 1)
		complaint_add(&conf->warnings, &only->at, conf_item(l, "lines.%s", only->name), NULL,
			      "is the only line that pages anybody: when it fails, nobody is told");
}

static void unused_lines(struct conf_loader *l)
{
	struct config *conf = l->conf;
	for (size_t i = 0; i < conf->nlines; i++) {
		const char *name = conf->lines[i].name;
		bool used = (conf->has_last_resort && strcmp(conf->last_resort.line, name) == 0) ||
			    reaches_somebody(conf, name);
		for (size_t j = 0; j < conf->nlines && !used; j++)
			used = strcmp(conf->lines[j].loop_to, name) == 0;
		if (!used)
			complaint_add(&conf->warnings, &conf->lines[i].at, conf_item(l, "lines.%s", name),
				      NULL, "no route uses this line");
	}
}

void conf_check_references(struct conf_loader *l)
{
	default_contacts(l);
	route_references(l);
	contact_references(l);
	same_devices(l);
	unused_lines(l);
	only_line(l);
	behind_blind_routes(l);
	conf_check_answers(l);
}
