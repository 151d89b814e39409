/*
 * What the queue probe measures: between the files of the mail transport agents (struct queue_mta, one each),
 * the half that counts and samples (read.c) and the half that judges and words it (report.c, pure).
 */
#ifndef PROBES_QUEUE_QUEUE_H
#define PROBES_QUEUE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/config/opts.h"
#include "lib/config/units.h"
#include "message.h"
#include "postfix_spool.h"
#include "top.h"

struct probe_run;
struct queue_scan;
struct result;

enum {
	QUEUE_INSTANCES_MAX = 128,
	QUEUE_STAGES_MAX = 16,
	QUEUE_NAME_MAX = 32, /* a stage's name, with its NUL */
	QUEUE_DIR_MAX = 512,
	QUEUE_PATH_MAX = 96,	/* of a queue file below its instance's directory */
	QUEUE_WAIT_SAMPLE = 64, /* files read to tell how long mail waits in one stage */
	QUEUE_TOP_ROOM = 1024,	/* names counted at once */
	QUEUE_TOP_MAX = 20,	/* names shown */
	QUEUE_RCPTS_MAX = 200 /* recipients counted of one message, so that no single one drowns the others */
};

/* As option mta has them. */
enum queue_mta_id {
	QUEUE_AUTO,
	QUEUE_POSTFIX,
	QUEUE_SENDMAIL,
	QUEUE_EXIM,
	QUEUE_OPENSMTPD,
	QUEUE_QMAIL,
	QUEUE_NULLMAILER
};
#define QUEUE_MTAS "auto|postfix|sendmail|exim|opensmtpd|qmail|nullmailer"

struct queue_conf {
	int mta;
	struct opt_list queue_directory, config_directory, stages;
	int64_t warning, critical;
	struct range warn[PQ_N], crit[PQ_N];
	struct range growth_warning, growth_critical;
	int64_t growth_window;
	int64_t oldest_warning, oldest_critical;
	int64_t deferred_oldest_warning, deferred_oldest_critical;
	struct range null_warning, null_critical;
	int64_t null_least;
	struct range frozen_warning, frozen_critical;
	int64_t sample, top, shape_time;
	struct opt_list shape_queues;
};

/* What mail does in a stage. */
enum queue_kind {
	QUEUE_WAITS,   /* it waits for the agent itself: when it stays, nobody takes it up */
	QUEUE_FLOWS,   /* it is being delivered */
	QUEUE_DEFERS,  /* it is tried again and again */
	QUEUE_HOLDS,   /* somebody put it aside (first aid does): counted, but no growth */
	QUEUE_DAMAGES, /* the agent gave it up as damaged: in no sum */
	QUEUE_KINDS
};

struct queue_limits {
	struct range warn, crit;	       /* number of messages */
	struct range growth_warn, growth_crit; /* a minute */
	int64_t old_warn, old_crit;	       /* ms; -1: not given */
};

struct queue_age {
	int64_t oldest_ms; /* wall clock of the arrival; 0: nothing there, or not known */
	bool exact;	   /* else there may be older ones that were not read */
	uint64_t read;	   /* files that told it */
};

struct queue_stage {
	char name[QUEUE_NAME_MAX];
	char said[QUEUE_NAME_MAX]; /* behind a number: "7 deferred" */
	enum queue_kind kind;
	bool part;   /* its messages are counted in another stage, too: in no sum, in no sample */
	bool opaque; /* its files do not say who sent them: they are never in the sample */
	bool shaped;
	struct queue_limits limits;
	uint64_t n;
	double growth; /* per minute */
	struct queue_age age;
};

struct queue_count {
	uint64_t n;
	uint64_t named;	   /* entries whose name tells when they came */
	int64_t oldest_ms; /* the least time among those; 0 when there are none */
};

/* One spool: of Postfix an instance, of sendmail one of its queue directories. */
struct queue_instance {
	char dir[QUEUE_DIR_MAX]; /* while that is not known, the configuration it was to be told from */
	int fd;			 /* -1: see trouble */
	size_t stage;		 /* sendmail: what the directory holds */
	char trouble[768];	 /* for people; "" when all could be read */
	char layer[24];		 /* "absent" "permission" "config" "read"; "" when all could be read */
	bool asked;		 /* Postfix: counted by asking showq */
	struct queue_count count[QUEUE_STAGES_MAX];
};

/* the age of mail, by the files read */
enum { QUEUE_AGES = 5 };
extern const int64_t queue_age_limit_ms[QUEUE_AGES - 1];

struct queue_shape {
	uint64_t of;	/* messages in the stages that are sampled */
	uint64_t want;	/* files drawn */
	uint64_t read;	/* files that told something; every share of messages is of these */
	uint64_t asked; /* of these the ones that were asked for, not read: without client and login */
	uint64_t vanished, incomplete, broken, foreign, denied;
	int denied_error;
	bool late; /* the time was up before all that were drawn had been read */
	uint64_t null_senders;
	uint64_t local; /* messages that no client brought */
	uint64_t frozen;
	uint64_t with_account;
	uint64_t age[QUEUE_AGES];
	unsigned rcpts_of_this; /* recipients of the message at hand */
	struct top *senders, *rcpts, *domains, *clients, *accounts;
	struct top *from,
	    *by; /* two last labels of the sender's domain, of who deferred it; NULL unless asked for */
	struct top *account_clients; /* "ACCOUNT\nCLIENT" */
};

