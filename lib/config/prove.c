/*
 * The proof that no page can be caught in what it reports on; pure, called by the
 * loader and by tests.
 *
 * When a check C is down, everything below it (each check that has it as a parent, and so on)
 * cannot be trusted to be up. A route is lost when one of its needs, or of its line's, is among
 * those. Turned round, which is cheaper: a route that needs N is lost when N or anything above N
 * is down. So each route marks what would take it away, and a check that every route
 * of a contact has marked leaves that contact without one.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/oncall/who.h"
#include "units.h"

struct graph {
	const struct config *conf;
	size_t n;           /* checks; the built-in "self" is number n, then self.remote.NAME of each remote */
	size_t all;         /* with those */
	char *built_in;     /* the names of the remotes' checks, EVENT_NAME_MAX each */
	const char **names; /* by number */
	size_t *sorted;     /* numbers in the order of names */
	size_t *first;      /* of each check's parents in edges; one more than all */
	size_t *edges;      /* numbers of parents */
	/* scratch */
	size_t *stack;
	size_t *seen; /* by which walk a check was last seen */
	size_t walk;
	unsigned *lost; /* how many routes of the contact at hand are lost when this check is down */
};

static int by_name(const void *a, const void *b, void *arg)
{
	const struct graph *g = arg;
	return strcmp(g->names[*(const size_t *)a], g->names[*(const size_t *)b]);
}

