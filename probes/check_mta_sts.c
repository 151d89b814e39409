/*
 * mta_sts: does the domain's MTA-STS hold (RFC 8461)? The TXT, the policy as it is fetched over HTTPS, and
 * every MX held against it: a policy that forgets an MX in mode enforce keeps mail away.
 */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "probe.h"
#include "probes/dns/hosts.h"
#include "probes/dns/open.h"
#include "probes/net/tls_trust.h"
#include "probes/policy/sts.h"
#include "probes/policy/tags.h"

struct sts_conf {
	char *domain, *ca_file;
	struct opt_list resolver;
	int64_t port, answer_limit_ms;
};

#define AT(member) .offset = offsetof(struct sts_conf, member)

static const struct opt sts_opts[] = {
    {.name = "domain",
     .letter = 'd',
     .type = OPT_STRING,
     AT(domain),
     .flags = OPT_REQUIRED,
     .unit = "DOMAIN",
     .help = "the domain that receives mail"},
    {.name = "port",
     .letter = 'p',
     .type = OPT_INT,
     AT(port),
     .min = 1,
     .max = 65535,
     .dflt = "443",
     .help = "where the policy is fetched"},
    {.name = "ca_file",
     .type = OPT_PATH,
     AT(ca_file),
     .help = "trusted certificates (PEM) instead of the system's"},
    DNS_RESOLVER(offsetof(struct sts_conf, resolver), DNS_RESOLVER_HELP),
    DNS_ANSWER_LIMIT(offsetof(struct sts_conf, answer_limit_ms), "how long a question, or the policy, may take"),
    {0},
};

static void sts_check(const void *conf, struct complaints *c)
{
	const struct sts_conf *o = conf;

	if (o->domain && (!dns_name_ok(o->domain) || strlen(o->domain) > 240))
		complaint_add(c, NULL, "domain", o->domain, "not a domain name");
	dns_servers_check(&o->resolver, "resolver", c);
}

struct sts_run {
	const struct sts_conf *o;
	struct dns_net *net;
	struct probe_run *run;
	struct result *r;
	char host[300];
	struct buf body;
	struct tls_check tls;
	char why[CURL_ERROR_SIZE];
	bool too_long;
};

static size_t take(char *bytes, size_t one, size_t n, void *arg)
{
	struct sts_run *s = arg;

	(void)one;
	s->too_long = !buf_add(&s->body, bytes, n);
	return s->too_long ? 0 : n;
}

static CURLcode trust(CURL *curl, void *ctx, void *arg)
{
	struct sts_run *s = arg;

	(void)curl;
	return tls_trust_apply(ctx, &s->tls, s->why, sizeof(s->why)) ? CURLE_OK : CURLE_SSL_CACERT_BADFILE;
}

static void prepare(struct sts_run *s, CURL *curl, const char *url, struct curl_slist *resolved)
{
	int64_t left = s->run->deadline - clock_boot_ms();

	left = left < 1 ? 1 : left > s->o->answer_limit_ms ? s->o->answer_limit_ms : left;
	s->tls = (struct tls_check){.verify = TLS_VERIFY_FULL, .ca_file = s->o->ca_file, .name = s->host};
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_RESOLVE, resolved);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https");
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)left);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, s);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, s->why);
	curl_easy_setopt(curl, CURLOPT_CAINFO, NULL);
	curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
	curl_easy_setopt(curl, CURLOPT_SSL_CTX_FUNCTION, trust);
	curl_easy_setopt(curl, CURLOPT_SSL_CTX_DATA, s);
}

static bool fail(struct sts_run *s, enum nag_state state, const char *layer, const char *what,
		 const char *which)
{
	result_fail(s->r, state, layer, "MTA-STS of %s: %s%s%s", s->o->domain, what, *which ? ": " : "",
		    which);
	return false;
}

static bool fetched(struct sts_run *s, CURLcode rc, long code)
{
	char text[40];

	if (s->too_long)
		return fail(s, NAG_CRITICAL, "policy", "the policy is longer than 64 KiB", "");
	if (rc == CURLE_OPERATION_TIMEDOUT)
		return fail(s, NAG_CRITICAL, "timeout", "the policy does not come in time from", s->host);
	if (rc != CURLE_OK)
		return fail(s, NAG_CRITICAL, s->tls.report.why[0] ? "tls" : "fetch",
			    "the policy cannot be fetched",
			    s->tls.report.why[0] ? s->tls.report.why
			    : s->why[0]		 ? s->why
						 : curl_easy_strerror(rc));
	snprintf(text, sizeof(text), "HTTP %ld", code);
	return code == 200 || fail(s, NAG_CRITICAL, "fetch", "the policy is not there", text);
}

/* By the addresses that our resolver gives, so that nobody else is asked. */
static bool fetch(struct sts_run *s, const struct dns_hosts *hosts)
{
	struct curl_slist *resolved = NULL;
	CURL *curl = curl_easy_init();
	char entry[1024], url[400];
	CURLcode rc = CURLE_OUT_OF_MEMORY;
	long code = 0;
	size_t n;

	n = (size_t)snprintf(entry, sizeof(entry), "%s:%d:", s->host, (int)s->o->port);
	for (size_t i = 0; i < hosts->n && n + 60 < sizeof(entry); i++)
		n += (size_t)snprintf(entry + n, sizeof(entry) - n, hosts->v[i].ip.six ? "%s[%s]" : "%s%s",
				      i ? "," : "", hosts->v[i].text);
	resolved = curl_slist_append(NULL, entry);
	snprintf(url, sizeof(url), "https://%s:%d/.well-known/mta-sts.txt", s->host, (int)s->o->port);
	if (curl && resolved) {
		prepare(s, curl, url, resolved);
		probe_at_name(s->run, "fetching the policy of", s->host);
		rc = curl_easy_perform(curl);
		curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &code);
	}
	curl_easy_cleanup(curl);
	curl_slist_free_all(resolved);
	return fetched(s, rc, code);
}

