/*
 * The flat sections: paths, probers, deadman, history, defaults. Each is a table; a
 * setting that the tables do not name does not exist.
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

#define CONF(field) offsetof(struct config, field)
#define CHECK(field) offsetof(struct conf_check, field)
enum { PATH_BYTES = 200 };

static const struct conf_setting paths[] = {
	{"spool", SET_PATH, CONF(spool), 0, PATH_BYTES, "/var/spool/monitord"},
	{"spool_twin", SET_PATH, CONF(spool_twin), 0, PATH_BYTES, "/run/monitord/spool"},
	{"monitord_state", SET_PATH, CONF(monitord_state), 0, PATH_BYTES, "/var/lib/monitord"},
	{"pagerd_state", SET_PATH, CONF(pagerd_state), 0, PATH_BYTES, "/var/lib/monitord-pagerd"},
	{"monitord_run", SET_PATH, CONF(monitord_run), 0, CONF_RUN_DIR_BYTES, "/run/monitord"},
	{"pagerd_run", SET_PATH, CONF(pagerd_run), 0, CONF_RUN_DIR_BYTES, "/run/monitord-pagerd"},
	{"libexec", SET_PATH, CONF(libexec), 0, PATH_BYTES, NULL},
	{NULL, 0, 0, 0, 0, NULL},
};

static const struct conf_setting deadman[] = {
	{"interval", SET_DURATION, CONF(beat_ms), 100, 60000, "5s"},
	{"limit", SET_DURATION, CONF(beat_limit_ms), 300, 3600000, "60s"},
	{"planned_stop", SET_DURATION, CONF(planned_ms), 1000, 86400000, "5m"},
	{NULL, 0, 0, 0, 0, NULL},
};

static const struct conf_setting history[] = {
	{"lines", SET_SIZE, CONF(history), 10, 1000000, "10000"},
	{NULL, 0, 0, 0, 0, NULL},
};

const struct conf_setting conf_check_settings[] = {
	{"interval", SET_DURATION, CHECK(interval_ms), 100, 604800000, "1m"},
	{"retry_interval", SET_DURATION, CHECK(retry_interval_ms), 100, 604800000, "15s"},
	{"max_check_attempts", SET_INT, CHECK(max_check_attempts), 1, 100, "3"},
	{"shared", SET_BOOL, CHECK(shared), 0, 1, "no"},
	{"flap_detection", SET_BOOL, CHECK(flap_detection), 0, 1, "yes"},
	{"low_flap_threshold", SET_INT, CHECK(flap_low), 0, 100, "20"},
	{"high_flap_threshold", SET_INT, CHECK(flap_high), 1, 100, "30"},
	{"timeout", SET_DURATION, CHECK(timeout_ms), 100, 600000, "60s"},
	{NULL, 0, 0, 0, 0, NULL},
};

static const struct conf_setting defaults[] = {
	{"host_gap", SET_DURATION, CONF(host_gap_ms), 0, 60000, "200ms"},
	{NULL, 0, 0, 0, 0, NULL},
};

static size_t add_keys(const struct conf_setting *table, const char **names, size_t n)
{
	for (; table->key; table++)
		names[n++] = table->key;
	return n;
}

static void read_flat(struct conf_loader *l, enum conf_section_id id, const struct conf_setting *table)
{
	const struct conf_section *sec = &l->sections[id];
	const char *names[32];
	size_t nnames = add_keys(table, names, 0);

	for (size_t i = 0; i < sec->n; i++) {
		const struct node *n = sec->v[i];
		const char *item = conf_item(l, "%s.%s", conf_section_names[id], n->key);
		const struct conf_setting *s = conf_setting_find(table, n->key);
		if (s)
			conf_setting_read(l, s, l->conf, n, item);
		else
			conf_unknown(l, n, item, names, nnames);
	}
}

/* defaults: hold what a check may leave out, and what belongs to no check. */
static void read_defaults(struct conf_loader *l)
{
	const struct conf_section *sec = &l->sections[SEC_DEFAULTS];
	const char *names[32] = {"contacts"};
	size_t nnames = add_keys(defaults, names, add_keys(conf_check_settings, names, 1));

	for (size_t i = 0; i < sec->n; i++) {
		const struct node *n = sec->v[i];
		const char *item = conf_item(l, "defaults.%s", n->key);
		const struct conf_setting *s;
		if (strcmp(n->key, "contacts") == 0) {
			l->default_contacts = n;
			conf_names(l, n, item, false, &l->conf->default_contacts,
				   &l->conf->ndefault_contacts);
		} else if ((s = conf_setting_find(conf_check_settings, n->key)))
			conf_setting_read(l, s, &l->dflt, n, item);
		else if ((s = conf_setting_find(defaults, n->key)))
			conf_setting_read(l, s, l->conf, n, item);
		else
			conf_unknown(l, n, item, names, nnames);
	}
}

