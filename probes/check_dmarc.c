/*
 * dmarc: is the domain's DMARC record there, alone, readable, and does it ask for what is meant (RFC 7489)?
 * Where reports go to another domain, that one must have agreed.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "probe.h"
#include "probes/dns/open.h"
#include "probes/policy/orgdomain.h"
#include "probes/policy/tags.h"

enum { POLICY_ANY, POLICY_NONE, POLICY_QUARANTINE, POLICY_REJECT, RUA_MAX = 8 };

struct dmarc_conf {
	char *domain;
	struct opt_list resolver;
	int policy;
	int64_t answer_limit_ms;
};

#define AT(member) .offset = offsetof(struct dmarc_conf, member)

static const struct opt dmarc_opts[] = {
    {.name = "domain",
     .letter = 'd',
     .type = OPT_STRING,
     AT(domain),
     .flags = OPT_REQUIRED,
     .unit = "DOMAIN",
     .help = "the domain in From:"},
    {.name = "policy",
     .type = OPT_ENUM,
     AT(policy),
     .choices = "any|none|quarantine|reject",
     .dflt = "any",
     .help = "WARNING when the policy is weaker than that"},
    DNS_RESOLVER(offsetof(struct dmarc_conf, resolver), DNS_RESOLVER_HELP),
    DNS_ANSWER_LIMIT(offsetof(struct dmarc_conf, answer_limit_ms), DNS_ANSWER_LIMIT_HELP),
    {0},
};

static void dmarc_check(const void *conf, struct complaints *c)
{
	const struct dmarc_conf *o = conf;

	if (o->domain && (!dns_name_ok(o->domain) || strlen(o->domain) > 240))
		complaint_add(c, NULL, "domain", o->domain, "not a domain name");
	dns_servers_check(&o->resolver, "resolver", c);
}

struct dmarc_run {
	const struct dmarc_conf *o;
	struct dns_net *net;
	int64_t deadline;
	struct result *r;
	char org[256];
	bool inherited; /* the record is of the organisational domain */
};

static bool fail(struct dmarc_run *d, enum nag_state s, const char *layer, const char *what,
		 const char *which)
{
	result_fail(d->r, s, layer, "the DMARC record of %s %s%s%s", d->o->domain, what, *which ? ": " : "",
		    which);
	return false;
}

static int policy_of(const char *p)
{
	static const char *const names[] = {"any", "none", "quarantine", "reject"};

	for (int i = POLICY_NONE; p && i <= POLICY_REJECT; i++)
		if (strcasecmp(p, names[i]) == 0)
			return i;
	return POLICY_ANY;
}

static bool any_record(const struct dns_answer *a)
{
	for (size_t i = 0; i < a->n; i++)
		if (strncmp(a->v[i].text, "v=DMARC1", 8) == 0)
			return true;
	return false;
}

/* The one record: those that are no DMARC records do not count. */
static const char *find_record(struct dmarc_run *d, const struct dns_answer *a)
{
	const char *found = NULL;

	if (!dns_answered(a)) {
		fail(d, NAG_UNKNOWN, "resolver", "is not known: the resolver", a->why);
		result_fact(d->r, "resolver_dead", dns_dead(a));
		return NULL;
	}
	for (size_t i = 0; i < a->n; i++) {
		if (strncmp(a->v[i].text, "v=DMARC1", 8) != 0)
			continue;
		if (found) {
			fail(d, NAG_CRITICAL, "record", "is there more than once: none counts", "");
			return NULL;
		}
		found = a->v[i].text;
	}
	if (!found)
		fail(d, NAG_CRITICAL, "missing", "is not there", a->n ? "a TXT that is none" : a->why);
	return found;
}

/* "mailto:user@domain" with an optional "!10m": the domain, or NULL */
static const char *report_domain(char *uri)
{
	char *at, *end;

	while (isspace((unsigned char)*uri))
		uri++;
	at = strncasecmp(uri, "mailto:", 7) == 0 ? strrchr(uri, '@') : NULL;
	if (!at || at == uri + 7)
		return NULL;
	end = at + 1 + strcspn(at + 1, "! \t?");
	*end = '\0';
	return strchr(at + 1, '.') && dns_name_ok(at + 1) && strlen(at + 1) < 240 ? at + 1 : NULL;
}

static bool below(const char *name, const char *domain)
{
	size_t n = strlen(name), m = strlen(domain);

	return n >= m && dns_name_equal(name + n - m, domain) && (n == m || name[n - m - 1] == '.');
}

/* Another domain than ours says that it takes our reports (7.1): DOMAIN._report._dmarc.OTHER. */
static bool agreed(struct dmarc_run *d, const char *other)
{
	char name[600];
	struct dns_ask ask = {.name = name, .type = DNS_TXT, .flags = DNS_RD};
	char org[256];
	bool ok;

	if (below(other, d->o->domain) || below(d->o->domain, other) ||
	    (d->org[0] && org_domain(other, org, sizeof(org)) && dns_name_equal(org, d->org)))
		return true;
	snprintf(name, sizeof(name), "%.250s._report._dmarc.%.250s", d->inherited ? d->org : d->o->domain, other);
	dns_ask_all(d->net, &ask, 1, d->deadline);
	/* when nobody says, it is not held against the record */
	ok = !dns_answered(&ask.answer);
	for (size_t i = 0; i < ask.answer.n; i++)
		ok |= strncmp(ask.answer.v[i].text, "v=DMARC1", 8) == 0;
	dns_asks_fini(&ask, 1);
	return ok || fail(d, NAG_WARNING, "rua", "sends reports to a domain that has not agreed to take them",
			  other);
}

