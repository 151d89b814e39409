/* The codes by which a page is acknowledged; see codes.h. */
#include "codes.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "pagerd/rules/answer.h"

static bool code_is_out(const struct pager *p, const char *code, size_t *out)
{
	bool taken = false;
	*out = 0;
	for (size_t k = 0; k < p->ninc; k++) {
		const struct incident *i = p->inc[k];
		for (size_t m = 0; m < i->ncontacts; m++) {
			const struct inc_contact *c = &i->contacts[m];
			*out += c->code[0] && incident_is_problem(i);
			taken |= strcmp(c->code, code) == 0 || strcmp(c->used_code, code) == 0;
		}
	}
	return taken;
}

struct inc_contact *codes_contact(struct incident *i, const char *name)
{
	for (size_t k = 0; k < i->ncontacts; k++)
		if (strcmp(i->contacts[k].name, name) == 0)
			return &i->contacts[k];
	return NULL;
}

void codes_for(struct pager *p, struct incident *i, const char *contact, char out[8])
{
	enum { TRIES = 50 };
	struct inc_contact *c = i->ephemeral || i->phase != INC_OPEN ? NULL : codes_contact(i, contact);
	char code[CODE_DIGITS_MAX + 1] = "";
	size_t n;
	out[0] = '\0';
	const struct conf_contact *who = config_contact(p->conf, contact);
	if (!c || !who || !config_can_ack(p->conf, who))
		return;
	if (!c->code[0]) {
		code_is_out(p, "-", &n);
		for (int k = 0; k < TRIES; k++) {
			uint64_t r;
			if (getrandom(&r, sizeof r, 0) != sizeof r)
				return;
			answer_code(r, answer_code_digits(n), code);
			if (!code_is_out(p, code, &n))
				break;
			code[0] = '\0';
		}
		snprintf(c->code, sizeof c->code, "%s", code);
		i->dirty = true;
	}
	snprintf(out, 8, "%s", c->code);
}

const char *codes_of(struct incident *i, const char *contact)
{
	const struct inc_contact *c = codes_contact(i, contact);
	return c ? c->code : "";
}

void codes_share(struct incident *i, const char *contact, const char *code)
{
	struct inc_contact *c = i->phase == INC_OPEN ? codes_contact(i, contact) : NULL;
	if (c && !c->code[0])
		snprintf(c->code, sizeof c->code, "%s", code);
}