static void read_prober(struct conf_loader *l, const struct node *n, size_t offset)
{
	static const char *const known[] = {"socket"};
	const struct conf_setting s = {"socket", SET_PATH, offset, 0, CONF_SOCKET_BYTES, NULL};

	if (n->kind == NODE_SCALAR && n->null)
		return; /* "net:" alone: all as by default */
	if (n->kind != NODE_MAP) {
		complaint_add(l->c, &n->at, conf_item(l, "probers.%s", n->key), NULL,
			      "must be a map, such as {socket: /PATH}");
		return;
	}
	for (size_t i = 0; i < n->nkids; i++) {
		const char *item = conf_item(l, "probers.%s.%s", n->key, n->kids[i]->key);
		if (strcmp(n->kids[i]->key, "socket") == 0)
			conf_setting_read(l, &s, l->conf, n->kids[i], item);
		else
			conf_unknown(l, n->kids[i], item, known, 1);
	}
}

static void read_probers(struct conf_loader *l)
{
	static const char *const known[] = {"net", "local"};
	const struct conf_section *sec = &l->sections[SEC_PROBERS];
	for (size_t i = 0; i < sec->n; i++) {
		const struct node *n = sec->v[i];
		if (strcmp(n->key, "net") == 0)
			read_prober(l, n, CONF(prober_net_socket));
		else if (strcmp(n->key, "local") == 0)
			read_prober(l, n, CONF(prober_local_socket));
		else
			conf_unknown(l, n, conf_item(l, "probers.%s", n->key), known, 2);
	}
}

static const struct mark *setting_mark(const struct conf_loader *l, enum conf_section_id id, const char *key)
{
	const struct conf_section *sec = &l->sections[id];
	for (size_t i = 0; i < sec->n; i++)
		if (strcmp(sec->v[i]->key, key) == 0)
			return &sec->v[i]->at;
	return &sec->at;
}

/* What no single setting can say. */
static void check_together(struct conf_loader *l)
{
	const struct config *conf = l->conf;
	if (conf->beat_limit_ms < 3 * conf->beat_ms)
		complaint_add(
			l->c, setting_mark(l, SEC_DEADMAN, "limit"), "deadman.limit", NULL,
			"must be at least three times deadman.interval, or one late beat is a false alarm");
	if (strcmp(conf->spool, conf->spool_twin) == 0)
		complaint_add(l->c, setting_mark(l, SEC_PATHS, "spool_twin"), "paths.spool_twin",
			      conf->spool_twin,
			      "is the spool itself; the twin must be on another file system");
	if (strcmp(conf->monitord_state, conf->pagerd_state) == 0)
		complaint_add(l->c, setting_mark(l, SEC_PATHS, "pagerd_state"), "paths.pagerd_state",
			      conf->pagerd_state, "is monitord's; each daemon needs its own");
	if (strcmp(conf->monitord_run, conf->pagerd_run) == 0)
		complaint_add(l->c, setting_mark(l, SEC_PATHS, "pagerd_run"), "paths.pagerd_run",
			      conf->pagerd_run,
			      "is monitord's; each daemon writes its status.json into its own");
	if (conf->prober_net_socket && conf->prober_local_socket &&
	    strcmp(conf->prober_net_socket, conf->prober_local_socket) == 0)
		complaint_add(l->c, setting_mark(l, SEC_PROBERS, "local"), "probers.local.socket",
			      conf->prober_local_socket, "is the socket of prober net");
}

void conf_read_settings(struct conf_loader *l)
{
	bool ok = conf_settings_defaults(paths, l->conf) && conf_settings_defaults(deadman, l->conf) &&
		  conf_settings_defaults(history, l->conf) && conf_settings_defaults(defaults, l->conf) &&
		  conf_settings_defaults(conf_check_settings, &l->dflt);
	if (!ok) {
		complaint_add(l->c, NULL, NULL, NULL, "out of memory");
		return;
	}
	read_flat(l, SEC_PATHS, paths);
	read_flat(l, SEC_DEADMAN, deadman);
	read_flat(l, SEC_HISTORY, history);
	read_probers(l);
	read_defaults(l);
	conf_read_answers(l);
	check_together(l);
}