static bool reports_ok(struct dmarc_run *d, const char *list)
{
	char copy[2048], *save = NULL, *uri;
	const char *domain;
	size_t n = 0;

	snprintf(copy, sizeof(copy), "%s", list ? list : "");
	for (uri = strtok_r(copy, ",", &save); uri && n < RUA_MAX; uri = strtok_r(NULL, ",", &save), n++) {
		domain = report_domain(uri);
		if (!domain)
			return fail(d, NAG_WARNING, "rua", "has a reports' address that is none", uri);
		if (!agreed(d, domain))
			return false;
	}
	return true;
}

static void judge(struct dmarc_run *d, const struct policy_tags *t)
{
	const char *p = policy_tag(t, "p"), *sp = policy_tag(t, "sp"), *pct = policy_tag(t, "pct"),
		   *rua = policy_tag(t, "rua");
	const char *mine = d->inherited && sp ? sp : p;
	int policy = policy_of(p);

	result_fact_text(d->r, "policy", mine ? mine : "");
	if (strcmp(t->v[0].name, "v") != 0 || strcmp(t->v[0].value, "DMARC1") != 0)
		fail(d, NAG_CRITICAL, "record", "does not begin with v=DMARC1", "");
	else if (policy == POLICY_ANY)
		fail(d, NAG_CRITICAL, "policy", p ? "has a policy that is none" : "has no policy (no tag p)",
		     p ? p : "");
	else if (sp && policy_of(sp) == POLICY_ANY)
		fail(d, NAG_WARNING, "policy", "has a policy for subdomains that is none", sp);
	else if (pct &&
		 (strspn(pct, "0123456789") != strlen(pct) || !*pct || strlen(pct) > 3 || atoi(pct) > 100))
		fail(d, NAG_WARNING, "record", "has a percentage that is none", pct);
	else if (policy_of(mine) < d->o->policy)
		fail(d, NAG_WARNING, "policy", "is weaker than it shall be", mine);
	else if (reports_ok(d, rua))
		result_set(d->r, NAG_OK, "%s%s%s%s asks to %s what fails%s", d->o->domain, d->inherited ? " (by the record of " : "",
			   d->inherited ? d->org : "", d->inherited ? ")" : "", policy_of(mine) == POLICY_NONE ? "do nothing with" : mine,
			   rua ? "" : ", and for no reports");
}

static void judge_record(struct dmarc_run *d, const struct dns_answer *a)
{
	const char *text = find_record(d, a), *why;
	struct policy_tags t;

	if (!text)
		return;
	result_fact_text(d->r, "record", text);
	if (policy_tags_parse(text, &t, &why))
		judge(d, &t);
	else
		fail(d, NAG_CRITICAL, "record", "cannot be read", why);
	policy_tags_fini(&t);
}

/* The domain's own record; without any that of its organisational domain (6.6.3). */
static void look(struct dmarc_run *d)
{
	char name[300], above[300];
	struct dns_ask own = {.name = name, .type = DNS_TXT, .flags = DNS_RD};
	struct dns_ask org = {.name = above, .type = DNS_TXT, .flags = DNS_RD};

	if (!org_domain(d->o->domain, d->org, sizeof(d->org)))
		d->org[0] = '\0';
	snprintf(name, sizeof(name), "_dmarc.%s", d->o->domain);
	dns_ask_all(d->net, &own, 1, d->deadline);
	if (dns_answered(&own.answer) && !any_record(&own.answer) && d->org[0] && !dns_name_equal(d->org, d->o->domain)) {
		snprintf(above, sizeof(above), "_dmarc.%s", d->org);
		dns_ask_all(d->net, &org, 1, d->deadline);
		d->inherited = !dns_answered(&org.answer) || any_record(&org.answer);
	}
	judge_record(d, d->inherited ? &org.answer : &own.answer);
	if (d->inherited)
		result_fact_text(d->r, "inherited_from", d->org);
	dns_asks_fini(&own, 1);
	dns_asks_fini(&org, 1);
}

static void dmarc_run(struct probe_run *run)
{
	struct dmarc_run d = {.o = run->conf, .deadline = run->deadline, .r = run->result};

	d.net = dns_open_for(run, &d.o->resolver, d.o->answer_limit_ms);
	if (!d.net)
		return;
	probe_at_name(run, "asking for the DMARC record of", d.o->domain);
	look(&d);
	dns_close(d.net);
}

const struct probe probe_dmarc = {
    .name = "dmarc",
    .help = "is the domain's DMARC record there, readable, and as strict as it shall be",
    .place = PROBE_NET,
    .opts = dmarc_opts,
    .conf_size = sizeof(struct dmarc_conf),
    .check_conf = dmarc_check,
    .global_init = dns_global_init,
    .run = dmarc_run,
};
