/*
 * The section remotes: other hosts whose checks are run there, by a prober behind one kept ssh connection.
 * Called by the loader before the checks are read. Whatever becomes an argument of ssh is held against a
 * narrow set of characters here: nothing that begins with "-", nothing that ssh itself would expand or split.
 */
#include "internal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "units.h"

#define REMOTE(field) offsetof(struct conf_remote, field)

/* A name becomes that of the check self.remote.NAME. */
enum { NAME_BYTES_MAX = 80 };

static const struct conf_setting settings[] = {
    {"port", SET_INT, REMOTE(port), 1, 65535, "22"},
    {"connect_timeout", SET_DURATION, REMOTE(connect_ms), 1000, 120000, "10s"},
    {"interval", SET_DURATION, REMOTE(beat_ms), 100, 60000, "5s"},
    {"limit", SET_DURATION, REMOTE(limit_ms), 300, 600000, "20s"},
    {"delay", SET_DURATION, REMOTE(delay_ms), 0, 3600000, "30s"},
    {NULL, 0, 0, 0, 0, NULL},
};
static const char *const keys[] = {"host",  "user",    "jump", "identity",	  "known_hosts",
				   "ssh",   "command", "port", "connect_timeout", "interval",
				   "limit", "delay"};
enum { KEYS = sizeof(keys) / sizeof(keys[0]) };

static bool only(const char *s, const char *extra)
{
	for (; *s; s++)
		if (!isalnum((unsigned char)*s) && !strchr(extra, *s))
			return false;
	return true;
}

static const char *bad_user(const char *s)
{
	return *s && *s != '-' && only(s, "._-@+") ? NULL : "is no user name: letters, digits and . _ @ + -";
}

static const char *bad_host(const char *s)
{
	const char *why = conf_bad_host(s);
	return why ? why : only(s, ".-_:") ? NULL : "is not one host: a name or an address, without brackets";
}

/* "[user@]host[:port]", as ssh -J has it; an address of IPv6 in brackets. */
static const char *bad_jump(const char *s)
{
	return *s && *s != '-' && !strstr(s, "@-") && only(s, "._-@:[]+")
		   ? NULL
		   : "is no jump host: [USER@]HOST[:PORT]";
}

static const char *bad_path(const char *s)
{
	if (*s != '/' && strncmp(s, "credential:", 11) != 0)
		return "must be an absolute path (not what is in the file)";
	return only(s, "/._-@+:,=")
		   ? NULL
		   : "holds what ssh would expand or split: letters, digits and / . _ - @ + : , = only";
}

static const char *bad_command(const char *s)
{
	if (!*s || *s == '-' || *s == ' ')
		return "must name a program";
	for (; *s; s++)
		if (*s < ' ' || *s > '~')
			return "holds what is no printable ASCII";
	return NULL;
}

static void read_text(struct conf_loader *l, const struct node *n, const char *item, char *field, size_t size,
		      const char *(*bad)(const char *))
{
	const char *text = conf_text(l, n, item), *why = text ? bad(text) : NULL;
	if (why)
		complaint_add(l->c, &n->at, item, bad == bad_path ? NULL : text, "%s", why);
	else if (text)
		conf_copy(l, field, size, text, n, item);
}

static void read_one(struct conf_loader *l, struct conf_remote *r, const struct node *n)
{
	const char *item = conf_item(l, "remotes.%s.%s", r->name, n->key);
	const struct conf_setting *s = conf_setting_find(settings, n->key);
	if (s)
		conf_setting_read(l, s, r, n, item);
	else if (strcmp(n->key, "host") == 0)
		read_text(l, n, item, r->host, sizeof r->host, bad_host);
	else if (strcmp(n->key, "user") == 0)
		read_text(l, n, item, r->user, sizeof r->user, bad_user);
	else if (strcmp(n->key, "jump") == 0)
		read_text(l, n, item, r->jump, sizeof r->jump, bad_jump);
	else if (strcmp(n->key, "identity") == 0)
		read_text(l, n, item, r->identity, sizeof r->identity, bad_path);
	else if (strcmp(n->key, "known_hosts") == 0)
		read_text(l, n, item, r->known_hosts, sizeof r->known_hosts, bad_path);
	else if (strcmp(n->key, "ssh") == 0)
		read_text(l, n, item, r->ssh, sizeof r->ssh, bad_path);
	else if (strcmp(n->key, "command") == 0)
		read_text(l, n, item, r->command, sizeof r->command, bad_command);
	else
		conf_unknown(l, n, item, keys, KEYS);
}

