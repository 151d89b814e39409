/*
 * The configuration: one tree (monitord.yaml and conf.d/ beside it), one
 * loader, one schema, for all daemons; each takes its sections. Options of probes and
 * notifiers are validated against what `prober --describe` and `notify_X --describe` print.
 * doc/configuration.md is the reference. Everything complained about says file:line:column.
 */
#ifndef LIB_CONFIG_CONFIG_H
#define LIB_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "complaint.h"
#include "lib/contract/event.h"
#include "lib/oncall/tz.h"
#include "lib/oncall/when.h"
#include "lib/contract/template.h"
#include "lib/oncall/ladder.h"
#include "lib/oncall/quiet.h"
#include "lib/oncall/rota.h"

struct cJSON;

/* PLACE_OUTSIDE: passive, nobody here measures it. */
enum check_place { PLACE_NET, PLACE_LOCAL, PLACE_OUTSIDE };

/* Another check that this one hangs on, beyond its parents. */
struct conf_depend {
	char check[EVENT_NAME_MAX];
	unsigned when;              /* bits 1 << enum nag_state */
	bool notification, execution; /* what it suppresses */
	struct mark at;
};

struct conf_check {
	char name[EVENT_NAME_MAX];
	char probe[64];
	char host[EVENT_NAME_MAX];  /* what spreads load and what people read: `host:`, else the probe's host option, else "" */
	enum check_place place;     /* of the probe, from its description */
	unsigned on;                /* the remote that runs it, counted from 1; 0: this host does */
	int64_t interval_ms, retry_interval_ms, timeout_ms;
	int64_t freshness_ms;       /* passive: a result at least that often */
	int max_check_attempts;
	int number;                 /* for pagers that show digits only; unique; 0: none */
	bool shared;                /* the other ops host watches it too, under the same name */
	bool flap_detection;
	int flap_low, flap_high;    /* percent: flapping ends at low or below, begins at high or above */
	char **parents;             /* names of checks; "self" is the built-in one */
	size_t nparents;
	struct conf_depend *depends;
	size_t ndepends;
	char **contacts;            /* contacts, groups, rotas, ladders; empty: defaults.contacts */
	size_t ncontacts;
	struct when *when;          /* run only then; NULL: always */
	const struct tz *zone;      /* by that clock; with when, and borrowed */
	const struct holidays *holidays;
	char **groups;              /* names that several checks share: downtimes and people choose by them */
	size_t ngroups;
	struct cJSON *options;      /* object of strings and arrays of strings, ready for the job line */
	struct mark at;
};

/* An hour and minute of the day, in minutes since midnight; -1: not given. */
enum { CLOCK_NONE = -1 };

/* Who may answer pages by a message, and what; see doc/paging.md. */
enum conf_may { MAY_ACK = 1, MAY_STATUS = 2, MAY_DOWNTIME = 4 };
struct conf_reply {
	char **from;                /* numbers; none: the addresses of the contact's own sms routes */
	size_t nfrom;
	int may;                    /* of conf_may */
};

/* A test page over each route, every so often; 0: never. */
struct conf_test {
	int64_t every_ms;
	int at;                     /* when the first of a day is */
};

/* "60/1h": what may be sent at once, and comes in again within that time. max 0: no limit. */
struct conf_budget {
	bool given;
	unsigned max;
	int64_t span_ms;
};

struct conf_line {
	char name[EVENT_NAME_MAX];
	char notifier[64];          /* "sms" -> libexec/notify_sms */
	struct cJSON *options;
	char **needs;               /* checks that must be OK for this line to be good */
	size_t nneeds;
	struct conf_budget budget;  /* of its routes that have none of their own */
	bool blind;                 /* "sent" tells only that it was used: nobody may have got the page (tones, a siren) */
	bool follows;               /* who is paged here must hear of acknowledgement and recovery (a siren) */
	char number[32];            /* the modem's own; "": not given */
	/* a page from here to the number of that line, timed until it is received there; "": none */
	char loop_to[EVENT_NAME_MAX];
	int64_t loop_every_ms, loop_limit_ms;
	struct mark at;
};

/* Lines that are one to whoever routes pages. */
struct conf_pool {
	char name[EVENT_NAME_MAX];
	char **lines;
	size_t nlines;
	struct mark at;
};

struct conf_route {
	char line[EVENT_NAME_MAX];
	char pool[EVENT_NAME_MAX];  /* the pool that it was written with; "": none. Those of one number are equals */
	unsigned number;            /* of the route as written, from 1 */
	char to[256];               /* address on that line */
	char **needs;               /* more checks, beside the line's own */
	size_t nneeds;
	struct conf_budget budget;  /* not given: its line's */
	struct mark at;
};

