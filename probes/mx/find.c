/*
 * From a domain to the hosts and addresses that take its mail (RFC 5321, 5.1; RFC 7505 for "takes none").
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mx.h"
#include "probes/dns/ask.h"

static struct mx_host *add_host(struct mx_found *f)
{
	if (f->hosts == MX_HOSTS_MAX) {
		f->hosts_dropped++;
		return NULL;
	}
	return memset(&f->host[f->hosts++], 0, sizeof(f->host[0]));
}

static void from_answer(const struct mx_conf *o, const struct dns_answer *a, struct mx_found *f)
{
	struct mx_host *h;
	size_t i;

	for (i = 0; i < a->n; i++) {
		h = a->v[i].type == DNS_MX && a->v[i].text ? add_host(f) : NULL;
		if (!h)
			continue;
		snprintf(h->name, sizeof(h->name), "%s", a->v[i].text);
		h->preference = a->v[i].number;
		h->port = (uint16_t)o->port;
	}
}

static int by_preference(const void *a, const void *b)
{
	const struct mx_host *x = a, *y = b;

	return x->preference != y->preference
		   ? (x->preference > y->preference) - (x->preference < y->preference)
		   : strcmp(x->name, y->name);
}

static void mark_backups(struct mx_found *f)
{
	size_t i;

	qsort(f->host, f->hosts, sizeof(f->host[0]), by_preference);
	for (i = 0; i < f->hosts; i++)
		f->host[i].backup = f->host[i].preference > f->host[0].preference;
}

static bool failed(const struct mx_conf *o, const struct dns_answer *a, struct result *r)
{
	if (a->outcome == DNS_NO_NAME) {
		result_fail(r, NAG_CRITICAL, "resolve", "%s: no such domain", o->domain);
		return false;
	}
	result_fail(r, NAG_UNKNOWN, "resolve", "the MX of %s cannot be looked up: %s", o->domain, a->why);
	if (dns_dead(a))
		result_fact(r, "resolver_dead", 1);
	r->measured = a->outcome != DNS_LOCAL;
	return false;
}

static bool read_hosts(const struct mx_conf *o, const struct dns_answer *a, struct mx_found *f,
		       struct result *r)
{
	struct mx_host *h;

	if (a->outcome != DNS_DATA && a->outcome != DNS_NODATA)
		return failed(o, a, r);
	from_answer(o, a, f);
	if (f->hosts == 1 && (!f->host[0].name[0] || strcmp(f->host[0].name, ".") == 0)) {
		result_fail(r, NAG_CRITICAL, "resolve", "%s says that it takes no mail (MX 0 .)", o->domain);
		return false;
	}
	f->implicit = f->hosts == 0;
	if (f->implicit && (h = add_host(f))) {
		snprintf(h->name, sizeof(h->name), "%s", o->domain);
		h->port = (uint16_t)o->port;
	}
	mark_backups(f);
	return true;
}

static bool ask_mx(const struct mx_conf *o, const char *servers, int64_t deadline, struct mx_found *f,
		   struct result *r)
{
	struct dns_ask ask = {.name = o->domain, .type = DNS_MX, .flags = DNS_RD};
	char why[DNS_WHY_MAX];
	struct dns_net *net = dns_open(servers, DNS_ANSWER_LIMIT_MS, why, sizeof(why));
	bool ok;

	if (!net) {
		result_fail(r, NAG_UNKNOWN, "local", "the MX of %s cannot be looked up: %s", o->domain, why);
		r->measured = false;
		return false;
	}
	dns_ask_all(net, &ask, 1, deadline);
	ok = read_hosts(o, &ask.answer, f, r);
	dns_asks_fini(&ask, 1);
	dns_close(net);
	return ok;
}

bool mx_fallback(const char *text, uint16_t port, struct mx_host *out)
{
	const char *colon = strrchr(text, ':');
	int64_t number = port;
	size_t n = strlen(text);

	/* an IPv6 address has many colons, and a port only behind its bracket */
	if (colon && (strchr(text, ':') == colon || colon[-1] == ']')) {
		if (!units_int(colon + 1, &number, NULL) || number < 1 || number > 65535)
			return false;
		n = (size_t)(colon - text);
	}
	if (n == 0 || n >= sizeof(out->name))
		return false;
	*out = (struct mx_host){.port = (uint16_t)number, .backup = true, .fallback = true};
	memcpy(out->name, text, n);
	return true;
}

static void add_fallbacks(const struct mx_conf *o, struct mx_found *f)
{
	struct mx_host one, *h;
	size_t i;

	for (i = 0; i < o->fallback.n; i++)
		if (mx_fallback(o->fallback.v[i], (uint16_t)o->port, &one) && (h = add_host(f)))
			*h = one;
}

static void add_visits(struct mx_found *f, size_t host, const struct net_addresses *a)
{
	size_t i;

	f->dropped += a->dropped;
	for (i = 0; i < a->n; i++) {
		if (f->n == MX_ADDRESSES_MAX) {
			f->dropped++;
			continue;
		}
		f->v[f->n].host = host;
		f->v[f->n++].address = a->v[i];
	}
}

bool mx_find(const struct mx_conf *o, const char *servers, int64_t deadline, struct mx_found *f,
	     struct result *r)
{
	int family = o->four ? AF_INET : o->six ? AF_INET6 : AF_UNSPEC;
	enum resolve_outcome outcome;
	struct net_addresses a;
	struct mx_host *h;
	size_t i;

	if (o->domain && !ask_mx(o, servers, deadline, f, r))
		return false;
	add_fallbacks(o, f);
	for (i = 0; i < f->hosts; i++) {
		h = &f->host[i];
		outcome =
		    resolve_host(h->name, h->port, family, servers, deadline, &a, h->why, sizeof(h->why));
		h->lookup = outcome != RESOLVE_OK;
		h->answered = outcome == RESOLVE_NO_NAME;
		if (!h->lookup)
			add_visits(f, i, &a);
	}
	return true;
}
