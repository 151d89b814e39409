/*
 * Options are described by the programs that use them: `prober --describe`, `notify_X --describe`.
 * Here those descriptions are asked for, checked (a child's word is gossip until then), and held
 * against what the configuration says. validate.c asks the rest.
 */
#include "internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/file.h"
#include "opts.h"
#include "units.h"

enum { DESCRIPTION_MAX = 1 << 20, CANDIDATES_MAX = 256 };

static const cJSON *member(const cJSON *obj, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(obj, key);
}

/* --- what a description must hold, or why it does not --- */

static const char *bad_options(const cJSON *options)
{
	const cJSON *o;
	if (!cJSON_IsArray(options))
		return "\"options\" is not an array";
	cJSON_ArrayForEach(o,
			   options) if (!json_str(o, "name", NULL) ||
					!json_str(o, "type", NULL)) return "an option has no name or no type";
	return NULL;
}

static const char *bad_prober(const cJSON *d)
{
	const cJSON *p;
	if (!cJSON_IsArray(member(d, "probes")))
		return "\"probes\" is not an array";
	cJSON_ArrayForEach(p, member(d, "probes"))
	{
		const char *why = bad_options(member(p, "options"));
		if (!json_str(p, "name", NULL))
			return "a probe has no name";
		if (why)
			return why;
	}
	return NULL;
}

static const char *bad_notifier(const cJSON *d)
{
	return bad_options(member(d, "options"));
}

/* Runs PROGRAM --describe. NULL: why says what went wrong. */
static cJSON *ask(struct conf_loader *l, const char *program, const char *(*bad)(const cJSON *), char *why,
		  size_t size)
{
	struct buf out;
	cJSON *d = NULL;
	const char *reason = NULL;

	buf_init(&out, DESCRIPTION_MAX);
	if (l->programs->run(l->programs->arg, l->conf->libexec, program, "--describe", NULL, &out, why,
			     size)) {
		d = json_parse(buf_str(&out), out.len, DESCRIPTION_MAX, &reason);
		if (d && json_int(d, "v", 0) != 1)
			reason = "its version is not 1";
		else if (d)
			reason = bad(d);
		if (reason) {
			snprintf(why, size, "its description cannot be used: %s", reason);
			cJSON_Delete(d);
			d = NULL;
		}
	}
	buf_fini(&out);
	return d;
}

/* --- the prober --- */

/* No prober runs it: its results come from outside. Described like a probe, so that it is read like one. */
static const char passive[] =
	"{\"name\":\"passive\",\"place\":\"outside\",\"host_option\":null,\"options\":["
	"{\"name\":\"freshness_threshold\",\"type\":\"duration\",\"default\":null,\"required\":true,\"min\":1000,"
	"\"max\":2678400000,\"help\":\"how long a result counts; without a newer one the check is UNKNOWN\"},"
	"{\"name\":\"facts_of\",\"type\":\"string\",\"default\":null,\"required\":false,"
	"\"help\":\"the probe whose facts its results bring along, for the diagnosis\"}]}";

void conf_describe_prober(struct conf_loader *l)
{
	char why[512];
	const cJSON *p;
	l->prober = ask(l, "prober", bad_prober, why, sizeof(why));
	if (!l->prober) {
		complaint_add(l->c, NULL, "prober --describe", NULL,
			      "%s/prober: %s; the options of no check were looked at", l->conf->libexec, why);
		return;
	}
	cJSON_AddItemToArray(cJSON_GetObjectItemCaseSensitive(l->prober, "probes"), cJSON_Parse(passive));
	l->probe_names =
		calloc((size_t)cJSON_GetArraySize(member(l->prober, "probes")) + 1, sizeof(*l->probe_names));
	if (!l->probe_names)
		return;
	cJSON_ArrayForEach(p, member(l->prober, "probes")) l->probe_names[l->nprobe_names++] =
		json_str(p, "name", "");
}

const cJSON *conf_probe(const struct conf_loader *l, const char *name)
{
	const cJSON *p;
	cJSON_ArrayForEach(p, member(l->prober, "probes")) if (strcmp(json_str(p, "name", ""), name) ==
							       0) return p;
	return NULL;
}

/* --- notifiers --- */

static void no_notifier(struct conf_loader *l, const char *name, const struct node *n, const char *item,
			const char *why)
{
	char program[80], *path;
	snprintf(program, sizeof(program), "notify_%s", name);
	path = file_join(l->conf->libexec, program);
	if (path && access(path, F_OK) != 0 && errno == ENOENT)
		complaint_add(l->c, &n->at, item, name, "there is no such notifier (no %s)", path);
	else
		complaint_add(l->c, &n->at, item, name, "%s/%s: %s", l->conf->libexec, program, why);
	free(path);
}

const cJSON *conf_notifier(struct conf_loader *l, const char *name, const struct node *n, const char *item)
{
	char program[80], why[512];
	for (size_t i = 0; i < l->nnotifiers; i++)
		if (strcmp(l->notifiers[i].name, name) == 0)
			return l->notifiers[i].description;
	if (l->nnotifiers == CONF_NOTIFIERS_MAX) {
		complaint_add(l->c, &n->at, item, name, "more than %d different notifiers",
			      CONF_NOTIFIERS_MAX);
		return NULL;
	}
	snprintf(program, sizeof(program), "notify_%s", name);
	cJSON *d = ask(l, program, bad_notifier, why, sizeof(why));
	if (!d)
		no_notifier(l, name, n, item, why);
	snprintf(l->notifiers[l->nnotifiers].name, sizeof(l->notifiers[0].name), "%s", name);
	l->notifiers[l->nnotifiers++].description = d;
	return d;
}

