/*
 * From a domain to its mail servers and their TLSA records, and whether the resolver says that they are
 * validated: without that no sender takes them (RFC 7672, 2.1). Called by check_tlsa.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tlsa.h"

static bool add_host(struct tlsa_run *t, const char *name)
{
	struct tlsa_host *h = t->hosts < TLSA_HOSTS_MAX ? &t->host[t->hosts] : NULL;

	if (!h || strlen(name) >= sizeof(h->name))
		return false;
	snprintf(h->name, sizeof(h->name), "%s", name);
	snprintf(h->owner, sizeof(h->owner), "_%u._tcp.%s", t->port, name);
	h->ask = (struct dns_ask){.name = h->owner, .type = DNS_TLSA, .flags = DNS_RD | DNS_AD};
	t->hosts++;
	return true;
}

static bool unknown(struct tlsa_run *t, const char *what, const char *of, const struct dns_answer *a)
{
	result_fact(t->look.result, "resolver_dead", dns_dead(a));
	zone_note(&t->look, NAG_UNKNOWN, "resolver", "the %s of %s are not known: the resolver %s", what, of,
		  a->why);
	return false;
}

static bool take_mx(struct tlsa_run *t, const struct dns_answer *a)
{
	const char *domain = t->o->domain;
	size_t left = 0;

	if (!dns_answered(a))
		return unknown(t, "MX", domain, a);
	if (a->n && !a->ad)
		zone_note(&t->look, NAG_WARNING, "dnssec",
			  "the MX of %s are not validated (the resolver says no AD): who forges them takes "
			  "the mail",
			  domain);
	for (size_t i = 0; i < a->n; i++)
		left += !add_host(t, a->v[i].text);
	if (left)
		zone_note(&t->look, NAG_WARNING, "mx",
			  "%zu MX of %s were left out, more than %d or with too long a name", left, domain,
			  TLSA_HOSTS_MAX);
	if (a->n == 1 && (!a->v[0].text[0] || strcmp(a->v[0].text, ".") == 0)) {
		zone_note(&t->look, NAG_CRITICAL, "resolve", "%s says that it takes no mail (MX 0 .)",
			  domain);
		return false;
	}
	return a->n || add_host(t, domain);
}

static bool find_hosts(struct tlsa_run *t)
{
	struct dns_ask mx = {.name = t->o->domain, .type = DNS_MX, .flags = DNS_RD | DNS_AD};
	bool ok;

	if (t->o->host)
		return add_host(t, t->o->host);
	dns_ask_all(t->look.net, &mx, 1, t->look.deadline);
	ok = take_mx(t, &mx.answer);
	dns_asks_fini(&mx, 1);
	return ok;
}

/* SERVFAIL, yet an answer when nobody validates: bad signatures. */
static void failed(struct tlsa_run *t, struct tlsa_host *h)
{
	struct dns_ask again = {.name = h->owner, .type = DNS_TLSA, .flags = DNS_RD | DNS_CD};

	dns_ask_all(t->look.net, &again, 1, t->look.deadline);
	if (dns_answered(&again.answer))
		zone_note(&t->look, NAG_CRITICAL, "dnssec",
			  "%s is bogus: mail from senders with DANE is deferred", h->owner);
	else
		unknown(t, "TLSA records", h->owner, &h->ask.answer);
	dns_asks_fini(&again, 1);
}

static void read_records(struct tlsa_run *t, struct tlsa_host *h)
{
	const struct dns_answer *a = &h->ask.answer;

	for (size_t i = 0; i < a->n && h->n < TLSA_RECORDS_MAX; i++) {
		if (tlsa_read(a->v[i].data, a->v[i].len, &h->v[h->n]))
			h->n++;
		else
			h->garbled++;
	}
	t->records += a->n;
	h->counts = a->ad;
	if (!a->ad)
		zone_note(&t->look, NAG_WARNING, "dnssec",
			  "the TLSA records of %s do not count: not validated (the resolver says no AD)",
			  h->owner);
	if (h->garbled)
		zone_note(&t->look, NAG_WARNING, "record", "%s: %zu TLSA records that cannot be read",
			  h->owner, h->garbled);
}

bool tlsa_find(struct tlsa_run *t)
{
	struct dns_ask v[TLSA_HOSTS_MAX];

	if (!find_hosts(t))
		return false;
	for (size_t i = 0; i < t->hosts; i++)
		v[i] = t->host[i].ask;
	dns_ask_all(t->look.net, v, t->hosts, t->look.deadline);
	for (size_t i = 0; i < t->hosts; i++) {
		struct tlsa_host *h = &t->host[i];

		h->ask = v[i];
		if (h->ask.answer.outcome == DNS_FAILED)
			failed(t, h);
		else if (!dns_answered(&h->ask.answer))
			unknown(t, "TLSA records", h->owner, &h->ask.answer);
		else if (h->ask.answer.n == 0)
			zone_note(&t->look, NAG_CRITICAL, "missing", "%s has no TLSA record: %s", h->owner,
				  h->ask.answer.why);
		else
			read_records(t, h);
	}
	return true;
}