static bool find(const struct graph *g, const char *name, size_t *number)
{
	size_t low = 0, high = g->all;
	while (low < high) {
		size_t mid = (low + high) / 2;
		int d = strcmp(name, g->names[g->sorted[mid]]);
		if (d == 0) {
			*number = g->sorted[mid];
			return true;
		}
		if (d < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return false;
}

static void no_such_check(const struct graph *g, const struct mark *at, const char *item, const char *written,
			  struct complaints *c)
{
	const char *near = units_nearest(written, g->names, g->all);
	if (near)
		complaint_add(c, at, item, written, "there is no such check; did you mean \"%s\"?", near);
	else
		complaint_add(c, at, item, written, "there is no such check");
}

static void add_parents(struct graph *g, struct complaints *c)
{
	size_t edge = 0;
	for (size_t i = 0; i < g->n; i++) {
		const struct conf_check *k = &g->conf->checks[i];
		g->first[i] = edge;
		for (size_t j = 0; j < k->nparents; j++) {
			char item[EVENT_NAME_MAX + 32];
			if (find(g, k->parents[j], &g->edges[edge])) {
				edge++;
				continue;
			}
			snprintf(item, sizeof(item), "checks.%s.parents", k->name);
			no_such_check(g, &k->at, item, k->parents[j], c);
		}
		/* what hangs on a check goes down with it, as its children do */
		for (size_t j = 0; j < k->ndepends; j++) {
			char item[EVENT_NAME_MAX + 32];
			const struct conf_depend *d = &k->depends[j];
			if (!d->check[0] || find(g, d->check, &g->edges[edge])) {
				edge += d->check[0] != 0;
				continue;
			}
			snprintf(item, sizeof(item), "checks.%s.depends_on", k->name);
			no_such_check(g, &d->at, item, d->check, c);
		}
		if (k->on)
			g->edges[edge++] = g->n + k->on;
	}
	g->first[g->n] = edge; /* self has none */
	for (size_t i = g->n + 1; i < g->all; i++) {
		g->first[i] = edge;
		if (g->conf->remotes[i - g->n - 1].below_self)
			g->edges[edge++] = g->n;
	}
	g->first[g->all] = edge;
}

static void graph_fini(struct graph *g)
{
	free(g->names);
	free(g->built_in);
	free(g->sorted);
	free(g->first);
	free(g->edges);
	free(g->stack);
	free(g->seen);
	free(g->lost);
}

static void name_all(struct graph *g)
{
	const struct config *conf = g->conf;
	for (size_t i = 0; i < g->n; i++)
		g->names[i] = conf->checks[i].name;
	g->names[g->n] = "self";
	for (size_t i = 0; i < conf->nremotes; i++) {
		char *name = g->built_in + i * EVENT_NAME_MAX;
		conf_remote_check(&conf->remotes[i], name, EVENT_NAME_MAX);
		g->names[g->n + 1 + i] = name;
	}
	for (size_t i = 0; i < g->all; i++)
		g->sorted[i] = i;
}

static bool graph_init(struct graph *g, const struct config *conf, struct complaints *c)
{
	size_t edges = 1 + conf->nremotes;
	*g = (struct graph){.conf = conf, .n = conf->nchecks, .all = conf->nchecks + 1 + conf->nremotes};
	for (size_t i = 0; i < g->n; i++)
		edges += conf->checks[i].nparents + conf->checks[i].ndepends + 1;
	g->names = calloc(g->all, sizeof(*g->names));
	g->built_in = calloc(conf->nremotes + 1, EVENT_NAME_MAX);
	g->sorted = calloc(g->all, sizeof(*g->sorted));
	g->first = calloc(g->all + 1, sizeof(*g->first));
	g->edges = calloc(edges, sizeof(*g->edges));
	g->stack = calloc(g->all, sizeof(*g->stack));
	g->seen = calloc(g->all, sizeof(*g->seen));
	g->lost = calloc(g->all, sizeof(*g->lost));
	if (!g->names || !g->built_in || !g->sorted || !g->first || !g->edges || !g->stack || !g->seen || !g->lost)
		return false;
	name_all(g);
	qsort_r(g->sorted, g->all, sizeof(*g->sorted), by_name, g);
	add_parents(g, c);
	return true;
}

/* --- loops of parents --- */

enum colour { WHITE, ON_PATH, DONE };

/* path[from..depth) is a loop. */
static void say_loop(const struct graph *g, size_t from, size_t depth, struct complaints *c)
{
	const struct conf_check *k = &g->conf->checks[g->stack[from]]; /* built-in ones make no loop */
	struct buf text;
	char item[EVENT_NAME_MAX + 32];

	buf_init(&text, 600);
	for (size_t i = from; i < depth; i++) {
		if (text.len > 400) {
			buf_printf(&text, "... (%zu more) -> ", depth - i);
			break;
		}
		buf_printf(&text, "%s -> ", g->names[g->stack[i]]);
	}
	snprintf(item, sizeof(item), "checks.%s.%s", k->name, k->nparents ? "parents" : "depends_on");
	complaint_add(c, &k->at, item, NULL, "make a loop: %s%s", buf_str(&text), k->name);
	buf_fini(&text);
}

/* Depth first without recursion (a chain of parents may be 10,000 long). Each loop is said once, where its
 * first check stands in the path. */
static void walk_loops(struct graph *g, size_t root, enum colour *colour, size_t *next, struct complaints *c)
{
	size_t depth = 0;
	g->stack[depth++] = root;
	colour[root] = ON_PATH;
	next[root] = g->first[root];
	while (depth) {
		size_t at = g->stack[depth - 1];
		if (next[at] == g->first[at + 1]) {
			colour[at] = DONE;
			depth--;
			continue;
		}
		size_t parent = g->edges[next[at]++];
		if (colour[parent] == WHITE) {
			colour[parent] = ON_PATH;
			next[parent] = g->first[parent];
			g->stack[depth++] = parent;
		} else if (colour[parent] == ON_PATH) {
			size_t from = depth - 1;
			while (g->stack[from] != parent)
				from--;
			say_loop(g, from, depth, c);
		}
	}
}

static bool find_loops(struct graph *g, struct complaints *c)
{
	enum colour *colour = calloc(g->all, sizeof(*colour));
	size_t *next = calloc(g->all, sizeof(*next));
	bool ok = colour && next;
	for (size_t i = 0; ok && i < g->n; i++)
		if (colour[i] == WHITE)
			walk_loops(g, i, colour, next, c);
	free(colour);
	free(next);
	return ok;
}

/* --- needs --- */

static void needs_exist(const struct graph *g, char *const *needs, size_t n, const struct mark *at,
			const char *item, struct complaints *c)
{
	size_t number;
	for (size_t i = 0; i < n; i++)
		if (!find(g, needs[i], &number))
			no_such_check(g, at, item, needs[i], c);
}

static void all_needs_exist(const struct graph *g, struct complaints *c)
{
	const struct config *conf = g->conf;
	char item[EVENT_NAME_MAX + 64];
	for (size_t i = 0; i < conf->nlines; i++) {
		snprintf(item, sizeof(item), "lines.%s.needs", conf->lines[i].name);
		needs_exist(g, conf->lines[i].needs, conf->lines[i].nneeds, &conf->lines[i].at, item, c);
	}
	for (size_t i = 0; i < conf->ncontacts; i++)
		for (size_t j = 0; j < conf->contacts[i].nroutes; j++) {
			const struct conf_route *r = &conf->contacts[i].routes[j];
			snprintf(item, sizeof(item), "contacts.%s.routes[%u].needs", conf->contacts[i].name,
				 r->number);
			needs_exist(g, r->needs, r->nneeds, &r->at, item, c);
		}
	if (conf->has_last_resort)
		needs_exist(g, conf->last_resort.needs, conf->last_resort.nneeds, &conf->last_resort.at,
			    "last_resort.needs", c);
}

/* --- routes --- */

/* Everything that takes this check with it: itself and all above it. Counts each once a walk. */
static void mark_above(struct graph *g, size_t number)
{
	size_t depth = 0;
	if (g->seen[number] == g->walk)
		return;
	g->seen[number] = g->walk;
	g->stack[depth++] = number;
	while (depth) {
		size_t at = g->stack[--depth];
		g->lost[at]++;
		for (size_t e = g->first[at]; e < g->first[at + 1]; e++) {
			size_t parent = g->edges[e];
			if (g->seen[parent] != g->walk) {
				g->seen[parent] = g->walk;
				g->stack[depth++] = parent;
			}
		}
	}
}

static size_t mark_needs(struct graph *g, char *const *needs, size_t n)
{
	size_t number, marked = 0;
	for (size_t i = 0; i < n; i++)
		if (find(g, needs[i], &number)) {
			mark_above(g, number);
			marked++;
		}
	return marked;
}

static const struct conf_line *line_of(const struct config *conf, const struct conf_route *r)
{
	for (size_t i = 0; i < conf->nlines; i++)
		if (strcmp(conf->lines[i].name, r->line) == 0)
			return &conf->lines[i];
	return NULL;
}

/* False: at least one route needs nothing and so always remains. */
static bool mark_routes(struct graph *g, const struct conf_contact *k)
{
	memset(g->lost, 0, g->all * sizeof(*g->lost));
	for (size_t i = 0; i < k->nroutes; i++) {
		const struct conf_route *r = &k->routes[i];
		const struct conf_line *line = line_of(g->conf, r);
		g->walk++;
		size_t marked = mark_needs(g, r->needs, r->nneeds);
		if (line)
			marked += mark_needs(g, line->needs, line->nneeds);
		if (!marked)
			return false;
	}
	return k->nroutes > 0;
}

/* Whether a page about check number i may go to this contact: named itself, or by a group, a rota at any time, a step
 * of a ladder. monitord's own checks concern the default contacts. */
static bool concerns(const struct graph *g, size_t i, const struct conf_contact *k)
{
	const struct config *conf = g->conf;
	size_t contact = (size_t)(k - conf->contacts);
	if (i < g->n && conf->checks[i].ncontacts)
		return who_concerns(conf, conf->checks[i].contacts, conf->checks[i].ncontacts, contact);
	return who_concerns(conf, conf->default_contacts, conf->ndefault_contacts, contact);
}

static void say_lost(const struct graph *g, size_t i, const struct conf_contact *k, struct complaints *c)
{
	char item[EVENT_NAME_MAX + 32];
	if (i == g->n) {
		snprintf(item, sizeof(item), "contacts.%s", k->name);
		complaint_add(c, &k->at, item, NULL,
			      "no route of contact \"%s\" remains when \"self\" (this host's own link) is "
			      "down: each needs it, or a "
			      "check below it",
			      k->name);
		return;
	}
	if (i > g->n) {
		const struct conf_remote *r = &g->conf->remotes[i - g->n - 1];
		snprintf(item, sizeof(item), "remotes.%s", r->name);
		complaint_add(c, &r->at, item, NULL,
			      "no route of contact \"%s\" remains when this remote is lost: each needs a check that runs there, or one below",
			      k->name);
		return;
	}
	snprintf(item, sizeof(item), "checks.%s", g->names[i]);
	complaint_add(
		c, &g->conf->checks[i].at, item, NULL,
		"no route of contact \"%s\" remains when \"%s\" is down: each needs it, or a check below it",
		k->name, g->names[i]);
}

static void prove_contact(struct graph *g, const struct conf_contact *k, struct complaints *c)
{
	if (!mark_routes(g, k))
		return;
	for (size_t i = 0; i < g->all; i++)
		if (g->lost[i] == k->nroutes && concerns(g, i, k))
			say_lost(g, i, k, c);
}

static void prove_last_resort(const struct config *conf, struct complaints *c)
{
	if (!conf->has_last_resort)
		return;
	for (size_t i = 0; i < conf->ncontacts; i++)
		for (size_t j = 0; j < conf->contacts[i].nroutes; j++) {
			const struct conf_route *r = &conf->contacts[i].routes[j];
			char item[EVENT_NAME_MAX + 64];
			if (strcmp(r->line, conf->last_resort.line) != 0)
				continue;
			snprintf(item, sizeof(item), "contacts.%s.routes[%u].line", conf->contacts[i].name,
				 r->number);
			complaint_add(c, &r->at, item, r->line,
				      "is the line of last_resort, which monitord keeps for itself: no "
				      "contact may use it");
		}
}

bool config_lost(const struct config *conf, size_t contact, uint32_t *lost)
{
	const struct conf_contact *k = &conf->contacts[contact];
	struct graph g;
	struct complaints none;
	complaints_init(&none); /* what they say was said when it was loaded */
	memset(lost, 0, (conf->nchecks + 1 + conf->nremotes) * sizeof(*lost));
	bool ok = graph_init(&g, conf, &none);
	for (size_t i = 0; ok && i < k->nroutes && i < 32; i++) {
		const struct conf_line *line = line_of(conf, &k->routes[i]);
		g.walk++;
		mark_needs(&g, k->routes[i].needs, k->routes[i].nneeds);
		if (line)
			mark_needs(&g, line->needs, line->nneeds);
		for (size_t c = 0; c < g.all; c++)
			if (g.seen[c] == g.walk)
				lost[c] |= 1u << i;
	}
	graph_fini(&g);
	complaints_fini(&none);
	return ok;
}

static void prove(const struct config *conf, bool routes, struct complaints *c)
{
	struct graph g;
	if (graph_init(&g, conf, c) && find_loops(&g, c)) {
		all_needs_exist(&g, c);
		for (size_t i = 0; routes && i < conf->ncontacts; i++)
			prove_contact(&g, &conf->contacts[i], c);
	} else {
		complaint_add(c, NULL, NULL, NULL, "out of memory");
	}
	prove_last_resort(conf, c);
	graph_fini(&g);
}

void config_prove(const struct config *conf, struct complaints *c)
{
	prove(conf, true, c);
}

void config_prove_names(const struct config *conf, struct complaints *c)
{
	prove(conf, false, c);
}
