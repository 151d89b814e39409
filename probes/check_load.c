/*
 * load: the load averages of this host, raw and per CPU. Reads /proc/loadavg anew at each
 * run (a container may have its own bound there). The flags -w -c -r mean what they mean to
 * monitoring-plugins' check_load: -r judges the averages divided by the number of CPUs on
 * line, a threshold alerts when the average is above it, missing ones repeat the last given.
 */
#include "load.h"
#include "probe.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/file.h"

struct load_conf {
	char *warning, *critical;
	bool percpu;
};

static const struct opt load_opts[] = {
	{ .name = "warning", .letter = 'w', .type = OPT_STRING, .offset = offsetof(struct load_conf, warning),
	  .unit = "LOAD1,LOAD5,LOAD15",
	  .help = "WARNING when an average is above its number; one number counts for all" },
	{ .name = "critical", .letter = 'c', .type = OPT_STRING,
	  .offset = offsetof(struct load_conf, critical),
	  .unit = "LOAD1,LOAD5,LOAD15", .help = "CRITICAL when an average is above its number" },
	{ .name = "percpu", .letter = 'r', .type = OPT_BOOL, .offset = offsetof(struct load_conf, percpu),
	  .dflt = "no", .help = "judge the averages divided by the number of CPUs" },
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