/* --- options --- */

const cJSON *conf_option(const cJSON *options, const char *name)
{
	const cJSON *o;
	cJSON_ArrayForEach(o, options) if (strcmp(json_str(o, "name", ""), name) == 0) return o;
	return NULL;
}

static bool is_type(const cJSON *option, const char *type)
{
	return strcmp(json_str(option, "type", ""), type) == 0;
}

bool conf_option_is_secret(const cJSON *options, const char *name)
{
	const cJSON *o = conf_option(options, name);
	return o && is_type(o, "secret");
}

/* The value as it may be shown. What does not pass as a path where a secret's path is asked for may be the
 * secret. */
static bool value_ok(struct conf_loader *l, const struct node *n, const char *item, const cJSON *option)
{
	char why[256] = "";
	if (opts_described_check(option, n->scalar, why, sizeof(why)))
		return true;
	if (is_type(option, "secret"))
		complaint_add(l->c, &n->at, item, NULL,
			      "must be the path of a file that holds the secret, or credential:NAME (what is "
			      "written is not shown)");
	else
		complaint_add(l->c, &n->at, item, n->scalar, "%s", why);
	return false;
}

static void read_list(struct conf_loader *l, const struct node *n, const char *item, const cJSON *option,
		      cJSON *out)
{
	cJSON *v = cJSON_CreateArray();
	bool ok = true;
	if (n->nkids > CONF_VALUES_MAX) {
		complaint_add(l->c, &n->at, item, NULL, "has %zu values; at most %d are taken", n->nkids,
			      CONF_VALUES_MAX);
		ok = false;
	}
	for (size_t i = 0; i < n->nkids && i < CONF_VALUES_MAX; i++) {
		const struct node *kid = n->kids[i];
		if (!conf_text(l, kid, item) || !value_ok(l, kid, item, option))
			ok = false;
		else
			cJSON_AddItemToArray(v, cJSON_CreateString(kid->scalar));
	}
	if (ok)
		cJSON_AddItemToObject(out, json_str(option, "name", ""), v);
	else
		cJSON_Delete(v);
}

void conf_option_read(struct conf_loader *l, const struct node *n, const char *item, const cJSON *option,
		      cJSON *out)
{
	const char *name = json_str(option, "name", ""), *text;
	bool list = is_type(option, "list");
	if (list && n->kind == NODE_SEQ) {
		read_list(l, n, item, option, out);
		return;
	}
	text = conf_text(l, n, item);
	if (!text || !value_ok(l, n, item, option))
		return;
	if (!list) {
		cJSON_AddStringToObject(out, name, text);
		return;
	}
	cJSON *v = cJSON_AddArrayToObject(out, name);
	cJSON_AddItemToArray(v, cJSON_CreateString(text));
}

static bool is_own(const char *const *own, size_t nown, const char *key)
{
	for (size_t i = 0; i < nown; i++)
		if (strcmp(own[i], key) == 0)
			return true;
	return false;
}

/* What is given already was hardly meant by another key. */
static size_t add_candidate(const struct node *map, const char *name, const char **names, size_t count)
{
	if (count < CANDIDATES_MAX && !tree_get(map, name))
		names[count++] = name;
	return count;
}

static void unknown_option(struct conf_loader *l, const struct node *map, const struct node *n,
			   const char *item, const char *what, const char *const *own, size_t nown,
			   const cJSON *options)
{
	const char *names[CANDIDATES_MAX];
	size_t count = 0;
	const cJSON *o;
	for (size_t i = 0; i < nown; i++)
		count = add_candidate(map, own[i], names, count);
	cJSON_ArrayForEach(o, options) count = add_candidate(map, json_str(o, "name", ""), names, count);
	const char *near = units_nearest(n->key, names, count);
	if (near)
		complaint_add(l->c, &n->key_at, item, NULL, "unknown to %s; did you mean \"%s\"?", what,
			      near);
	else
		complaint_add(l->c, &n->key_at, item, NULL, "unknown to %s", what);
}

void conf_options(struct conf_loader *l, const struct node *map, const char *prefix, const char *what,
		  const char *const *own, size_t nown, const cJSON *options, cJSON *out)
{
	for (size_t i = 0; i < map->nkids; i++) {
		const struct node *n = map->kids[i];
		if (is_own(own, nown, n->key))
			continue;
		const char *item = conf_item(l, "%s.%s", prefix, n->key);
		const cJSON *option = conf_option(options, n->key);
		if (option)
			conf_option_read(l, n, item, option, out);
		else
			unknown_option(l, map, n, item, what, own, nown, options);
	}
}

void conf_options_required(struct conf_loader *l, const struct node *map, const char *prefix,
			   const char *what, const cJSON *options, const cJSON *out)
{
	const cJSON *o;
	cJSON_ArrayForEach(o, options)
	{
		const char *name = json_str(o, "name", "");
		/* given but refused: one complaint is enough */
		if (json_bool(o, "required", false) && !member(out, name) && !tree_get(map, name))
			complaint_add(l->c, &map->key_at, conf_item(l, "%s.%s", prefix, name), NULL,
				      "is missing: %s requires it", what);
	}
}
