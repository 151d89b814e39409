/*
 * The services of hosts; see services.h. Each is drafted as strictly as it may be, with milder variants
 * behind: TLS with a certificate that is right, TLS with any certificate, and for what speaks STARTTLS none
 * at all. Called by propose.c.
 */
#include "services.h"

#include <arpa/inet.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/json.h"
#include "draft.h"
#include "look.h"
#include "site.h"

#define CERTIFICATE_DAYS "21,7"
enum { DAY_MS = 86400000 };

/* How each is checked. tls: from the first byte. port: where the probe looks by itself. */
static const struct {
	const char *probe;
	bool tls;
	int port;
} kinds[SERVICES] = {
    [SERVICE_SMTP] = {"smtp", false, 25},  [SERVICE_SUBMISSION] = {"smtp", false, 25},
    [SERVICE_SMTPS] = {"smtp", true, 465}, [SERVICE_IMAP] = {"imap", false, 143},
    [SERVICE_IMAPS] = {"imap", true, 993}, [SERVICE_POP3] = {"pop3", false, 110},
    [SERVICE_POP3S] = {"pop3", true, 995},
};

static bool is_smtp(int service)
{
	return service <= SERVICE_SMTPS;
}

/* Whether this host has a way to an IPv6 address. A UDP connect asks the routing table and sends nothing. */
static bool has_way(const char *address)
{
	struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_port = htons(25)};
	if (inet_pton(AF_INET6, address, &a.sin6_addr) != 1)
		return true;
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool ok = fd >= 0 && connect(fd, (const struct sockaddr *)&a, sizeof a) == 0;
	if (fd >= 0)
		close(fd);
	return ok;
}

static void set_families(struct draft *one, const struct site_host *h)
{
	size_t four = 0, six = 0, shut = 0;
	for (size_t i = 0; i < h->n; i++) {
		four += !strchr(h->v[i], ':');
		six += strchr(h->v[i], ':') != NULL;
		shut += !has_way(h->v[i]);
	}
	if (four && shut) {
		draft_set(one, "use_ipv4", "yes");
		draft_note(one, "this host has no way out by IPv6, so only its IPv4 addresses are asked");
	}
	if (four + (shut ? 0 : six) > 1)
		draft_set(one, "all_addresses", "yes");
}

static void smtp_variants(struct draft *one, int service, const struct wish *w)
{
	bool tls = kinds[service].tls;
	draft_set(one, tls ? "tls" : "starttls", "yes");
	draft_set(one, "certificate", CERTIFICATE_DAYS);
	draft_set(one, "verify", "full");
	if (w->ca_file)
		draft_set(one, "ca_file", w->ca_file);
	draft_variant(one);
	/* with a file of authorities the default is to verify */
	draft_set(one, "verify", "off");
	draft_unset(one, "ca_file");
	if (tls)
		return;
	draft_variant(one); /* asks whether STARTTLS is offered at all */
	draft_unset(one, "starttls");
	draft_unset(one, "certificate");
	draft_unset(one, "verify");
	draft_append(one, "extensions", "STARTTLS");
	draft_variant(one);
	draft_unset(one, "extensions");
}

static void store_variants(struct draft *one, int service, const struct wish *w)
{
	bool tls = kinds[service].tls;
	draft_set(one, tls ? "tls" : "starttls", "yes");
	draft_set(one, "certificate", CERTIFICATE_DAYS);
	draft_set(one, "verify", "yes");
	if (w->ca_file)
		draft_set(one, "ca_file", w->ca_file);
	draft_variant(one);
	draft_unset(one, "verify");
	draft_unset(one, "ca_file");
	if (tls)
		return;
	draft_variant(one);
	draft_unset(one, "starttls");
	draft_unset(one, "certificate");
}

/* Where is knocked: an address of each family. */
static void set_doors(struct draft *one, const struct site_host *h)
{
	for (size_t i = h->n; i-- > 0;)
		one->doors[strchr(h->v[i], ':') != NULL] = h->v[i];
}

static void draft_service(struct drafts *d, const struct site *s, size_t host, int service,
			  const struct wish *w)
{
	const struct site_host *h = &s->hosts[host];
	struct draft *one = draft_add(d, h->name, wish_service(service), kinds[service].probe, NULL);
	if (!one)
		return;
	one->service = service;
	one->section = host + 1;
	one->optional = service != SERVICE_SMTP || !site_is_mx(h);
	set_doors(one, h);
	draft_set(one, "host", h->name);
	if (w->ports[service] != kinds[service].port)
		draft_set_int(one, "port", w->ports[service]);
	if (is_smtp(service)) {
		draft_resolvers(one, "dns_servers", w);
		set_families(one, h);
		smtp_variants(one, service, w);
	} else {
		store_variants(one, service, w);
	}
}

