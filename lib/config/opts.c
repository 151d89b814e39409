/* Option tables: values, defaults, JSON, argv, help, description; see opts.h. */
#include "opts.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/json.h"
#include "units.h"

enum { OPT_LIST_MAX = 256 };

static const char *const type_names[] = { "string", "bool", "int",  "number", "duration", "size",
					  "range",  "enum", "list", "path",   "secret" };

/* A value parsed but not yet stored. */
struct value {
	int64_t i;
	double d;
	bool b;
	struct range r;
};

/* The names of a "a|b|c" list: index of text, -1 when it is none of them. */
static int choice_index(const char *choices, const char *text)
{
	size_t n = strlen(text);
	int i = 0;
	for (const char *p = choices; *p; i++) {
		size_t k = strcspn(p, "|");
		if (k == n && strncmp(p, text, n) == 0)
			return i;
		p += k + (p[k] == '|');
	}
	return -1;
}

static bool in_limits(double v, double min, double max, char *why, size_t size)
{
	if ((min == 0 && max == 0) || (v >= min && v <= max))
		return true;
	snprintf(why, size, "must be from %.15g to %.15g", min, max);
	return false;
}

static bool value_parse(enum opt_type type, double min, double max, const char *choices, const char *text, struct value *v,
			char *why, size_t size)
{
	const char *reason = NULL;
	bool ok = true;
	switch (type) {
	case OPT_BOOL:
		ok = units_bool(text, &v->b, &reason);
		break;
	case OPT_INT:
		ok = units_int(text, &v->i, &reason);
		break;
	case OPT_DURATION:
		ok = units_duration(text, &v->i, &reason);
		break;
	case OPT_SIZE:
		ok = units_size(text, &v->i, &reason);
		break;
	case OPT_NUMBER:
		ok = units_number(text, &v->d, &reason);
		break;
	case OPT_RANGE:
		ok = units_range(text, &v->r, &reason);
		break;
	case OPT_ENUM:
		v->i = choice_index(choices, text);
		if (v->i < 0) {
			snprintf(why, size, "must be one of %s", choices);
			return false;
		}
		break;
	case OPT_PATH:
	case OPT_SECRET:
		if (text[0] != '/' && !(type == OPT_SECRET && strncmp(text, "credential:", 11) == 0)) {
			reason = type == OPT_PATH ? "must be an absolute path" :
						    "must be the absolute path of a file, or credential:NAME";
			ok = false;
		}
		break;
	case OPT_STRING:
	case OPT_LIST:
		break;
	}
	if (!ok) {
		snprintf(why, size, "%s", reason);
		return false;
	}
	if (type == OPT_INT || type == OPT_DURATION || type == OPT_SIZE)
		return in_limits((double)v->i, min, max, why, size);
	return type != OPT_NUMBER || in_limits(v->d, min, max, why, size);
}

static bool list_add(struct opt_list *l, const char *text)
{
	char **v = l->n < OPT_LIST_MAX ? realloc(l->v, (l->n + 1) * sizeof *v) : NULL;
	if (!v)
		return false;
	l->v = v;
	l->v[l->n] = strdup(text);
	return l->v[l->n++] != NULL;
}

static bool field_store(const struct opt *o, void *conf, const char *text, const struct value *v)
{
	void *field = (char *)conf + o->offset;
	switch (o->type) {
	case OPT_BOOL:
		*(bool *)field = v->b;
		return true;
	case OPT_INT:
	case OPT_DURATION:
	case OPT_SIZE:
		*(int64_t *)field = v->i;
		return true;
	case OPT_NUMBER:
		*(double *)field = v->d;
		return true;
	case OPT_RANGE:
		*(struct range *)field = v->r;
		return true;
	case OPT_ENUM:
		*(int *)field = (int)v->i;
		return true;
	case OPT_LIST:
		return list_add(field, text);
	case OPT_STRING:
	case OPT_PATH:
	case OPT_SECRET:
		break;
	}
	char *copy = strdup(text);
	free(*(char **)field);
	*(char **)field = copy;
	return copy != NULL;
}

static const struct opt *find(const struct opt *table, const char *name)
{
	for (; table->name; table++)
		if (strcmp(table->name, name) == 0)
			return table;
	return NULL;
}

void opts_defaults(const struct opt *table, void *conf, size_t conf_size)
{
	char why[128];
	memset(conf, 0, conf_size);
	for (; table->name; table++) {
		struct value v = { 0 };
		if (table->dflt &&
		    value_parse(table->type, 0, 0, table->choices, table->dflt, &v, why, sizeof why))
			field_store(table, conf, table->dflt, &v);
	}
}

