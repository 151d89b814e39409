/* Mail exchangers and addresses; see site.h. Called by propose.c. */
#include "site.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/config/run.h"
#include "lib/json.h"
#include "lib/literal.h"

enum { EXPAND_MS = 10000, EXPAND_OUT_MAX = 4 << 20, EXPAND_LINE_MAX = 1 << 20 };

/* Where clients of a domain are usually sent. */
static const char *const usual[] = {"mail", "smtp", "imap", "pop", "pop3", "mx"};
enum { USUAL = sizeof usual / sizeof usual[0] };

bool site_is_mx(const struct site_host *h)
{
	return h->preference >= 0;
}

/* --- asking --- */

struct question {
	char from[WISH_HOST_MAX + 16];
	cJSON *answer;
};

static void ask(struct question *v, size_t n, const struct wish *w, const char *prober)
{
	struct buf in, out;
	char why[300] = "";
	size_t i = 0;
	buf_init(&in, EXPAND_OUT_MAX);
	buf_init(&out, EXPAND_OUT_MAX);
	for (size_t k = 0; k < n; k++) {
		cJSON *o = cJSON_CreateObject();
		cJSON_AddStringToObject(o, "from", v[k].from);
		if (w->resolvers.n)
			cJSON_AddItemToObject(o, "resolver",
					      cJSON_CreateStringArray((const char *const *)w->resolvers.v,
								      (int)w->resolvers.n));
		json_line(o, &in);
		cJSON_Delete(o);
	}
	bool ok = config_run(prober, "--expand", &in, EXPAND_MS, &out, why, sizeof why);
	const char *line = buf_str(&out);
	for (size_t len; *line && i < n; line += len + (line[len] == '\n')) {
		len = strcspn(line, "\n");
		v[i++].answer = json_parse(line, len, EXPAND_LINE_MAX, NULL);
	}
	for (; i < n; i++) {
		v[i].answer = cJSON_CreateObject();
		cJSON_AddStringToObject(v[i].answer, "what", "dns");
		cJSON_AddStringToObject(v[i].answer, "why", ok ? "the prober did not answer" : why);
	}
	buf_fini(&in);
	buf_fini(&out);
}

static bool answered(const cJSON *a)
{
	return json_bool(a, "ok", false);
}

static bool is(const cJSON *a, const char *what)
{
	return !answered(a) && strcmp(json_str(a, "what", "dns"), what) == 0;
}

/* --- hosts --- */

static struct site_host *add_host(struct site *s, const char *said, int preference)
{
	if (s->n == SITE_HOSTS_MAX)
		return NULL;
	struct site_host *h = &s->hosts[s->n];
	size_t len = strlen(said);
	*h = (struct site_host){.said = strdup(said), .preference = preference};
	if (len && said[len - 1] == '.')
		len--;
	if (!h->said)
		return NULL;
	if (len <= WISH_HOST_MAX)
		memcpy(h->name, said, len);
	if (!wish_is_name(h->name) && !literal_is_address(h->name)) {
		snprintf(h->why, sizeof h->why, "is no name of a host");
		h->name[0] = '\0';
	}
	s->n++;
	return h;
}

static int by_preference(const void *a, const void *b)
{
	const struct site_host *x = a, *y = b;
	return x->preference != y->preference ? x->preference - y->preference : strcasecmp(x->said, y->said);
}

static void add_exchangers(struct site *s, const cJSON *a)
{
	const cJSON *h, *hosts = cJSON_GetObjectItemCaseSensitive(a, "hosts");
	const cJSON *preferences = cJSON_GetObjectItemCaseSensitive(a, "preferences");
	int i = 0;
	cJSON_ArrayForEach(h, hosts)
	{
		const cJSON *p = cJSON_GetArrayItem(preferences, i++);
		if (s->n == SITE_MX_MAX)
			s->mx_left_out++;
		else if (cJSON_IsString(h))
			add_host(s, h->valuestring, cJSON_IsNumber(p) ? p->valueint : 0);
	}
	qsort(s->hosts, s->n, sizeof s->hosts[0], by_preference);
}

static void add_address(struct site_host *h, const char *address)
{
	if (!literal_is_address(address))
		return;
	if (h->n == SITE_ADDRESSES_MAX)
		h->left_out++;
	else
		snprintf(h->v[h->n++], SITE_ADDRESS_BYTES, "%s", address);
}

static void take_addresses(struct site_host *h, const cJSON *a)
{
	const cJSON *v;
	cJSON_ArrayForEach(v, cJSON_GetObjectItemCaseSensitive(a, "hosts")) if (cJSON_IsString(v))
	    add_address(h, v->valuestring);
	if (!h->n)
		snprintf(h->why, sizeof h->why, "%s", json_str(a, "why", "has no address"));
}

static bool same_addresses(const struct site_host *a, const struct site_host *b)
{
	for (size_t i = 0; i < a->n; i++) {
		bool there = false;
		for (size_t k = 0; k < b->n; k++)
			there |= strcmp(a->v[i], b->v[k]) == 0;
		if (!there)
			return false;
	}
	return true;
}

/* A usual name without an address of its own adds nothing. */
static bool adds_nothing(const struct site *s, const struct site_host *h)
{
	for (const struct site_host *o = s->hosts; o < h; o++)
		if (o->n && same_addresses(h, o))
			return true;
	return !h->n;
}

