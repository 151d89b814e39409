/*
 * process: how many processes of a name, user or argument there are (the daemons of a mail host), in which
 * state, how old and how large. The flags of monitoring-plugins' check_procs mean the same; beside them the
 * youngest one's age (a daemon that is started again and again), the largest one's memory, and those that
 * hang (D) or are not reaped (Z).
 */
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/pattern.h"
#include "probe.h"
#include "probes/process/match.h"

enum { METRIC_PROCS, METRIC_VSZ, METRIC_RSS, METRIC_CPU, METRIC_ELAPSED };
static const char *const metrics[] = {"PROCS", "VSZ", "RSS", "CPU", "ELAPSED"};

struct process_conf {
	char *warning, *critical, *state, *user, *args, *regex, *command;
	int metric;
	int64_t ppid, vsz, rss;
	double cpu;
	bool no_kernel, traditional;
	struct range age_warning, age_critical, rss_warning, rss_critical, stuck_warning, stuck_critical;
};

#define AT(f) .offset = offsetof(struct process_conf, f)
#define LIMIT(n, f, what)                                                                                    \
	{                                                                                                    \
		.name = n, .type = OPT_RANGE, AT(f), .help = what                                            \
	}

static const struct opt process_opts[] = {
    {.name = "warning",
     .letter = 'w',
     .type = OPT_STRING,
     AT(warning),
     .unit = "RANGE",
     .help = "WARNING when the metric is outside; max:min alerts inside"},
    {.name = "critical",
     .letter = 'c',
     .type = OPT_STRING,
     AT(critical),
     .unit = "RANGE",
     .help = "CRITICAL when the metric is outside"},
    {.name = "metric",
     .letter = 'm',
     .type = OPT_ENUM,
     AT(metric),
     .dflt = "PROCS",
     .choices = "PROCS|VSZ|RSS|CPU|ELAPSED",
     .help = "what the limits are of: the number of processes; or each one's KiB, percent of a CPU, seconds "
	     "of age"},
    {.name = "command",
     .letter = 'C',
     .type = OPT_STRING,
     AT(command),
     .help = "only those of this name (without path)"},
    {.name = "user",
     .letter = 'u',
     .type = OPT_STRING,
     AT(user),
     .help = "only those of this user, by name or number"},
    {.name = "argument_array",
     .letter = 'a',
     .type = OPT_STRING,
     AT(args),
     .help = "only those whose command line holds this text"},
    {.name = "ereg_argument_array",
     .type = OPT_STRING,
     AT(regex),
     .unit = "REGEX",
     .help = "only those whose command line matches this extended regular expression"},
    {.name = "state",
     .letter = 's',
     .type = OPT_STRING,
     AT(state),
     .unit = "FLAGS",
     .help = "only those whose state, as ps writes it, holds this text: Z, D, R"},
    {.name = "ppid",
     .letter = 'p',
     .type = OPT_INT,
     AT(ppid),
     .dflt = "-1",
     .help = "only children of this process"},
    {.name = "vsz",
     .letter = 'z',
     .type = OPT_INT,
     AT(vsz),
     .dflt = "-1",
     .unit = "KIB",
     .help = "only those with at least so much virtual memory"},
    {.name = "rss",
     .letter = 'r',
     .type = OPT_INT,
     AT(rss),
     .dflt = "-1",
     .unit = "KIB",
     .help = "only those with at least so much resident memory"},
    {.name = "pcpu",
     .letter = 'P',
     .type = OPT_NUMBER,
     AT(cpu),
     .dflt = "-1",
     .unit = "PERCENT",
     .help = "only those with at least that share of a CPU"},
    {.name = "no_kthreads",
     .letter = 'k',
     .type = OPT_BOOL,
     AT(no_kernel),
     .help = "no threads of the kernel"},
    {.name = "traditional",
     .letter = 'T',
     .type = OPT_BOOL,
     AT(traditional),
     .flags = OPT_ARGV_ONLY,
     .help = "as check_procs has it; the plugin itself is never counted"},
    LIMIT("age_warning", age_warning,
	  "WARNING when the youngest one's age in seconds is outside: 60: finds what was just started again"),
    LIMIT("age_critical", age_critical, "CRITICAL when the youngest one's age in seconds is outside"),
    LIMIT("rss_warning", rss_warning, "WARNING when the largest one's resident memory in MiB is outside"),
    LIMIT("rss_critical", rss_critical, "CRITICAL when the largest one's resident memory in MiB is outside"),
    LIMIT("stuck_warning", stuck_warning,
	  "WARNING when the number of those that hang in the kernel (D) or are not reaped (Z) is outside"),
    LIMIT("stuck_critical", stuck_critical, "CRITICAL when their number is outside"),
    {0},
};

