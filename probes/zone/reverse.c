/*
 * Forward-confirmed reverse names: address to names, and each name back to its addresses.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probes/dns/ip.h"
#include "zone.h"

static struct dns_ask question(const char *name, uint16_t type, const char *server)
{
	return (struct dns_ask){.name = name, .type = type, .flags = DNS_RD, .server = server};
}

/* Whether one of the names leads back. said: the first name. */
static bool leads_back(struct zone_look *l, const char *server, const struct dns_ip *ip,
		       const struct dns_answer *names)
{
	struct dns_ask v[10];
	size_t n = names->n < 10 ? names->n : 10;
	struct dns_ip found;
	bool ok = false;

	for (size_t i = 0; i < n; i++)
		v[i] = question(names->v[i].text, ip->six ? DNS_AAAA : DNS_A, server);
	dns_ask_all(l->net, v, n, l->deadline);
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < v[i].answer.n; k++)
			ok |= dns_ip_bytes(v[i].answer.v[k].data, v[i].answer.v[k].len, &found) &&
			      dns_ip_equal(&found, ip);
	dns_asks_fini(v, n);
	return ok;
}

static void confirm(struct zone_look *l, const char *server, const struct dns_value *address)
{
	char reverse[DNS_IP_REVERSED + 16];
	struct dns_ask ask;
	struct dns_ip ip;

	if (!dns_ip_bytes(address->data, address->len, &ip))
		return;
	ask = question(dns_ip_name(&ip, NULL, reverse, sizeof(reverse)), DNS_PTR, server);
	dns_ask_all(l->net, &ask, 1, l->deadline);
	if (!dns_answered(&ask.answer))
		zone_note(l, NAG_UNKNOWN, "resolver", "the name of %s is not known: the resolver %s",
			  address->text, ask.answer.why);
	else if (!ask.answer.n)
		zone_note(l, NAG_CRITICAL, "reverse", "%s has no name: %s", address->text, ask.answer.why);
	else if (!leads_back(l, server, &ip, &ask.answer))
		zone_note(l, NAG_CRITICAL, "reverse", "the name of %s is %s, which does not lead back to it",
			  address->text, ask.answer.v[0].text);
	else
		zone_note(l, NAG_OK, "", "%s is %s and back", address->text, ask.answer.v[0].text);
	dns_asks_fini(&ask, 1);
}

void zone_forward_confirm(struct zone_look *l, const char *server, const struct dns_answer *const *answers,
			  size_t n)
{
	size_t left = ZONE_ADDRESSES_MAX;

	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < answers[i]->n && left > 0; k++, left--)
			confirm(l, server, &answers[i]->v[k]);
}
