/*
 * dns: what each resolver says of a name, how fast, and whether it is what is expected; reverse names that
 * lead back; one serial at all name servers of a zone; validated or not. The common flags of
 * monitoring-plugins' check_dns mean the same.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/clock.h"
#include "probe.h"
#include "probes/dns/ip.h"
#include "probes/dns/open.h"
#include "probes/zone/zone.h"

enum { DNSSEC_OFF, DNSSEC_SECURE };

struct dns_conf {
	char *host, *type;
	struct opt_list expected, resolver;
	bool all, authority, forward_confirm, serials, nxdomain;
	int dnssec;
	int64_t port, answer_limit_ms;
	struct range warning, critical;
};

#define AT(member) .offset = offsetof(struct dns_conf, member)

static const struct opt dns_opts[] = {
    {.name = "host",
     .letter = 'H',
     .type = OPT_STRING,
     AT(host),
     .flags = OPT_REQUIRED,
     .unit = "NAME|ADDRESS",
     .help = "what is asked for; an address: its name"},
    {.name = "querytype",
     .letter = 'q',
     .type = OPT_STRING,
     AT(type),
     .unit = "TYPE",
     .help = "A, AAAA, MX, TXT, NS, PTR, SOA, CNAME ...; without it A and AAAA of a name, PTR of an address"},
    DNS_RESOLVER(offsetof(struct dns_conf, resolver), "each of these is asked; without it, each of resolv.conf's"),
    {.name = "expected_address",
     .letter = 'a',
     .type = OPT_LIST,
     AT(expected),
     .unit = "VALUE,...",
     .help = "one of these must be among the answers; an MX as \"10 mx.example.org\" or without its number; an address may be a "
	     "network: 192.0.2.0/24"},
    {.name = "expect_nxdomain", .letter = 'n', .type = OPT_BOOL, AT(nxdomain), .help = "there must be no such name"},
    {.name = "all",
     .letter = 'L',
     .type = OPT_BOOL,
     AT(all),
     .help = "the answers must be exactly those expected"},
    {.name = "expect_authority",
     .letter = 'A',
     .type = OPT_BOOL,
     AT(authority),
     .help = "the answer must be authoritative"},
    {.name = "forward_confirm",
     .type = OPT_BOOL,
     AT(forward_confirm),
     .help = "each address must have a name that leads back to it"},
    {.name = "serials",
     .type = OPT_BOOL,
     AT(serials),
     .help = "host is a zone: all its name servers must serve the same serial"},
    {.name = "name_server_port",
     .type = OPT_INT,
     AT(port),
     .min = 1,
     .max = 65535,
     .dflt = "53",
     .help = "for serials"},
    {.name = "dnssec",
     .type = OPT_ENUM,
     AT(dnssec),
     .choices = "off|secure",
     .dflt = "off",
     .help = "secure: the resolver must say that it validated the answer"},
    {.name = "warning",
     .letter = 'w',
     .type = OPT_RANGE,
     AT(warning),
     .unit = "SECONDS",
     .help = "WARNING when an answer takes longer"},
    {.name = "critical",
     .letter = 'c',
     .type = OPT_RANGE,
     AT(critical),
     .unit = "SECONDS",
     .help = "CRITICAL when an answer takes longer"},
    DNS_ANSWER_LIMIT(offsetof(struct dns_conf, answer_limit_ms), DNS_ANSWER_LIMIT_HELP),
    {0},
};

static void dns_check(const void *conf, struct complaints *c)
{
	const struct dns_conf *o = conf;

	if (o->host && !dns_name_ok(o->host) && !dns_ip_parse(o->host, &(struct dns_ip){0}))
		complaint_add(c, NULL, "host", o->host, "neither a name nor an address");
	if (o->type && !dns_type_from(o->type))
		complaint_add(c, NULL, "querytype", o->type,
			      "no type we know: A AAAA MX TXT NS PTR SOA CNAME SRV TLSA CAA");
	if (o->nxdomain && o->expected.n)
		complaint_add(c, NULL, "expect_nxdomain", NULL, "excludes expected_address");
	dns_servers_check(&o->resolver, "resolver", c);
}

struct dns_run {
	const struct dns_conf *o;
	struct zone_look look;
	char servers[DNS_SERVERS_MAX][64];
	size_t nservers;
	char name[400];
	uint16_t types[2];
	size_t ntypes;
	struct dns_ask v[2 * DNS_SERVERS_MAX]; /* by server, then by type */
	const char *dead, *alive;
	size_t ndead;
	double slowest;
	const char *slow;
};