/* Its name must lead to the addresses that it leads to today. */
static void draft_name(struct drafts *d, const struct site *s, size_t host, const struct wish *w)
{
	const struct site_host *h = &s->hosts[host];
	struct draft *one = draft_add(d, h->name, "dns", "dns", "5m");
	if (!one)
		return;
	one->section = host + 1;
	draft_set(one, "host", h->name);
	for (size_t i = 0; i < h->n; i++)
		draft_append(one, "expected_address", h->v[i]);
	if (h->n && !h->left_out)
		draft_set(one, "all", "yes");
	draft_resolvers(one, "resolver", w);
}

void services_draft(struct drafts *d, const struct site *s, const struct wish *w)
{
	for (size_t i = 0; i < s->n; i++) {
		if (!s->hosts[i].name[0])
			continue;
		for (int k = 0; k < SERVICES; k++)
			if (s->hosts[i].n || (k == SERVICE_SMTP && site_is_mx(&s->hosts[i])))
				draft_service(d, s, i, k, w);
		if (!w->address && !s->in_table)
			draft_name(d, s, i, w);
	}
}

/* --- after they were tried --- */

static bool offers_no_tls(const struct draft *one)
{
	return one->service <= SERVICE_SUBMISSION
		   ? one->chosen == 3
		   : (one->service == SERVICE_IMAP || one->service == SERVICE_POP3) && one->chosen == 2;
}

/* imap and pop3 cannot be told which resolver to ask; a name that only the wished one knows is none to them.
 */
static bool cannot_ask(const struct draft *one, const struct wish *w)
{
	return w->resolvers.n && !is_smtp(one->service) && !one->dead &&
	       strcmp(look_layer(one->results[0]), "resolve") == 0;
}

static void choose(struct draft *one, const struct wish *w)
{
	const cJSON *strict = one->results[0];
	/* STARTTLS is offered, and does not work: that is what shall be seen */
	if (one->service <= SERVICE_SUBMISSION && one->chosen == 2)
		one->chosen = 1;
	if (one->optional && (one->dead || (!look_ok(one->results[one->chosen]) && !strict))) {
		one->fate = DRAFT_GONE;
	} else if (cannot_ask(one, w)) {
		one->fate = DRAFT_NOTE;
		draft_note(
		    one,
		    "%s: somebody answers, but this host's own resolver does not know the name, and the "
		    "probe asks no other: %s",
		    one->name, look_text(strict));
	} else if (offers_no_tls(one)) {
		draft_note(one, "offers no STARTTLS: what is said there can be read on the way");
	} else if (!look_ok(strict) && look_ok(one->results[one->chosen])) {
		draft_note(one, "the certificate is not verified; with that it would be %s today: %s",
			   look_state(strict), look_text(strict));
	} else if (!look_ok(strict)) {
		/* nothing was OK: the milder of those with TLS tells what is wrong. Where nobody was met, who
		 * knows what is offered there: the mildest */
		one->chosen = one->results[1] ? 1 : one->nvariants - 1;
	}
}

/* What is on a host hangs on its first service, so that a dead host pages once. */
static void adopt(struct drafts *d)
{
	for (size_t i = 0; i < d->n; i++) {
		size_t first = i;
		if (d->v[i].service < 0 || d->v[i].fate != DRAFT_CHECK)
			continue;
		while (first > 0 && d->v[first - 1].section == d->v[i].section)
			first--;
		while (first < i && (d->v[first].service < 0 || d->v[first].fate != DRAFT_CHECK))
			first++;
		if (first < i)
			d->v[i].parent = first + 1;
	}
}

/* A usual name (mail., imap. ...) that leads somewhere, but to no mail: nothing of it is proposed. */
static void drop_strangers(struct drafts *d, const struct site *s)
{
	for (size_t h = 0; h < s->n && s->kind == SITE_DOMAIN; h++) {
		bool any = site_is_mx(&s->hosts[h]);
		for (size_t i = 0; i < d->n; i++)
			any |= d->v[i].section == h + 1 && d->v[i].service >= 0 && d->v[i].fate == DRAFT_CHECK;
		for (size_t i = 0; i < d->n && !any; i++)
			if (d->v[i].section == h + 1)
				d->v[i].fate = DRAFT_GONE;
	}
}

void services_choose(struct drafts *d, const struct site *s, const struct wish *w)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->v[i].service >= 0)
			choose(&d->v[i], w);
	drop_strangers(d, s);
	adopt(d);
}

void services_tell(const struct draft *one, char *out, size_t size)
{
	double days = look_number(draft_result(one), "cert_days", NAN);
	char date[32] = "";
	out[0] = '\0';
	if (one->service < 0 || isnan(days))
		return;
	clock_iso(clock_wall_ms() + (int64_t)days * DAY_MS, date, sizeof date);
	date[10] = '\0';
	snprintf(out, size, "%s, certificate %s %s", kinds[one->service].tls ? "TLS" : "STARTTLS",
		 days < 0 ? "ended" : "until", date);
}
