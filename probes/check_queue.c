/*
 * queue: what waits in the mail queues of this host, of Postfix, sendmail, Exim, OpenSMTPD, qmail or
 * nullmailer. Depth by counting directory entries, shape (who sends, to whom, from where, how many bounces)
 * by reading a small uniform sample. Runs no program; needs CAP_DAC_READ_SEARCH, as no group may read a
 * spool. Growth is told from earlier runs, kept in the probe's state.
 *
 * What alerts by default: young mail that piles up (maildrop, incoming, active; a receiver's queue), fast
 * growth, a large queue that is mostly bounces, anything damaged. Old deferred mail in
 * volume does not by itself: that is what a deferred queue is for.
 */
#include <string.h>

#include "lib/clock.h"
#include "probes/queue/growth.h"
#include "probe.h"
#include "probes/queue/queue.h"
#include "probes/queue/reservoir.h"

#define FIELD(f) .offset = offsetof(struct queue_conf, f)
#define DEPTH(q, name_, w, c)                                                                                \
	{.name = name_ "_warning",                                                                           \
	 .type = OPT_RANGE,                                                                                  \
	 FIELD(warn[q]),                                                                                     \
	 .dflt = w,                                                                                          \
	 .unit = "RANGE",                                                                                    \
	 .help = "WARNING when the number of messages in " name_ " is outside the range"},                   \
	{                                                                                                    \
		.name = name_ "_critical", .type = OPT_RANGE, FIELD(crit[q]), .dflt = c, .unit = "RANGE",    \
		.help = "CRITICAL when the number of messages in " name_ " is outside the range"             \
	}

