/*
 * memory: how much of this host's memory programs may still have (MemAvailable), and who has most of it.
 * Reads /proc/meminfo anew at each run: a container may have its own bound there.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/file.h"
#include "probe.h"
#include "probes/memory/kernel.h"
#include "probes/process/proc.h"

struct memory_conf {
	struct range warning, critical;
	bool top;
};

static const struct opt memory_opts[] = {
    {.name = "warning",
     .letter = 'w',
     .type = OPT_RANGE,
     .offset = offsetof(struct memory_conf, warning),
     .dflt = "10:",
     .help = "WARNING when the share of memory that is available, in percent, is outside"},
    {.name = "critical",
     .letter = 'c',
     .type = OPT_RANGE,
     .offset = offsetof(struct memory_conf, critical),
     .dflt = "5:",
     .help = "CRITICAL when the share that is available is outside"},
    {.name = "top",
     .type = OPT_BOOL,
     .offset = offsetof(struct memory_conf, top),
     .dflt = "yes",
     .help = "name the largest processes when it alerts"},
    {0},
};

enum { TOP = 3 };
struct largest {
	struct proc p[TOP]; /* the largest first; no pid: none */
};

static void see(void *arg, const struct proc *p)
{
	struct largest *l = arg;

	for (int i = 0; i < TOP; i++) {
		if (p->rss <= l->p[i].rss)
			continue;
		memmove(&l->p[i + 1], &l->p[i], (size_t)(TOP - 1 - i) * sizeof l->p[0]);
		l->p[i] = *p;
		return;
	}
}

static void who(struct probe_run *run, double total)
{
	struct largest l = {0};

	if (!proc_each(run, see, &l) || !l.p[0].pid)
		return;
	for (int i = 0; i < TOP && l.p[i].pid; i++)
		result_more(run->result, "%s (%lld): %.0f MiB resident", l.p[i].comm, (long long)l.p[i].pid,
			    l.p[i].rss / 1048576);
	result_fact_text(run->result, "top_process", l.p[0].comm);
	result_fact(run->result, "top_process_share", l.p[0].rss / total);
}

static void judge(struct probe_run *run, const char *text, double total, double available)
{
	const struct memory_conf *c = run->conf;
	struct result *r = run->result;
	double share = available / total * 100, v;
	enum nag_state s = nag_judge(share, &c->warning, &c->critical);

	result_set(r, s, "%.0f MiB of %.0f MiB available (%.0f %%)", available / 1048576, total / 1048576,
		   share);
	result_perf(r, "available_percent", share, "%", &c->warning, &c->critical);
	struct perf *p = result_perf(r, "available", available, "B", NULL, NULL);
	if (p) {
		p->has_min = p->has_max = true;
		p->max = total;
	}
	static const char *const more[][2] = {{"Shmem", "shared"}, {"Dirty", "dirty"}, {"Slab", "slab"}};
	for (size_t i = 0; i < sizeof more / sizeof more[0]; i++)
		if (kernel_value(text, more[i][0], &v))
			result_perf(r, more[i][1], v, "B", NULL, NULL);
	result_fact(r, "available_share", available / total);
	result_fact(r, "total_bytes", total);
	if (s != NAG_OK && c->top)
		who(run, total);
}

static void memory_run(struct probe_run *run)
{
	struct buf text;
	double total, available;

	buf_init(&text, 65536);
	probe_at(run, "read /proc/meminfo");
	if (!file_read("/proc/meminfo", &text)) {
		result_fail(run->result, NAG_UNKNOWN, "read", "cannot read /proc/meminfo: %s",
			    strerror(errno));
		run->result->measured = false;
	} else if (!kernel_value(buf_str(&text), "MemTotal", &total) || total <= 0 ||
		   !kernel_value(buf_str(&text), "MemAvailable", &available)) {
		result_fail(run->result, NAG_UNKNOWN, "read",
			    "/proc/meminfo does not say MemTotal and MemAvailable");
		run->result->measured = false;
	} else {
		judge(run, buf_str(&text), total, available);
	}
	buf_fini(&text);
}

const struct probe probe_memory = {
    .name = "memory",
    .help = "memory of this host that is still available, and who has most of it",
    .place = PROBE_LOCAL,
    .opts = memory_opts,
    .conf_size = sizeof(struct memory_conf),
    .run = memory_run,
};
