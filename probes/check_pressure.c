/*
 * pressure: signs that this host runs short: swap (how much is left, and how much is carried in and out since
 * the last run), the kernel's pressure stall figures, file descriptors, processes killed for want of memory.
 * The swap flags of monitoring-plugins' check_swap mean the same. What the last run saw is kept in the state.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/json.h"
#include "probe.h"
#include "probes/disk/disk.h"
#include "probes/memory/kernel.h"

enum { CPU, IO, MEMORY, RESOURCES };
static const char *const resources[RESOURCES] = {"cpu", "io", "memory"};

struct pressure_conf {
	struct opt_list warning, critical;
	int no_swap;
	bool all_swaps;
	struct range psi_warning[RESOURCES], psi_critical[RESOURCES];
	struct range swap_rate_warning, swap_rate_critical, fd_warning, fd_critical, oom_warning,
	    oom_critical;
	int64_t oom_hold_ms;
};

#define AT(f) .offset = offsetof(struct pressure_conf, f)
#define LIMIT(n, f, d, what)                                                                                 \
	{                                                                                                    \
		.name = n, .type = OPT_RANGE, AT(f), .dflt = d, .help = what                                 \
	}

static const struct opt pressure_opts[] = {
    {.name = "warning",
     .letter = 'w',
     .type = OPT_LIST,
     AT(warning),
     .unit = "BYTES|PERCENT%",
     .help = "WARNING when not more than that of the swap space is free"},
    {.name = "critical",
     .letter = 'c',
     .type = OPT_LIST,
     AT(critical),
     .unit = "BYTES|PERCENT%",
     .help = "CRITICAL when not more than that of the swap space is free"},
    {.name = "no_swap",
     .letter = 'n',
     .type = OPT_ENUM,
     AT(no_swap),
     .dflt = "critical",
     .choices = "ok|warning|critical|unknown",
     .help = "the state when a swap limit is given and there is no swap"},
    {.name = "allswaps",
     .letter = 'a',
     .type = OPT_BOOL,
     AT(all_swaps),
     .flags = OPT_ARGV_ONLY,
     .help = "as check_swap has it; the kernel fills swap areas by priority, so all are judged together"},
    LIMIT("swap_rate_warning", swap_rate_warning, NULL,
	  "WARNING when what is swapped in and out, in MiB a minute, is outside"),
    LIMIT("swap_rate_critical", swap_rate_critical, NULL,
	  "CRITICAL when what is swapped in and out is outside"),
    LIMIT("cpu_warning", psi_warning[CPU], NULL,
	  "WARNING when the share of the last minute in which something waited for a CPU, in percent, is "
	  "outside"),
    LIMIT("cpu_critical", psi_critical[CPU], NULL, "CRITICAL when that share is outside"),
    LIMIT("io_warning", psi_warning[IO], NULL,
	  "WARNING when the share of the last minute in which something waited for a disk is outside"),
    LIMIT("io_critical", psi_critical[IO], NULL, "CRITICAL when that share is outside"),
    LIMIT("memory_warning", psi_warning[MEMORY], "10",
	  "WARNING when the share of the last minute in which something waited for memory is outside"),
    LIMIT("memory_critical", psi_critical[MEMORY], "40", "CRITICAL when that share is outside"),
    LIMIT("fd_warning", fd_warning, "80",
	  "WARNING when the share of the host's file descriptors in use, in percent, is outside"),
    LIMIT("fd_critical", fd_critical, "95", "CRITICAL when that share is outside"),
    LIMIT("oom_warning", oom_warning, "0",
	  "WARNING when the number of processes killed for want of memory since the last run is outside"),
    LIMIT("oom_critical", oom_critical, NULL, "CRITICAL when that number is outside"),
    {.name = "oom_hold",
     .type = OPT_DURATION,
     AT(oom_hold_ms),
     .dflt = "15m",
     .min = 0,
     .max = 86400e3,
     .help = "such kills count so long"},
    {0},
};

static void pressure_check_conf(const void *conf, struct complaints *c)
{
	const struct pressure_conf *pc = conf;
	struct disk_limit l;
	const char *why = "";

	if (!disk_limit_parse(&pc->warning, &l, &why))
		complaint_add(c, NULL, "warning", pc->warning.v[0], "%s", why);
	if (!disk_limit_parse(&pc->critical, &l, &why))
		complaint_add(c, NULL, "critical", pc->critical.v[0], "%s", why);
}

/* What is remembered: counters at the last run, and the last kills. */
struct seen {
	struct stamp at, oom_at;
	double in, out, oom; /* since boot; oom_n: how many at oom_at */
	double oom_n;
	bool known;
};

