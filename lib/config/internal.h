/*
 * What the parts of the configuration loader share; nobody else includes this
 * (but its unit tests and its fuzzer). One load goes: files -> trees -> sections
 * -> settings, lines, contacts, checks -> references -> --validate -> proof. Each
 * step adds its complaints and goes on with what is still usable.
 */
#ifndef LIB_CONFIG_INTERNAL_H
#define LIB_CONFIG_INTERNAL_H

#include "lib/buf.h"
#include "config.h"
#include "lib/json.h"
#include "run.h"
#include "lib/oncall/who.h"
#include "tree.h"

enum {
	CONF_FILES_MAX = 1000,
	CONF_BYTES_MAX = 16 << 20, /* all files together */
	CONF_CHECKS_MAX = 10000,
	CONF_LINES_MAX = 100,
	CONF_CONTACTS_MAX = 1000,
	CONF_DOWNTIMES_MAX = 64, /* bits of a word in monitord */
	CONF_TEMPLATES_MAX = 1000,
	CONF_HOSTS_MAX = 10000, /* of one check */
	CONF_LISTS_MAX = 100,
	CONF_PERIODS_MAX = 200,
	CONF_LIST_BYTES_MAX = 1 << 20,
	CONF_LIST_NAME_MAX = 96,
	CONF_ROUTES_MAX = 32,
	CONF_SOURCES_MAX = 100,
	CONF_REMOTES_MAX = 100,
	CONF_BUDGET_MAX = 1000, /* pages within one span */
	CONF_LIST_MAX = 32,     /* parents, contacts, needs of one thing */
	CONF_VALUES_MAX = 1000, /* values of one option of type list */
	CONF_NAME_BYTES = 100,
	CONF_NOTIFIERS_MAX = 64, /* different ones */
	CONF_RUN_DIR_BYTES = 90, /* so that "/heartbeat.sock" still fits a socket address */
	CONF_SOCKET_BYTES = 107,
	CONF_GROUPS_MAX = 200,
	CONF_MEMBERS_MAX = 64, /* of a group; no incident tells more people */
	CONF_ROTAS_MAX = 200,
	CONF_LADDERS_MAX = 200,
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

/* Reads all files of a configuration (files.c); complaints about those that cannot be. NULL: out of
 * memory. */
struct conf_files *conf_files_read(const char *main_file, struct complaints *c);
/* Adds an empty file. NULL: out of memory. */
struct conf_file *conf_files_add(struct conf_files *files, const char *path, const char *name);
/* 16 hex digits over their bytes and the last parts of their names. */
void conf_files_digest(const struct conf_files *files, char *out, size_t size);
void conf_files_free(struct conf_files *files);

/* What was found of a list from elsewhere. */
struct conf_listed {
	bool ok;
	bool answered;   /* when not: the DNS did answer, but what it says is no list */
	struct buf bytes;
	char *path;      /* the file it is kept in; malloced */
	struct conf_list_id id;
	char why[200];   /* why it is not the newest one; "" when it is */
};

/* --- the programs that describe options --- */
struct conf_programs {
	/* Runs LIBEXEC/PROGRAM OPTION with the input on stdin; false and a reason in why. */
	bool (*run)(void *arg, const char *libexec, const char *program, const char *option,
		    const struct buf *input, struct buf *out, char *why, size_t size);
	void *arg;
	bool unproved; /* routes that may be lost are no complaint */
	/* Reads conf's lists; got has one for each, its bytes empty. NULL: none can be read. */
	void (*lists)(void *arg, const struct config *conf, struct conf_listed *got);
};

/* --- one load --- */
struct conf_section {
	struct node **v; /* borrowed; in the order of the files; names are unique */
	size_t n;
	struct mark at; /* of its first appearance */
};

enum conf_section_id {
	SEC_PERIODS,
	SEC_ONCALL,
	SEC_GROUPS,
	SEC_ROTAS,
	SEC_LADDERS,
	SEC_PATHS,
	SEC_PROBERS,
	SEC_DEADMAN,
	SEC_HISTORY,
	SEC_REPLIES,
	SEC_PROOF,
	SEC_DEFAULTS,
	SEC_LISTS,
	SEC_TEMPLATES,
	SEC_REMOTES,
	SEC_CHECKS,
	SEC_LINES,
	SEC_CONTACTS,
	SEC_LAST_RESORT,
	SEC_SOURCES,
	SEC_PEER,
	SEC_DOWNTIMES,
	SEC_INCIDENTS,
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
	const struct node *zone, *holidays; /* of `oncall`; NULL: not given */
	bool oncall_bad;		    /* and complained about */
	/* checks that stand for many (expand.c) */
	struct node **made; /* nodes beside those of the files */
	size_t nmade, made_cap, checks_cap;
	bool made_full;
	bool in_periods;
	bool unknown_lists;  /* what they would make is unknown, not missing */
	size_t checks_meant; /* how many there would be, were there no maximum */
	bool templates_used[CONF_TEMPLATES_MAX];
	char item[CONF_ITEM_BYTES];
};

/* Everything after reading. Takes over the files, whatever happens. libexec: see config_load. NULL when there
 * is any complaint. */
struct config *config_build(struct conf_files *files, const char *libexec,
			    const struct conf_programs *programs, struct complaints *c);
/* So that config_check finds quickly (held.c); once all checks are read. */
void conf_make_index(struct config *conf);
/* How many complaints there are, those beyond the maximum included. */
size_t conf_count(const struct conf_loader *l);

/* --- hosts (hosts.c) --- */
/* Why a text cannot be a host; NULL: it can. */
const char *conf_bad_host(const char *s);
/* localhost, 127.0.0.0/8, ::1. */
bool conf_is_loopback(const char *host);
void conf_hosts_fini(struct conf_hosts *h);
/* A name, an address, or a run of names. False: it was complained about. */
bool conf_hosts_add(struct conf_loader *l, struct conf_hosts *h, const char *text, const struct mark *at,
		    const char *item);
/* A list of such, or one. */
bool conf_hosts_read(struct conf_loader *l, struct conf_hosts *h, const struct node *n, const char *item);
/* False: some are named twice, which was said. */
bool conf_hosts_differ(struct conf_loader *l, const struct conf_hosts *h, const char *item);

/* --- lists from elsewhere (lists.c, listfile.c) --- */
void conf_read_lists_section(struct conf_loader *l); /* before libexec is used */
/* All that checks and templates name; the lists become files of the configuration. */
void conf_read_lists(struct conf_loader *l, struct conf_files *files);
/* The value of hosts_from. changes: some of its hosts may be others tomorrow. False: it was complained about. */
bool conf_hosts_from(struct conf_loader *l, struct conf_hosts *out, const struct node *n, bool *changes);
bool conf_list_is_file(const char *source);
/* The name of the file it is kept in. Returns out (CONF_LIST_NAME_MAX is enough). */
char *conf_list_name(const char *source, char *out, size_t size);
void conf_lists_load(const struct config *conf, enum config_lists how, struct conf_listed *got);

/* --- checks that stand for many (expand.c) --- */
/* Leaves single ones in the section; names may be given twice. */
void conf_expand_checks(struct conf_loader *l);

/* --- nodes that are made (made.c) --- */
#define CONF_HOST_MARK "{host}"
/* At the place of another, under its key. NULL: no more can be made, which was said. */
struct node *conf_make(struct conf_loader *l, enum node_kind kind, const struct node *like);
/* The text with the host in it; malloced. */
char *conf_with_host(const char *text, const char *host);
/* The node itself, or a copy with the host in it; host may be NULL. NULL: it cannot be made. */
struct node *conf_for_host(struct conf_loader *l, struct node *n, const char *host);
void conf_made_free(struct conf_loader *l);

/* --- reading values (read.c) --- */
/* "checks.mx1.port" in a buffer of the loader, good until the next call. */
const char *conf_item(struct conf_loader *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The node's text; NULL and a complaint when it has none. */
const char *conf_text(struct conf_loader *l, const struct node *n, const char *item);
/* A name of a check, line or contact (the key of the node). */
bool conf_name(struct conf_loader *l, const struct node *n, const char *item);
/* The same of a name that is no key. */
bool conf_good_name(struct conf_loader *l, const struct mark *at, const char *item, const char *name);
/* An unknown key, with the nearest of the known ones. */
void conf_unknown(struct conf_loader *l, const struct node *n, const char *item, const char *const *known,
		  size_t nknown);
/* A list of names: a sequence of texts, or one text. May be empty only if empty_ok. */
void conf_names(struct conf_loader *l, const struct node *n, const char *item, bool empty_ok, char ***v,
		size_t *nv);
/* Copies into a field; too long is a complaint. */
bool conf_copy(struct conf_loader *l, char *field, size_t size, const char *text, const struct node *n,
	       const char *item);

enum conf_setting_type { SET_DURATION, SET_INT, SET_SIZE, SET_BOOL, SET_PATH, SET_CLOCK /* int, minutes since midnight */ };
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
/* "60/1h" or "none". (budget.c) */
void conf_budget_read(struct conf_loader *l, struct conf_budget *b, const struct node *n, const char *item);
void conf_setting_read(struct conf_loader *l, const struct conf_setting *s, void *base, const struct node *n,
		       const char *item);

/* --- the sections --- */
extern const struct conf_setting conf_check_settings[]; /* of struct conf_check; also in defaults: */
void conf_read_settings(
	struct conf_loader *l); /* paths, probers, deadman, history, defaults (schema.c) */
void conf_read_checks(struct conf_loader *l); /* checks.c */
void conf_read_incidents(struct conf_loader *l); /* incidents.c */
void conf_incidents_free(struct config *conf);
void conf_read_downtimes(struct conf_loader *l); /* after the checks */
void conf_read_peer(struct conf_loader *l); /* after the checks */
/* remotes.c: the section, before the checks; "on" of a check; those that nothing runs on. */
void conf_read_remotes(struct conf_loader *l);
void conf_read_on(struct conf_loader *l, struct conf_check *k, const struct node *n);
void conf_warn_remotes(struct conf_loader *l);
/* depends_on of one check (depends.c). */
void conf_read_depends(struct conf_loader *l, struct conf_check *k, const struct node *n);
void conf_read_lines(struct conf_loader *l);  /* lines, contacts, last_resort (lines.c) */
void conf_read_sources(struct conf_loader *l); /* sources.c; their contacts must have been read */
void conf_check_references(struct conf_loader *l);
/* "group:NAME" among parents, depends_on and needs becomes the checks of that group (members.c). */
void conf_expand_members(struct conf_loader *l);

/* Of a contact: reply, test, all_well; of a line: number, loopback (answers.c). False: the key is another's. */
bool conf_answers_key(struct conf_loader *l, struct conf_contact *k, const struct node *n, const char *item);
void conf_loopback_key(struct conf_loader *l, struct conf_line *k, const struct node *n, const char *item);
void conf_answers_defaults(struct conf_contact *k);
void conf_read_answers(struct conf_loader *l); /* the sections replies and proof */
void conf_check_answers(struct conf_loader *l); /* once lines and contacts are read */

/* --- who must know (oncall.c, rotas.c, people.c) --- */
/* What `oncall` says for all: zone and holidays. To be read before the contacts. */
void conf_read_oncall(struct conf_loader *l);
/* groups, rotas, ladders; after the contacts. */
void conf_read_groups(struct conf_loader *l);
void conf_read_rotas(struct conf_loader *l);
void conf_read_ladders(struct conf_loader *l);
/* Room for a section's things; 0 when there are none or none can be taken. */
size_t conf_room(struct conf_loader *l, enum conf_section_id id, size_t max, size_t size, void *things);
/* A map of quiet hours; NULL after a complaint. */
struct quiet *conf_read_quiet(struct conf_loader *l, const struct node *map, const char *prefix);
/* timezone and holidays of a map, else those of `oncall`. at: where a missing zone is complained about. */
bool conf_zone(struct conf_loader *l, const struct node *map, const struct mark *at, const char *prefix,
	       struct tz **zone, struct holidays *holidays);
/* Names into references: only contacts, groups (up to WHO_GROUP) or rotas too (up to WHO_ROTA). */
bool conf_refs(struct conf_loader *l, const struct node *n, const char *item, enum who_kind up_to,
	       struct who_ref **v, size_t *nv);
/* The section periods: names for times of the week. Before whoever may use one. */
void conf_read_periods(struct conf_loader *l);
/* `when` of a check; after conf_read_oncall. */
void conf_read_check_when(struct conf_loader *l, struct conf_check *k, const struct node *n);
/* "mon-fri 09:00-18:00", the name of a period, or a list of such. */
bool conf_when(struct conf_loader *l, const struct node *n, const char *item, struct when *w);
/* A name among contacts, groups, rotas and ladders that is not taken yet. */
bool conf_who_name(struct conf_loader *l, const struct node *map, const char *section, char *name);
/* "there is no such KIND; did you mean ..." among all that can be paged. */
void conf_no_such_contact(struct conf_loader *l, const struct mark *at, const char *item, const char *written);

/* --- descriptions (describe.c) --- */
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

/* pools.c */
bool conf_is_pool(const struct node *map);
void conf_read_pool(struct conf_loader *l, const struct node *map);
/* Once lines and contacts are read: a route over a pool becomes one for each of its lines. */
void conf_expand_pools(struct conf_loader *l);

#endif
