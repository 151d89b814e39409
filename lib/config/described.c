/* Option tables: help, their description as JSON, and values held against a description; see opts.h. */
#include "opts_table.h"

#include <stdio.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/json.h"

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
		cJSON_AddStringToObject(o, "type", opt_type_names[table->type]);
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
	struct opt_value v = { 0 };
	struct buf choices;
	for (size_t i = 0; i < sizeof opt_type_names / sizeof *opt_type_names; i++) {
		if (strcmp(opt_type_names[i], type) != 0)
			continue;
		buf_init(&choices, 4096);
		choices_text(option, &choices);
		bool ok = opt_value_parse((enum opt_type)i, described_limit(option, "min"), described_limit(option, "max"),
				      buf_str(&choices), value, &v, why, size);
		buf_fini(&choices);
		return ok;
	}
	snprintf(why, size, "its description has the unknown type %s", type);
	return false;
}
