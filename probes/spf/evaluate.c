/*
 * check_host() of RFC 7208. Depth is bounded by the limit of lookups: every include and redirect is one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spf.h"

struct eval {
	const struct spf_query *q;
	struct spf_verdict *out;
	char validated[DNS_NAME_MAX]; /* %{p}; "" not looked for yet */
};

enum match { NO_MATCH, MATCH, MATCH_TEMP, MATCH_PERM };

static enum spf_result check_host(struct eval *e, const char *domain, const char *path);

const char *spf_result_name(enum spf_result r)
{
	static const char *const names[] = {"none",	"neutral",   "pass",	 "fail",
					    "softfail", "temperror", "permerror"};

	return names[r];
}

static enum match perm(struct eval *e, const char *what, const char *where)
{
	if (!e->out->why[0])
		snprintf(e->out->why, sizeof(e->out->why), "%s: %.120s", what, where);
	return MATCH_PERM;
}

/* A term that asks the DNS. False: one too many. */
static bool count(struct eval *e)
{
	return ++e->out->lookups <= (unsigned)(e->q->count_only ? SPF_COUNT_MAX : SPF_LOOKUPS_MAX);
}

/* One look-up; *bad says that evaluation ends. */
static const struct dns_answer *look(struct eval *e, const char *name, uint16_t type, enum match *bad)
{
	const struct dns_answer *a = e->q->lookup(e->q->arg, name, type);

	*bad = NO_MATCH;
	if (!dns_answered(a)) {
		if (!e->out->why[0])
			snprintf(e->out->why, sizeof(e->out->why), "%.100s: the resolver %.80s", name,
				 a->why);
		e->out->silent = dns_dead(a) || a->outcome == DNS_LOCAL || a->outcome == DNS_REFUSES;
		*bad = MATCH_TEMP;
	} else if (a->outcome != DNS_DATA && ++e->out->voids > SPF_VOIDS_MAX && !e->q->count_only) {
		*bad = perm(e, "more than 2 look-ups find nothing, the last one", name);
	}
	return a;
}

static enum match address_match(struct eval *e, const struct spf_term *t, const char *name)
{
	enum match bad;
	const struct dns_answer *a = look(e, name, e->q->ip.six ? DNS_AAAA : DNS_A, &bad);
	struct dns_ip ip;

	for (size_t i = 0; i < a->n && !bad; i++)
		if (dns_ip_bytes(a->v[i].data, a->v[i].len, &ip) &&
		    dns_ip_within(&e->q->ip, &ip, ip.six ? t->bits6 : t->bits4))
			return MATCH;
	return bad;
}

static enum match mx_match(struct eval *e, const struct spf_term *t, const char *name)
{
	enum match m;
	const struct dns_answer *a = look(e, name, DNS_MX, &m);

	if (m)
		return m;
	if (a->n > SPF_MX_MAX)
		return perm(e, "more than 10 MX", name);
	for (size_t i = 0; i < a->n && !m; i++)
		if (a->v[i].text[0])
			m = address_match(e, t, a->v[i].text);
	return m;
}

static bool ends_with(const char *name, const char *domain)
{
	size_t n = strlen(name), d = strlen(domain);

	return n >= d && dns_name_equal(name + n - d, domain) && (n == d || name[n - d - 1] == '.');
}

/* The first name of the address that leads back to it and ends in domain (NULL: any). Errors are no match
 * (5.5). */
static bool validated(struct eval *e, const char *domain, char *out, size_t size)
{
	const struct dns_answer *names, *a;
	char reverse[DNS_IP_REVERSED + 16];
	struct dns_ip ip;

	names = e->q->lookup(e->q->arg, dns_ip_name(&e->q->ip, NULL, reverse, sizeof(reverse)), DNS_PTR);
	if (dns_answered(names) && names->outcome != DNS_DATA)
		e->out->voids++;
	for (size_t i = 0; i < names->n && i < SPF_PTR_MAX; i++) {
		if (domain && !ends_with(names->v[i].text, domain))
			continue;
		a = e->q->lookup(e->q->arg, names->v[i].text, e->q->ip.six ? DNS_AAAA : DNS_A);
		for (size_t k = 0; k < a->n; k++)
			if (dns_ip_bytes(a->v[k].data, a->v[k].len, &ip) && dns_ip_equal(&ip, &e->q->ip)) {
				snprintf(out, size, "%s", names->v[i].text);
				return true;
			}
	}
	return false;
}

static bool expand(struct eval *e, const char *spec, const char *domain, char *out, size_t size)
{
	struct spf_macros m = {.ip = &e->q->ip, .sender = e->q->sender, .helo = e->q->helo, .domain = domain};
	bool p;

	if (!spec) {
		snprintf(out, size, "%s", domain);
		return true;
	}
	spf_macro_ok(spec, &p);
	/* the domain itself is preferred, then one below it, then any (7.3) */
	if (p && !e->validated[0] && !validated(e, domain, e->validated, sizeof(e->validated)) &&
	    !validated(e, NULL, e->validated, sizeof(e->validated)))
		snprintf(e->validated, sizeof(e->validated), "unknown");
	m.validated = e->validated;
	return spf_macro_expand(spec, &m, out, size);
}

static enum match include(struct eval *e, const char *name, const char *path)
{
	switch (check_host(e, name, path)) {
	case SPF_PASS:
		return MATCH;
	case SPF_TEMPERROR:
		return MATCH_TEMP;
	case SPF_PERMERROR:
		return MATCH_PERM;
	case SPF_NONE:
		return perm(e, "an included domain has no SPF record", name);
	default:
		return NO_MATCH;
	}
}

