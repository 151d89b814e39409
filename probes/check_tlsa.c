/*
 * tlsa: DANE of a domain's mail servers, or of one port (RFC 6698, 7672): are there TLSA records, does the resolver say that they
 * are validated, and does the certificate that each address shows after STARTTLS match one of them? A record that matches no more
 * keeps the mail of all senders with DANE away, and nobody else sees it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "probe.h"
#include "probes/dns/hosts.h"
#include "probes/dns/open.h"
#include "probes/tlsa/tlsa.h"

#define AT(member) .offset = offsetof(struct tlsa_conf, member)

static const struct opt tlsa_opts[] = {
    {.name = "domain",
     .letter = 'd',
     .type = OPT_STRING,
     AT(domain),
     .unit = "DOMAIN",
     .help = "all MX of this domain; without MX records the domain itself"},
    {.name = "host", .letter = 'H', .type = OPT_STRING, AT(host), .unit = "NAME", .help = "this host instead"},
    {.name = "port",
     .letter = 'p',
     .type = OPT_INT,
     AT(port),
     .min = 1,
     .max = 65535,
     .unit = "PORT",
     .help = "default: smtp 25, tls 443, imap 143, pop3 110"},
    {.name = "protocol",
     .letter = 'P',
     .type = OPT_ENUM,
     AT(protocol),
     .dflt = "smtp",
     .choices = CERT_PROTOCOL_CHOICES,
     .help = "STARTTLS of a protocol, or tls from the first byte"},
    {.name = "rollover_days",
     .letter = 'D',
     .type = OPT_INT,
     AT(rollover_days),
     .min = 0,
     .max = 3650,
     .dflt = "14",
     .unit = "DAYS",
     .help = "WARNING when the certificate ends within so many days, the only record is of this very certificate, and none is there "
	     "for the next; 0: never"},
    {.name = "use_ipv4", .letter = '4', .type = OPT_BOOL, AT(four), .help = "only IPv4 addresses"},
    {.name = "use_ipv6", .letter = '6', .type = OPT_BOOL, AT(six), .help = "only IPv6 addresses"},
    DNS_RESOLVER(offsetof(struct tlsa_conf, resolver),
		 "ask this validating resolver instead of those of resolv.conf"),
    DNS_ANSWER_LIMIT(offsetof(struct tlsa_conf, answer_limit_ms), DNS_ANSWER_LIMIT_HELP),
    {0},
};

static void check_name(struct complaints *c, const char *item, const char *name)
{
	if (name && (!dns_name_ok(name) || strlen(name) > 240))
		complaint_add(c, NULL, item, name, "not a name");
}

static void tlsa_check(const void *conf, struct complaints *c)
{
	const struct tlsa_conf *o = conf;

	if (!o->domain == !o->host)
		complaint_add(c, NULL, "domain", NULL, "or host is required, and only one of them");
	check_name(c, "domain", o->domain);
	check_name(c, "host", o->host);
	if (o->four && o->six)
		complaint_add(c, NULL, "use_ipv6", NULL, "excludes use_ipv4");
	dns_servers_check(&o->resolver, "resolver", c);
}

static void visit(struct probe_run *run, struct tlsa_run *t, struct tlsa_host *h, const struct dns_host *at, int64_t limit_ms)
{
	struct tls_shown shown = {0};
	struct net_address to;
	char who[400];
	struct cert_look l = {.protocol = (enum cert_protocol)t->o->protocol,
			      .host = h->name,
			      .to = &to,
			      .port = t->port,
			      .deadline = clock_boot_ms() + limit_ms,
			      .run = run,
			      .shown = &shown};

	if (!resolve_literal(at->text, t->port, &to))
		return;
	snprintf(who, sizeof(who), "%s:%u [%s]", h->name, t->port, at->text);
	t->visits++;
	cert_look(&l);
	tlsa_judge(t, h, who, &l, &shown, clock_wall_ms() / 1000);
	tls_shown_fini(&shown);
}

/* How long one visit may take, when so many hosts are still to come: the last ones have their share too. */
static int64_t share(const struct probe_run *run, size_t to_come)
{
	int64_t left = run->deadline - 200 - clock_boot_ms();

	return left > 0 ? left / (int64_t)(to_come ? to_come : 1) : 0;
}

