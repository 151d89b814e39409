/*
 * load: the load averages of this host, raw and per CPU. Reads /proc/loadavg anew at each
 * run (a container may have its own bound there). The flags -w -c -r mean what they mean to
 * monitoring-plugins' check_load: -r judges the averages divided by the number of CPUs on
 * line, a threshold alerts when the average is above it, missing ones repeat the last given.
 */
#include "probes/load/load.h"
#include "probe.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/file.h"
#include "probes/process/proc.h"

struct load_conf {
	char *warning, *critical;
	bool percpu;
	int64_t top;
};

enum { TOP_MAX = 50 };

static const struct opt load_opts[] = {
	{ .name = "warning", .letter = 'w', .type = OPT_STRING, .offset = offsetof(struct load_conf, warning),
	  .unit = "LOAD1,LOAD5,LOAD15",
	  .help = "WARNING when an average is above its number; one number counts for all" },
	{ .name = "critical", .letter = 'c', .type = OPT_STRING,
	  .offset = offsetof(struct load_conf, critical),
	  .unit = "LOAD1,LOAD5,LOAD15", .help = "CRITICAL when an average is above its number" },
	{ .name = "percpu", .letter = 'r', .type = OPT_BOOL, .offset = offsetof(struct load_conf, percpu),
	  .dflt = "no", .help = "judge the averages divided by the number of CPUs" },
	{ .name = "procs_to_show", .letter = 'n', .type = OPT_INT, .offset = offsetof(struct load_conf, top),
	  .dflt = "0", .min = 0, .max = TOP_MAX, .unit = "N",
	  .help = "name so many processes that had most of the CPU over their life, as ps has it" },
	{ 0 },
};

static void load_check_conf(const void *conf, struct complaints *c)
{
	const struct load_conf *lc = conf;
	double w[3], k[3];
	const char *why;

	bool have_w = lc->warning != NULL, have_k = lc->critical != NULL;
	if (have_w && !load_triple(lc->warning, w, &why)) {
		complaint_add(c, NULL, "warning", lc->warning, "%s", why);
		have_w = false;
	}
	if (have_k && !load_triple(lc->critical, k, &why)) {
		complaint_add(c, NULL, "critical", lc->critical, "%s", why);
		have_k = false;
	}
	if (!lc->warning && !lc->critical)
		complaint_add(c, NULL, "warning", NULL,
			      "give warning or critical, else this check could never alert");
	for (int i = 0; have_w && have_k && i < 3; i++)
		if (w[i] > k[i]) {
			complaint_add(c, NULL, "warning", lc->warning, "is above critical (%s) for load%d",
				      lc->critical, load_minutes[i]);
			break;
		}
}

/* The thresholds as ranges: "10" of check_load is "above 10", and a load is never below 0. */
static void triple_ranges(const char *text, struct range out[3])
{
	double v[3];

	memset(out, 0, 3 * sizeof out[0]);
	if (!text || !load_triple(text, v, NULL))
		return;
	for (int i = 0; i < 3; i++)
		out[i] = (struct range){ .set = true, .start = 0, .end = v[i] };
}

static void add_perf(struct result *r, const struct load_avg *avg, bool percpu, long cpus,
		     const struct range w[3], const struct range k[3])
{
	struct perf *p;
	char label[24];

	for (int i = 0; i < 3; i++) {
		snprintf(label, sizeof label, "load%d", load_minutes[i]);
		p = result_perf(r, label, avg->load[i], "", percpu ? NULL : &w[i], percpu ? NULL : &k[i]);
		if (p)
			p->has_min = true;
		if (!percpu)
			continue;
		snprintf(label, sizeof label, "scaled_load%d", load_minutes[i]);
		p = result_perf(r, label, avg->load[i] / (double)cpus, "", &w[i], &k[i]);
		if (p)
			p->has_min = true;
	}
	if (avg->procs >= 0) {
		result_perf(r, "procs_running", (double)avg->running, "", NULL, NULL);
		result_perf(r, "procs", (double)avg->procs, "", NULL, NULL);
	}
}