struct queue_seen {
	const struct queue_mta *mta;
	bool by_domain;		     /* count shape.from and shape.by, of what defers alone */
	char also[128];		     /* other agents that seem to be here, too; "" when there are none */
	struct queue_instance *inst; /* n of them */
	size_t n, dropped;	     /* dropped: beyond QUEUE_INSTANCES_MAX */
	struct queue_stage stage[QUEUE_STAGES_MAX];
	size_t stages;
	int before, behind; /* stages between which something else must carry mail on (a scanner); -1: none */
	bool late;	    /* counting did not end in time: the totals are "at least" */
	struct queue_shape shape;
	int64_t now_ms, count_us, shape_us;
	bool growth_known;
	int64_t growth_over_ms;
};

/* What a whole spool tells that is not read but asked for. */
struct queue_asking {
	int64_t deadline;
	/* Each message: the stage's number (below s->stages), and what is known of it. */
	void (*message)(void *arg, size_t stage, const struct queue_message *m);
	struct queue_sink sink; /* recipients of the message, before `message` is called for it */
	void *arg;
};

/* One mail transport agent. */
struct queue_mta {
	const char *title; /* "Postfix" */
	bool clients;	   /* its files say which client brought a message */
	bool freezes;	   /* Exim */
	/* Whether this agent seems to be on this host. */
	bool (*here)(void);
	/* Makes the stages and the instances: those that conf names, else what its own configuration says,
	 * else the usual place. */
	void (*find)(struct queue_seen *s, const struct queue_conf *conf);
	/* Whether the open directory is a spool of it; a mistyped path must not count as an empty queue.
	 * named: the agent is known, so what does not contradict will do. */
	bool (*is_spool)(int dirfd, const char *dir, bool named);
	/* Counts and offers (queue_found) all messages of one instance. */
	void (*count)(struct queue_scan *scan, struct queue_seen *s, struct queue_instance *in);
	/* Reads one that was drawn; text: QUEUE_TEXT_MAX bytes to work in. */
	enum queue_got (*read)(const struct queue_instance *in, const char *path, char *text,
			       const struct queue_sink *to, struct queue_message *m);
	/* Asks the running agent instead, where the spool may not be read. May be NULL. False: no answer
	 * (trouble says why). */
	bool (*ask)(struct queue_instance *in, const struct queue_asking *a, char *text);
};

extern const struct queue_mta queue_postfix, queue_sendmail, queue_exim, queue_opensmtpd, queue_qmail,
    queue_nullmailer;

/* --- find.c: which agent, which spools --- */
/* Chooses the agent (conf, what the directories look like, what is on the host) and finds and opens its
 * spools. False: out of memory. */
bool queue_find(struct queue_seen *s, const struct queue_conf *conf);

/* --- stages.c, for the agents' find --- */
/* The stage of that name, made when it is not there yet; NULL when there are too many. */
struct queue_stage *queue_stage_add(struct queue_seen *s, const char *name, const char *said,
				    enum queue_kind kind);
/* Its number, -1 when there is none of that name. */
int queue_stage_find(const struct queue_seen *s, const char *name);
/* An instance for that directory; the one that is there already when there is. NULL: too many. */
struct queue_instance *queue_instance_add(struct queue_seen *s, const char *dir);
/* Notes what is wrong with an instance; the first time counts. */
void queue_trouble(struct queue_instance *in, const char *layer, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
#define QUEUE_GRANT "set AmbientCapabilities=CAP_DAC_READ_SEARCH in monitord-prober-local.service"
/* --- limits.c --- */
/* One line of option stages, "NAME [DIR...] [w=RANGE] ...": what it says, to the stage's limits. */
struct queue_stage_line {
	char name[QUEUE_NAME_MAX];
	bool kind_given;
	enum queue_kind kind;
	struct queue_limits limits;
	char dirs[QUEUE_DIR_MAX]; /* separated by blanks, globs not expanded */
};
bool queue_stage_parse(const char *text, struct queue_stage_line *line, const char **why);
/* Applies the lines of option stages, and Postfix' own options, to the stages found; names one that is not
 * there. */
void queue_stages_limit(struct queue_seen *s, const struct queue_conf *conf, struct result *r);

/* --- read.c --- */
/* Counts and samples. s must have been filled by queue_find. False: out of memory. */
bool queue_read(struct queue_seen *s, const struct queue_conf *conf, struct probe_run *run, uint64_t seed);
void queue_seen_fini(struct queue_seen *s);
/* Opens a queue file and reads at most QUEUE_TEXT_MAX bytes of it; *whole: that was all. QUEUE_GOT or why
 * not. */
/* What an errno of open means. */
enum queue_got queue_not_opened(int error);
enum queue_got queue_slurp(int dirfd, const char *path, char *text, struct queue_slice *got, bool *whole,
			   int64_t *mtime_ms);

/* --- sums --- */
/* Counted as waiting: what an outage, a flood or a loop makes grow. Not what somebody put aside, not what is
 * damaged. */
bool queue_flows(const struct queue_stage *st);
uint64_t queue_total(const struct queue_seen *s);    /* all but damaged */
double queue_growth_all(const struct queue_seen *s); /* a minute, of what flows */
/* Frozen messages, by the share of the sample. */
double queue_frozen(const struct queue_seen *s);
uint64_t queue_sum(const struct queue_seen *s, enum queue_kind kind);

/* Judges and words it. Pure. */
void queue_report(const struct queue_seen *s, const struct queue_conf *conf, struct result *r);
/* The facts. Pure. */
void queue_facts(const struct queue_seen *s, struct result *r);

#endif