static bool check_range(const char *item, const char *text, struct range *r, struct complaints *c)
{
	const char *why = "";

	if (!text || process_range(text, r, &why))
		return true;
	if (c)
		complaint_add(c, NULL, item, text, "%s", why);
	return false;
}

static void process_check_conf(const void *conf, struct complaints *c)
{
	const struct process_conf *pc = conf;
	struct range r;
	char why[128];

	check_range("warning", pc->warning, &r, c);
	check_range("critical", pc->critical, &r, c);
	if (pc->regex && !pattern_ok(pc->regex, 0, why, sizeof why))
		complaint_add(c, NULL, "ereg_argument_array", pc->regex, "%s", why);
	if (!pc->warning && !pc->critical && !pc->age_warning.set && !pc->age_critical.set &&
	    !pc->rss_warning.set && !pc->rss_critical.set && !pc->stuck_warning.set &&
	    !pc->stuck_critical.set)
		complaint_add(c, NULL, "critical", NULL, "give a limit, else this check could never alert");
}

struct process_run {
	const struct process_conf *conf;
	struct process_filter filter;
	struct range warn, crit;
	int64_t n, over_warn, over_crit, stuck;
	double rss, largest, youngest, oldest;
	char largest_pid[24];
	struct buf bad; /* "123 qmgr, ": those that pass a limit of a metric */
};

static double metric_of(int metric, const struct proc *p)
{
	switch (metric) {
	case METRIC_VSZ:
		return p->vsz / 1024;
	case METRIC_RSS:
		return p->rss / 1024;
	case METRIC_CPU:
		return p->cpu;
	default:
		return p->age_s;
	}
}

static void judge_one(struct process_run *r, const struct proc *p)
{
	enum nag_state s = nag_judge(metric_of(r->conf->metric, p), &r->warn, &r->crit);

	r->over_warn += s == NAG_WARNING;
	r->over_crit += s == NAG_CRITICAL;
	if (s != NAG_OK)
		buf_printf(&r->bad, "%s%lld %s", r->bad.len ? ", " : "", (long long)p->pid, p->comm);
}

static void see(void *arg, const struct proc *p)
{
	struct process_run *r = arg;

	/* the plugin itself, whose own command line holds what it looks for; a resident prober is a process
	 * like any other */
	if ((p->pid == getpid() && strncmp(p->comm, "check_", 6) == 0) || !process_matches(&r->filter, p))
		return;
	if (r->n == 0 || p->age_s < r->youngest)
		r->youngest = p->age_s;
	if (p->age_s > r->oldest)
		r->oldest = p->age_s;
	if (p->rss > r->largest) {
		r->largest = p->rss;
		snprintf(r->largest_pid, sizeof r->largest_pid, "%lld", (long long)p->pid);
	}
	r->rss += p->rss;
	r->stuck += p->state[0] == 'D' || p->state[0] == 'Z';
	r->n++;
	if (r->conf->metric != METRIC_PROCS)
		judge_one(r, p);
}

/* Its own limits, beside those of check_procs: adds to text what is wrong. */
static enum nag_state extras(const struct process_run *r, struct buf *text)
{
	const struct process_conf *c = r->conf;
	enum nag_state worst = NAG_OK, s;

	s = r->n ? nag_judge(r->youngest, &c->age_warning, &c->age_critical) : NAG_OK;
	if (s != NAG_OK)
		buf_printf(text, "; the youngest is %.0f s old", r->youngest);
	worst = nag_worse(worst, s);
	s = r->n ? nag_judge(r->largest / 1048576, &c->rss_warning, &c->rss_critical) : NAG_OK;
	if (s != NAG_OK)
		buf_printf(text, "; the largest (%s) has %.0f MiB", r->largest_pid, r->largest / 1048576);
	worst = nag_worse(worst, s);
	s = nag_judge((double)r->stuck, &c->stuck_warning, &c->stuck_critical);
	if (s != NAG_OK)
		buf_printf(text, "; %lld stuck or not reaped", (long long)r->stuck);
	return nag_worse(worst, s);
}

