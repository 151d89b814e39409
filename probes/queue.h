/*
 * What the queue probe measures, between the half that reads the spool (queue_read.c) and the half
 * that judges and words it (queue_report.c, pure).
 */
#ifndef PROBES_QUEUE_H
#define PROBES_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../lib/opts.h"
#include "../lib/units.h"
#include "postfix_spool.h"
#include "top.h"

struct probe_run;
struct result;

enum {
	QUEUE_INSTANCES_MAX = 64,
	QUEUE_DIR_MAX = 512,
	QUEUE_WAIT_SAMPLE = 64, /* files read to tell how long mail waits in maildrop or incoming */
	QUEUE_TOP_ROOM = 1024,	/* names counted at once */
	QUEUE_TOP_MAX = 20,	/* names shown */
	QUEUE_RCPTS_MAX = 200 /* recipients counted of one message, so that no single one drowns the others */
};

struct queue_conf {
	struct opt_list queue_directory, config_directory;
	int64_t warning, critical;
	struct range warn[PQ_N], crit[PQ_N];
	struct range growth_warning, growth_critical;
	int64_t growth_window;
	int64_t oldest_warning, oldest_critical;
	int64_t deferred_oldest_warning, deferred_oldest_critical;
	struct range null_warning, null_critical;
	int64_t null_least;
	int64_t sample, top, shape_time;
	struct opt_list shape_queues;
	int mailserver;
};

struct queue_instance {
	char
	    dir[QUEUE_DIR_MAX]; /* the queue directory; the configuration directory while that is not known */
	int fd;			/* -1: see trouble */
	char trouble[768];	/* for people; "" when all could be read */
	char layer[24];		/* "absent" "permission" "config" "read"; "" when all could be read */
	struct postfix_count count[PQ_N];
};

struct queue_age {
	int64_t oldest_ms; /* wall clock of the arrival; 0: nothing there, or not known */
	bool exact;	   /* else there may be older ones that were not read */
	uint64_t read;	   /* files that told it */
};

/* the age of mail, by the files read */
enum { QUEUE_AGES = 5 };
extern const int64_t queue_age_limit_ms[QUEUE_AGES - 1];

struct queue_shape {
	uint64_t of;   /* messages in the queues that are sampled */
	uint64_t want; /* files drawn */
	uint64_t read; /* files that told something; every share of messages is of these */
	uint64_t vanished, incomplete, broken, denied;
	int denied_error;
	bool late; /* the time was up before all that were drawn had been read */
	uint64_t null_senders;
	uint64_t local; /* messages that no client brought */
	uint64_t with_account;
	uint64_t age[QUEUE_AGES];
	struct top *senders, *rcpts, *domains, *clients, *accounts;
	struct top *account_clients; /* "ACCOUNT\nCLIENT" */
};

struct queue_seen {
	struct queue_instance *inst; /* n of them */
	size_t n, dropped;	     /* dropped: beyond QUEUE_INSTANCES_MAX */
	uint64_t total[PQ_N];
	bool late; /* counting did not end in time: the totals are "at least" */
	struct queue_age age[PQ_N];
	struct queue_shape shape;
	int64_t now_ms, count_us, shape_us;
	bool growth_known;
	double growth[PQ_N]; /* per minute */
	int64_t growth_over_ms;
};

/* Finds the instances: those that conf names, else those of main.cf in config_dir ("/etc/postfix") and its
 * multi_instance_directories, else default_queue. */
bool queue_find(struct queue_seen *s, const struct queue_conf *conf, const char *config_dir,
		const char *default_queue);
/* Counts and samples. s->inst must have been filled by queue_find. False: out of memory. */
bool queue_read(struct queue_seen *s, const struct queue_conf *conf, struct probe_run *run, uint64_t seed);
/* Notes what is wrong with an instance; the first time counts. */
void queue_trouble(struct queue_instance *in, const char *layer, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
#define QUEUE_GRANT "set AmbientCapabilities=CAP_DAC_READ_SEARCH in monitord-prober-local.service"
void queue_seen_fini(struct queue_seen *s);
/* Counted as waiting: what an outage, a flood or a loop makes grow. Not hold (that is where first aid puts
 * mail), not corrupt. */
bool queue_flows(enum postfix_queue q);
uint64_t queue_total(const struct queue_seen *s); /* all but corrupt, as postqueue lists them */
bool queue_is_shaped(const struct queue_conf *conf, enum postfix_queue q);

/* Judges and words it. Pure. */
void queue_report(const struct queue_seen *s, const struct queue_conf *conf, struct result *r);

#endif
