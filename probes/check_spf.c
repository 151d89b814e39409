/*
 * spf: does the domain's SPF record let each address send that our mail may leave from, fallbacks included? A
 * full evaluation for each, as a receiver makes it; what was asked once is remembered for the others.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/clock.h"
#include "probe.h"
#include "probes/dns/open.h"
#include "probes/dns/hosts.h"
#include "probes/spf/spf.h"

enum { CACHE_MAX = 1024 };

struct spf_conf {
	char *domain, *sender, *helo;
	struct opt_list address, resolver;
	int64_t answer_limit_ms;
	int softfail, neutral;
};

#define AT(member) .offset = offsetof(struct spf_conf, member)
#define STATES "ok|warning|critical"

static const struct opt spf_opts[] = {
    {.name = "domain",
     .letter = 'd',
     .type = OPT_STRING,
     AT(domain),
     .flags = OPT_REQUIRED,
     .unit = "DOMAIN",
     .help = "the domain of our senders' addresses"},
    {.name = "address",
     .letter = 'H',
     .type = OPT_LIST,
     AT(address),
     .flags = OPT_REQUIRED,
     .unit = "ADDRESS|NAME",
     .help = "an address mail leaves from, or a name with all its addresses, both families"},
    {.name = "sender",
     .type = OPT_STRING,
     AT(sender),
     .unit = "LOCAL@DOMAIN",
     .help = "the sender, for records with macros; else postmaster at the domain"},
    {.name = "helo",
     .type = OPT_STRING,
     AT(helo),
     .unit = "NAME",
     .help = "the name in EHLO, for macros; else the domain"},
    {.name = "softfail",
     .type = OPT_ENUM,
     AT(softfail),
     .choices = STATES,
     .dflt = "warning",
     .help = "what softfail is"},
    {.name = "neutral",
     .type = OPT_ENUM,
     AT(neutral),
     .choices = STATES,
     .dflt = "warning",
     .help = "what neutral is"},
    DNS_RESOLVER(offsetof(struct spf_conf, resolver), DNS_RESOLVER_HELP),
    DNS_ANSWER_LIMIT(offsetof(struct spf_conf, answer_limit_ms), DNS_ANSWER_LIMIT_HELP),
    {0},
};

static void spf_check(const void *conf, struct complaints *c)
{
	const struct spf_conf *o = conf;

	if (o->domain && (!dns_name_ok(o->domain) || !strchr(o->domain, '.')))
		complaint_add(c, NULL, "domain", o->domain, "not a domain name");
	if (o->sender && !strchr(o->sender, '@'))
		complaint_add(c, NULL, "sender", o->sender, "must be LOCAL@DOMAIN");
	for (size_t i = 0; i < o->address.n; i++)
		if (!dns_name_ok(o->address.v[i]) && !dns_ip_parse(o->address.v[i], &(struct dns_ip){0}))
			complaint_add(c, NULL, "address", o->address.v[i], "neither an address nor a name");
	if (o->address.n > DNS_HOSTS_MAX)
		complaint_add(c, NULL, "address", o->address.v[DNS_HOSTS_MAX], "at most %d", DNS_HOSTS_MAX);
	dns_servers_check(&o->resolver, "resolver", c);
}

/* What was asked, so that each address costs only what is new. */
struct cache {
	struct dns_net *net;
	int64_t deadline;
	struct dns_ask v[CACHE_MAX];
	size_t n;
	struct dns_answer none;
};

static const struct dns_answer *lookup(void *arg, const char *name, uint16_t type)
{
	struct cache *c = arg;
	struct dns_ask *ask = &c->v[c->n];

	for (size_t i = 0; i < c->n; i++)
		if (c->v[i].type == type && dns_name_equal(c->v[i].name, name))
			return &c->v[i].answer;
	*ask = (struct dns_ask){
	    .name = c->n < CACHE_MAX - 1 ? strdup(name) : NULL, .type = type, .flags = DNS_RD};
	if (!ask->name) {
		dns_answer_fail(&c->none, DNS_LOCAL, "is not asked: too many questions");
		return &c->none;
	}
	c->n++;
	dns_ask_all(c->net, ask, 1, c->deadline);
	return &ask->answer;
}

static void cache_free(struct cache *c)
{
	for (size_t i = 0; i < c->n; i++)
		free((char *)c->v[i].name);
	dns_asks_fini(c->v, c->n);
	free(c);
}

static enum nag_state state_of(const struct spf_conf *o, const struct spf_verdict *v)
{
	switch (v->result) {
	case SPF_PASS:
		return NAG_OK;
	case SPF_SOFTFAIL:
		return (enum nag_state)o->softfail;
	case SPF_NEUTRAL:
		return (enum nag_state)o->neutral;
	case SPF_TEMPERROR:
		return v->silent ? NAG_UNKNOWN : NAG_WARNING;
	default:
		return NAG_CRITICAL;
	}
}

/* "fail by -all", "permerror: more than ...", "none: example.org has no SPF record" */
static void words(const struct spf_conf *o, const struct spf_verdict *v, char *out, size_t size)
{
	if (v->result == SPF_NONE)
		snprintf(out, size, "none: %.100s has no SPF record", o->domain);
	else if (v->result == SPF_TEMPERROR || v->result == SPF_PERMERROR)
		snprintf(out, size, "%s: %s", spf_result_name(v->result), v->why);
	else
		snprintf(out, size, "%s by %s", spf_result_name(v->result),
			 v->term[0] ? v->term : "default, no term matches");
}