static void field_free(const struct opt *o, void *conf)
{
	void *field = (char *)conf + o->offset;
	if (o->type == OPT_LIST) {
		struct opt_list *l = field;
		for (size_t i = 0; i < l->n; i++)
			free(l->v[i]);
		free(l->v);
		*l = (struct opt_list){ 0 };
	} else if (o->type == OPT_STRING || o->type == OPT_PATH || o->type == OPT_SECRET) {
		free(*(char **)field);
		*(char **)field = NULL;
	}
}

void opts_fini(const struct opt *table, void *conf)
{
	for (; table->name; table++)
		field_free(table, conf);
}

static void unknown(const struct opt *table, const char *name, const char *dash, const struct mark *at, struct complaints *c)
{
	const char *names[128];
	size_t n = 0;
	for (const struct opt *o = table; o->name && n < 128; o++)
		names[n++] = o->name;
	const char *near = units_nearest(name, names, n);
	if (near)
		complaint_add(c, at, name, NULL, "unknown option; did you mean %s%s?", dash, near);
	else
		complaint_add(c, at, name, NULL, "unknown option");
}

static bool set_one(const struct opt *o, void *conf, const char *value, const struct mark *at, struct complaints *c)
{
	struct value v = { 0 };
	char why[256];
	if (!value_parse(o->type, o->min, o->max, o->choices, value, &v, why, sizeof why)) {
		complaint_add(c, at, o->name, value, "%s", why);
		return false;
	}
	if (!field_store(o, conf, value, &v)) {
		complaint_add(c, at, o->name, value, o->type == OPT_LIST ? "more than 256 values" : "out of memory");
		return false;
	}
	return true;
}

bool opts_set(const struct opt *table, void *conf, const char *name, const char *value, const struct mark *at,
	      struct complaints *c)
{
	const struct opt *o = find(table, name);
	if (!o) {
		unknown(table, name, "", at, c);
		return false;
	}
	return set_one(o, conf, value, at, c);
}

static bool set_from_json(const struct opt *o, void *conf, const cJSON *v, struct complaints *c)
{
	if (cJSON_IsNull(v))
		return true;
	field_free(o, conf);
	if (cJSON_IsString(v))
		return set_one(o, conf, v->valuestring, NULL, c);
	if (!cJSON_IsArray(v) || o->type != OPT_LIST) {
		complaint_add(c, NULL, o->name, NULL, o->type == OPT_LIST ? "must be a list of texts" : "must be one value");
		return false;
	}
	const cJSON *item;
	bool ok = true;
	cJSON_ArrayForEach(item, v) {
		if (cJSON_IsString(item)) {
			ok = set_one(o, conf, item->valuestring, NULL, c) && ok;
		} else {
			complaint_add(c, NULL, o->name, NULL, "must be a list of texts");
			ok = false;
		}
	}
	return ok;
}

/* Every required option must be among the seen ones (bit i: entry i of the table). */
static bool demand_required(const struct opt *table, const bool *seen, unsigned unless, const char *dash, struct complaints *c)
{
	bool ok = true;
	for (size_t i = 0; table[i].name; i++) {
		if (!(table[i].flags & OPT_REQUIRED) || (table[i].flags & unless) || seen[i])
			continue;
		char name[96];
		snprintf(name, sizeof name, "%s%s", dash, table[i].name);
		for (char *p = name; *dash && *p; p++)
			*p = *p == '_' ? '-' : *p;
		complaint_add(c, NULL, name, NULL, "is required");
		ok = false;
	}
	return ok;
}

enum { TABLE_MAX = 128 };

bool opts_from_json(const struct opt *table, void *conf, const cJSON *options, struct complaints *c)
{
	bool seen[TABLE_MAX] = { false }, ok = true;
	if (options && !cJSON_IsObject(options)) {
		complaint_add(c, NULL, "options", NULL, "must be an object");
		return false;
	}
	const cJSON *v;
	cJSON_ArrayForEach(v, options) {
		const struct opt *o = find(table, v->string);
		if (!o || (o->flags & OPT_ARGV_ONLY)) {
			unknown(table, v->string, "", NULL, c);
			ok = false;
			continue;
		}
		if (o - table < TABLE_MAX)
			seen[o - table] = !cJSON_IsNull(v);
		ok = set_from_json(o, conf, v, c) && ok;
	}
	return demand_required(table, seen, OPT_ARGV_ONLY, "", c) && ok;
}

/* --- argv --- */

struct argv_state {
	const struct opt *table;
	void *conf;
	int argc, i;
	char **argv;
	struct complaints *c;
	bool seen[TABLE_MAX];
	bool *help, *version;
	int *verbose;
};

