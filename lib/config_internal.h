/*
 * What the parts of the configuration loader share; nobody else includes this
 * (but its unit tests and its fuzzer). One load goes: files -> trees -> sections
 * -> settings, lines, contacts, checks -> references -> --validate -> proof. Each
 * step adds its complaints and goes on with what is still usable.
 */
#ifndef LIB_CONFIG_INTERNAL_H
#define LIB_CONFIG_INTERNAL_H

#include "buf.h"
#include "config.h"
#include "json.h"
#include "tree.h"

enum {
	CONF_FILES_MAX = 1000,
	CONF_BYTES_MAX = 16 << 20, /* all files together */
	CONF_CHECKS_MAX = 10000,
	CONF_LINES_MAX = 100,
	CONF_CONTACTS_MAX = 1000,
	CONF_ROUTES_MAX = 32,
	CONF_LIST_MAX = 32,     /* parents, contacts, needs of one thing */
	CONF_VALUES_MAX = 1000, /* values of one option of type list */
	CONF_NAME_BYTES = 100,
	CONF_NOTIFIERS_MAX = 64, /* different ones */
	CONF_RUN_DIR_BYTES = 90, /* so that "/heartbeat.sock" still fits a socket address */
	CONF_SOCKET_BYTES = 107,
	CONF_ITEM_BYTES = 512
};

/* --- files --- */
struct conf_file {
	char *path; /* as opened */
	char *name; /* what the last good copy calls it: "monitord.yaml", "conf.d/mx.yaml" */
	struct buf bytes;
	struct node *root; /* NULL: could not be parsed */
	bool unread;       /* could not be read (already complained about) */
};

struct conf_files {
	struct conf_file *v; /* the main file first */
	size_t n;
	bool broken; /* something is missing (already complained about) */
	struct complaints warnings;
};

/* Reads all files of a configuration (config_files.c); complaints about those that cannot be. NULL: out of
 * memory. */
struct conf_files *conf_files_read(const char *main_file, struct complaints *c);
/* Adds an empty file. NULL: out of memory. */
struct conf_file *conf_files_add(struct conf_files *files, const char *path, const char *name);
/* 16 hex digits over their bytes and the last parts of their names. */
void conf_files_digest(const struct conf_files *files, char *out, size_t size);
void conf_files_free(struct conf_files *files);

/* --- the programs that describe options --- */
struct conf_programs {
	/* Runs LIBEXEC/PROGRAM OPTION with the input on stdin; false and a reason in why. */
	bool (*run)(void *arg, const char *libexec, const char *program, const char *option,
		    const struct buf *input, struct buf *out, char *why, size_t size);
	void *arg;
};

/* The real thing: fork and exec, no shell, a process group of its own, at most timeout_ms, output at most
 * out->max. Safe in a process with threads. */
bool config_run(const char *path, const char *option, const struct buf *input, int timeout_ms,
		struct buf *out, char *why, size_t size);

/* --- one load --- */
struct conf_section {
	struct node **v; /* borrowed; in the order of the files; names are unique */
	size_t n;
	struct mark at; /* of its first appearance */
};

enum conf_section_id {
	SEC_PATHS,
	SEC_PROBERS,
	SEC_DEADMAN,
	SEC_HISTORY,
	SEC_DEFAULTS,
	SEC_CHECKS,
	SEC_LINES,
	SEC_CONTACTS,
	SEC_LAST_RESORT,
	SECTIONS
};
extern const char *const conf_section_names[SECTIONS];

/* What is remembered of a check, line or contact beside its place in struct config. */
struct conf_origin {
	const struct node *node;
	bool clean;           /* nothing was complained about: worth showing to --validate */
	const cJSON *options; /* the description's array; NULL: none */
};