static const struct opt queue_opts[] = {
    {.name = "mta",
     .letter = 'M',
     .type = OPT_ENUM,
     FIELD(mta),
     .dflt = "auto",
     .choices = QUEUE_MTAS,
     .help = "whose queue it is; auto: told by the directories that are given, else by what is on this host"},
    {.name = "queue_directory",
     .type = OPT_LIST,
     FIELD(queue_directory),
     .unit = "DIR",
     .help =
	 "spool of an instance; several are summed. Of sendmail globs such as /var/spool/mqueue/q* will do. "
	 "Default: what the agent's own configuration says (Postfix: with all of its "
	 "multi_instance_directories), else its usual place"},
    {.name = "config_directory",
     .letter = 'd',
     .type = OPT_LIST,
     FIELD(config_directory),
     .unit = "DIR",
     .help = "configuration that says where the queue is: a directory with main.cf (Postfix) or with "
	     "sendmail.cf and "
	     "submit.cf, or the file itself (sendmail, Exim)"},
    {.name = "stages",
     .type = OPT_LIST,
     FIELD(stages),
     .unit = "TEXT",
     .help = "NAME [DIR...] [w=RANGE] [c=RANGE] [growth_w=RANGE] [growth_c=RANGE] [oldest_w=TIME] "
	     "[oldest_c=TIME] "
	     "[kind=waits|flows|defers|holds|damaged]: limits of one stage; with directories (sendmail only) "
	     "the stage is made of them"},
    {.name = "warning",
     .letter = 'w',
     .type = OPT_INT,
     FIELD(warning),
     .dflt = "0",
     .min = 0,
     .max = 1e9,
     .unit = "N",
     .help = "WARNING when at least so many messages are queued, corrupt not counted; 0: never"},
    {.name = "critical",
     .letter = 'c',
     .type = OPT_INT,
     FIELD(critical),
     .dflt = "0",
     .min = 0,
     .max = 1e9,
     .unit = "N",
     .help = "CRITICAL when at least so many messages are queued, corrupt not counted; 0: never"},
    DEPTH(PQ_MAILDROP, "maildrop", "500", "5000"),
    DEPTH(PQ_INCOMING, "incoming", "1000", "5000"),
    DEPTH(PQ_ACTIVE, "active", "2000", "10000"),
    DEPTH(PQ_DEFERRED, "deferred", NULL, NULL),
    DEPTH(PQ_HOLD, "hold", NULL, NULL),
    DEPTH(PQ_CORRUPT, "corrupt", "0", NULL),
    {.name = "growth_warning",
     .type = OPT_RANGE,
     FIELD(growth_warning),
     .dflt = "~:500",
     .unit = "RANGE",
     .help = "WARNING when the messages that maildrop, incoming, active and deferred gain per minute are "
	     "outside"},
    {.name = "growth_critical",
     .type = OPT_RANGE,
     FIELD(growth_critical),
     .dflt = "~:1000",
     .unit = "RANGE",
     .help = "CRITICAL when the messages that they gain per minute are outside"},
    {.name = "growth_window",
     .type = OPT_DURATION,
     FIELD(growth_window),
     .dflt = "2m",
     .min = 10e3,
     .max = 3600e3,
     .help = "growth is told over this time, or since the last run when that is longer ago"},
    {.name = "oldest_warning",
     .type = OPT_DURATION,
     FIELD(oldest_warning),
     .dflt = "15m",
     .min = 0,
     .max = 30 * 86400e3,
     .help = "WARNING when mail waits longer in maildrop or incoming: Postfix does not take it up; 0: never"},
    {.name = "oldest_critical",
     .type = OPT_DURATION,
     FIELD(oldest_critical),
     .dflt = "1h",
     .min = 0,
     .max = 30 * 86400e3,
     .help = "CRITICAL when mail waits longer in maildrop or incoming; 0: never"},
    {.name = "deferred_oldest_warning",
     .type = OPT_DURATION,
     FIELD(deferred_oldest_warning),
     .min = 0,
     .max = 90 * 86400e3,
     .help = "WARNING when the oldest deferred message came longer ago (by arrival, not by its next retry); "
	     "0: never"},
    {.name = "deferred_oldest_critical",
     .type = OPT_DURATION,
     FIELD(deferred_oldest_critical),
     .min = 0,
     .max = 90 * 86400e3,
     .help = "CRITICAL when the oldest deferred message came longer ago; 0: never"},
    {.name = "null_warning",
     .type = OPT_RANGE,
     FIELD(null_warning),
     .dflt = "50",
     .unit = "RANGE",
     .help = "WARNING when the share of null senders (bounces), in percent, is outside, its margin included"},
    {.name = "null_critical",
     .type = OPT_RANGE,
     FIELD(null_critical),
     .unit = "RANGE",
     .help = "CRITICAL when the share of null senders is outside, its margin included"},
    {.name = "null_least",
     .type = OPT_INT,
     FIELD(null_least),
     .dflt = "1000",
     .min = 0,
     .max = 1e9,
     .unit = "N",
     .help = "with fewer messages the share of null senders does not alert"},
    {.name = "frozen_warning",
     .type = OPT_RANGE,
     FIELD(frozen_warning),
     .unit = "RANGE",
     .help = "Exim: WARNING when the number of frozen messages is outside"},
    {.name = "frozen_critical",
     .type = OPT_RANGE,
     FIELD(frozen_critical),
     .unit = "RANGE",
     .help = "Exim: CRITICAL when the number of frozen messages is outside"},
    {.name = "sample",
     .type = OPT_INT,
     FIELD(sample),
     .dflt = "1068",
     .min = 0,
     .max = 20000,
     .unit = "N",
     .help = "files to read for the shape; 1068 give 3 points either way, whatever the queue's size; 0: no "
	     "shape"},
    {.name = "shape_time",
     .type = OPT_DURATION,
     FIELD(shape_time),
     .dflt = "2s",
     .min = 10,
     .max = 300e3,
     .help = "stop reading files after this time and say how many were read"},
    {.name = "shape_queues",
     .type = OPT_LIST,
     FIELD(shape_queues),
     .unit = "QUEUE",
     .help = "stages to draw the sample from; default: all through which mail flows, not what is held or "
	     "damaged"},
    {.name = "top",
     .type = OPT_INT,
     FIELD(top),
     .dflt = "5",
     .min = 1,
     .max = QUEUE_TOP_MAX,
     .unit = "N",
     .help = "how many senders, recipients, domains, clients and logins to show"},
    {0},
};

static void need_absolute(const struct opt_list *l, const char *item, struct complaints *c)
{
	for (size_t i = 0; i < l->n; i++) {
		if (l->v[i][0] != '/')
			complaint_add(c, NULL, item, l->v[i], "must be an absolute path");
	}
	if (l->n > QUEUE_INSTANCES_MAX)
		complaint_add(c, NULL, item, NULL, "more than %d instances", QUEUE_INSTANCES_MAX);
}

/* Stages that agents have without being told. */
static bool known_stage(const struct queue_conf *conf, const char *name)
{
	static const char *const names[] = {"maildrop",	    "incoming",	     "active",	   "deferred",
					    "hold",	    "queue",	     "offline",	   "mess",
					    "failed",	    "mqueue",	     "mqueue-rx",  "mqueue.in",
					    "clientmqueue", "mqueue-client", "quarantined"};
	struct queue_stage_line line;
	const char *why;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!strcmp(names[i], name))
			return true;
	}
	for (size_t i = 0; i < conf->stages.n; i++) {
		if (queue_stage_parse(conf->stages.v[i], &line, &why) && !strcmp(line.name, name))
			return true;
	}
	return conf->mta == QUEUE_EXIM; /* its queues may bear any name */
}