struct conf_contact {
	char name[EVENT_NAME_MAX];
	struct conf_route *routes;  /* in order */
	size_t nroutes;
	int64_t repeat_ms;          /* page again while neither acknowledged nor recovered; 0: never */
	bool recovery;              /* wants recoveries */
	bool digest;                /* many pages at once may be told as one */
	bool confirm;               /* a line that confirms nothing is not enough: the next route gets the page too */
	char lang[4];               /* of its pages: "en", "ja" */
	char template[TEMPLATE_BYTES_MAX + 1]; /* of its pages; "": the usual layout */
	struct conf_reply reply;
	struct conf_test test;      /* every_ms -1: as proof: says */
	int all_well;               /* when the daily "all well" page goes */
	struct quiet *own_quiet;    /* as given for this contact; NULL: not */
	const struct quiet *quiet;  /* in force: its own, else that of the first group that has some; NULL: none */
	struct mark at;
};

/* Whom a name in `contacts` may stand for, beside a contact: many, who is on duty, one after the other. The
 * four kinds share one space of names; lib/oncall/who.h tells who is meant when. */
struct conf_group {
	char name[EVENT_NAME_MAX];
	struct who_ref *members; /* contacts */
	size_t nmembers;
	struct quiet *quiet;     /* for members that have none of their own; NULL: none */
	struct mark at;
};

struct conf_rota {
	char name[EVENT_NAME_MAX];
	struct rota rota;
	struct mark at;
};

struct conf_ladder {
	char name[EVENT_NAME_MAX];
	struct ladder ladder;
	struct mark at;
};

/* Another monitor, or whoever else may drop events. */
struct conf_source {
	char name[EVENT_SOURCE_MAX];
	char user[64];      /* whose files are its events */
	char **contacts;    /* whom all of it concerns; empty: as the events say */
	size_t ncontacts;
	int64_t budget;     /* problems and notices that are paged within budget_ms; 0: all */
	int64_t budget_ms;
	struct mark at;
};

/* Another host that runs checks, behind ssh; see doc/remote.md. */
struct conf_remote {
	char name[EVENT_NAME_MAX];
	char host[256], user[64], jump[256]; /* "": not given */
	char identity[200], known_hosts[200], ssh[200], command[200];
	int port;
	int64_t connect_ms;
	int64_t beat_ms, limit_ms; /* between two heartbeats; silent for so long counts as dead */
	int64_t delay_ms;          /* so long a lost connection may take to come back before it is a problem */
	bool below_self;           /* it is reached over this host's own link */
	struct mark at;
};

/* A row that a user adds to the diagnosis, or puts in place of a built-in one. */
struct conf_incident {
	char name[48];
	bool off; /* the built-in one of this name is taken away */
	int rank;
	bool site;
	char **when; /* conditions that can be read; see terms.h */
	size_t nwhen;
	char *explains, *text, *ja; /* NULL: not given */
};

/* A downtime that comes again each week. */
struct conf_downtime {
	char name[EVENT_NAME_MAX];
	char **checks, **hosts, **groups; /* patterns as the shell has them */
	size_t nchecks, nhosts, ngroups;
	struct when when;
	struct tz *zone;
	int64_t duration_ms;     /* flexible: a problem that begins within sets off a downtime of that length; 0: fixed */
	char comment[200];
	struct mark at;
};

/* The other ops host; see doc/peers.md. */
struct conf_peer {
	char name[EVENT_NAME_MAX], other[EVENT_NAME_MAX]; /* this host's and the other's, for people and for the datagrams */
	char listen[64], address[64];                     /* literal addresses and ports */
	char key[256];                                    /* file of the shared key */
	bool primary;
	int64_t interval_ms, limit_ms, delay_ms;
};

/* Hosts by name, and where each was named. */
struct conf_host {
	char *name;
	struct mark at;
};
struct conf_hosts {
	struct conf_host *v;
	size_t n, cap;
};

/* Tells whether a file is what it was. ino 0: there is none. */
struct conf_list_id {
	uint64_t ino;
	int64_t size, ns;
};

