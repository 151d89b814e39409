/* What was sent of late; see pacing.h. */
#include "pacing.h"

#include <stdlib.h>
#include <string.h>

struct contact_pace {
	char *name;
	struct pace classes[PACE_CLASSES];
};

struct route_budget {
	char *line, *to;
	struct purse b;
};

struct pacing {
	struct contact_pace *contacts;
	size_t ncontacts;
	struct route_budget *routes;
	size_t nroutes;
};

struct pacing *pacing_new(void)
{
	return calloc(1, sizeof(struct pacing));
}

static void forget_contacts(struct pacing *x)
{
	while (x->ncontacts)
		free(x->contacts[--x->ncontacts].name);
}

static void forget_routes(struct pacing *x)
{
	while (x->nroutes) {
		x->nroutes--;
		free(x->routes[x->nroutes].line);
		free(x->routes[x->nroutes].to);
	}
}

void pacing_free(struct pacing *x)
{
	if (!x)
		return;
	forget_contacts(x);
	forget_routes(x);
	free(x->contacts);
	free(x->routes);
	free(x);
}

struct pace *pacing_of(struct pacing *x, const char *contact)
{
	for (size_t k = 0; k < x->ncontacts; k++)
		if (strcmp(x->contacts[k].name, contact) == 0)
			return x->contacts[k].classes;
	if (x->ncontacts >= PACING_MAX)
		forget_contacts(x);
	struct contact_pace *v = realloc(x->contacts, (x->ncontacts + 1) * sizeof *v);
	if (!v)
		return NULL;
	x->contacts = v;
	v[x->ncontacts] = (struct contact_pace){.name = strdup(contact)};
	return v[x->ncontacts].name ? v[x->ncontacts++].classes : NULL;
}

struct purse *pacing_purse(struct pacing *x, const char *line, const char *to)
{
	for (size_t k = 0; k < x->nroutes; k++)
		if (strcmp(x->routes[k].line, line) == 0 && strcmp(x->routes[k].to, to) == 0)
			return &x->routes[k].b;
	if (x->nroutes >= PACING_MAX)
		forget_routes(x);
	struct route_budget *v = realloc(x->routes, (x->nroutes + 1) * sizeof *v);
	if (!v)
		return NULL;
	x->routes = v;
	struct route_budget r = {.line = strdup(line), .to = strdup(to)};
	if (!r.line || !r.to) {
		free(r.line);
		free(r.to);
		return NULL;
	}
	v[x->nroutes] = r;
	return &v[x->nroutes++].b;
}