/* The TXT at _mta-sts: one that begins with v=STSv1, with an id. */
static bool record_ok(struct sts_run *s, const struct dns_answer *a)
{
	struct policy_tags t;
	const char *why, *found = NULL, *id;
	bool ok;

	if (!dns_answered(a)) {
		result_fact(s->r, "resolver_dead", dns_dead(a));
		return fail(s, NAG_UNKNOWN, "resolver", "the record is not known: the resolver", a->why);
	}
	for (size_t i = 0; i < a->n; i++) {
		if (strncmp(a->v[i].text, "v=STSv1;", 8) != 0)
			continue;
		if (found)
			return fail(s, NAG_CRITICAL, "record", "more than one TXT record: none counts", "");
		found = a->v[i].text;
	}
	if (!found)
		return fail(s, NAG_CRITICAL, "missing", "no TXT record v=STSv1 at _mta-sts",
			    a->n ? "" : a->why);
	ok = policy_tags_parse(found, &t, &why);
	id = ok ? policy_tag(&t, "id") : NULL;
	ok = id && *id && strlen(id) <= 32 &&
	     strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == strlen(id);
	policy_tags_fini(&t);
	return ok ||
	       fail(s, NAG_CRITICAL, "record", "the TXT record has no id of 1 to 32 letters and digits", "");
}

static bool every_mx_allowed(struct sts_run *s, const struct sts_policy *p, const struct dns_answer *mx)
{
	if (!dns_answered(mx))
		return fail(s, NAG_UNKNOWN, "resolver", "the MX are not known: the resolver", mx->why);
	if (!mx->n && !sts_policy_allows(p, s->o->domain))
		return fail(s, NAG_CRITICAL, "mx", "there is no MX, and the policy does not allow",
			    s->o->domain);
	for (size_t i = 0; i < mx->n; i++)
		if (!sts_policy_allows(p, mx->v[i].text))
			return fail(s, p->mode == STS_ENFORCE ? NAG_CRITICAL : NAG_WARNING, "mx",
				    "the policy does not allow the MX", mx->v[i].text);
	return true;
}

static void judge(struct sts_run *s, const struct dns_answer *mx)
{
	static const char *const names[] = {"none", "testing", "enforce"};
	struct sts_policy p = {0};
	const char *why = "a NUL in it";
	char age[24];

	if (strlen(buf_str(&s->body)) != s->body.len || !sts_policy_parse(buf_str(&s->body), &p, &why)) {
		fail(s, NAG_CRITICAL, "policy", "the policy cannot be used", why);
	} else if (p.mode == STS_NONE) {
		result_set(s->r, NAG_OK, "MTA-STS of %s is switched off (mode none)", s->o->domain);
	} else if (every_mx_allowed(s, &p, mx)) {
		snprintf(age, sizeof(age), "%lld s", (long long)p.max_age);
		if (p.max_age < 86400)
			fail(s, NAG_WARNING, "policy", "the policy is forgotten within a day, max_age", age);
		else
			result_set(s->r, NAG_OK, "MTA-STS of %s: mode %s, %zu MX allowed", s->o->domain,
				   names[p.mode], mx->n);
	}
	result_fact_text(s->r, "mode", p.copy ? names[p.mode] : "");
	sts_policy_fini(&p);
}

static void look(struct sts_run *s)
{
	char name[300];
	char *list[] = {s->host};
	struct opt_list hosts_of = {.v = list, .n = 1};
	struct dns_ask v[] = {{.name = name, .type = DNS_TXT, .flags = DNS_RD},
			      {.name = s->o->domain, .type = DNS_MX, .flags = DNS_RD}};
	struct dns_hosts *hosts = calloc(1, sizeof(*hosts));

	snprintf(name, sizeof(name), "_mta-sts.%s", s->o->domain);
	snprintf(s->host, sizeof(s->host), "mta-sts.%s", s->o->domain);
	dns_ask_all(s->net, v, 2, s->run->deadline);
	if (hosts && record_ok(s, &v[0].answer)) {
		if (!dns_hosts_find(s->net, &hosts_of, s->run->deadline, hosts))
			dns_hosts_report(hosts, s->r);
		else if (fetch(s, hosts))
			judge(s, &v[1].answer);
	}
	free(hosts);
	dns_asks_fini(v, 2);
}

static void sts_run_probe(struct probe_run *run)
{
	const struct sts_conf *o = run->conf;
	struct sts_run s = {.run = run, .o = o, .r = run->result};

	s.net = dns_open_for(run, &o->resolver, o->answer_limit_ms);
	if (!s.net)
		return;
	buf_init(&s.body, STS_FILE_MAX);
	look(&s);
	buf_fini(&s.body);
	dns_close(s.net);
}

static void sts_global_init(void)
{
	dns_global_init();
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

const struct probe probe_mta_sts = {
    .name = "mta_sts",
    .help = "does the domain's MTA-STS hold: its record, the policy over HTTPS, every MX held against it",
    .place = PROBE_NET,
    .opts = sts_opts,
    .conf_size = sizeof(struct sts_conf),
    .check_conf = sts_check,
    .global_init = sts_global_init,
    .run = sts_run_probe,
};
