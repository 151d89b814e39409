/*
 * log: follows a mail log from where it stood and counts what was received, sent, deferred, bounced and
 * rejected, which logins failed, why, and who it was. Needs to read the log (group adm, or
 * CAP_DAC_READ_SEARCH). Where it stood is kept in the probe's state; without one it begins at the end of the
 * log.
 *
 * What alerts by default: a disk that is full. All else is for ranges, as what is normal differs from site to
 * site; they may have a low end, for the silence of a log is news too.
 */
#include <string.h>

#include "probe.h"
#include "probes/log/log.h"

#define FIELD(f) .offset = offsetof(struct log_conf, f)
#define LIMIT(i, name_, what)                                                                                \
	{.name = name_ "_warning",                                                                           \
	 .type = OPT_RANGE,                                                                                  \
	 FIELD(warn[i]),                                                                                     \
	 .unit = "RANGE",                                                                                    \
	 .help = "WARNING when " what " a minute are outside"},                                              \
	{                                                                                                    \
		.name = name_ "_critical", .type = OPT_RANGE, FIELD(crit[i]), .unit = "RANGE",               \
		.help = "CRITICAL when " what " a minute are outside"                                        \
	}

static const struct opt log_opts[] = {
    {.name = "path",
     .letter = 'F',
     .type = OPT_PATH,
     FIELD(path),
     .dflt = "/var/log/mail.log",
     .help = "the log: Postfix, sendmail, Exim (mainlog too), Dovecot and OpenSMTPD, told line by line"},
    {.name = "journal",
     .type = OPT_BOOL,
     FIELD(journal),
     .help =
	 "the systemd journal instead of a file: what has the facility mail, or unit and identifier name"},
    {.name = "unit",
     .type = OPT_LIST,
     FIELD(units),
     .unit = "UNIT",
     .help =
	 "of the journal only entries of this unit (dovecot.service); others and identifiers may be added"},
    {.name = "identifier",
     .type = OPT_LIST,
     FIELD(identifiers),
     .unit = "NAME",
     .help = "of the journal only entries of this program (postfix/smtpd)"},
    {.name = "journal_directory",
     .type = OPT_PATH,
     FIELD(journal_directory),
     .help = "a directory of journal files instead of this host's own"},
    {.name = "from_start",
     .type = OPT_BOOL,
     FIELD(from_start),
     .help = "at the first run count the whole log, not only what comes from then on"},
    LIMIT(LOG_FIG_RECEIVED, "received", "messages received"),
    LIMIT(LOG_FIG_SENT, "sent", "deliveries"),
    LIMIT(LOG_FIG_DEFERRED, "deferred", "deferrals"),
    LIMIT(LOG_FIG_BOUNCED, "bounced", "bounces"),
    LIMIT(LOG_FIG_REJECTED, "rejected", "refusals"),
    LIMIT(LOG_FIG_AUTH_FAILED, "auth_failed", "failed logins"),
    LIMIT(LOG_FIG_USER_UNKNOWN, "user_unknown", "refusals and bounces for unknown users"),
    LIMIT(LOG_FIG_HOPS, "too_many_hops", "messages with too many hops"),
    LIMIT(LOG_FIG_BYTES, "bytes", "bytes that the log grows"),
    {.name = "leave_out",
     .type = OPT_LIST,
     FIELD(leave_out),
     .unit = "ADDRESS",
     .help = "a client address, sender or recipient of our own traffic (round trips, probes' sessions): "
	     "lines that name "
	     "it are not counted"},
    {.name = "read_time",
     .type = OPT_DURATION,
     FIELD(read_time),
     .dflt = "5s",
     .min = 100,
     .max = 300e3,
     .help = "stop reading after this time; the next run carries on, and it is said"},
    {.name = "top",
     .type = OPT_INT,
     FIELD(top),
     .dflt = "5",
     .min = 1,
     .max = 10,
     .unit = "N",
     .help = "how many clients, logins, senders, recipients and domains to show"},
    {0},
};

static void say_error(struct probe_run *run, const struct log_from *from, const struct log_tail *t)
{
	char why[400];

	run->result->measured = false;
	log_follow_why(from, t, why, sizeof(why));
	result_fail(run->result, NAG_UNKNOWN, t->absent ? "missing" : "read", "%s", why);
}

static void log_run(struct probe_run *run)
{
	const struct log_conf *conf = run->conf;
	struct log_counts *c = log_counts_new(&conf->leave_out);
	struct log_tail t = {.line = log_counts_line, .arg = c, .from_start = conf->from_start};
	struct log_from from = {conf->path, conf->journal, conf->journal_directory, &conf->units,
				&conf->identifiers};
	struct log_state s;
	struct stamp now = clock_stamp();
	int64_t over_ms;
	bool ok;

	if (!c) {
		run->result->measured = false;
		result_fail(run->result, NAG_UNKNOWN, "memory", "out of memory");
		return;
	}
	log_state_load(&s, run->state, run->state_len, log_from_name(&from));
	over_ms = s.at.wall_ms ? clock_age_ms(&s.at, &now) : 0;
	t.deadline = clock_boot_ms() + conf->read_time;
	if (t.deadline > run->deadline - 500)
		t.deadline = run->deadline - 500;
	probe_at_name(run, "read", log_from_name(&from));
	ok = log_follow(&from, &t, &s);
	if (ok)
		log_report(run->result, conf, c, &t, over_ms);
	else
		say_error(run, &from, &t);
	s.at = now;
	if (s.place.known || s.journal)
		log_state_save(&s, &run->newstate, log_from_name(&from));
	log_counts_free(c);
}

const struct probe probe_log = {
    .name = "log",
    .help = "counts what a mail log says, by reason, client, login and domain, from where it stood",
    .place = PROBE_LOCAL,
    .opts = log_opts,
    .conf_size = sizeof(struct log_conf),
    .run = log_run,
};