struct pressure_run {
	struct probe_run *run;
	const struct pressure_conf *conf;
	enum nag_state worst;
	struct buf wrong, fine;
	bool any;
};

static void say(struct pressure_run *p, enum nag_state s, const char *text)
{
	struct buf *b = s == NAG_OK ? &p->fine : &p->wrong;

	p->any = true;
	p->worst = nag_worse(p->worst, s);
	buf_printf(b, "%s%s", b->len ? ", " : "", text);
}

static bool slurp(struct pressure_run *p, const char *path, struct buf *out)
{
	buf_reset(out);
	probe_at_name(p->run, "read", path);
	if (file_read(path, out))
		return true;
	result_more(p->run->result, "%s cannot be read: %s", path, strerror(errno));
	return false;
}

/* free and total as check_swap's figures. */
static void swap_space(struct pressure_run *p, const char *meminfo)
{
	static const enum nag_state none[] = {NAG_OK, NAG_WARNING, NAG_CRITICAL, NAG_UNKNOWN};
	const struct pressure_conf *c = p->conf;
	struct disk_space s = {0};
	struct disk_limits l = {.unit = 1};
	char text[240];
	bool limits = c->warning.n || c->critical.n;

	if (!kernel_value(meminfo, "SwapTotal", &s.total) || !kernel_value(meminfo, "SwapFree", &s.free))
		return;
	disk_limit_parse(&c->warning, &l.warn, NULL);
	disk_limit_parse(&c->critical, &l.crit, NULL);
	if (s.total <= 0) {
		say(p, limits ? none[c->no_swap] : NAG_OK, "no swap");
	} else {
		s.used = s.total - s.free;
		struct disk_verdict v = disk_judge(&s, &l);
		snprintf(text, sizeof text, "swap %.0f %% free%s%s", disk_free_percent(&s),
			 v.why[0] ? ": " : "", v.why);
		say(p, v.state, text);
		result_fact(p->run->result, "swap_used_share", s.used / s.total);
	}
	struct perf *f = result_perf(p->run->result, "swap", s.free, "B", NULL, NULL);
	if (f) {
		f->has_min = f->has_max = true;
		f->max = s.total;
	}
}

static void stall(struct pressure_run *p, int which, struct buf *text)
{
	const struct range *w = &p->conf->psi_warning[which], *k = &p->conf->psi_critical[which];
	char path[40], said[80], name[40];
	struct psi psi;

	snprintf(path, sizeof path, "/proc/pressure/%s", resources[which]);
	if (!slurp(p, path, text) || !psi_parse(buf_str(text), &psi))
		return;
	snprintf(said, sizeof said, "%s pressure %.1f %%", resources[which], psi.some);
	say(p, nag_judge(psi.some, w, k), said);
	snprintf(name, sizeof name, "psi_%s", resources[which]);
	result_perf(p->run->result, name, psi.some, "%", w, k);
	result_fact(p->run->result, name, psi.some / 100);
	if (which == CPU || !psi.full_known)
		return;
	snprintf(name, sizeof name, "psi_%s_full", resources[which]);
	result_perf(p->run->result, name, psi.full, "%", NULL, NULL);
	result_fact(p->run->result, name, psi.full / 100);
}

static void descriptors(struct pressure_run *p, struct buf *text)
{
	double used, max;
	char said[80];

	if (!slurp(p, "/proc/sys/fs/file-nr", text) || !filenr_parse(buf_str(text), &used, &max))
		return;
	enum nag_state s = nag_judge(used / max * 100, &p->conf->fd_warning, &p->conf->fd_critical);
	snprintf(said, sizeof said, "%.0f file descriptors%s", used, s == NAG_OK ? "" : " in use");
	if (s != NAG_OK)
		snprintf(said, sizeof said, "%.0f of %.0f file descriptors in use", used, max);
	say(p, s, said);
	result_perf(p->run->result, "files", used, "", NULL, NULL);
	result_fact(p->run->result, "fd_used_share", used / max);
}

static void load(struct seen *s, const char *state, size_t len)
{
	cJSON *v = len ? json_parse(state, len, PROBE_STATE_MAX, NULL) : NULL;

	memset(s, 0, sizeof *s);
	if (v && json_get_stamp(v, "at", &s->at)) {
		s->known = strcmp(s->at.boot_id, clock_boot_id()) == 0;
		s->in = (double)json_int(v, "in", 0);
		s->out = (double)json_int(v, "out", 0);
		s->oom = (double)json_int(v, "oom", 0);
		if (json_get_stamp(v, "oom_at", &s->oom_at))
			s->oom_n = (double)json_int(v, "oom_n", 0);
	}
	cJSON_Delete(v);
}