/* An option whose order counts, for the table's list of them. */
static bool note_order(struct argv_state *s, const struct opt *o, const char *value)
{
	const struct opt *list = find(s->table, "in_order");
	struct buf note;
	buf_init(&note, 8192);
	buf_printf(&note, "%s=%s", o->name, value);
	bool ok = list && list_add((struct opt_list *)((char *)s->conf + list->offset), buf_str(&note));
	buf_fini(&note);
	if (!ok)
		complaint_add(s->c, NULL, o->name, value, "more than 256 options whose order counts");
	return ok;
}

/* In argv a relative path means: from here. */
static bool set_from_argv(struct argv_state *s, const struct opt *o, const char *value)
{
	char absolute[PATH_MAX * 2], here[PATH_MAX];
	size_t k = (size_t)(o - s->table);
	if (k < TABLE_MAX && !s->seen[k]) {
		s->seen[k] = true;
		field_free(o, s->conf);
	}
	bool path = o->type == OPT_PATH || (o->type == OPT_SECRET && strncmp(value, "credential:", 11) != 0);
	if (path && value[0] && value[0] != '/' && getcwd(here, sizeof here)) {
		snprintf(absolute, sizeof absolute, "%s/%s", here, value);
		value = absolute;
	}
	return set_one(o, s->conf, value, NULL, s->c) && (!(o->flags & OPT_ORDERED) || note_order(s, o, value));
}

static bool common_flag(struct argv_state *s, const char *name)
{
	if (strcmp(name, "help") == 0 || strcmp(name, "h") == 0)
		*s->help = true;
	else if (strcmp(name, "version") == 0 || strcmp(name, "V") == 0)
		*s->version = true;
	else if (strcmp(name, "verbose") == 0 || strcmp(name, "v") == 0)
		++*s->verbose;
	else
		return false;
	return true;
}

/* What monitoring-plugins call it, where the table has no such name: command definitions are taken over as they are. */
static const struct opt *find_alias(const struct opt *table, const char *name)
{
	static const char *const names[][2] = {
		{ "hostname", "host" }, { "server", "resolver" }, { "IP_address", "address" }, { "ssl", "tls" }
	};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(names[i][0], name) == 0)
			return find(table, names[i][1]);
	return NULL;
}

static bool long_option(struct argv_state *s, const char *arg)
{
	char name[96], shown[100];
	size_t n = strcspn(arg, "=");
	const char *value = arg[n] == '=' ? arg + n + 1 : NULL;
	snprintf(name, sizeof name, "%.*s", (int)n, arg);
	for (char *p = name; *p; p++)
		*p = *p == '-' ? '_' : *p;
	const struct opt *o = find(s->table, name);
	if (!o)
		o = find_alias(s->table, name);
	if (!o && !value && common_flag(s, name))
		return true;
	if (!o || (o->flags & OPT_CONF_ONLY)) {
		snprintf(shown, sizeof shown, "%.90s", name);
		for (char *p = shown; *p; p++)
			*p = *p == '_' ? '-' : *p;
		unknown(s->table, shown, "--", NULL, s->c);
		return false;
	}
	if (!value && o->type == OPT_BOOL)
		value = "yes";
	if (!value && s->i < s->argc)
		value = s->argv[s->i++];
	if (!value) {
		complaint_add(s->c, NULL, o->name, NULL, "needs a value");
		return false;
	}
	return set_from_argv(s, o, value);
}

static bool short_options(struct argv_state *s, const char *arg)
{
	for (; *arg; arg++) {
		char letter[2] = { *arg, '\0' };
		const struct opt *o = s->table;
		while (o->name && o->letter != *arg)
			o++;
		if (!o->name) {
			if (common_flag(s, letter))
				continue;
			complaint_add(s->c, NULL, "option", letter, "unknown; see --help");
			return false;
		}
		if (o->type == OPT_BOOL) {
			if (!set_from_argv(s, o, "yes"))
				return false;
			continue;
		}
		const char *value = arg[1] ? arg + 1 : s->i < s->argc ? s->argv[s->i++] : NULL;
		if (!value) {
			complaint_add(s->c, NULL, o->name, NULL, "-%c needs a value", *arg);
			return false;
		}
		return set_from_argv(s, o, value);
	}
	return true;
}

