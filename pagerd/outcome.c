/* Outcomes; see outcome.h. */
#include "outcome.h"

#include <string.h>

#include "contacts.h"
#include "lines.h"
#include "pacing.h"

bool outcome_is_weak(struct pager *p, const char *line, const struct stamp *now)
{
	struct route_view v = {.line = line, .to = ""};
	lines_look(p->lines, &v, now->boot_ms);
	return !v.confirms;
}

/* The contact wants it confirmed, and a route is left that this page has not used. */
static bool may_confirm(struct pager *p, const struct call *c, const char *line, const char *to,
			const struct stamp *now)
{
	struct route_view v[PAGER_VIEWS_MAX];
	const struct conf_contact *k = config_contact(p->conf, c->contact);
	if (!k || !k->confirm || c->only_line)
		return false;
	size_t n = contacts_routes(p, c, now->boot_ms, v, PAGER_VIEWS_MAX);
	for (size_t i = 0; i < n; i++)
		if ((strcmp(v[i].line, line) != 0 || strcmp(v[i].to, to) != 0) && !call_is_spent(c, &v[i], 1))
			return true;
	return false;
}

bool outcome_apply(struct pager *p, struct call *c, unsigned attempt, const char *line, enum outcome o,
		   const char *detail, const struct stamp *now)
{
	const char *to = "";
	for (size_t k = 0; k < c->nattempts; k++)
		if (c->attempts[k].n == attempt)
			to = c->attempts[k].to;
	if (o == OUTCOME_SENT && outcome_is_weak(p, line, now))
		return call_sent_weakly(c, attempt, detail, may_confirm(p, c, line, to, now), now);
	return call_outcome(c, attempt, o, detail, now, 2 * p->deadline_ms);
}

void outcome_spend(struct pager *p, const char *line, const char *to, enum outcome o, const struct stamp *now)
{
	struct conf_budget b = config_budget(p->conf, line, to);
	struct purse *spent = pacing_purse(p->pacing, line, to);
	if (spent && o != OUTCOME_RETRY && o != OUTCOME_REFUSED)
		purse_spend(spent, b.max, b.span_ms, now->boot_ms);
}
