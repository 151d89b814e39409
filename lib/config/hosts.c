/*
 * Lists of hosts as people write them: names, addresses, and runs of them such as "mx[01-50].example.org".
 * Pure; called by expand.c for the checks that stand for many, and for the lists that come from elsewhere
 * (lists.c).
 */
#include "internal.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { HOST_BYTES_MAX = 253, RANGE_DIGITS_MAX = 9 };

void conf_hosts_fini(struct conf_hosts *h)
{
	for (size_t i = 0; i < h->n; i++)
		free(h->v[i].name);
	free(h->v);
	*h = (struct conf_hosts){.v = NULL};
}

const char *conf_bad_host(const char *s)
{
	if (!*s)
		return "a host must not be empty";
	if (strlen(s) > HOST_BYTES_MAX)
		return "a host has at most 253 bytes";
	if (*s == '.' || *s == '-')
		return "a host begins with a letter or a digit";
	for (const unsigned char *p = (const unsigned char *)s; *p; p++) {
		if (*p >= 0x80)
			return "is not ASCII; write such a domain as it stands in the DNS (xn--...)";
		if (!isalnum(*p) && !strchr(".-_:%[]", *p))
			return "is not a host: a name, an address, or a run such as mx[01-50].example.org";
	}
	return NULL;
}

bool conf_is_loopback(const char *host)
{
	struct in_addr v4;
	struct in6_addr v6;
	char bare[64];
	size_t len = strlen(host);

	if (strcasecmp(host, "localhost") == 0 || strcasecmp(host, "localhost.") == 0)
		return true;
	if (len > 10 && strcasecmp(host + len - 10, ".localhost") == 0)
		return true; /* RFC 6761 */
	if (inet_pton(AF_INET, host, &v4) == 1)
		return (ntohl(v4.s_addr) >> 24) == 127;
	if (len >= 2 && len < sizeof(bare) && host[0] == '[' && host[len - 1] == ']') {
		snprintf(bare, sizeof(bare), "%.*s", (int)len - 2, host + 1);
		host = bare;
	}
	if (inet_pton(AF_INET6, host, &v6) != 1)
		return false;
	return IN6_IS_ADDR_LOOPBACK(&v6) || (IN6_IS_ADDR_V4MAPPED(&v6) && v6.s6_addr[12] == 127);
}

static bool add(struct conf_loader *l, struct conf_hosts *h, const char *name, const struct mark *at,
		const char *item)
{
	const char *why = conf_bad_host(name);
	if (why) {
		complaint_add(l->c, at, item, name, "%s", why);
		return false;
	}
	if (h->n == CONF_HOSTS_MAX) {
		complaint_add(l->c, at, item, name, "is one host too many; at most %d are taken",
			      CONF_HOSTS_MAX);
		return false;
	}
	if (h->n == h->cap) {
		size_t cap = h->cap ? h->cap * 2 : 16;
		struct conf_host *v = realloc(h->v, cap * sizeof *v);
		if (!v)
			return false;
		h->v = v;
		h->cap = cap;
	}
	h->v[h->n] = (struct conf_host){.name = strdup(name), .at = *at};
	if (h->v[h->n].name)
		h->n++;
	return true;
}

/* "[01-50]" at s: both ends and how many digits the first has. False: it is none. */
static bool parse_range(const char *s, long *from, long *to, int *width, const char **rest)
{
	size_t a = strspn(s + 1, "0123456789"), b;
	if (!a || a > RANGE_DIGITS_MAX || s[1 + a] != '-')
		return false;
	b = strspn(s + 2 + a, "0123456789");
	if (!b || b > RANGE_DIGITS_MAX || s[2 + a + b] != ']')
		return false;
	*from = strtol(s + 1, NULL, 10);
	*to = strtol(s + 2 + a, NULL, 10);
	*width = (int)a;
	*rest = s + 3 + a + b;
	return true;
}

static bool add_range(struct conf_loader *l, struct conf_hosts *h, const char *text, const char *open,
		      const struct mark *at, const char *item)
{
	long from, to;
	int width;
	const char *rest;
	char name[2 * HOST_BYTES_MAX];
	if (!parse_range(open, &from, &to, &width, &rest))
		return add(l, h, text, at, item);
	if (to < from || to - from >= CONF_HOSTS_MAX) {
		complaint_add(l->c, at, item, text,
			      to < from ? "its end comes before its beginning"
					: "stands for more than 10000 hosts");
		return false;
	}
	bool ok = strlen(text) <= HOST_BYTES_MAX;
	if (!ok)
		complaint_add(l->c, at, item, text, "a host has at most 253 bytes");
	for (long i = from; ok && i <= to; i++) {
		snprintf(name, sizeof name, "%.*s%0*ld%s", (int)(open - text), text, width, i, rest);
		ok = add(l, h, name, at, item);
	}
	return ok;
}

bool conf_hosts_add(struct conf_loader *l, struct conf_hosts *h, const char *text, const struct mark *at,
		    const char *item)
{
	const char *open = strchr(text, '[');
	return open ? add_range(l, h, text, open, at, item) : add(l, h, text, at, item);
}

static int by_host(const void *a, const void *b)
{
	const struct conf_host *x = *(const struct conf_host *const *)a,
			       *y = *(const struct conf_host *const *)b;
	int d = strcasecmp(x->name, y->name);
	return d ? d : (x > y) - (x < y);
}

/* A host is one host however it is written; the second naming of it is a slip. */
bool conf_hosts_differ(struct conf_loader *l, const struct conf_hosts *h, const char *item)
{
	const struct conf_host **v = calloc(h->n + 1, sizeof(const struct conf_host *));
	bool ok = v != NULL;
	for (size_t i = 0; v && i < h->n; i++)
		v[i] = &h->v[i];
	if (v)
		qsort(v, h->n, sizeof(const struct conf_host *), by_host);
	for (size_t i = 1; v && i < h->n; i++) {
		const struct mark *at = &v[i - 1]->at;
		if (strcasecmp(v[i - 1]->name, v[i]->name) != 0)
			continue;
		complaint_add(l->c, &v[i]->at, item, v[i]->name, "is named twice; the first is at %s:%d:%d",
			      at->file, at->line, at->column);
		ok = false;
	}
	free(v);
	return ok;
}

bool conf_hosts_read(struct conf_loader *l, struct conf_hosts *h, const struct node *n, const char *item)
{
	char at[CONF_ITEM_BYTES];
	bool ok = true;
	snprintf(at, sizeof at, "%s", item); /* it may be the loader's buffer */
	if (n->kind == NODE_MAP || (n->kind == NODE_SCALAR && n->null) ||
	    (n->kind == NODE_SEQ && !n->nkids)) {
		complaint_add(l->c, &n->at, at, NULL,
			      "must be a list of hosts, such as [mx1.example.org, \"mx[2-9].example.org\"]");
		return false;
	}
	if (n->kind == NODE_SCALAR)
		return conf_hosts_add(l, h, n->scalar, &n->at, at);
	for (size_t i = 0; i < n->nkids && ok; i++) {
		const char *text = conf_text(l, n->kids[i], at);
		ok = text && conf_hosts_add(l, h, text, &n->kids[i]->at, at);
	}
	return ok;
}
