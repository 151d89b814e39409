/*
 * dnsbl: are our outbound addresses on a list of bad ones? Every list is asked about every address and about
 * its own test entries, all at the same time; a list that does not pass its test, or that refuses our
 * resolver, says nothing about us.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "probe.h"
#include "probes/dns/open.h"
#include "probes/dns/hosts.h"
#include "probes/dnsbl/survey.h"

struct dnsbl_conf {
	struct opt_list address, list, resolver;
	int64_t answer_limit_ms, unusable;
};

#define AT(member) .offset = offsetof(struct dnsbl_conf, member)

static const struct opt dnsbl_opts[] = {
    {.name = "address",
     .letter = 'H',
     .type = OPT_LIST,
     AT(address),
     .flags = OPT_REQUIRED,
     .unit = "ADDRESS|NAME",
     .help = "an address mail leaves from, or a name with all its addresses, both families"},
    {.name = "list",
     .letter = 'l',
     .type = OPT_LIST,
     AT(list),
     .flags = OPT_REQUIRED,
     .unit = "ZONE",
     .help = "a list's zone; behind it may stand codes=2-11,20 (the documented 127.0.0.x), control=no (it "
	     "has no test "
	     "entries), warning (being on it is a WARNING)"},
    {.name = "unusable",
     .type = OPT_INT,
     AT(unusable),
     .min = 0,
     .max = DNSBL_LISTS_MAX,
     .help = "how many lists may be dead, or refuse our resolver, before the result is UNKNOWN"},
    DNS_RESOLVER(offsetof(struct dnsbl_conf, resolver), DNS_RESOLVER_HELP),
    DNS_ANSWER_LIMIT(offsetof(struct dnsbl_conf, answer_limit_ms), DNS_ANSWER_LIMIT_HELP),
    {0},
};

static void dnsbl_check(const void *conf, struct complaints *c)
{
	const struct dnsbl_conf *o = conf;
	struct dnsbl_list list;
	const char *why;

	for (size_t i = 0; i < o->list.n; i++)
		if (!dnsbl_list_parse(o->list.v[i], &list, &why))
			complaint_add(c, NULL, "list", o->list.v[i], "%s", why);
	if (o->list.n > DNSBL_LISTS_MAX)
		complaint_add(c, NULL, "list", o->list.v[DNSBL_LISTS_MAX], "at most %d lists",
			      DNSBL_LISTS_MAX);
	for (size_t i = 0; i < o->address.n; i++)
		if (!dns_name_ok(o->address.v[i]) && !dns_ip_parse(o->address.v[i], &(struct dns_ip){0}))
			complaint_add(c, NULL, "address", o->address.v[i], "neither an address nor a name");
	if (o->address.n > DNS_HOSTS_MAX)
		complaint_add(c, NULL, "address", o->address.v[DNS_HOSTS_MAX], "at most %d", DNS_HOSTS_MAX);
	dns_servers_check(&o->resolver, "resolver", c);
}

/* Why each listed address is: a second round, of the listed ones only. */
static void ask_reasons(struct dns_net *net, struct dnsbl_survey *s, int64_t deadline)
{
	struct dns_ask *v = calloc(s->nhits + 1, sizeof(*v));

	if (!v)
		return;
	for (size_t i = 0; i < s->nhits; i++) {
		const struct dnsbl_hit *h = &s->hits[i];

		v[i] = (struct dns_ask){
		    .name = s->rows[h->row].address[h->host].name, .type = DNS_TXT, .flags = DNS_RD};
	}
	dns_ask_all(net, v, s->nhits, deadline);
	for (size_t i = 0; i < s->nhits; i++)
		if (v[i].answer.n > 0)
			snprintf(s->hits[i].reason, sizeof(s->hits[i].reason), "%s", v[i].answer.v[0].text);
	dns_asks_fini(v, s->nhits);
	free(v);
}

static void hit_text(const struct dnsbl_survey *s, const struct dnsbl_hit *h, char *out, size_t size)
{
	snprintf(out, size, "%s is on %s (%s)%s%s", s->hosts->v[h->host].text, s->rows[h->row].list.zone,
		 h->answer, h->reason[0] ? ": " : "", h->reason);
}

static void report_hits(const struct dnsbl_survey *s, struct result *r)
{
	enum nag_state state = NAG_WARNING;
	const struct dnsbl_hit *first = NULL;
	char text[800], more[40] = "";

	for (size_t i = 0; i < s->nhits; i++) {
		const struct dnsbl_hit *h = &s->hits[i];

		if (!s->rows[h->row].list.warning)
			state = NAG_CRITICAL;
		if (!first || (s->rows[first->row].list.warning && !s->rows[h->row].list.warning))
			first = h;
	}
	if (s->nhits + s->more_hits > 1)
		snprintf(more, sizeof(more), "; and %zu more", s->nhits + s->more_hits - 1);
	hit_text(s, first, text, sizeof(text));
	result_fail(r, state, "listed", "%s%s", text, more);
	result_fact_text(r, "address", s->hosts->v[first->host].text);
	result_fact_text(r, "list", s->rows[first->row].list.zone);
	result_fact_text(r, "answer", first->answer);
	for (size_t i = 0; i < s->nhits && s->nhits > 1; i++) {
		hit_text(s, &s->hits[i], text, sizeof(text));
		result_more(r, "%s", text);
	}
}