static void perf(struct result *res, const struct process_run *r)
{
	bool count = r->conf->metric == METRIC_PROCS;
	const char *const more[] = {"procs_warn", "procs_crit"};
	const int64_t value[] = {r->over_warn, r->over_crit};
	struct perf *p =
	    result_perf(res, "procs", (double)r->n, "", count ? &r->warn : NULL, count ? &r->crit : NULL);

	if (p)
		p->has_min = true;
	for (int i = 0; i < 2 && !count; i++)
		if ((p = result_perf(res, more[i], (double)value[i], "", NULL, NULL)))
			p->has_min = true;
	if (r->filter.command || r->filter.user || r->filter.args || r->filter.regex) {
		result_perf(res, "rss", r->rss, "B", NULL, NULL);
		if (r->n)
			result_perf(res, "youngest", r->youngest, "s", &r->conf->age_warning,
				    &r->conf->age_critical);
	}
	result_fact(res, "procs", (double)r->n);
	result_fact(res, "stuck", (double)r->stuck);
	result_fact(res, "rss_bytes", r->rss);
	if (r->n) {
		result_fact(res, "youngest_s", r->youngest);
		result_fact(res, "oldest_s", r->oldest);
	}
	if (r->filter.command)
		result_fact_text(res, "name", r->filter.command);
}

static void conclude(struct result *res, const struct process_run *r)
{
	struct buf text;
	enum nag_state s;

	buf_init(&text, RESULT_TEXT_MAX);
	if (r->conf->metric == METRIC_PROCS)
		s = nag_judge((double)r->n, &r->warn, &r->crit);
	else
		s = r->over_crit ? NAG_CRITICAL : r->over_warn ? NAG_WARNING : NAG_OK;
	if (r->over_crit)
		buf_printf(&text, "%lld crit, ", (long long)r->over_crit);
	if (r->over_crit || r->over_warn)
		buf_printf(&text, "%lld warn out of ", (long long)r->over_warn);
	buf_printf(&text, "%lld process%s", (long long)r->n, r->n == 1 ? "" : "es");
	process_describe(&r->filter, &text);
	if (r->bad.len)
		buf_printf(&text, ": %s %.300s", metrics[r->conf->metric], r->bad.data);
	s = nag_worse(s, extras(r, &text));
	result_set(res, s, "%s", buf_str(&text));
	buf_fini(&text);
	perf(res, r);
}

static bool find_user(struct probe_run *run, const char *name, int64_t *uid)
{
	struct passwd pw, *found = NULL;
	char room[4096];

	probe_at_name(run, "getpwnam", name);
	if (getpwnam_r(name, &pw, room, sizeof room, &found) == 0 && found)
		*uid = found->pw_uid;
	else if (!units_int(name, uid, NULL))
		return false;
	return true;
}

static void process_run(struct probe_run *run)
{
	const struct process_conf *c = run->conf;
	struct pattern *pattern = c->regex ? pattern_new(c->regex, 0, NULL, 0) : NULL;
	struct process_run r = {.conf = c,
				.filter = {.state = c->state,
					   .user = c->user,
					   .args = c->args,
					   .command = c->command,
					   .pattern = pattern,
					   .regex = c->regex,
					   .ppid = c->ppid,
					   .vsz_kib = c->vsz,
					   .rss_kib = c->rss,
					   .cpu = c->cpu,
					   .no_kernel = c->no_kernel}};

	if (c->user && !find_user(run, c->user, &r.filter.uid)) {
		result_fail(run->result, NAG_UNKNOWN, "config", "there is no user %s", c->user);
		return;
	}
	check_range("warning", c->warning, &r.warn, NULL);
	check_range("critical", c->critical, &r.crit, NULL);
	buf_init(&r.bad, RESULT_TEXT_MAX);
	if (proc_each(run, see, &r)) {
		conclude(run->result, &r);
	} else {
		result_fail(run->result, NAG_UNKNOWN, "read", "cannot go through /proc: %s", strerror(errno));
		run->result->measured = false;
	}
	buf_fini(&r.bad);
	pattern_free(pattern);
}

const struct probe probe_process = {
    .name = "process",
    .help = "processes of this host by name, user or argument: how many, in which state, how old, how large",
    .place = PROBE_LOCAL,
    .opts = process_opts,
    .conf_size = sizeof(struct process_conf),
    .check_conf = process_check_conf,
    .run = process_run,
};
