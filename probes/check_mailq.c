/*
 * mailq: the queue of this host judged as monitoring-plugins' check_mailq does: its flags, its states, its
 * one figure, and none of the limits that probe queue has by default. A command definition switches by its
 * path. Runs no program.
 */
#include <string.h>

#include "probe.h"
#include "probes/queue/mailq.h"
#include "probes/queue/queue.h"
#include "probes/queue/reservoir.h"

struct mailq_conf {
	struct queue_conf
	    queue; /* what is measured; of it only mta, config_directory and the sample are set */
	int64_t warning, critical, warning_domain, critical_domain;
	bool sudo;
};

#define FIELD(f) .offset = offsetof(struct mailq_conf, f)

static const struct opt mailq_opts[] = {
    {.name = "mailserver",
     .letter = 'M',
     .type = OPT_ENUM,
     FIELD(queue.mta),
     .dflt = "auto",
     .choices = QUEUE_MTAS,
     .help = "whose queue it is; auto: what is on this host"},
    {.name = "warning",
     .letter = 'w',
     .type = OPT_INT,
     FIELD(warning),
     .min = 0,
     .max = 1e9,
     .flags = OPT_REQUIRED,
     .unit = "N",
     .help = "WARNING with at least so many messages"},
    {.name = "critical",
     .letter = 'c',
     .type = OPT_INT,
     FIELD(critical),
     .min = 0,
     .max = 1e9,
     .flags = OPT_REQUIRED,
     .unit = "N",
     .help = "CRITICAL with at least so many messages"},
    {.name = "warning_domain",
     .letter = 'W',
     .type = OPT_INT,
     FIELD(warning_domain),
     .min = 0,
     .max = 1e9,
     .unit = "N",
     .help = "sendmail: WARNING with at least so many messages from, or deferred by, one domain; qmail: with "
	     "so many "
	     "that are not yet preprocessed"},
    {.name = "critical_domain",
     .letter = 'C',
     .type = OPT_INT,
     FIELD(critical_domain),
     .min = 0,
     .max = 1e9,
     .unit = "N",
     .help = "the same, CRITICAL"},
    {.name = "configdir",
     .letter = 'd',
     .type = OPT_LIST,
     FIELD(queue.config_directory),
     .unit = "PATH",
     .help = "configuration directory or file of the mail server"},
    {.name = "sudo",
     .letter = 's',
     .type = OPT_BOOL,
     FIELD(sudo),
     .flags = OPT_ARGV_ONLY,
     .help = "taken for the sake of old command lines; no program is run"},
    {0},
};

static void mailq_check_conf(const void *arg, struct complaints *c)
{
	const struct mailq_conf *conf = arg;

	if (conf->warning >= conf->critical)
		complaint_add(c, NULL, "warning", NULL, "must be less than critical");
	if (conf->warning_domain && !conf->critical_domain)
		complaint_add(c, NULL, "critical_domain", NULL, "is needed with warning_domain");
	if (conf->warning_domain && conf->warning_domain >= conf->critical_domain)
		complaint_add(c, NULL, "warning_domain", NULL, "must be less than critical_domain");
	for (size_t i = 0; i < conf->queue.config_directory.n; i++) {
		if (conf->queue.config_directory.v[i][0] != '/')
			complaint_add(c, NULL, "configdir", conf->queue.config_directory.v[i],
				      "must be an absolute path");
	}
}

static void mailq_run(struct probe_run *run)
{
	const struct mailq_conf *mc = run->conf;
	struct mailq_limits limits = {mc->warning, mc->critical, mc->warning_domain, mc->critical_domain};
	struct queue_conf conf = mc->queue; /* its lists stay the caller's */
	struct queue_seen s;
	bool ok;

	conf.sample = mc->warning_domain ? MAILQ_SAMPLE : 0;
	conf.shape_time = 300000;
	ok = queue_find(&s, &conf);
	if (ok) {
		s.by_domain = mc->warning_domain > 0;
		ok = queue_read(&s, &conf, run, reservoir_seed());
	}
	if (ok) {
		mailq_report(&s, &limits, run->result);
	} else {
		run->result->measured = false;
		result_fail(run->result, NAG_UNKNOWN, "memory", "out of memory");
	}
	queue_seen_fini(&s);
}

const struct probe probe_mailq = {
    .name = "mailq",
    .help = "the number of queued messages, as monitoring-plugins' check_mailq judges it",
    .place = PROBE_LOCAL,
    .opts = mailq_opts,
    .conf_size = sizeof(struct mailq_conf),
    .check_conf = mailq_check_conf,
    .run = mailq_run,
};