static void report_unusable(const struct dnsbl_survey *s, size_t allowed, struct result *r)
{
	const struct dnsbl_row *first = NULL;

	for (size_t i = 0; i < s->nrows; i++) {
		const struct dnsbl_row *row = &s->rows[i];

		if (row->usable)
			continue;
		first = first ? first : row;
		result_more(r, "%s %s", row->list.zone, row->why);
	}
	if (s->nhits > 0 || s->unusable <= allowed)
		return;
	if (s->dead == s->n)
		result_fail(r, NAG_UNKNOWN, "resolver", "none of %zu lists could be asked: the resolver %s",
			    s->nrows, s->v[0].answer.why);
	else if (s->unusable == 1)
		result_fail(r, NAG_UNKNOWN, "list", "%s %s", first->list.zone, first->why);
	else
		result_fail(r, NAG_UNKNOWN, "list", "%zu of %zu lists say nothing: %s %s", s->unusable,
			    s->nrows, first->list.zone, first->why);
}

static void report(const struct dnsbl_conf *o, const struct dnsbl_survey *s, double seconds, struct result *r)
{
	result_set(r, NAG_OK, "%zu address%s on none of %zu list%s", s->hosts->n,
		   s->hosts->n == 1 ? "" : "es", s->nrows - s->unusable,
		   s->nrows - s->unusable == 1 ? "" : "s");
	if (s->nhits > 0)
		report_hits(s, r);
	report_unusable(s, (size_t)o->unusable, r);
	result_fact(r, "listed", (double)(s->nhits + s->more_hits));
	result_fact(r, "lists_asked", (double)s->nrows);
	result_fact(r, "lists_unusable", (double)s->unusable);
	result_fact(r, "resolver_dead", s->n > 0 && s->dead == s->n);
	result_perf(r, "time", seconds, "s", NULL, NULL);
	result_perf(r, "listed", (double)(s->nhits + s->more_hits), "", NULL, NULL);
	result_perf(r, "lists", (double)s->nrows, "", NULL, NULL);
	result_perf(r, "unusable", (double)s->unusable, "", NULL, NULL);
}

static void out_of_memory(struct result *r)
{
	result_fail(r, NAG_UNKNOWN, "local", "out of memory");
	r->measured = false;
}

static void survey(struct probe_run *run, struct dns_net *net, const struct dns_hosts *hosts)
{
	const struct dnsbl_conf *o = run->conf;
	struct dnsbl_survey s = {
	    .hosts = hosts, .nrows = o->list.n, .rows = calloc(o->list.n + 1, sizeof(*s.rows))};
	int64_t start = clock_boot_us();
	const char *why;

	for (size_t i = 0; s.rows && i < o->list.n; i++)
		dnsbl_list_parse(o->list.v[i], &s.rows[i].list, &why);
	if (s.rows && dnsbl_plan(&s)) {
		dns_ask_all(net, s.v, s.n, run->deadline);
		dnsbl_evaluate(&s);
		if (s.nhits > 0)
			ask_reasons(net, &s, run->deadline);
		report(o, &s, (double)(clock_boot_us() - start) / 1e6, run->result);
	} else {
		out_of_memory(run->result);
	}
	dnsbl_survey_fini(&s);
}

static void find_and_survey(struct probe_run *run, struct dns_net *net)
{
	const struct dnsbl_conf *o = run->conf;
	struct dns_hosts *hosts = calloc(1, sizeof(*hosts));

	if (!hosts) {
		out_of_memory(run->result);
		return;
	}
	if (dns_hosts_find(net, &o->address, run->deadline, hosts))
		survey(run, net, hosts);
	else
		dns_hosts_report(hosts, run->result);
	free(hosts);
}

static void dnsbl_run(struct probe_run *run)
{
	const struct dnsbl_conf *o = run->conf;
	struct dns_net *net = dns_open_for(run, &o->resolver, o->answer_limit_ms);

	if (!net)
		return;
	probe_at(run, "asking lists");
	find_and_survey(run, net);
	dns_close(net);
}

const struct probe probe_dnsbl = {
    .name = "dnsbl",
    .help = "are the addresses that mail leaves from on a list of bad ones; many lists at once, each tested "
	    "itself",
    .place = PROBE_NET,
    .opts = dnsbl_opts,
    .conf_size = sizeof(struct dnsbl_conf),
    .check_conf = dnsbl_check,
    .global_init = dns_global_init,
    .run = dnsbl_run,
};