static void judge_expected(struct dns_run *d, const struct dns_ask *asks)
{
	struct zone_wanted want = {.list = &d->o->expected,
				   .whole = d->o->type && strcasecmp(d->o->type, "TXT") == 0};
	char text[600], all[300] = "";
	size_t found = 0, missing = 0, stray = 0;

	for (size_t t = 0; t < d->ntypes; t++)
		for (size_t k = 0; k < asks[t].answer.n; k++) {
			size_t n = strlen(all);

			zone_value_text(&asks[t].answer.v[k], text, sizeof(text));
			snprintf(all + n, sizeof(all) - n, "%s%.100s", n ? ", " : "", text);
			stray += !zone_is_wanted(want, &asks[t].answer.v[k]);
		}
	while (zone_next_wanted(&want)) {
		size_t before = found;

		for (size_t t = 0; t < d->ntypes && found == before; t++)
			for (size_t k = 0; k < asks[t].answer.n && found == before; k++)
				found += zone_value_equal(want.now, &asks[t].answer.v[k]);
		missing += found == before;
	}
	if (d->o->expected.n && (!found || (d->o->all && (missing || stray))))
		zone_note(&d->look, NAG_CRITICAL, "expected", "%s says %s of %s, not what is expected: %s",
			  asks[0].server, all, d->name, d->o->expected.v[0]);
	else
		zone_note(&d->look, NAG_OK, "", "%s returns %s (%s, %.3f s)", d->name, all, asks[0].server,
			  (double)asks[0].answer.us / 1e6);
}

/* SERVFAIL, yet an answer when it does not validate: the signatures are bad. */
static bool bogus(struct dns_run *d, const struct dns_ask *ask)
{
	struct dns_ask again = {
	    .name = ask->name, .type = ask->type, .flags = DNS_RD | DNS_CD, .server = ask->server};
	bool answered;

	dns_ask_all(d->look.net, &again, 1, d->look.deadline);
	answered = dns_answered(&again.answer);
	dns_asks_fini(&again, 1);
	return answered;
}

static bool judge_failure(struct dns_run *d, const struct dns_ask *ask)
{
	if (dns_answered(&ask->answer))
		return false;
	if (dns_dead(&ask->answer)) {
		d->dead = d->dead ? d->dead : ask->server;
		d->ndead++;
	} else if (ask->answer.outcome == DNS_FAILED && bogus(d, ask)) {
		zone_note(&d->look, NAG_CRITICAL, "dnssec",
			  "%s is bogus: %s answers SERVFAIL, but answers when it does not validate", d->name,
			  ask->server);
	} else {
		zone_note(&d->look, NAG_CRITICAL, "answer", "of %s the resolver %s %s", d->name, ask->server,
			  ask->answer.why);
	}
	return true;
}

/* No such name is what is wanted. */
static void judge_absence(struct dns_run *d, const struct dns_ask *asks)
{
	bool absent = asks[0].answer.outcome == DNS_NO_NAME;

	zone_note(&d->look, absent ? NAG_OK : NAG_CRITICAL, "expected", absent ? "%s: no such name (%s), as expected" : "%s is there, says %s",
		  d->name, asks[0].server);
}

static void judge_server(struct dns_run *d, const struct dns_ask *asks)
{
	size_t values = 0;
	bool ad = true, aa = true;

	for (size_t t = 0; t < d->ntypes; t++) {
		double s = (double)asks[t].answer.us / 1e6;

		if (!dns_dead(&asks[t].answer) && s >= d->slowest) {
			d->slowest = s;
			d->slow = asks[t].server;
		}
		if (judge_failure(d, &asks[t]))
			return;
		values += asks[t].answer.n;
		ad &= asks[t].answer.ad;
		aa &= asks[t].answer.aa;
	}
	d->alive = d->alive ? d->alive : asks[0].server;
	if (d->o->nxdomain)
		judge_absence(d, asks);
	else if (!values)
		zone_note(&d->look, NAG_CRITICAL, "answer", "%s: %s (%s)", d->name, asks[0].answer.why,
			  asks[0].server);
	else if (d->o->dnssec == DNSSEC_SECURE && !ad)
		zone_note(&d->look, NAG_CRITICAL, "dnssec", "%s is not validated by %s", d->name,
			  asks[0].server);
	else if (d->o->authority && !aa)
		zone_note(&d->look, NAG_CRITICAL, "authority", "%s has no authority over %s", asks[0].server,
			  d->name);
	else
		judge_expected(d, asks);
}

static void judge_resolvers(struct dns_run *d)
{
	enum nag_state s;

	for (size_t i = 0; i < d->nservers; i++)
		judge_server(d, &d->v[i * d->ntypes]);
	s = d->slow ? nag_judge(d->slowest, &d->o->warning, &d->o->critical) : NAG_OK;
	if (s != NAG_OK)
		zone_note(&d->look, s, "slow", "the resolver %s takes %.3f s for %s", d->slow, d->slowest,
			  d->name);
	if (d->ndead == d->nservers)
		zone_note(&d->look, NAG_CRITICAL, "resolver", "no resolver answers: %s", d->dead);
	else if (d->ndead)
		zone_note(&d->look, NAG_WARNING, "resolver", "%zu of %zu resolvers do not answer: %s",
			  d->ndead, d->nservers, d->dead);
}

