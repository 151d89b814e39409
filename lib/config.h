/*
 * The configuration: one tree (monitord.yaml and conf.d/ beside it), one
 * loader, one schema, for all daemons; each takes its sections. Options of probes and
 * notifiers are validated against what `prober --describe` and `notify_X --describe` print.
 * doc/configuration.md is the reference. Everything complained about says file:line:column.
 */
#ifndef LIB_CONFIG_H
#define LIB_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "complaint.h"
#include "event.h"

struct cJSON;

enum check_place { PLACE_NET, PLACE_LOCAL };

struct conf_check {
	char name[EVENT_NAME_MAX];
	char probe[64];
	char host[EVENT_NAME_MAX];  /* what spreads load and what people read: `host:`, else the probe's host option, else "" */
	enum check_place place;     /* of the probe, from its description */
	int64_t interval_ms, retry_interval_ms, timeout_ms;
	int max_check_attempts;
	char **parents;             /* names of checks; "self" is the built-in one */
	size_t nparents;
	char **contacts;            /* empty: defaults.contacts */
	size_t ncontacts;
	struct cJSON *options;      /* object of strings and arrays of strings, ready for the job line */
	struct mark at;
};

struct conf_line {
	char name[EVENT_NAME_MAX];
	char notifier[64];          /* "sms" -> libexec/notify_sms */
	struct cJSON *options;
	char **needs;               /* checks that must be OK for this line to be good */
	size_t nneeds;
	struct mark at;
};

struct conf_route {
	char line[EVENT_NAME_MAX];
	char to[256];               /* address on that line */
	char **needs;               /* more checks, beside the line's own */
	size_t nneeds;
	struct mark at;
};

struct conf_contact {
	char name[EVENT_NAME_MAX];
	struct conf_route *routes;  /* in order */
	size_t nroutes;
	int64_t repeat_ms;          /* page again while neither acknowledged nor recovered; 0: never */
	bool recovery;              /* wants recoveries */
	struct mark at;
};

struct config {
	/* paths */
	char *spool, *spool_twin;
	char *monitord_state, *pagerd_state; /* StateDirectory of each */
	char *monitord_run, *pagerd_run;     /* sockets, status.json */
	char *libexec;
	/* probers: Unix socket of a prober run by its own unit; NULL: monitord starts it as a child */
	char *prober_net_socket, *prober_local_socket;
	int64_t beat_ms, beat_limit_ms, planned_ms; /* deadman: interval, limit, planned_stop */
	size_t history;                             /* lines of events.jsonl that are kept */
	int64_t host_gap_ms;                        /* least time between two starts at one host */
	/* a route for monitord alone, on a line no contact's route uses */
	bool has_last_resort;
	struct conf_route last_resort;
	struct conf_check *checks;
	size_t nchecks;
	struct conf_line *lines;
	size_t nlines;
	struct conf_contact *contacts;
	size_t ncontacts;
	char **default_contacts;
	size_t ndefault_contacts;
	char digest[20];   /* 16 hex digits over the bytes of all files and their names' last parts */
	char *source;      /* the main file's path */
	bool from_copy;    /* the last good copy is in force, not source; set by the daemon that loaded the copy */
	struct complaints warnings; /* what is allowed and yet worth a look; never empty text, never fatal */
	void *trees;       /* private: the files' bytes, for config_keep; keeps the marks' file names alive */
	void *index;       /* private: checks by name */
};

/* Reads the main file and the .yaml files of conf.d in its directory (byte order of names; maps of sections are merged, a name given
 * twice is a complaint that names both places). Runs the --describe programs of libexec (given: overrides paths.libexec;
 * NULL: that or the default of file_libexec). NULL when there is any complaint. */
struct config *config_load(const char *main_file, const char *libexec, struct complaints *c);
void config_free(struct config *conf);
const struct conf_check *config_check(const struct config *conf, const char *name);
const struct conf_line *config_line(const struct config *conf, const char *name);
const struct conf_contact *config_contact(const struct config *conf, const char *name);

/* The last good copy: keep stores the files of a configuration that just loaded under dir/last-good/ (atomically: a new
 * directory, then a symlink renamed over); main_of returns the path of the copy's main file, NULL when there is none. */
bool config_keep(const struct config *conf, const char *dir, char *why, size_t size);
char *config_kept(const char *dir);
/* A file that does not load may still tell where the state is: the absolute path after the first key of that name in its
 * text, quoted or not. malloced; NULL when there is none. */
char *config_path_in_text(const char *file, const char *key);

/* Pure: for every check and each contact it concerns, a route must remain when that check and all that depends on it are
 * down (a route remains when neither its line's needs nor its own are among those). Adds a complaint naming both for
 * each pair with none left. Also: the last resort's line is used by no contact's route; parents exist and make no loop;
 * needs exist. Called by config_load. */
void config_prove(const struct config *conf, struct complaints *c);

#endif