static void visit_host(struct probe_run *run, struct tlsa_run *t, struct tlsa_host *h, size_t to_come, struct dns_hosts *found)
{
	char *name = h->name;
	struct opt_list list = {.v = &name, .n = 1};
	size_t n = 0, done = 0;

	if (!dns_hosts_find(t->look.net, &list, t->look.deadline, found)) {
		bool said = dns_answered(&found->bad);

		zone_note(&t->look, said ? NAG_CRITICAL : NAG_UNKNOWN, said ? "resolve" : "resolver", "%s has no address: %s", h->name,
			  found->bad.why);
		return;
	}
	for (size_t i = 0; i < found->n; i++)
		n += found->v[i].ip.six ? !t->o->four : !t->o->six;
	for (size_t i = 0; i < found->n; i++)
		if (found->v[i].ip.six ? !t->o->four : !t->o->six)
			visit(run, t, h, &found->v[i], share(run, to_come + n - 1 - done++));
}

static void tell(struct tlsa_run *t)
{
	struct result *r = t->look.result;

	if (t->look.state == NAG_OK)
		result_set(r, NAG_OK, "%zu address%s of %zu host%s: %s", t->visits, t->visits == 1 ? "" : "es", t->hosts,
			   t->hosts == 1 ? "" : "s", t->look.text[0] ? t->look.text : "no address of this family");
	else
		result_fail(r, t->look.state, t->look.layer, "%s", t->look.text);
	result_perf(r, "addresses", (double)t->visits, "", NULL, NULL);
	result_perf(r, "failing", (double)t->failing, "", NULL, NULL);
	result_perf(r, "records", (double)t->records, "", NULL, NULL);
	if (t->visits > 0)
		result_fact(r, "tlsa_match", t->failing == 0);
	result_fact_text(r, "host", t->bad[0] ? t->bad : t->hosts ? t->host[0].name : "");
}

static void look(struct probe_run *run, struct tlsa_run *t)
{
	struct dns_hosts *found = calloc(1, sizeof(*found));

	bool any = found && tlsa_find(t);

	for (size_t i = 0; any && i < t->hosts; i++)
		if (t->host[i].n > 0)
			visit_host(run, t, &t->host[i], t->hosts - i, found);
	tell(t);
	free(found);
}

static void tlsa_run_probe(struct probe_run *run)
{
	const struct tlsa_conf *o = run->conf;
	struct tlsa_run *t = calloc(1, sizeof(*t));
	struct dns_net *net = dns_open_for(run, &o->resolver, o->answer_limit_ms);

	if (t)
		t->host = calloc(TLSA_HOSTS_MAX, sizeof(*t->host));
	if (net && t && t->host) {
		t->o = o;
		t->port = o->port ? (uint16_t)o->port : cert_port((enum cert_protocol)o->protocol);
		t->look = (struct zone_look){.net = net, .deadline = run->deadline, .result = run->result};
		probe_at_name(run, "asking for TLSA of", o->host ? o->host : o->domain);
		look(run, t);
		for (size_t i = 0; i < t->hosts; i++)
			dns_asks_fini(&t->host[i].ask, 1);
	} else if (net) {
		result_fail(run->result, NAG_UNKNOWN, "local", "out of memory");
	}
	dns_close(net);
	free(t ? t->host : NULL);
	free(t);
}

static void tlsa_global_init(void)
{
	dns_global_init();
	cert_global_init();
}

const struct probe probe_tlsa = {
    .name = "tlsa",
    .help = "DANE: are the TLSA records of a domain's mail servers validated, and does each one's certificate match",
    .place = PROBE_NET,
    .opts = tlsa_opts,
    .conf_size = sizeof(struct tlsa_conf),
    .host_option = "host",
    .check_conf = tlsa_check,
    .global_init = tlsa_global_init,
    .run = tlsa_run_probe,
};