static void judge(struct result *r, const struct load_avg *avg, const struct load_conf *lc, long cpus)
{
	struct range w[3], k[3];
	enum nag_state worst = NAG_OK;
	int at = -1;

	triple_ranges(lc->warning, w);
	triple_ranges(lc->critical, k);
	for (int i = 0; i < 3; i++) {
		enum nag_state s =
			nag_judge(lc->percpu ? avg->load[i] / (double)cpus : avg->load[i], &w[i], &k[i]);
		if (s != worst && nag_worse(s, worst) == s) {
			worst = s;
			at = i;
		}
	}
	char above[80] = "";
	if (at >= 0)
		snprintf(above, sizeof above,
			 "%s over %d min is above %g: ", lc->percpu ? "load per CPU" : "load",
			 load_minutes[at], worst == NAG_CRITICAL ? k[at].end : w[at].end);
	result_set(r, worst, "%sload average: %.2f, %.2f, %.2f, per CPU: %.2f, %.2f, %.2f (%ld CPU%s)", above,
		   avg->load[0], avg->load[1], avg->load[2], avg->load[0] / (double)cpus,
		   avg->load[1] / (double)cpus, avg->load[2] / (double)cpus, cpus, cpus == 1 ? "" : "s");
	add_perf(r, avg, lc->percpu, cpus, w, k);
}

/* The busiest processes, the most busy first. */
struct busiest {
	struct proc *p;
	int64_t room, n;
};

static void see(void *arg, const struct proc *p)
{
	struct busiest *b = arg;
	int64_t at = b->n < b->room ? b->n++ : b->room - 1;

	if (at == b->room - 1 && b->p[at].pid && b->p[at].cpu >= p->cpu)
		return;
	for (; at > 0 && b->p[at - 1].cpu < p->cpu; at--)
		b->p[at] = b->p[at - 1];
	b->p[at] = *p;
}

static void name_busiest(struct probe_run *run, int64_t room)
{
	struct busiest b = { .p = calloc((size_t)room, sizeof *b.p), .room = room };

	if (b.p && proc_each(run, see, &b)) {
		result_more(run->result, "STAT UID PID PPID VSZ RSS %%CPU ELAPSED COMMAND");
		for (int64_t i = 0; i < b.n; i++)
			result_more(run->result, "%s %lld %lld %lld %.0f %.0f %.1f %.0f %.100s", b.p[i].state, (long long)b.p[i].uid,
				    (long long)b.p[i].pid, (long long)b.p[i].ppid, b.p[i].vsz / 1024, b.p[i].rss / 1024,
				    b.p[i].cpu, b.p[i].age_s, b.p[i].args);
	}
	free(b.p);
}

static void load_run(struct probe_run *run)
{
	const struct load_conf *lc = run->conf;
	struct load_avg avg;
	const char *why = "";
	struct buf text;

	buf_init(&text, 4096);
	probe_at(run, "read /proc/loadavg");
	if (!file_read("/proc/loadavg", &text)) {
		result_fail(run->result, NAG_UNKNOWN, "read", "cannot read /proc/loadavg: %s",
			    strerror(errno));
		run->result->measured = false;
	} else if (!load_parse(buf_str(&text), &avg, &why)) {
		result_fail(run->result, NAG_UNKNOWN, "read", "cannot make sense of /proc/loadavg: %s", why);
		run->result->measured = false;
	} else {
		long cpus = sysconf(_SC_NPROCESSORS_ONLN);
		judge(run->result, &avg, lc, cpus > 0 ? cpus : 1);
		result_fact(run->result, "load1", avg.load[0]);
		result_fact(run->result, "cores", (double)(cpus > 0 ? cpus : 1));
		if (lc->top > 0)
			name_busiest(run, lc->top);
	}
	buf_fini(&text);
}

const struct probe probe_load = {
	.name = "load",
	.help = "load averages of this host, raw and per CPU",
	.place = PROBE_LOCAL,
	.opts = load_opts,
	.conf_size = sizeof(struct load_conf),
	.check_conf = load_check_conf,
	.run = load_run,
};
