/*
 * The section peer: the other ops host. One table of keys; what no single key can say is asked at the end.
 */
#include "internal.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#define PEER(field) offsetof(struct config, peer.field)

static const struct conf_setting times[] = {
    {"interval", SET_DURATION, PEER(interval_ms), 1000, 60000, "5s"},
    {"limit", SET_DURATION, PEER(limit_ms), 3000, 3600000, "60s"},
    {"delay", SET_DURATION, PEER(delay_ms), 0, 3600000, "1m"},
    {NULL, 0, 0, 0, 0, NULL},
};
static const char *const keys[] = {"name", "other",    "listen", "address", "key",
				   "role", "interval", "limit",	 "delay"};
enum { KEYS = sizeof(keys) / sizeof(keys[0]) };

/* "192.0.2.1:7410", "[2001:db8::1]:7410". A name would make the link depend on a resolver, which may be what
 * broke. */
static bool is_literal(const char *text)
{
	char host[64];
	unsigned char address[16];
	const char *colon = strrchr(text, ':');
	size_t n = colon ? (size_t)(colon - text) : 0;
	bool bracket = n > 2 && text[0] == '[' && text[n - 1] == ']';
	if (n == 0 || n >= sizeof(host) || strspn(colon + 1, "0123456789") != strlen(colon + 1) ||
	    strlen(colon + 1) > 5 || atoi(colon + 1) < 1 || atoi(colon + 1) > 65535)
		return false;
	snprintf(host, sizeof(host), "%.*s", (int)(bracket ? n - 2 : n), text + bracket);
	return inet_pton(bracket ? AF_INET6 : AF_INET, host, address) == 1;
}

static void read_address(struct conf_loader *l, const struct node *n, const char *item, char *field,
			 size_t size)
{
	const char *text = conf_text(l, n, item);
	if (text && conf_copy(l, field, size, text, n, item) && !is_literal(text))
		complaint_add(
		    l->c, &n->at, item, text,
		    "must be a literal address and a port, such as 192.0.2.1:7410 or [2001:db8::1]:7410");
}

static void read_key_file(struct conf_loader *l, struct conf_peer *p, const struct node *n, const char *item)
{
	const char *text = conf_text(l, n, item);
	if (text && text[0] != '/' && strncmp(text, "credential:", 11) != 0)
		complaint_add(l->c, &n->at, item, NULL,
			      "must be the path of a file that holds the secret, or credential:NAME (what is "
			      "written is "
			      "not shown)");
	else if (text)
		conf_copy(l, p->key, sizeof(p->key), text, n, item);
}

static void read_role(struct conf_loader *l, struct conf_peer *p, const struct node *n, const char *item)
{
	const char *text = conf_text(l, n, item);
	if (text && strcmp(text, "primary") != 0 && strcmp(text, "stand-in") != 0)
		complaint_add(l->c, &n->at, item, text, "must be primary or stand-in");
	p->primary = text && strcmp(text, "primary") == 0;
}

static void read_one(struct conf_loader *l, struct conf_peer *p, const struct node *n)
{
	const char *item = conf_item(l, "peer.%s", n->key), *text;
	const struct conf_setting *s = conf_setting_find(times, n->key);
	if (s)
		conf_setting_read(l, s, l->conf, n, item);
	else if (strcmp(n->key, "listen") == 0)
		read_address(l, n, item, p->listen, sizeof(p->listen));
	else if (strcmp(n->key, "address") == 0)
		read_address(l, n, item, p->address, sizeof(p->address));
	else if (strcmp(n->key, "key") == 0)
		read_key_file(l, p, n, item);
	else if (strcmp(n->key, "role") == 0)
		read_role(l, p, n, item);
	else if (strcmp(n->key, "name") == 0 || strcmp(n->key, "other") == 0) {
		if ((text = conf_text(l, n, item)))
			conf_copy(l, *n->key == 'n' ? p->name : p->other, sizeof(p->name), text, n, item);
	} else
		conf_unknown(l, n, item, keys, KEYS);
}

static const struct node *find(const struct conf_section *sec, const char *key)
{
	for (size_t i = 0; i < sec->n; i++)
		if (strcmp(sec->v[i]->key, key) == 0)
			return sec->v[i];
	return NULL;
}

static void check_together(struct conf_loader *l, struct conf_peer *p, const struct conf_section *sec)
{
	for (size_t i = 0; i < 5; i++) /* name, other, listen, address, key */
		if (!find(sec, keys[i]))
			complaint_add(l->c, &sec->at, conf_item(l, "peer.%s", keys[i]), NULL, "is missing");
	if (p->name[0] && strcmp(p->name, p->other) == 0)
		complaint_add(l->c, &find(sec, "other")->at, "peer.other", p->other,
			      "is this host's own name; the two must differ");
	if (p->limit_ms < 3 * p->interval_ms)
		complaint_add(
		    l->c, &sec->at, "peer.limit", NULL,
		    "must be at least three times peer.interval, or one lost datagram is a false alarm");
	if (!find(sec, "role"))
		p->primary = strcmp(p->name, p->other) < 0;
}

static void warn_shared(struct conf_loader *l)
{
	for (size_t i = 0; i < l->conf->nchecks && !l->conf->has_peer; i++)
		if (l->conf->checks[i].shared) {
			complaint_add(&l->conf->warnings, &l->conf->checks[i].at,
				      conf_item(l, "checks.%s.shared", l->conf->checks[i].name), NULL,
				      "there is no section peer: nobody shares it");
			return;
		}
}

void conf_read_peer(struct conf_loader *l)
{
	const struct conf_section *sec = &l->sections[SEC_PEER];
	struct conf_peer *p = &l->conf->peer;
	l->conf->has_peer = sec->n > 0;
	warn_shared(l);
	if (!sec->n)
		return;
	conf_settings_defaults(times, l->conf);
	for (size_t i = 0; i < sec->n; i++)
		read_one(l, p, sec->v[i]);
	check_together(l, p, sec);
}
