/*
 * The section checks: each check's own keys, the options of its probe flat beside
 * them, and the built-in parent "self".
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

#include "units.h"

static const char *const own_keys[] = {
	"probe",   "host",    "interval", "retry_interval", "max_check_attempts",
	"timeout", "parents", "contacts", "flap_detection", "low_flap_threshold", "high_flap_threshold",
	"depends_on", "number", "shared", "groups", "when", "on", "via"};
enum { OWN_KEYS = sizeof(own_keys) / sizeof(own_keys[0]) };

/* not among the settings that defaults may give: a number belongs to one check */
static const struct conf_setting number = {
	"number", SET_INT, offsetof(struct conf_check, number), 1, 999999999, NULL};

static bool reserved(const char *name)
{
	return strcmp(name, "self") == 0 || strncmp(name, "self.", 5) == 0;
}

/* A description is foreign text: of any other type it is as if absent. */
static const char *text_member(const cJSON *obj, const char *key)
{
	return json_str(obj, key, NULL);
}

/* What the probe will talk to: its host option as given, else that option's default; NULL: not known. */
static const char *target(const cJSON *probe, const struct conf_check *k)
{
	const char *name = text_member(probe, "host_option");
	const char *given = name ? json_str(k->options, name, NULL) : NULL;
	if (given || !name)
		return given;
	return text_member(conf_option(cJSON_GetObjectItemCaseSensitive(probe, "options"), name), "default");
}

/* Without this host's own link nothing on the network can be judged, so whatever is measured over it is below
 * "self". A target that is not known is left alone: a page too many beats one too few. What runs on a remote is below that. */
static void add_self(struct conf_loader *l, struct conf_check *k, const char *host)
{
	if (k->place != PLACE_NET || k->on || !host || conf_is_loopback(host))
		return;
	k->parents = calloc(1, sizeof(*k->parents));
	if (k->parents)
		k->parents[0] = strdup("self");
	if (k->parents && k->parents[0])
		k->nparents = 1;
	else
		complaint_add(l->c, &k->at, NULL, NULL, "out of memory");
}

/* host: is the check's; the probe gets it too when it has a host option that is not given by its own name. */
static void read_host(struct conf_loader *l, struct conf_check *k, const struct node *map, const cJSON *probe)
{
	const struct node *n = tree_get(map, "host");
	const char *name = text_member(probe, "host_option"), *item = conf_item(l, "checks.%s.host", k->name);
	const char *text = n ? conf_text(l, n, item) : NULL;

	if (!text || !conf_copy(l, k->host, sizeof(k->host), text, n, item) || !name)
		return;
	const cJSON *option = conf_option(cJSON_GetObjectItemCaseSensitive(probe, "options"), name);
	if (option && !cJSON_GetObjectItemCaseSensitive(k->options, name))
		conf_option_read(l, n, item, option, k->options);
}

static enum check_place place_of(const cJSON *probe)
{
	const char *place = json_str(probe, "place", "net");
	return strcmp(place, "local") == 0 ? PLACE_LOCAL : strcmp(place, "outside") == 0 ? PLACE_OUTSIDE : PLACE_NET;
}

/* Who sends results only when something changes would never be confirmed by a third one. */
static void read_passive(struct conf_loader *l, struct conf_check *k, const struct node *map)
{
	const char *facts_of = json_str(k->options, "facts_of", NULL);
	if (k->place != PLACE_OUTSIDE)
		return;
	if (facts_of && !conf_probe(l, facts_of))
		complaint_add(l->c, &tree_get(map, "facts_of")->at, conf_item(l, "checks.%s.facts_of", k->name), facts_of,
			      "there is no such probe");
	/* one that is no duration has been complained about */
	units_duration(json_str(k->options, "freshness_threshold", "0"), &k->freshness_ms, NULL);
	if (!tree_get(map, "max_check_attempts"))
		k->max_check_attempts = 1;
}