/* A list of hosts from elsewhere: a file, or what the DNS says, which is kept in one. */
struct conf_list {
	char *source; /* "mx:example.org", "/etc/monitord/relays" */
	char *path;   /* of the file */
	struct conf_list_id id;
	bool known;
	struct conf_hosts hosts;
	struct mark at; /* where it was first named */
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
	struct tz *zone;                            /* of `oncall`, for proofs and daily summaries; NULL: the host's own */
	struct tz *period_zone;                     /* of `oncall`, when a check has `when` */
	struct holidays holidays;                   /* the same */
	char *country;                              /* replies: digits of the country's code; NULL: not given */
	int reply_limit;                            /* answers to one sender within the hour */
	struct conf_test test;                      /* proof: for contacts that do not say otherwise */
	int64_t unproven_ms;                        /* a route that is not proved for so long is a problem; 0: none */
	struct conf_list *lists;
	size_t nlists;
	int64_t lists_ms;                           /* how often lists of the DNS are asked for */
	char **resolvers;                           /* whom; none: the system's */
	size_t nresolvers;
	struct conf_downtime *downtimes;
	size_t ndowntimes;
	struct conf_incident *incidents;
	size_t nincidents;
	bool has_peer;
	struct conf_peer peer;
	/* a route for monitord alone, on a line no contact's route uses */
	bool has_last_resort;
	struct conf_route last_resort;
	struct conf_remote *remotes;
	size_t nremotes;
	struct conf_check *checks;
	size_t nchecks;
	struct conf_line *lines;
	size_t nlines;
	struct conf_pool *pools;
	size_t npools;
	struct conf_contact *contacts;
	size_t ncontacts;
	struct conf_source *sources;
	size_t nsources;
	struct conf_group *groups;
	size_t ngroups;
	struct conf_rota *rotas;
	size_t nrotas;
	struct conf_ladder *ladders;
	size_t nladders;
	bool has_quiet;             /* somebody has quiet hours */
	char **default_contacts;    /* names of any of the four kinds, as in checks */
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
/* The remote that runs it; NULL: this host. */
const struct conf_remote *config_remote(const struct config *conf, const struct conf_check *k);
/* "self.remote.NAME", the built-in check of its connection. Returns out. */
char *conf_remote_check(const struct conf_remote *r, char *out, size_t size);
/* Whether the check is to be run now; if not, *next_s is when it is again (at most nine days on). */
bool config_runs_now(const struct conf_check *k, int64_t now_s, int64_t *next_s);
/* Whose it is. */
bool conf_downtime_matches(const struct conf_downtime *d, const struct conf_check *k);
const struct conf_line *config_line(const struct config *conf, const char *name);
const struct conf_pool *config_pool(const struct config *conf, const char *name);
/* The budget of a route: its own, its line's or the default of 60/1h. */
struct conf_budget config_budget(const struct config *conf, const char *line, const char *to);
const struct conf_contact *config_contact(const struct config *conf, const char *name);
/* A message from that route's address may be an answer: its line is SMS. */
bool config_route_answers(const struct config *conf, const struct conf_route *r);
/* The contact may acknowledge, and has a number to do it from: its pages carry a code. */
bool config_can_ack(const struct config *conf, const struct conf_contact *c);
const struct conf_source *config_source(const struct config *conf, const char *name);

/* Lists of the DNS: those that are known; all asked for anew, and nothing kept; those that are not known asked for, and
 * kept. config_load is LISTS_KNOWN. */
enum config_lists { LISTS_KNOWN, LISTS_ASK, LISTS_KEEP };
struct config *config_load_lists(const char *main_file, const char *libexec, enum config_lists how, struct complaints *c);

/* What the DNS says of a list. */
struct config_answer {
	bool ok;
	bool answered;    /* when not ok: it did answer, but that is no list */
	struct buf bytes; /* as the file is to be; the caller frees it */
	char why[160];
};
/* Asks `prober --expand` for all of them at once; back within 15 s or so. */
void config_lists_ask(const char *libexec, char *const *resolvers, size_t nresolvers, const char *const *sources, size_t n,
		      struct config_answer *out);
/* Where a list is kept; malloced. */
char *config_list_path(const char *state_dir, const char *source);
bool config_list_keep(const char *path, const struct buf *bytes);
struct conf_list_id config_list_id(const char *path);

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
/* The same without the routes: for who shows them instead (config_lost). */
void config_prove_names(const struct config *conf, struct complaints *c);
/* Which routes of a contact (bit 0: the first) are lost when a check is down: an entry a check, one
 * for "self", and then one for each remote. */
bool config_lost(const struct config *conf, size_t contact, uint32_t *lost);
/* As config_load, but a pair of check and contact that no route remains for is no complaint. */
struct config *config_load_unproved(const char *main_file, const char *libexec, struct complaints *c);

#endif
