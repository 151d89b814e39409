/* Option tables: values, defaults, JSON; see opts.h. */
#include "opts_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json.h"

enum { OPT_LIST_MAX = 256 };

const char *const opt_type_names[] = { "string", "bool", "int",  "number", "duration", "size",
					  "range",  "enum", "list", "path",   "secret" };

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

bool opt_value_parse(enum opt_type type, double min, double max, const char *choices, const char *text, struct opt_value *v,
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

bool opt_list_add(struct opt_list *l, const char *text)
{
	char **v = l->n < OPT_LIST_MAX ? realloc(l->v, (l->n + 1) * sizeof *v) : NULL;
	if (!v)
		return false;
	l->v = v;
	l->v[l->n] = strdup(text);
	return l->v[l->n++] != NULL;
}

static bool field_store(const struct opt *o, void *conf, const char *text, const struct opt_value *v)
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
		return opt_list_add(field, text);
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

const struct opt *opt_find(const struct opt *table, const char *name)
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
		struct opt_value v = { 0 };
		if (table->dflt &&
		    opt_value_parse(table->type, 0, 0, table->choices, table->dflt, &v, why, sizeof why))
			field_store(table, conf, table->dflt, &v);
	}
}

void opt_field_free(const struct opt *o, void *conf)
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
		opt_field_free(table, conf);
}

void opt_unknown(const struct opt *table, const char *name, const char *dash, const struct mark *at, struct complaints *c)
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

bool opt_set_one(const struct opt *o, void *conf, const char *value, const struct mark *at, struct complaints *c)
{
	struct opt_value v = { 0 };
	char why[256];
	if (!opt_value_parse(o->type, o->min, o->max, o->choices, value, &v, why, sizeof why)) {
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
	const struct opt *o = opt_find(table, name);
	if (!o) {
		opt_unknown(table, name, "", at, c);
		return false;
	}
	return opt_set_one(o, conf, value, at, c);
}

static bool set_from_json(const struct opt *o, void *conf, const cJSON *v, struct complaints *c)
{
	if (cJSON_IsNull(v))
		return true;
	opt_field_free(o, conf);
	if (cJSON_IsString(v))
		return opt_set_one(o, conf, v->valuestring, NULL, c);
	if (!cJSON_IsArray(v) || o->type != OPT_LIST) {
		complaint_add(c, NULL, o->name, NULL, o->type == OPT_LIST ? "must be a list of texts" : "must be one value");
		return false;
	}
	const cJSON *item;
	bool ok = true;
	cJSON_ArrayForEach(item, v) {
		if (cJSON_IsString(item)) {
			ok = opt_set_one(o, conf, item->valuestring, NULL, c) && ok;
		} else {
			complaint_add(c, NULL, o->name, NULL, "must be a list of texts");
			ok = false;
		}
	}
	return ok;
}

/* Every required option must be among the seen ones (bit i: entry i of the table). */
bool opt_demand_required(const struct opt *table, const bool *seen, unsigned unless, const char *dash, struct complaints *c)
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

bool opts_from_json(const struct opt *table, void *conf, const cJSON *options, struct complaints *c)
{
	bool seen[OPT_TABLE_MAX] = { false }, ok = true;
	if (options && !cJSON_IsObject(options)) {
		complaint_add(c, NULL, "options", NULL, "must be an object");
		return false;
	}
	const cJSON *v;
	cJSON_ArrayForEach(v, options) {
		const struct opt *o = opt_find(table, v->string);
		if (!o || (o->flags & OPT_ARGV_ONLY)) {
			opt_unknown(table, v->string, "", NULL, c);
			ok = false;
			continue;
		}
		if (o - table < OPT_TABLE_MAX)
			seen[o - table] = !cJSON_IsNull(v);
		ok = set_from_json(o, conf, v, c) && ok;
	}
	return opt_demand_required(table, seen, OPT_ARGV_ONLY, "", c) && ok;
}