static void read_probe_options(struct conf_loader *l, struct conf_check *k, const struct node *map,
			       struct conf_origin *o)
{
	const cJSON *probe = conf_probe(l, k->probe);
	char prefix[CONF_ITEM_BYTES / 2], what[80];
	if (!probe) {
		if (l->prober) {
			const struct node *n = tree_get(map, "probe");
			const char *near = units_nearest(k->probe, l->probe_names, l->nprobe_names);
			complaint_add(l->c, n ? &n->at : &map->at, conf_item(l, "checks.%s.probe", k->name), k->probe,
				      near ? "there is no such probe; did you mean \"%s\"?"
					   : "there is no such probe",
				      near);
		}
		return;
	}
	o->options = cJSON_GetObjectItemCaseSensitive(probe, "options");
	k->place = place_of(probe);
	snprintf(prefix, sizeof(prefix), "checks.%s", k->name);
	snprintf(what, sizeof(what), "probe \"%s\"", k->probe);
	conf_options(l, map, prefix, what, own_keys, OWN_KEYS, o->options, k->options);
	read_host(l, k, map, probe);
	conf_options_required(l, map, prefix, what, o->options, k->options);
	read_passive(l, k, map);
	const char *host = target(probe, k);
	if (!k->host[0] && (host || k->on))
		snprintf(k->host, sizeof(k->host), "%.127s", host ? host : l->conf->remotes[k->on - 1].host);
	if (k->on && k->place == PLACE_OUTSIDE)
		complaint_add(l->c, &tree_get(map, "on")->at, conf_item(l, "checks.%s.on", k->name), NULL,
			      "is for what is run: results of a passive check come from outside");
	if (!tree_get(map, "parents"))
		add_self(l, k, text_member(probe, "host_option") ? host : k->host[0] ? k->host : NULL);
}

static void read_groups(struct conf_loader *l, struct conf_check *k, const struct node *n)
{
	char item[CONF_ITEM_BYTES / 2];
	snprintf(item, sizeof(item), "checks.%s.groups", k->name);
	conf_names(l, n, item, true, &k->groups, &k->ngroups);
	for (size_t i = 0; i < k->ngroups; i++)
		conf_good_name(l, &n->at, item, k->groups[i]);
}

static void read_own(struct conf_loader *l, struct conf_check *k, const struct node *map)
{
	for (size_t i = 0; i < map->nkids; i++) {
		const struct node *n = map->kids[i];
		const char *item = conf_item(l, "checks.%s.%s", k->name, n->key);
		const struct conf_setting *s = conf_setting_find(conf_check_settings, n->key);
		if (s)
			conf_setting_read(l, s, k, n, item);
		else if (strcmp(n->key, "parents") == 0)
			conf_names(l, n, item, true, &k->parents, &k->nparents);
		else if (strcmp(n->key, "depends_on") == 0)
			conf_read_depends(l, k, n);
		else if (strcmp(n->key, "contacts") == 0)
			conf_names(l, n, item, false, &k->contacts, &k->ncontacts);
		else if (strcmp(n->key, "number") == 0)
			conf_setting_read(l, &number, k, n, item);
		else if (strcmp(n->key, "when") == 0)
			conf_read_check_when(l, k, n);
		else if (strcmp(n->key, "on") == 0)
			conf_read_on(l, k, n);
		else if (strcmp(n->key, "groups") == 0)
			read_groups(l, k, n);
	}
	if (k->flap_low >= k->flap_high)
		complaint_add(l->c, &map->at, conf_item(l, "checks.%s.low_flap_threshold", k->name), NULL,
			      "must be below high_flap_threshold (%d and %d)", k->flap_low, k->flap_high);
	/* an interval shorter than the retries' default means: retry as fast */
	if (!tree_get(map, "retry_interval") && k->retry_interval_ms > k->interval_ms)
		k->retry_interval_ms = k->interval_ms;
}

static void warn(struct conf_loader *l, const struct conf_check *k, const struct node *map)
{
	struct complaints *w = &l->conf->warnings;
	const struct node *n = tree_get(map, "timeout");
	if (n && k->timeout_ms > k->interval_ms)
		complaint_add(w, &n->at, conf_item(l, "checks.%s.timeout", k->name), n->scalar,
			      "is longer than the interval: while a run hangs, the next ones are skipped");
	n = tree_get(map, "retry_interval");
	if (n && k->retry_interval_ms > k->interval_ms)
		complaint_add(w, &n->at, conf_item(l, "checks.%s.retry_interval", k->name), n->scalar,
			      "is longer than the interval: a failing check is looked at less often than a "
			      "good one");
}

/* "via: nrpe", beside what the daemon there calls the command. */
static void read_via(struct conf_loader *l, struct conf_check *k, const struct node *map, struct conf_origin *o)
{
	const struct node *n = tree_get(map, "via");
	const char *item = conf_item(l, "checks.%s.via", k->name), *text = conf_text(l, n, item);
	if (text && strcmp(text, "nrpe") != 0) {
		complaint_add(l->c, &n->at, item, text, "must be nrpe");
	} else if (text) {
		snprintf(k->probe, sizeof(k->probe), "%s", text);
		read_probe_options(l, k, map, o);
	}
}