static void report(struct dns_run *d, struct result *r)
{
	if (d->look.state == NAG_OK)
		result_set(r, NAG_OK, "%.3f seconds response time. %s", d->slowest, d->look.text);
	else
		result_fail(r, d->look.state, d->look.layer, "%s", d->look.text);
	result_fact(r, "resolver_dead", d->ndead == d->nservers);
	result_fact(r, "resolvers_dead", (double)d->ndead);
	result_fact(r, "resolvers", (double)d->nservers);
	result_fact_text(r, "resolver", d->dead ? d->dead : d->slow ? d->slow : "");
	if (d->slow) {
		result_fact(r, "latency_s", d->slowest);
		result_perf(r, "time", d->slowest, "s", &d->o->warning, &d->o->critical);
	}
}

/* Which name, of which types. */
static void choose(struct dns_run *d)
{
	struct dns_ip ip;
	bool address = dns_ip_parse(d->o->host, &ip);

	if (address)
		dns_ip_name(&ip, NULL, d->name, sizeof(d->name));
	else
		snprintf(d->name, sizeof(d->name), "%s", d->o->host);
	d->ntypes = 1;
	if (d->o->type)
		d->types[0] = dns_type_from(d->o->type);
	else if (address)
		d->types[0] = DNS_PTR;
	else if (d->o->serials)
		d->types[0] = DNS_SOA;
	else
		d->types[0] = DNS_A, d->types[1] = DNS_AAAA, d->ntypes = 2;
}

static void confirm(struct dns_run *d)
{
	const struct dns_answer *answers[2 * DNS_SERVERS_MAX];
	struct dns_answer one = {.n = 1};
	struct dns_value v = {.text = d->o->host};
	struct dns_ip ip;
	size_t n = 0;

	if (dns_ip_parse(d->o->host, &ip)) {
		v.data = ip.b;
		v.len = ip.six ? 16 : 4;
		one.v = &v;
		answers[n++] = &one;
	}
	for (size_t i = 0; i < d->nservers * d->ntypes && !n; i++)
		if (d->v[i].server == d->alive && (d->types[0] == DNS_A || d->types[0] == DNS_AAAA))
			for (size_t t = 0; t < d->ntypes; t++)
				answers[n++] = &d->v[i + t].answer;
	zone_forward_confirm(&d->look, d->alive, answers, n);
}

static void ask(struct probe_run *run, struct dns_run *d)
{
	size_t n = 0;

	for (size_t i = 0; i < d->nservers; i++)
		for (size_t t = 0; t < d->ntypes; t++)
			d->v[n++] = (struct dns_ask){.name = d->name,
						     .type = d->types[t],
						     .flags = DNS_RD | DNS_AD,
						     .server = d->servers[i]};
	dns_ask_all(d->look.net, d->v, n, run->deadline);
	judge_resolvers(d);
	if (d->alive && d->o->forward_confirm)
		confirm(d);
	if (d->alive && d->o->serials)
		zone_serials(&d->look, d->alive, d->name, (int)d->o->port);
	report(d, run->result);
	dns_asks_fini(d->v, n);
}

static void look(struct probe_run *run, struct dns_net *net)
{
	const struct dns_conf *o = run->conf;
	struct dns_run *d = calloc(1, sizeof(*d));

	if (!d) {
		result_fail(run->result, NAG_UNKNOWN, "local", "out of memory");
		run->result->measured = false;
		return;
	}
	d->o = o;
	d->look = (struct zone_look){.net = net, .deadline = run->deadline, .result = run->result};
	d->nservers = dns_servers(net, d->servers, DNS_SERVERS_MAX);
	choose(d);
	probe_at_name(run, "asking for", d->name);
	ask(run, d);
	free(d);
}

static void dns_run(struct probe_run *run)
{
	const struct dns_conf *o = run->conf;
	struct dns_net *net = dns_open_for(run, &o->resolver, o->answer_limit_ms);

	if (!net)
		return;
	look(run, net);
	dns_close(net);
}

const struct probe probe_dns = {
    .name = "dns",
    .help = "what each resolver says of a name and how fast; reverse names, a zone's serials, DNSSEC",
    .place = PROBE_NET,
    .opts = dns_opts,
    .conf_size = sizeof(struct dns_conf),
    .host_option = "host",
    .check_conf = dns_check,
    .global_init = dns_global_init,
    .run = dns_run,
};