bool opts_from_argv(const struct opt *table, void *conf, int argc, char **argv, struct complaints *c, bool *help,
		    bool *version, int *verbose)
{
	struct argv_state s = { .table = table, .conf = conf, .argc = argc, .i = 1, .argv = argv, .c = c,
				.help = help,	.version = version, .verbose = verbose };
	size_t before = c->n + c->dropped;
	*help = *version = false;
	*verbose = 0;
	while (s.i < argc) {
		const char *arg = argv[s.i++];
		if (strcmp(arg, "--") == 0 && s.i == argc)
			break;
		if (arg[0] == '-' && arg[1] == '-' && arg[2])
			long_option(&s, arg + 2);
		else if (arg[0] == '-' && arg[1] && arg[1] != '-')
			short_options(&s, arg + 1);
		else
			complaint_add(c, NULL, "argument", arg, "unexpected; every value needs its option");
	}
	if (!*help && !*version)
		demand_required(table, s.seen, OPT_CONF_ONLY, "--", c);
	return c->n + c->dropped == before;
}

/* --- help and description --- */

static const char *unit_name(const struct opt *o)
{
	static const char *const units[] = { "TEXT", "", "N", "NUMBER", "TIME", "SIZE", "RANGE", "NAME", "TEXT", "PATH", "FILE" };
	return o->unit ? o->unit : units[o->type];
}

void opts_help(const struct opt *table, struct buf *out)
{
	for (; table->name; table++) {
		char name[96];
		if (table->flags & OPT_CONF_ONLY)
			continue;
		snprintf(name, sizeof name, "%s", table->name);
		for (char *p = name; *p; p++)
			*p = *p == '_' ? '-' : *p;
		if (table->letter)
			buf_printf(out, "  -%c, ", table->letter);
		else
			buf_puts(out, "      ");
		buf_printf(out, "--%s%s%s\n", name, table->type == OPT_BOOL ? "" : " ", unit_name(table));
		buf_printf(out, "          %s", table->help);
		if (table->choices)
			buf_printf(out, "; one of %s", table->choices);
		if (table->dflt)
			buf_printf(out, " (default %s)", table->dflt);
		if (table->flags & OPT_REQUIRED)
			buf_puts(out, " (required)");
		buf_puts(out, "\n");
	}
}

static void describe_choices(const struct opt *o, cJSON *obj)
{
	cJSON *array = cJSON_AddArrayToObject(obj, "choices");
	for (const char *p = o->choices; *p;) {
		size_t k = strcspn(p, "|");
		char one[96];
		snprintf(one, sizeof one, "%.*s", (int)k, p);
		cJSON_AddItemToArray(array, cJSON_CreateString(one));
		p += k + (p[k] == '|');
	}
}

cJSON *opts_describe(const struct opt *table)
{
	cJSON *array = cJSON_CreateArray();
	for (; table->name; table++) {
		if (table->flags & OPT_ARGV_ONLY)
			continue;
		cJSON *o = cJSON_CreateObject();
		cJSON_AddStringToObject(o, "name", table->name);
		cJSON_AddStringToObject(o, "type", type_names[table->type]);
		if (table->dflt)
			cJSON_AddStringToObject(o, "default", table->dflt);
		else
			cJSON_AddNullToObject(o, "default");
		cJSON_AddBoolToObject(o, "required", (table->flags & OPT_REQUIRED) != 0);
		cJSON_AddStringToObject(o, "help", table->help);
		if (table->min != 0 || table->max != 0) {
			cJSON_AddNumberToObject(o, "min", table->min);
			cJSON_AddNumberToObject(o, "max", table->max);
		}
		if (table->choices)
			describe_choices(table, o);
		cJSON_AddItemToArray(array, o);
	}
	return array;
}

/* The described choices as "a|b|c". */
static void choices_text(const cJSON *option, struct buf *out)
{
	const cJSON *v;
	cJSON_ArrayForEach(v, cJSON_GetObjectItemCaseSensitive(option, "choices")) {
		if (cJSON_IsString(v))
			buf_printf(out, "%s%s", out->len ? "|" : "", v->valuestring);
	}
}

static double described_limit(const cJSON *option, const char *key)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(option, key);
	return cJSON_IsNumber(v) ? v->valuedouble : 0;
}

bool opts_described_check(const cJSON *option, const char *value, char *why, size_t size)
{
	const char *type = json_str(option, "type", "string");
	struct value v = { 0 };
	struct buf choices;
	for (size_t i = 0; i < sizeof type_names / sizeof *type_names; i++) {
		if (strcmp(type_names[i], type) != 0)
			continue;
		buf_init(&choices, 4096);
		choices_text(option, &choices);
		bool ok = value_parse((enum opt_type)i, described_limit(option, "min"), described_limit(option, "max"),
				      buf_str(&choices), value, &v, why, size);
		buf_fini(&choices);
		return ok;
	}
	snprintf(why, size, "its description has the unknown type %s", type);
	return false;
}