static void read_check(struct conf_loader *l, const struct node *map)
{
	struct conf_check *k = &l->conf->checks[l->conf->nchecks];
	struct conf_origin *o = &l->check_origins[l->conf->nchecks];
	size_t before = conf_count(l);

	if (!conf_name(l, map, "checks"))
		return;
	if (reserved(map->key)) {
		complaint_add(l->c, &map->key_at, "checks", map->key,
			      "\"self\" and \"self.*\" are monitord's own names");
		return;
	}
	*k = l->dflt;
	k->at = map->key_at;
	snprintf(k->name, sizeof(k->name), "%s", map->key);
	k->options = cJSON_CreateObject();
	*o = (struct conf_origin){.node = map};
	l->conf->nchecks++;
	if (map->kind != NODE_MAP) {
		complaint_add(l->c, &map->at, conf_item(l, "checks.%s", k->name), NULL,
			      "must be a map of settings");
		return;
	}
	read_own(l, k, map);
	const struct node *n = tree_get(map, "probe");
	const char *item = conf_item(l, "checks.%s.probe", k->name);
	const char *probe = n ? conf_text(l, n, item) : NULL;
	if (!n && tree_get(map, "via"))
		read_via(l, k, map, o);
	else if (!n)
		complaint_add(l->c, &k->at, item, NULL, "is missing: say what measures this check");
	else if (tree_get(map, "via"))
		complaint_add(l->c, &tree_get(map, "via")->key_at, conf_item(l, "checks.%s.via", k->name), NULL,
			      "is said instead of a probe: the daemon over there knows what is run");
	else if (probe && conf_copy(l, k->probe, sizeof(k->probe), probe, n, item))
		read_probe_options(l, k, map, o);
	warn(l, k, map);
	o->clean = conf_count(l) == before && o->options;
}

static int by_number(const void *a, const void *b)
{
	const struct conf_check *const *x = a, *const *y = b;
	if ((*x)->number != (*y)->number)
		return (*x)->number < (*y)->number ? -1 : 1;
	return *x < *y ? -1 : *x > *y;
}

/* Who reads "12" on a pager must know which check that is. */
static void numbers_differ(struct conf_loader *l)
{
	struct config *conf = l->conf;
	const struct conf_check **v = calloc(conf->nchecks + 1, sizeof(const struct conf_check *));
	if (!v) {
		complaint_add(l->c, NULL, NULL, NULL, "out of memory");
		return;
	}
	for (size_t i = 0; i < conf->nchecks; i++)
		v[i] = &conf->checks[i];
	qsort(v, conf->nchecks, sizeof(const struct conf_check *), by_number);
	for (size_t i = 1; i < conf->nchecks; i++) {
		const struct node *n = tree_get(l->check_origins[v[i] - conf->checks].node, "number");
		if (v[i]->number && v[i]->number == v[i - 1]->number && n)
			complaint_add(l->c, &n->at, conf_item(l, "checks.%s.number", v[i]->name), n->scalar,
				      "is the number of check \"%s\" already", v[i - 1]->name);
	}
	free(v);
}

void conf_read_checks(struct conf_loader *l)
{
	const struct conf_section *sec = &l->sections[SEC_CHECKS];
	size_t n = sec->n;
	if (!n) {
		if (!l->broken)
			complaint_add(&l->conf->warnings, NULL, "checks", NULL,
				      "there are none: nothing is watched");
		return;
	}
	if (n > CONF_CHECKS_MAX) {
		complaint_add(l->c, &sec->v[CONF_CHECKS_MAX]->key_at, "checks", NULL,
			      "are %zu; at most %d are taken", l->checks_meant, CONF_CHECKS_MAX);
		n = CONF_CHECKS_MAX;
	}
	l->conf->checks = calloc(n, sizeof(*l->conf->checks));
	l->check_origins = calloc(n, sizeof(*l->check_origins));
	if (!l->conf->checks || !l->check_origins) {
		complaint_add(l->c, NULL, NULL, NULL, "out of memory");
		return;
	}
	conf_describe_prober(l);
	for (size_t i = 0; i < n; i++)
		read_check(l, sec->v[i]);
	conf_warn_remotes(l);
	numbers_differ(l);
}
