/*
 * Option tables: one table per probe or notifier (name, type, unit, range,
 * default, help) parses argv, parses what the configuration gives, prints
 * --help and the JSON description that the configuration loader validates against.
 * Every value arrives as text, whatever brought it, so there is one parser.
 */
#ifndef LIB_CONFIG_OPTS_H
#define LIB_CONFIG_OPTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "complaint.h"

struct cJSON;

/* The field's C type behind each: */
enum opt_type {
	OPT_STRING,   /* char *, NULL when unset */
	OPT_BOOL,     /* bool; as a flag in argv it takes no value */
	OPT_INT,      /* int64_t */
	OPT_NUMBER,   /* double */
	OPT_DURATION, /* int64_t, milliseconds */
	OPT_SIZE,     /* int64_t, bytes */
	OPT_RANGE,    /* struct range */
	OPT_ENUM,     /* int, index into choices */
	OPT_LIST,     /* struct opt_list of strings; in argv the option repeats */
	OPT_PATH,     /* char *, must be absolute (or NULL); a relative one in argv is made absolute */
	OPT_SECRET    /* char *, the path of a file that holds a secret (never the secret itself) */
};

struct opt_list {
	char **v;
	size_t n;
};

/* OPT_ORDERED: for the few options whose order in argv means something. Each is noted as "name=value", in that order, in the table's
 * entry `in_order`, an OPT_LIST that nobody sets himself (OPT_NOT_GIVEN). */
enum { OPT_REQUIRED = 1, OPT_ARGV_ONLY = 2, OPT_CONF_ONLY = 4, OPT_ORDERED = 8, OPT_NOT_GIVEN = OPT_ARGV_ONLY | OPT_CONF_ONLY };

struct opt {
	const char *name;    /* long option and configuration key; '_' in the key, '-' in argv */
	char letter;         /* short option, 0 when none */
	enum opt_type type;
	size_t offset;       /* offsetof the field in the conf structure */
	double min, max;     /* both 0: no limit. Units: ms for durations, bytes for sizes */
	const char *dflt;    /* as written; NULL: unset, 0 or false */
	const char *choices; /* OPT_ENUM: "plain|login|cram-md5" */
	unsigned flags;
	const char *unit;    /* for --help: "MS", "ADDRESS" ...; NULL: after the type */
	const char *help;
};
/* A table ends with an entry whose name is NULL. */

/* Sets every default (zeroes the structure first). */
void opts_defaults(const struct opt *table, void *conf, size_t conf_size);
/* Frees what the table's fields own and zeroes them. */
void opts_fini(const struct opt *table, void *conf);
/* Sets one option from text. at may be NULL. OPT_LIST appends. */
bool opts_set(const struct opt *table, void *conf, const char *name, const char *value,
	      const struct mark *at, struct complaints *c);
/* options: a JSON object of strings or arrays of strings (null: unset). Unknown names and missing required ones are
 * complaints. False when any complaint was added. */
bool opts_from_json(const struct opt *table, void *conf, const struct cJSON *options, struct complaints *c);
/* GNU style (and where the table has no such name, monitoring-plugins' --hostname, --server, --ssl, --IP-address): --name value, --name=value, -x value, -xvalue, clustered flags, "--" ends; order never matters; a
 * positional argument is a complaint. verbose counts -v. Returns false when any complaint was added. Sets *help,
 * *version when asked for. Required options are not demanded when either is set. */
bool opts_from_argv(const struct opt *table, void *conf, int argc, char **argv, struct complaints *c,
		    bool *help, bool *version, int *verbose);
/* The help lines of the table. */
void opts_help(const struct opt *table, struct buf *out);
/* The JSON array of doc/contracts.md, section "describe". Owned by the caller. */
struct cJSON *opts_describe(const struct opt *table);
/* Checks one value against one described option (an element of that array): the loader's side.
 * False and a reason in why. */
bool opts_described_check(const struct cJSON *option, const char *value, char *why, size_t size);

#endif