struct tally {
	struct spf_verdict worst, whole;
	enum nag_state state;
	const struct dns_host *which;
	unsigned lookups, voids;
	size_t wrong;
	char all[FACT_TEXT_MAX + 1]; /* the addresses, as many as fit */
};

static void add_address(struct tally *t, const char *address)
{
	size_t n = strlen(t->all);
	if (n + strlen(address) + 2 < sizeof(t->all))
		snprintf(t->all + n, sizeof(t->all) - n, "%s%s", n ? " " : "", address);
}

static void evaluate(const struct spf_conf *o, struct spf_query *q, const struct dns_host *h, struct tally *t,
		     struct result *r)
{
	struct spf_verdict v;
	enum nag_state state;
	char text[520];

	q->ip = h->ip;
	spf_evaluate(q, &v);
	state = state_of(o, &v);
	words(o, &v, text, sizeof(text));
	result_more(r, "%s: %s (%u look-ups)", h->text, text, v.lookups);
	add_address(t, h->text);
	t->wrong += state != NAG_OK;
	t->lookups = v.lookups > t->lookups ? v.lookups : t->lookups;
	t->voids = v.voids > t->voids ? v.voids : t->voids;
	if (!t->which || nag_worse(state, t->state) != t->state) {
		t->worst = v;
		t->state = state;
		t->which = h;
	}
}

static void facts(const struct tally *t, struct result *r)
{
	if (t->state != NAG_OK)
		result_fact_text(r, "failed_address", t->which->text);
	result_fact_text(r, "addresses", t->all);
	result_fact_text(r, "result", spf_result_name(t->worst.result));
	result_fact_text(r, "term", t->worst.term);
	result_fact_text(r, "record", t->worst.record);
	result_fact(r, "lookups", t->worst.lookups);
	result_fact(r, "lookups_whole", t->whole.lookups);
	result_fact(r, "resolver_dead", t->worst.silent);
	result_perf(r, "lookups", t->lookups, "", NULL, NULL);
	result_perf(r, "void_lookups", t->voids, "", NULL, NULL);
	result_perf(r, "lookups_whole", t->whole.lookups, "", NULL, NULL);
}

static void report(const struct spf_conf *o, const struct tally *t, size_t n, struct result *r)
{
	char text[520], more[60] = "";

	words(o, &t->worst, text, sizeof(text));
	if (t->wrong > 1)
		snprintf(more, sizeof(more), "; and %zu more of %zu addresses", t->wrong - 1, n);
	if (t->state != NAG_OK)
		result_fail(r, t->state, t->worst.silent ? "resolver" : spf_result_name(t->worst.result),
			    t->worst.silent ? "whether %s may send for %s is not known: %s%s" : "%s may not send for %s: %s%s",
			    t->which->text, o->domain, text, more);
	else if (t->whole.lookups > SPF_LOOKUPS_MAX)
		result_fail(r, NAG_WARNING, "lookups",
			    "%s needs %s%u look-ups when all its terms are gone through, 10 are allowed",
			    o->domain, t->whole.lookups > SPF_COUNT_MAX ? "more than " : "",
			    t->whole.lookups > SPF_COUNT_MAX ? SPF_COUNT_MAX : t->whole.lookups);
	else
		result_set(r, NAG_OK, "%zu address%s may send for %s, %u look-ups", n, n == 1 ? "" : "es",
			   o->domain, t->lookups);
	facts(t, r);
}

static void evaluate_all(struct probe_run *run, struct cache *cache, const struct dns_hosts *hosts)
{
	const struct spf_conf *o = run->conf;
	struct spf_query q = {
	    .domain = o->domain, .helo = o->helo ? o->helo : o->domain, .lookup = lookup, .arg = cache};
	struct tally t = {.state = NAG_OK};
	char sender[400];

	snprintf(sender, sizeof(sender), "postmaster@%s", o->domain);
	q.sender = o->sender ? o->sender : sender;
	for (size_t i = 0; i < hosts->n; i++)
		evaluate(o, &q, &hosts->v[i], &t, run->result);
	q.count_only = true;
	spf_evaluate(&q, &t.whole);
	report(o, &t, hosts->n, run->result);
}

static void with_net(struct probe_run *run, struct dns_net *net)
{
	const struct spf_conf *o = run->conf;
	struct cache *cache = calloc(1, sizeof(*cache));
	struct dns_hosts *hosts = calloc(1, sizeof(*hosts));

	if (!cache || !hosts) {
		result_fail(run->result, NAG_UNKNOWN, "local", "out of memory");
		run->result->measured = false;
	} else {
		cache->net = net;
		cache->deadline = run->deadline;
		if (dns_hosts_find(net, &o->address, run->deadline, hosts))
			evaluate_all(run, cache, hosts);
		else
			dns_hosts_report(hosts, run->result);
	}
	free(hosts);
	if (cache)
		cache_free(cache);
}

static void spf_run(struct probe_run *run)
{
	const struct spf_conf *o = run->conf;
	struct dns_net *net = dns_open_for(run, &o->resolver, o->answer_limit_ms);

	if (!net)
		return;
	probe_at_name(run, "evaluating SPF of", o->domain);
	with_net(run, net);
	dns_close(net);
}

const struct probe probe_spf = {
    .name = "spf",
    .help = "does the domain's SPF record let every address send that mail may leave from (RFC 7208)",
    .place = PROBE_NET,
    .opts = spf_opts,
    .conf_size = sizeof(struct spf_conf),
    .check_conf = spf_check,
    .global_init = dns_global_init,
    .run = spf_run,
};
