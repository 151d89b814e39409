/* What a message speaks of; see meant.h. */
#include "meant.h"

#include <string.h>
#include <strings.h>

#include "state.h"

static bool names_code(const struct inc_contact *c, const char *code)
{
	return strcmp(c->code, code) == 0 || strcmp(c->used_code, code) == 0;
}

static enum answer_target target_of(const struct incident *i, const struct inc_contact *c, const char *code)
{
	if (!incident_is_problem(i))
		return TARGET_OVER;
	if (i->phase == INC_ACKED)
		return TARGET_USED;
	return strcmp(c->code, code) == 0 ? TARGET_LIVE
					  : TARGET_WRONG; /* it got worse since: there is a new code */
}

static void find_code(const struct pager *p, const struct sender *s, const char *code, int may,
		      struct meant *f)
{
	f->target = TARGET_WRONG;
	/* of those that share the code of a digest one that is still open */
	for (size_t k = p->ninc; k-- > 0 && f->target != TARGET_LIVE;) {
		struct incident *i = p->inc[k];
		for (size_t m = 0; m < i->ncontacts; m++) {
			const struct inc_contact *c = &i->contacts[m];
			if (!names_code(c, code) || !sender_is(s, c->name, may))
				continue;
			enum answer_target t = target_of(i, c, code);
			if (!f->i || t == TARGET_LIVE)
				*f = (struct meant){i, c->name, i->check, t};
		}
	}
}

/* A check or an incident, as people write it. */
static void find_name(const struct pager *p, const char *name, struct meant *f)
{
	struct incident *i = pager_find(p, name);
	f->target = TARGET_WRONG;
	if (i && incident_is_problem(i)) {
		*f = (struct meant){i, NULL, i->check, TARGET_LIVE};
		return;
	}
	for (size_t k = 0; k < p->conf->nchecks; k++) {
		if (strcasecmp(p->conf->checks[k].name, name) != 0)
			continue;
		*f = (struct meant){NULL, NULL, p->conf->checks[k].name, TARGET_LIVE};
		return;
	}
}

/* The only open incident that concerns the sender. */
static void find_only(const struct pager *p, const struct sender *s, struct meant *f)
{
	size_t n = 0;
	for (size_t k = 0; k < p->ninc; k++) {
		struct incident *i = p->inc[k];
		bool concerns = false;
		for (size_t m = 0; !i->ephemeral && incident_is_problem(i) && m < i->ncontacts; m++)
			concerns |= sender_is(s, i->contacts[m].name, MAY_DOWNTIME);
		if (concerns && n++ == 0)
			*f = (struct meant){i, NULL, i->check, TARGET_LIVE};
	}
	if (n != 1)
		*f = (struct meant){.target = TARGET_NONE};
}

struct meant meant_find(const struct pager *p, const struct sender *s, const struct answer *m)
{
	struct meant f = {.target = TARGET_NONE};
	if (m->code[0])
		find_code(p, s, m->code, m->verb == ANSWER_ACK ? MAY_ACK : MAY_DOWNTIME, &f);
	else if (m->name[0])
		find_name(p, m->name, &f);
	else if (m->verb == ANSWER_DOWN || m->verb == ANSWER_UP)
		find_only(p, s, &f);
	return f;
}

/* Whether the message holds the words of a page that may have been sent to its sender. */
bool meant_echoes(const struct pager *p, const char *text)
{
	for (size_t k = 0; k < p->ninc; k++)
		if (!p->inc[k]->ephemeral && p->inc[k]->problem_text && incident_is_problem(p->inc[k]) &&
		    answer_echoes(text, p->inc[k]->problem_text))
			return true;
	return false;
}
