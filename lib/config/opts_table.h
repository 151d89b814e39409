/*
 * What the modules of opts.h share: opts.c (values), argv.c (the command line), described.c (help and description).
 */
#ifndef LIB_CONFIG_OPTS_TABLE_H
#define LIB_CONFIG_OPTS_TABLE_H

#include "opts.h"
#include "units.h"

enum { OPT_TABLE_MAX = 128, OPT_TYPES = OPT_SECRET + 1 };

/* A value parsed but not yet stored. */
struct opt_value {
	int64_t i;
	double d;
	bool b;
	struct range r;
};

/* "string", "bool" ... by enum opt_type. */
extern const char *const opt_type_names[OPT_TYPES];

/* False and a reason in why. min and max both 0: no limit; choices: "a|b|c" or NULL. */
bool opt_value_parse(enum opt_type type, double min, double max, const char *choices, const char *text, struct opt_value *v,
		     char *why, size_t size);
bool opt_list_add(struct opt_list *l, const char *text);
void opt_field_free(const struct opt *o, void *conf);
/* NULL: the table has no such name. */
const struct opt *opt_find(const struct opt *table, const char *name);
/* Complains of a name that the table does not have; dash: "--" or "". */
void opt_unknown(const struct opt *table, const char *name, const char *dash, const struct mark *at, struct complaints *c);
bool opt_set_one(const struct opt *o, void *conf, const char *value, const struct mark *at, struct complaints *c);
/* Every required option must be among the seen ones (bit i: entry i of the table), but for those with a flag of unless. */
bool opt_demand_required(const struct opt *table, const bool *seen, unsigned unless, const char *dash, struct complaints *c);

#endif