static void defaults(struct conf_remote *r, const struct node *map)
{
	snprintf(r->name, sizeof r->name, "%s", map->key);
	conf_settings_defaults(settings, r);
	r->at = map->key_at;
	snprintf(r->identity, sizeof r->identity, "/etc/monitord/ssh/id_ed25519");
	snprintf(r->known_hosts, sizeof r->known_hosts, "/etc/monitord/ssh/known_hosts");
	snprintf(r->ssh, sizeof r->ssh, "/usr/bin/ssh");
	snprintf(r->command, sizeof r->command, "monitord-prober --stdio");
}

static void read_remote(struct conf_loader *l, const struct node *map)
{
	struct conf_remote *r = &l->conf->remotes[l->conf->nremotes];
	if (!conf_name(l, map, "remotes"))
		return;
	if (strlen(map->key) > NAME_BYTES_MAX) {
		complaint_add(l->c, &map->key_at, "remotes", map->key, "a remote's name has at most %d bytes",
			      NAME_BYTES_MAX);
		return;
	}
	defaults(r, map);
	l->conf->nremotes++;
	if (map->kind != NODE_MAP && !(map->kind == NODE_SCALAR && map->null)) {
		complaint_add(l->c, &map->at, conf_item(l, "remotes.%s", r->name), NULL,
			      "must be a map of settings");
		return;
	}
	for (size_t i = 0; i < map->nkids; i++)
		read_one(l, r, map->kids[i]);
	if (!tree_get(map, "host") && bad_host(r->name))
		complaint_add(l->c, &r->at, conf_item(l, "remotes.%s.host", r->name), NULL,
			      "is missing, and the remote's name is no host");
	else if (!tree_get(map, "host"))
		snprintf(r->host, sizeof r->host, "%s", r->name);
	if (r->limit_ms < 3 * r->beat_ms)
		complaint_add(
		    l->c, &r->at, conf_item(l, "remotes.%s.limit", r->name), NULL,
		    "must be at least three times its interval, or one late answer ends the connection");
	r->below_self = !conf_is_loopback(r->host);
}

void conf_read_remotes(struct conf_loader *l)
{
	size_t n = conf_room(l, SEC_REMOTES, CONF_REMOTES_MAX, sizeof *l->conf->remotes, &l->conf->remotes);
	for (size_t i = 0; i < n; i++)
		read_remote(l, l->sections[SEC_REMOTES].v[i]);
}

void conf_read_on(struct conf_loader *l, struct conf_check *k, const struct node *n)
{
	const char *names[CONF_REMOTES_MAX], *item = conf_item(l, "checks.%s.on", k->name);
	const char *text = conf_text(l, n, item);
	const struct config *conf = l->conf;
	size_t i = 0;
	for (; text && i < conf->nremotes && strcmp(conf->remotes[i].name, text) != 0; i++)
		names[i] = conf->remotes[i].name;
	if (text && i < conf->nremotes) {
		k->on = (unsigned)i + 1;
		return;
	}
	const char *near = text ? units_nearest(text, names, i) : NULL;
	if (text && !l->broken)
		complaint_add(l->c, &n->at, item, text,
			      near ? "there is no such remote; did you mean \"%s\"?"
				   : "there is no such remote; section remotes names them",
			      near);
}

void conf_warn_remotes(struct conf_loader *l)
{
	const struct config *conf = l->conf;
	for (size_t i = 0; i < conf->nremotes; i++) {
		size_t k = 0;
		while (k < conf->nchecks && conf->checks[k].on != i + 1)
			k++;
		if (k == conf->nchecks)
			complaint_add(&l->conf->warnings, &conf->remotes[i].at,
				      conf_item(l, "remotes.%s", conf->remotes[i].name), NULL,
				      "no check runs there");
	}
}