struct conf_loader {
	struct config *conf;
	struct complaints *c;
	const struct conf_programs *programs;
	struct conf_section sections[SECTIONS];
	bool broken;            /* a file could not be read: whatever it defines is unknown, not missing */
	struct conf_check dflt; /* defaults: for what a check leaves out */
	const struct node *default_contacts; /* the node, for its mark; NULL: not given */
	struct conf_origin *check_origins, *line_origins, *contact_origins;
	cJSON *prober; /* its description; NULL: none could be had */
	const char **probe_names;
	size_t nprobe_names;
	struct {
		char name[64];
		cJSON *description; /* NULL: none could be had (already complained about) */
	} notifiers[CONF_NOTIFIERS_MAX];
	size_t nnotifiers;
	char item[CONF_ITEM_BYTES];
};

/* Everything after reading. Takes over the files, whatever happens. libexec: see config_load. NULL when there
 * is any complaint. */
struct config *config_build(struct conf_files *files, const char *libexec,
			    const struct conf_programs *programs, struct complaints *c);
/* How many complaints there are, those beyond the maximum included. */
size_t conf_count(const struct conf_loader *l);

/* --- reading values (config_read.c) --- */
/* "checks.mx1.port" in a buffer of the loader, good until the next call. */
const char *conf_item(struct conf_loader *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The node's text; NULL and a complaint when it has none. */
const char *conf_text(struct conf_loader *l, const struct node *n, const char *item);
/* A name of a check, line or contact (the key of the node). */
bool conf_name(struct conf_loader *l, const struct node *n, const char *item);
/* An unknown key, with the nearest of the known ones. */
void conf_unknown(struct conf_loader *l, const struct node *n, const char *item, const char *const *known,
		  size_t nknown);
/* A list of names: a sequence of texts, or one text. May be empty only if empty_ok. */
void conf_names(struct conf_loader *l, const struct node *n, const char *item, bool empty_ok, char ***v,
		size_t *nv);
/* Copies into a field; too long is a complaint. */
bool conf_copy(struct conf_loader *l, char *field, size_t size, const char *text, const struct node *n,
	       const char *item);

enum conf_setting_type { SET_DURATION, SET_INT, SET_SIZE, SET_BOOL, SET_PATH };
struct conf_setting {
	const char *key;
	enum conf_setting_type type;
	size_t offset;    /* int64_t ms, int, size_t, bool, char * */
	int64_t min, max; /* SET_PATH: max bytes */
	const char *dflt; /* as written; NULL: unset */
};
/* A table ends with a NULL key. */
bool conf_settings_defaults(const struct conf_setting *table, void *base);
const struct conf_setting *conf_setting_find(const struct conf_setting *table, const char *key);
void conf_setting_read(struct conf_loader *l, const struct conf_setting *s, void *base, const struct node *n,
		       const char *item);

/* --- the sections --- */
extern const struct conf_setting conf_check_settings[]; /* of struct conf_check; also in defaults: */
void conf_read_settings(
	struct conf_loader *l); /* paths, probers, deadman, history, defaults (config_schema.c) */
void conf_read_checks(struct conf_loader *l); /* config_checks.c */
void conf_read_lines(struct conf_loader *l);  /* lines, contacts, last_resort (config_lines.c) */
void conf_check_references(struct conf_loader *l);

/* --- descriptions (config_describe.c) --- */
void conf_describe_prober(struct conf_loader *l);
const cJSON *conf_probe(const struct conf_loader *l, const char *name);
/* The description of a notifier, asked for once; NULL: there is none (complained about at n). */
const cJSON *conf_notifier(struct conf_loader *l, const char *name, const struct node *n, const char *item);
const cJSON *conf_option(const cJSON *options, const char *name);
bool conf_option_is_secret(const cJSON *options, const char *name);
/* Every key of the map but the own ones is an option: checked and added to out. prefix: "checks.mx1". what:
 * for complaints, 'probe "smtp"'. */
void conf_options(struct conf_loader *l, const struct node *map, const char *prefix, const char *what,
		  const char *const *own, size_t nown, const cJSON *options, cJSON *out);
/* One option from its node. */
void conf_option_read(struct conf_loader *l, const struct node *n, const char *item, const cJSON *option,
		      cJSON *out);
/* Those that are required and not there. */
void conf_options_required(struct conf_loader *l, const struct node *map, const char *prefix,
			   const char *what, const cJSON *options, const cJSON *out);
void conf_validate(struct conf_loader *l);

#endif
