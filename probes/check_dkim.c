/*
 * dkim: is the public key of each selector published, readable, strong enough, and meant for use? What
 * receivers need to accept our signatures.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "probe.h"
#include "probes/dns/open.h"
#include "probes/policy/key.h"
#include "probes/policy/tags.h"

enum { SELECTORS_MAX = 32 };

struct dkim_conf {
	char *domain;
	struct opt_list selector, resolver;
	int64_t bits_warning, bits_critical, answer_limit_ms;
};

#define AT(member) .offset = offsetof(struct dkim_conf, member)

static const struct opt dkim_opts[] = {
    {.name = "domain",
     .letter = 'd',
     .type = OPT_STRING,
     AT(domain),
     .flags = OPT_REQUIRED,
     .unit = "DOMAIN",
     .help = "the domain that signs (d= of a signature)"},
    {.name = "selector",
     .letter = 'S',
     .type = OPT_LIST,
     AT(selector),
     .flags = OPT_REQUIRED,
     .unit = "NAME",
     .help = "a selector in use (s= of a signature)"},
    {.name = "bits_warning",
     .type = OPT_INT,
     AT(bits_warning),
     .min = 0,
     .max = 65536,
     .dflt = "2048",
     .help = "WARNING when an RSA key has fewer bits"},
    {.name = "bits_critical",
     .type = OPT_INT,
     AT(bits_critical),
     .min = 0,
     .max = 65536,
     .dflt = "1024",
     .help = "CRITICAL when an RSA key has fewer bits"},
    DNS_RESOLVER(offsetof(struct dkim_conf, resolver), DNS_RESOLVER_HELP),
    DNS_ANSWER_LIMIT(offsetof(struct dkim_conf, answer_limit_ms), DNS_ANSWER_LIMIT_HELP),
    {0},
};

static const char *key_name(const struct dkim_conf *o, size_t i, char out[600])
{
	snprintf(out, 600, "%.250s._domainkey.%.250s", o->selector.v[i], o->domain);
	return out;
}

static void dkim_check(const void *conf, struct complaints *c)
{
	const struct dkim_conf *o = conf;
	char name[600];

	for (size_t i = 0; o->domain && i < o->selector.n; i++)
		if (i >= SELECTORS_MAX || !dns_name_ok(key_name(o, i, name)))
			complaint_add(c, NULL, "selector", o->selector.v[i], "%s",
				      i >= SELECTORS_MAX ? "at most 32"
							 : "selector and domain do not make a name");
	dns_servers_check(&o->resolver, "resolver", c);
}

struct finding {
	enum nag_state state;
	const char *layer;
	char text[300];
	int bits;
};

static void find(struct finding *f, enum nag_state s, const char *layer, const char *what)
{
	f->state = s;
	f->layer = layer;
	snprintf(f->text, sizeof(f->text), "%s", what);
}

static void judge_key(const struct dkim_conf *o, const struct policy_tags *t, struct finding *f)
{
	const char *k = policy_tag(t, "k"), *p = policy_tag(t, "p"), *flags = policy_tag(t, "t"), *why = "";
	char text[200];
	enum dkim_key key = p && *p ? dkim_key_read(p, k, &f->bits, &why) : DKIM_KEY_BAD;

	if (!p) {
		find(f, NAG_CRITICAL, "key", "has no key (no tag p)");
	} else if (!*p) {
		find(f, NAG_CRITICAL, "revoked", "is revoked (p is empty)");
	} else if (key == DKIM_KEY_BAD) {
		snprintf(text, sizeof(text), "cannot be read: %s", why);
		find(f, NAG_CRITICAL, "key", text);
	} else if (key == DKIM_KEY_UNKNOWN) {
		snprintf(text, sizeof(text), "is of a kind that receivers do not know: k=%.60s", k);
		find(f, NAG_CRITICAL, "key", text);
	} else if (key == DKIM_KEY_RSA && f->bits < o->bits_warning) {
		snprintf(text, sizeof(text), "is weak: RSA of %d bits", f->bits);
		find(f, f->bits < o->bits_critical ? NAG_CRITICAL : NAG_WARNING, "weak", text);
	} else if (flags &&
		   (strcmp(flags, "y") == 0 || strncmp(flags, "y:", 2) == 0 || strstr(flags, ":y"))) {
		find(f, NAG_WARNING, "testing",
		     "says that it is only being tested (t=y): receivers may ignore it");
	} else {
		snprintf(text, sizeof(text), key == DKIM_KEY_RSA ? "is RSA of %d bits" : "is Ed25519",
			 f->bits);
		find(f, NAG_OK, "", text);
	}
}

static void judge(const struct dkim_conf *o, const struct dns_answer *a, struct finding *f)
{
	struct policy_tags t;
	const char *v, *why;
	char text[200];

	if (a->outcome != DNS_DATA) {
		bool said = dns_answered(a);

		snprintf(text, sizeof(text),
			 said ? "is not there: %.120s" : "is not known: the resolver %.120s", a->why);
		find(f, said ? NAG_CRITICAL : NAG_UNKNOWN, said ? "missing" : "resolver", text);
		return;
	}
	if (a->n > 1) {
		find(f, NAG_CRITICAL, "record",
		     "stands in more than one TXT record: receivers take any of them, or none");
		return;
	}
	if (!policy_tags_parse(a->v[0].text, &t, &why)) {
		snprintf(text, sizeof(text), "cannot be read: %s", why);
		find(f, NAG_CRITICAL, "record", text);
	} else if ((v = policy_tag(&t, "v")) && (strcmp(v, "DKIM1") != 0 || t.v[0].value != v)) {
		find(f, NAG_CRITICAL, "record", "has a version that is not DKIM1, or not in front");
	} else {
		judge_key(o, &t, f);
	}
	policy_tags_fini(&t);
}

static void report(const struct dkim_conf *o, const struct dns_ask *v, struct result *r)
{
	struct finding f, worst = {.state = NAG_OK};
	const char *which = v[0].name;
	bool dead = false;

	for (size_t i = 0; i < o->selector.n; i++) {
		f = (struct finding){0};
		judge(o, &v[i].answer, &f);
		dead |= dns_dead(&v[i].answer);
		result_more(r, "%s %s", v[i].name, f.text);
		if (i == 0 || nag_worse(f.state, worst.state) != worst.state) {
			worst = f;
			which = v[i].name;
		}
		if (f.bits)
			result_perf(r, o->selector.v[i], f.bits, "", NULL, NULL);
	}
	if (worst.state == NAG_OK)
		result_set(r, NAG_OK, "the key %s %s%s", which, worst.text,
			   o->selector.n > 1 ? ", the others are as good" : "");
	else
		result_fail(r, worst.state, worst.layer, "the key %s %s", which, worst.text);
	result_fact_text(r, "key", which);
	result_fact(r, "resolver_dead", dead);
}

static void ask(struct probe_run *run, struct dns_net *net)
{
	const struct dkim_conf *o = run->conf;
	struct dns_ask v[SELECTORS_MAX];
	char(*names)[600] = calloc(SELECTORS_MAX, sizeof(*names));

	if (!names) {
		result_fail(run->result, NAG_UNKNOWN, "local", "out of memory");
		run->result->measured = false;
		return;
	}
	for (size_t i = 0; i < o->selector.n; i++)
		v[i] = (struct dns_ask){.name = key_name(o, i, names[i]), .type = DNS_TXT, .flags = DNS_RD};
	dns_ask_all(net, v, o->selector.n, run->deadline);
	report(o, v, run->result);
	dns_asks_fini(v, o->selector.n);
	free(names);
}

static void dkim_run(struct probe_run *run)
{
	const struct dkim_conf *o = run->conf;
	struct dns_net *net = dns_open_for(run, &o->resolver, o->answer_limit_ms);

	if (!net)
		return;
	probe_at_name(run, "asking for keys of", o->domain);
	ask(run, net);
	dns_close(net);
}

const struct probe probe_dkim = {
    .name = "dkim",
    .help = "is each DKIM key published, readable, strong enough and in use",
    .place = PROBE_NET,
    .opts = dkim_opts,
    .conf_size = sizeof(struct dkim_conf),
    .check_conf = dkim_check,
    .global_init = dns_global_init,
    .run = dkim_run,
};
