/*
 * Whether the names that checks, contacts and routes give each other exist, and what a
 * reader should be told of that is allowed but hardly meant. (Parents and needs are looked
 * at by the proof, config_prove.c.)
 */
#include "config_internal.h"

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
				conf_item(l, "contacts.%s.routes[%zu].line", conf->contacts[i].name, j + 1),
				names);
	if (conf->has_last_resort)
		route_reference(l, &conf->last_resort, "last_resort.line", names);
}

static void contact_list(struct conf_loader *l, char *const *v, size_t n, const struct mark *at,
			 const char *item, const char *const *names, bool *used)
{
	for (size_t i = 0; i < n; i++) {
		const struct conf_contact *k = config_contact(l->conf, v[i]);
		if (k)
			used[k - l->conf->contacts] = true;
		else
			no_such(l, at, item, v[i], "contact", names, l->conf->ncontacts);
	}
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
	const char **names = calloc(conf->ncontacts + 1, sizeof(*names));
	bool *used = calloc(conf->ncontacts + 1, sizeof(*used));
	if (!names || !used)
		goto out;
	for (size_t i = 0; i < conf->ncontacts; i++)
		names[i] = conf->contacts[i].name;
	contact_list(l, conf->default_contacts, conf->ndefault_contacts,
		     l->default_contacts ? &l->default_contacts->at : &nowhere, "defaults.contacts", names,
		     used);
	for (size_t i = 0; i < conf->nchecks; i++) {
		const struct conf_check *k = &conf->checks[i];
		const char *item = conf_item(l, "checks.%s.contacts", k->name);
		contact_list(l, k->contacts, k->ncontacts, check_key_mark(l, i, "contacts"), item, names,
			     used);
		if (conf->ncontacts && !conf->ndefault_contacts && !l->default_contacts &&
		    !tree_get(l->check_origins[i].node, "contacts"))
			complaint_add(l->c, &k->at, item, NULL,
				      "is missing, and so is defaults.contacts: nobody would be paged");
	}
	for (size_t i = 0; i < conf->ncontacts; i++)
		if (!used[i])
			complaint_add(&conf->warnings, &conf->contacts[i].at,
				      conf_item(l, "contacts.%s", conf->contacts[i].name), NULL,
				      "no check concerns this contact");
out:
	free(names);
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

static void unused_lines(struct conf_loader *l)
{
	struct config *conf = l->conf;
	for (size_t i = 0; i < conf->nlines; i++) {
		const char *name = conf->lines[i].name;
		bool used = conf->has_last_resort && strcmp(conf->last_resort.line, name) == 0;
		for (size_t j = 0; j < conf->ncontacts && !used; j++)
			for (size_t k = 0; k < conf->contacts[j].nroutes && !used; k++)
				used = strcmp(conf->contacts[j].routes[k].line, name) == 0;
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
}
