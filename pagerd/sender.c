/* Who a message is from; see sender.h. */
#include "sender.h"

#include <string.h>

#include "pagerd/rules/number.h"

static const char *country(const struct config *conf)
{
	return conf->country ? conf->country : "";
}

static bool has_number(const struct config *conf, const struct conf_contact *c, const char *from)
{
	for (size_t i = 0; i < c->reply.nfrom; i++)
		if (number_same(from, c->reply.from[i], country(conf)))
			return true;
	for (size_t i = 0; !c->reply.nfrom && i < c->nroutes; i++)
		if (config_route_answers(conf, &c->routes[i]) && number_same(from, c->routes[i].to, country(conf)))
			return true;
	return false;
}

void sender_find(const struct config *conf, const char *from, struct sender *s)
{
	*s = (struct sender){.n = 0};
	for (size_t i = 0; i < conf->ncontacts && s->n < SENDER_CONTACTS_MAX; i++) {
		const struct conf_contact *c = &conf->contacts[i];
		if (!c->reply.may || !has_number(conf, c, from))
			continue;
		s->who[s->n++] = c;
		s->may |= c->reply.may;
	}
}

bool sender_is(const struct sender *s, const char *contact, int may)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->who[i]->name, contact) == 0)
			return s->who[i]->reply.may & may;
	return false;
}

const struct conf_line *sender_line(const struct config *conf, const char *from)
{
	for (size_t i = 0; i < conf->nlines; i++)
		if (conf->lines[i].number[0] && number_same(from, conf->lines[i].number, country(conf)))
			return &conf->lines[i];
	return NULL;
}