static void save(const struct seen *s, struct buf *out)
{
	cJSON *v = cJSON_CreateObject();

	json_add_stamp(v, "at", &s->at);
	json_add_int(v, "in", (int64_t)s->in);
	json_add_int(v, "out", (int64_t)s->out);
	json_add_int(v, "oom", (int64_t)s->oom);
	if (s->oom_n > 0) {
		json_add_stamp(v, "oom_at", &s->oom_at);
		json_add_int(v, "oom_n", (int64_t)s->oom_n);
	}
	json_line(v, out);
	cJSON_Delete(v);
}

static void swap_rate(struct pressure_run *p, const struct seen *old, const struct seen *now)
{
	double page = (double)sysconf(_SC_PAGESIZE),
	       minutes = (double)clock_age_ms(&old->at, &now->at) / 60e3;
	char said[80];

	if (minutes <= 0 || now->in < old->in || now->out < old->out)
		return;
	double in = (now->in - old->in) * page / minutes, out = (now->out - old->out) * page / minutes;
	enum nag_state s =
	    nag_judge((in + out) / 1048576, &p->conf->swap_rate_warning, &p->conf->swap_rate_critical);
	snprintf(said, sizeof said, "swapping %.3g MiB a minute", (in + out) / 1048576);
	if (s != NAG_OK || in + out > 0)
		say(p, s, said);
	result_perf(p->run->result, "swap_rate", (in + out) / 1048576, "", &p->conf->swap_rate_warning,
		    &p->conf->swap_rate_critical);
	result_fact(p->run->result, "swap_in_per_min", in);
	result_fact(p->run->result, "swap_out_per_min", out);
}

static void kills(struct pressure_run *p, const struct seen *old, struct seen *now)
{
	char said[120], ago[32];

	now->oom_at = old->oom_at;
	now->oom_n = old->oom_n;
	if (old->known && now->oom > old->oom) {
		now->oom_n = now->oom - old->oom;
		now->oom_at = now->at;
	}
	int64_t age = clock_age_ms(&now->oom_at, &now->at);
	if (now->oom_n > 0 && age > 0 && age >= p->conf->oom_hold_ms)
		now->oom_n = 0;
	snprintf(said, sizeof said, "%.0f killed for want of memory, %s ago", now->oom_n,
		 clock_span(age, ago, sizeof ago));
	if (now->oom_n > 0)
		say(p, nag_judge(now->oom_n, &p->conf->oom_warning, &p->conf->oom_critical), said);
	result_perf(p->run->result, "oom_kills", now->oom_n, "", &p->conf->oom_warning,
		    &p->conf->oom_critical);
	result_fact(p->run->result, "oom_kills", now->oom_n);
}

static void counters(struct pressure_run *p, struct buf *text)
{
	struct seen old, now = {.at = clock_stamp()};

	if (!slurp(p, "/proc/vmstat", text) || !kernel_value(buf_str(text), "pswpin", &now.in) ||
	    !kernel_value(buf_str(text), "pswpout", &now.out))
		return;
	kernel_value(buf_str(text), "oom_kill", &now.oom); /* before Linux 4.13 there is none */
	load(&old, p->run->state, p->run->state_len);
	if (old.known)
		swap_rate(p, &old, &now);
	kills(p, &old, &now);
	save(&now, &p->run->newstate);
}

static void pressure_run(struct probe_run *run)
{
	struct pressure_run p = {.run = run, .conf = run->conf};
	struct buf text;

	buf_init(&text, 262144);
	buf_init(&p.wrong, RESULT_TEXT_MAX);
	buf_init(&p.fine, RESULT_TEXT_MAX);
	if (slurp(&p, "/proc/meminfo", &text))
		swap_space(&p, buf_str(&text));
	for (int i = 0; i < RESOURCES; i++)
		stall(&p, i, &text);
	descriptors(&p, &text);
	counters(&p, &text);
	result_set(run->result, p.worst, "%s%s%s", buf_str(&p.wrong), p.wrong.len && p.fine.len ? "; " : "",
		   buf_str(&p.fine));
	if (!p.any) {
		result_fail(run->result, NAG_UNKNOWN, "read", "none of the kernel's figures can be read");
		run->result->measured = false;
	}
	buf_fini(&text);
	buf_fini(&p.wrong);
	buf_fini(&p.fine);
}

const struct probe probe_pressure = {
    .name = "pressure",
    .help = "signs that this host runs short: swap, stalls for CPU, disk and memory, file descriptors, kills "
	    "for want of memory",
    .place = PROBE_LOCAL,
    .opts = pressure_opts,
    .conf_size = sizeof(struct pressure_conf),
    .check_conf = pressure_check_conf,
    .run = pressure_run,
};
