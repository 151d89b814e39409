/*
 * Budgets of lines and routes: how many messages may leave within which time. Called by lines.c and, for what
 * holds on a route, by pagerd.
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

#include "units.h"

enum { BUDGET_MAX = 100000, BUDGET_DEFAULT = 60 };
static const int64_t span_min_ms = 1000, span_max_ms = 31 * 86400000LL, span_default_ms = 3600000;

static bool parse(const char *text, struct conf_budget *b, const char **why)
{
	const char *slash = strchr(text, '/');
	char *end;
	*why = "must be NUMBER/DURATION, such as 60/1h, or \"none\"";
	if (strcmp(text, "none") == 0)
		return true;
	unsigned long max = strtoul(text, &end, 10);
	if (!slash || end != slash || *text < '0' || *text > '9' ||
	    !units_duration(slash + 1, &b->span_ms, why))
		return false;
	*why = "the number must be 1 to 100000 (\"none\": no limit)";
	if (max < 1 || max > BUDGET_MAX)
		return false;
	*why = "the duration must be 1s to 31d";
	b->max = (unsigned)max;
	return b->span_ms >= span_min_ms && b->span_ms <= span_max_ms;
}

void conf_budget_read(struct conf_loader *l, struct conf_budget *b, const struct node *n, const char *item)
{
	const char *text = conf_text(l, n, item), *why;
	if (!text)
		return;
	*b = (struct conf_budget){.given = true};
	if (!parse(text, b, &why))
		complaint_add(l->c, &n->at, item, text, "%s", why);
}

struct conf_budget config_budget(const struct config *conf, const char *line, const char *to)
{
	for (size_t i = 0; i < conf->ncontacts; i++) {
		const struct conf_contact *c = &conf->contacts[i];
		for (size_t k = 0; k < c->nroutes; k++)
			if (c->routes[k].budget.given && strcmp(c->routes[k].line, line) == 0 &&
			    strcmp(c->routes[k].to, to) == 0)
				return c->routes[k].budget;
	}
	const struct conf_line *l = config_line(conf, line);
	if (l && l->budget.given)
		return l->budget;
	return (struct conf_budget){.max = BUDGET_DEFAULT, .span_ms = span_default_ms};
}