static void add_usual(struct site *s, const char *domain)
{
	char name[WISH_HOST_MAX + 1];
	for (size_t i = 0; i < USUAL; i++) {
		bool there = snprintf(name, sizeof name, "%s.%s", usual[i], domain) >= (int)sizeof name;
		for (size_t k = 0; k < s->n; k++)
			there |= strcasecmp(s->hosts[k].name, name) == 0;
		if (!there)
			add_host(s, name, -1);
	}
}

/* Addresses of all hosts, in one go; then usual names that are nothing new go again. */
static void find_addresses(struct site *s, const struct wish *w, const char *prober)
{
	struct question q[SITE_HOSTS_MAX] = {0};
	size_t kept = 0;
	for (size_t i = 0; i < s->n; i++)
		snprintf(q[i].from, sizeof q[i].from, "address:%s",
			 s->hosts[i].name[0] ? s->hosts[i].name : "invalid.invalid");
	ask(q, s->n, w, prober);
	for (size_t i = 0; i < s->n; i++) {
		if (s->hosts[i].name[0])
			take_addresses(&s->hosts[i], q[i].answer);
		cJSON_Delete(q[i].answer);
	}
	for (size_t i = 0; i < s->n; i++) {
		s->hosts[kept] = s->hosts[i];
		if (!site_is_mx(&s->hosts[kept]) && s->kind != SITE_HOST && adds_nothing(s, &s->hosts[kept]))
			free(s->hosts[kept].said);
		else
			kept++;
	}
	s->n = kept;
}

/* --- the subject --- */

static bool nothing(const struct wish *w, const char *why)
{
	fprintf(stderr, "monitorctl: %s: %s\n", w->subject, why);
	return false;
}

static bool dns_silent(const struct wish *w, const cJSON *a)
{
	fprintf(
	    stderr,
	    "monitorctl: of %s nothing is known: %s; is the resolver right (/etc/resolv.conf, --resolver)?\n",
	    w->subject, json_str(a, "why", "the DNS does not answer"));
	return false;
}

/* A domain without an MX: mail goes to its own address (RFC 5321, 5.1), when it has one. */
static bool find_host(struct site *s, const struct wish *w, const cJSON *address)
{
	if (is(address, "dns"))
		return dns_silent(w, address);
	if (is(address, "no name"))
		return nothing(w, "the DNS says that there is no such name");
	s->kind = answered(address) ? SITE_HOST : SITE_BARE;
	if (s->kind == SITE_BARE && !w->outbound.n && !w->selectors.n)
		return nothing(
		    w, "has neither an MX record nor an address: nothing takes its mail, and there is "
		       "nothing to look at (--outbound or --selector, if it only sends)");
	if (s->kind == SITE_HOST) {
		struct site_host *h = add_host(s, w->subject, -1);
		if (h)
			take_addresses(h, address);
	}
	return true;
}

static bool has_name(const struct hostent *e, const char *name)
{
	bool same = strcasecmp(e->h_name, name) == 0;
	for (char **a = e->h_aliases; *a && !same; a++)
		same = strcasecmp(*a, name) == 0;
	return same;
}

/* A host that only this host's own table (/etc/hosts) knows, as the checks will ask it too. */
static bool find_in_table(struct site *s, const struct wish *w)
{
	char address[SITE_ADDRESS_BYTES];
	struct site_host *h = NULL;
	if (w->resolvers.n)
		return false;
	sethostent(1);
	for (struct hostent *e; (e = gethostent());) {
		if (!has_name(e, w->subject) || !inet_ntop(e->h_addrtype, e->h_addr, address, sizeof address))
			continue;
		h = h ? h : add_host(s, w->subject, -1);
		if (h)
			add_address(h, address);
	}
	endhostent();
	s->in_table = h != NULL;
	return s->in_table;
}

static bool understand(struct site *s, const struct wish *w, const cJSON *mx, const cJSON *address)
{
	if (!answered(mx) && !answered(address) && !is(mx, "null") && find_in_table(s, w))
		return true;
	if (is(mx, "dns"))
		return dns_silent(w, mx);
	if (is(mx, "no name"))
		return nothing(w, strchr(w->subject, '.') ? "the DNS says that there is no such name"
							  : "the DNS says that there is no such name; write it whole, with its "
							    "domain");
	if (is(mx, "null")) {
		s->kind = SITE_NULL_MX;
		return true;
	}
	if (!answered(mx))
		return find_host(s, w, address);
	s->kind = SITE_DOMAIN;
	add_exchangers(s, mx);
	return true;
}

bool site_find(struct site *s, const struct wish *w, const char *prober)
{
	struct question q[2] = {0};
	*s = (struct site){.kind = SITE_HOST};
	if (w->address) {
		struct site_host *h = add_host(s, w->subject, -1);
		if (h)
			add_address(h, w->subject);
		return h != NULL;
	}
	snprintf(q[0].from, sizeof q[0].from, "mx:%s", w->subject);
	snprintf(q[1].from, sizeof q[1].from, "address:%s", w->subject);
	ask(q, 2, w, prober);
	bool ok = understand(s, w, q[0].answer, q[1].answer);
	cJSON_Delete(q[0].answer);
	cJSON_Delete(q[1].answer);
	if (ok && s->kind == SITE_DOMAIN) {
		add_usual(s, w->subject);
		find_addresses(s, w, prober);
	}
	return ok;
}

void site_fini(struct site *s)
{
	while (s->n)
		free(s->hosts[--s->n].said);
}