static enum match ask_term(struct eval *e, const struct spf_term *t, const char *domain, const char *path)
{
	char name[DNS_NAME_MAX], scrap[DNS_NAME_MAX];
	enum match m;

	if (!count(e))
		return perm(e, "more than 10 terms that need the DNS, the last one", t->text);
	if (!expand(e, t->spec, domain, name, sizeof(name)) || !dns_name_ok(name))
		return t->kind == SPF_INCLUDE ? perm(e, "no domain name", t->text) : NO_MATCH;
	switch (t->kind) {
	case SPF_INCLUDE:
		return include(e, name, path);
	case SPF_A:
		return address_match(e, t, name);
	case SPF_MX:
		return mx_match(e, t, name);
	case SPF_PTR:
		m = validated(e, name, scrap, sizeof(scrap)) ? MATCH : NO_MATCH;
		return e->out->voids > SPF_VOIDS_MAX && !e->q->count_only
			   ? perm(e, "more than 2 look-ups find nothing, the last one", t->text)
			   : m;
	default:
		return look(e, name, DNS_A, &m)->outcome == DNS_DATA && !m ? MATCH : m;
	}
}

static enum match term_match(struct eval *e, const struct spf_term *t, const char *domain, const char *path)
{
	enum match m;

	if (t->kind == SPF_ALL)
		m = MATCH;
	else if (t->kind == SPF_IP4 || t->kind == SPF_IP6)
		m = dns_ip_within(&e->q->ip, &t->net, t->net.six ? t->bits6 : t->bits4) ? MATCH : NO_MATCH;
	else
		m = ask_term(e, t, domain, path);
	return m == MATCH && e->q->count_only ? NO_MATCH : m;
}

static enum spf_result redirect(struct eval *e, const char *spec, const char *domain, const char *path)
{
	char *name = malloc(DNS_NAME_MAX), deeper[400];
	enum spf_result r = SPF_PERMERROR;

	if (!name)
		return SPF_TEMPERROR;
	snprintf(deeper, sizeof(deeper), "%.240sredirect=%.120s > ", path, spec);
	if (!count(e))
		perm(e, "more than 10 terms that need the DNS, the last one", spec);
	else if (!expand(e, spec, domain, name, DNS_NAME_MAX) || !dns_name_ok(name))
		perm(e, "no domain name in redirect", spec);
	else if ((r = check_host(e, name, deeper)) == SPF_NONE) {
		perm(e, "the domain redirected to has no SPF record", name);
		r = SPF_PERMERROR;
	}
	free(name);
	return r;
}

static enum spf_result walk(struct eval *e, const struct spf_record *rec, const char *domain,
			    const char *path)
{
	char deeper[400];

	for (size_t i = 0; i < rec->n; i++) {
		const struct spf_term *t = &rec->v[i];

		snprintf(deeper, sizeof(deeper), "%.240s%.140s > ", path, t->text);
		switch (term_match(e, t, domain, deeper)) {
		case NO_MATCH:
			continue;
		case MATCH_TEMP:
			return SPF_TEMPERROR;
		case MATCH_PERM:
			return SPF_PERMERROR;
		default:
			/* an include that matched has said which of its terms did */
			if (t->kind != SPF_INCLUDE)
				snprintf(e->out->term, sizeof(e->out->term), "%.250s%.140s", path, t->text);
			return t->qualifier;
		}
	}
	if (rec->redirect && !rec->has_all)
		return redirect(e, rec->redirect, domain, path);
	e->out->term[0] = '\0';
	return SPF_NEUTRAL;
}

/* The one record among the TXTs. NULL: *r says why there is none. */
static const char *find_record(struct eval *e, const char *domain, enum spf_result *r)
{
	const struct dns_answer *a = e->q->lookup(e->q->arg, domain, DNS_TXT);
	const char *found = NULL;

	*r = SPF_NONE;
	if (!dns_answered(a)) {
		if (!e->out->why[0])
			snprintf(e->out->why, sizeof(e->out->why), "%.100s: the resolver %.80s", domain,
				 a->why);
		e->out->silent = dns_dead(a) || a->outcome == DNS_LOCAL || a->outcome == DNS_REFUSES;
		*r = SPF_TEMPERROR;
		return NULL;
	}
	for (size_t i = 0; i < a->n; i++) {
		if (!spf_record_is(a->v[i].data, a->v[i].len))
			continue;
		if (found || memchr(a->v[i].data, 0, a->v[i].len)) {
			perm(e, found ? "more than one SPF record" : "a NUL in the record", domain);
			*r = SPF_PERMERROR;
			return NULL;
		}
		found = a->v[i].text;
	}
	return found;
}

/* Not a name of one label only. */
static bool plausible(const char *domain)
{
	const char *dot = strchr(domain, '.');

	return dot && dot[1] && dns_name_ok(domain);
}

static enum spf_result check_host(struct eval *e, const char *domain, const char *path)
{
	struct spf_record rec;
	enum spf_result r = SPF_NONE;
	const char *text = plausible(domain) ? find_record(e, domain, &r) : NULL;
	char why[140];

	if (!text)
		return r;
	if (!*path)
		snprintf(e->out->record, sizeof(e->out->record), "%s", text);
	if (spf_record_parse(text, &rec, why, sizeof(why))) {
		r = walk(e, &rec, domain, path);
	} else {
		perm(e, why, domain);
		r = SPF_PERMERROR;
	}
	spf_record_fini(&rec);
	return r;
}

void spf_evaluate(const struct spf_query *q, struct spf_verdict *out)
{
	struct eval e = {.q = q, .out = out};

	*out = (struct spf_verdict){0};
	out->result = check_host(&e, q->domain, "");
}