static void check_stages(const struct queue_conf *conf, struct complaints *c)
{
	struct queue_stage_line line;
	const char *why = "";

	if (conf->stages.n > QUEUE_STAGES_MAX)
		complaint_add(c, NULL, "stages", NULL, "more than %d stages", QUEUE_STAGES_MAX);
	for (size_t i = 0; i < conf->stages.n; i++) {
		if (!queue_stage_parse(conf->stages.v[i], &line, &why))
			complaint_add(c, NULL, "stages", conf->stages.v[i], "%s", why);
		else if (line.dirs[0] && conf->mta != QUEUE_AUTO && conf->mta != QUEUE_SENDMAIL)
			complaint_add(c, NULL, "stages", conf->stages.v[i],
				      "only stages of sendmail are made of directories");
	}
	for (size_t i = 0; i < conf->shape_queues.n; i++) {
		if (!known_stage(conf, conf->shape_queues.v[i]))
			complaint_add(c, NULL, "shape_queues", conf->shape_queues.v[i],
				      "is no stage to draw from");
	}
}

static void queue_check_conf(const void *arg, struct complaints *c)
{
	const struct queue_conf *conf = arg;

	need_absolute(&conf->queue_directory, "queue_directory", c);
	need_absolute(&conf->config_directory, "config_directory", c);
	if (conf->warning && conf->critical && conf->warning > conf->critical)
		complaint_add(c, NULL, "warning", NULL, "is above critical, so it could never be seen");
	if (conf->oldest_warning && conf->oldest_critical && conf->oldest_warning > conf->oldest_critical)
		complaint_add(c, NULL, "oldest_warning", NULL,
			      "is longer than oldest_critical, so it could never be seen");
	check_stages(conf, c);
}

/* Readings of other directories are of no use: which ones these are, as one number. */
static uint64_t mix(uint64_t h, const char *text)
{
	for (;; text++) {
		h = (h ^ (unsigned char)*text) * 0x100000001b3u;
		if (!*text)
			return h;
	}
}

static uint64_t which(const struct queue_seen *s)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (size_t i = 0; i < s->n; i++)
		h = mix(h, s->inst[i].dir);
	for (size_t k = 0; k < s->stages; k++)
		h = mix(h, s->stage[k].name);
	return h;
}

static bool all_counted(const struct queue_seen *s)
{
	for (size_t i = 0; i < s->n; i++) {
		if (s->inst[i].trouble[0])
			return false;
	}
	return !s->late && s->n > 0;
}

static void grow(struct probe_run *run, const struct queue_conf *conf, struct queue_seen *s)
{
	struct queue_growth_point now = {.at = clock_stamp()};
	const struct queue_growth_point *then;
	struct queue_growth g;

	queue_growth_load(&g, run->state, run->state_len, which(s));
	for (size_t k = 0; k < s->stages; k++)
		now.v[k] = s->stage[k].n;
	then = queue_growth_base(&g, &now.at, conf->growth_window);
	if (then) {
		s->growth_known = true;
		s->growth_over_ms = clock_age_ms(&then->at, &now.at);
		for (size_t k = 0; k < s->stages; k++)
			s->stage[k].growth = queue_growth_per_minute(then->v[k], now.v[k], s->growth_over_ms);
	}
	queue_growth_add(&g, &now, conf->growth_window);
	queue_growth_save(&g, &run->newstate);
}

static void queue_run(struct probe_run *run)
{
	const struct queue_conf *conf = run->conf;
	struct queue_seen s;
	bool ok = false;

	_Static_assert((int)QUEUE_STAGES_MAX == (int)QUEUE_GROWTH_SERIES, "a series for each stage");
	if (queue_find(&s, conf)) {
		queue_stages_limit(&s, conf, run->result);
		ok = queue_read(&s, conf, run, reservoir_seed());
	}
	if (!ok) {
		run->result->measured = false;
		result_fail(run->result, NAG_UNKNOWN, "memory", "out of memory");
	} else {
		if (all_counted(&s))
			grow(run, conf, &s);
		queue_report(&s, conf, run->result);
	}
	queue_seen_fini(&s);
}

const struct probe probe_queue = {
    .name = "queue",
    .help = "depth, growth, age and shape of the mail queues of this host, whatever agent keeps them",
    .place = PROBE_LOCAL,
    .opts = queue_opts,
    .conf_size = sizeof(struct queue_conf),
    .check_conf = queue_check_conf,
    .run = queue_run,
};
