/*
 * disk: free space and inodes, read-only file systems, and how soon they will be full.
 * The common flags of monitoring-plugins' check_disk mean the same, but for the order of
 * options, which never matters here (so there is no -C). Reads the list of mounts and asks
 * each file system for its figures; a hung one blocks only this run, and the watchdog names it.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "../lib/clock.h"
#include "../lib/file.h"
#include "disk.h"
#include "disk_growth.h"
#include "disk_select.h"
#include "probe.h"

enum { READONLY_AUTO, READONLY_OK, READONLY_CRITICAL };
enum { MOUNTINFO_MAX = 4 * 1024 * 1024, FORETELL_MAX_S = 7 * 86400 };

struct disk_conf {
	struct opt_list warning, critical;
	char *iwarning, *icritical;
	struct disk_select_conf select;
	int units, readonly;
	bool kilobytes, megabytes, errors_only, device, iperfdata, ignore_reserved, all;
	int64_t growth_window_ms, full_warning_ms, full_critical_ms;
};

#define AT(member) .offset = offsetof(struct disk_conf, member)

static const struct opt disk_opts[] = {
	{ .name = "warning", .letter = 'w', .type = OPT_LIST, AT(warning), .unit = "UNITS|PERCENT%",
	  .help = "WARNING when not more than that is free; "
		  "a number of units and a percentage may both be given" },
	{ .name = "critical", .letter = 'c', .type = OPT_LIST, AT(critical), .unit = "UNITS|PERCENT%",
	  .help = "CRITICAL when not more than that is free" },
	{ .name = "iwarning", .letter = 'W', .type = OPT_STRING, AT(iwarning), .unit = "PERCENT%",
	  .help = "WARNING when not more than that share of the inodes is free" },
	{ .name = "icritical", .letter = 'K', .type = OPT_STRING, AT(icritical), .unit = "PERCENT%",
	  .help = "CRITICAL when not more than that share of the inodes is free" },
	{ .name = "path", .letter = 'p', .type = OPT_LIST, AT(select.path), .unit = "PATH",
	  .help = "the file system that holds this path, or this device; without any: all that can be full" },
	{ .name = "exact_match", .letter = 'E', .type = OPT_BOOL, AT(select.exact),
	  .help = "each path must itself be a mount point or device" },
	{ .name = "exclude_device", .letter = 'x', .type = OPT_LIST, AT(select.exclude), .unit = "PATH",
	  .help = "leave out this device or mount point (of those not asked for by path)" },
	{ .name = "exclude_type", .letter = 'X', .type = OPT_LIST, AT(select.exclude_type), .unit = "TYPE",
	  .help = "leave out file systems of this type" },
	{ .name = "include_type", .letter = 'N', .type = OPT_LIST, AT(select.include_type), .unit = "TYPE",
	  .help = "only file systems of this type" },
	{ .name = "ereg_path", .letter = 'r', .type = OPT_LIST, AT(select.match), .unit = "REGEX",
	  .help = "file systems whose mount point or device matches" },
	{ .name = "eregi_path", .letter = 'R', .type = OPT_LIST, AT(select.match_nocase), .unit = "REGEX",
	  .help = "the same, upper and lower case alike" },
	{ .name = "ignore_ereg_path", .letter = 'i', .type = OPT_LIST, AT(select.ignore), .unit = "REGEX",
	  .help = "leave out those that match" },
	{ .name = "ignore_eregi_path", .letter = 'I', .type = OPT_LIST, AT(select.ignore_nocase),
	  .unit = "REGEX", .help = "the same, upper and lower case alike" },
	{ .name = "local", .letter = 'l', .type = OPT_BOOL, AT(select.local),
	  .help = "leave out remote file systems" },
	{ .name = "stat_remote_fs", .letter = 'L', .type = OPT_BOOL, AT(select.stat_remote),
	  .help = "ask remote file systems for their figures but do not judge these" },
	{ .name = "all", .letter = 'A', .type = OPT_BOOL, AT(all), .flags = OPT_ARGV_ONLY,
	  .help = "all file systems (as without any path)" },
	{ .name = "units", .letter = 'u', .type = OPT_ENUM, AT(units), .dflt = "MB",
	  .choices = disk_unit_choices,
	  .help = "unit of thresholds and text, powers of 1024" },
	{ .name = "kilobytes", .letter = 'k', .type = OPT_BOOL, AT(kilobytes), .flags = OPT_ARGV_ONLY,
	  .help = "same as --units kB" },
	{ .name = "megabytes", .letter = 'm', .type = OPT_BOOL, AT(megabytes), .flags = OPT_ARGV_ONLY,
	  .help = "same as --units MB" },
	{ .name = "errors_only", .letter = 'e', .type = OPT_BOOL, AT(errors_only),
	  .help = "name only those with a problem" },
	{ .name = "mountpoint", .letter = 'M', .type = OPT_BOOL, AT(device),
	  .help = "name the device instead of the mount point" },
	{ .name = "iperfdata", .letter = 'P', .type = OPT_BOOL, AT(iperfdata),
	  .help = "inodes in the performance data too" },
	{ .name = "freespace_ignore_reserved", .letter = 'f', .type = OPT_BOOL, AT(ignore_reserved),
	  .help = "leave the blocks reserved for root out of the size" },
	{ .name = "readonly", .type = OPT_ENUM, AT(readonly), .dflt = "auto", .choices = "auto|ok|critical",
	  .help = "a read-only file system is CRITICAL: always, never, or (auto) when it was asked for by path, "
		  "is mounted for writing, or was writable before" },
	{ .name = "growth_window", .type = OPT_DURATION, AT(growth_window_ms),
	  .min = 60e3, .max = 30 * 86400e3, .dflt = "1h",
	  .help = "over how long growth is measured (needs a state between runs)" },
	{ .name = "full_warning", .type = OPT_DURATION, AT(full_warning_ms),
	  .help = "WARNING when growing it will be full within that time" },
	{ .name = "full_critical", .type = OPT_DURATION, AT(full_critical_ms),
	  .help = "CRITICAL when growing it will be full within that time" },
	{ 0 },
};

static double unit_bytes(const struct disk_conf *dc)
{
	return dc->kilobytes ? 1024.0 : dc->megabytes ? 1048576.0 : disk_unit_bytes(dc->units);
}

static const char *unit_name(const struct disk_conf *dc)
{
	return dc->kilobytes ? "kiB" : dc->megabytes ? "MiB" : disk_unit_name(dc->units);
}

static void check_patterns(const struct opt_list *l, const char *item, struct complaints *c)
{
	char why[128];

	for (size_t i = 0; i < l->n; i++)
		if (!disk_pattern_ok(l->v[i], why, sizeof why))
			complaint_add(c, NULL, item, l->v[i], "%s", why);
}

/* Fills limits; complaints may be NULL when they were looked at before. */
static void read_limits(const struct disk_conf *dc, struct disk_limits *l, struct complaints *c)
{
	const char *why = "";

	l->unit = unit_bytes(dc);
	if (!disk_limit_parse(&dc->warning, &l->warn, &why) && c)
		complaint_add(c, NULL, "warning", dc->warning.v[0], "%s", why);
	if (!disk_limit_parse(&dc->critical, &l->crit, &why) && c)
		complaint_add(c, NULL, "critical", dc->critical.v[0], "%s", why);
	if (!disk_inode_limit_parse(dc->iwarning, &l->iwarn, &why) && c)
		complaint_add(c, NULL, "iwarning", dc->iwarning, "%s", why);
	if (!disk_inode_limit_parse(dc->icritical, &l->icrit, &why) && c)
		complaint_add(c, NULL, "icritical", dc->icritical, "%s", why);
}

static void disk_check_conf(const void *conf, struct complaints *c)
{
	const struct disk_conf *dc = conf;
	struct disk_limits limits;

	read_limits(dc, &limits, c);
	check_patterns(&dc->select.match, "ereg_path", c);
	check_patterns(&dc->select.match_nocase, "eregi_path", c);
	check_patterns(&dc->select.ignore, "ignore_ereg_path", c);
	check_patterns(&dc->select.ignore_nocase, "ignore_eregi_path", c);
	for (size_t i = 0; i < dc->select.path.n; i++)
		if (dc->select.path.v[i][0] != '/' && !strchr(dc->select.path.v[i], ':'))
			complaint_add(c, NULL, "path", dc->select.path.v[i], "must be an absolute path");
}

/* --- a run ------------------------------------------------------------------------------------------- */

struct disk_run {
	struct probe_run *run;
	const struct disk_conf *conf;
	struct disk_limits limits;
	struct growth growth;
	int64_t now_ms;
	enum nag_state worst;
	struct buf wrong, free; /* "/var: 3% free, not above 5%; " and " / 812MiB (83% inode=97%);" */
	size_t judged;
	bool unmeasured, changed;
};

static char *resolve(void *arg, const char *path)
{
	struct probe_run *run = arg;

	probe_at_name(run, "realpath", path);
	return realpath(path, NULL);
}

static void wrong(struct disk_run *d, enum nag_state s, const char *name, const char *why)
{
	d->worst = nag_worse(d->worst, s);
	buf_printf(&d->wrong, "%s: %s; ", name, why);
}

/* A file system that takes no writes. mounted for writing and yet read-only: the kernel gave up on it. */
static bool readonly_is_wrong(const struct disk_run *d, const struct disk_target *t,
			      const struct growth_fs *fs, char *why, size_t size)
{
	const struct mount *m = t->mount;

	if (!m->super_ro || d->conf->readonly == READONLY_OK)
		return false;
	if (m->broken)
		snprintf(why, size, "stopped taking writes after an error");
	else if (fs && fs->known && fs->writable)
		snprintf(why, size, "has become read-only");
	else if (!m->mount_ro)
		snprintf(why, size, "is read-only, though mounted for writing (after an error?)");
	else
		snprintf(why, size, "is read-only");
	return m->broken || !m->mount_ro || d->conf->readonly == READONLY_CRITICAL ||
	       (t->asked && !m->image) || (fs && fs->known && fs->writable);
}

static void add_perf(struct disk_run *d, const char *name, const struct disk_space *s)
{
	struct range warn = disk_used_limit(s, &d->limits.warn, d->limits.unit);
	struct range crit = disk_used_limit(s, &d->limits.crit, d->limits.unit);
	struct perf *p = result_perf(d->run->result, name, s->used, "B", &warn, &crit);
	char label[PERF_LABEL_MAX];

	if (p) {
		p->has_min = p->has_max = true;
		p->max = s->total;
	}
	if (!d->conf->iperfdata || s->inodes <= 0)
		return;
	struct disk_space inodes = { .total = s->inodes };
	warn = disk_used_limit(&inodes, &(struct disk_limit){ .percent = d->limits.iwarn }, 1);
	crit = disk_used_limit(&inodes, &(struct disk_limit){ .percent = d->limits.icrit }, 1);
	snprintf(label, sizeof label, "%.54s (inodes)", name);
	p = result_perf(d->run->result, label, s->inodes - s->inodes_free, "", &warn, &crit);
	if (p) {
		p->has_min = p->has_max = true;
		p->max = s->inodes;
	}
}

/* When it will be full, if it grows; judged only where a limit is configured. */
static void foretell(struct disk_run *d, const char *name, struct growth_fs *fs, const struct disk_space *s)
{
	const struct disk_conf *dc = d->conf;
	double rate;
	int64_t span;
	char left[32], over[32], why[160];

	d->changed |= growth_add(fs, d->now_ms, s->used, dc->growth_window_ms);
	if (!growth_rate(fs, d->now_ms, s->used, dc->growth_window_ms, &rate, &span) || rate <= 0 ||
	    s->free / rate > FORETELL_MAX_S * 10.0)
		return;
	int64_t full_ms = (int64_t)(s->free / rate * 1e3);
	snprintf(why, sizeof why, "will be full in %s, growing %.3g MiB a minute (over %s)",
		 clock_span(full_ms, left, sizeof left), rate * 60 / 1048576.0,
		 clock_span(span, over, sizeof over));
	if (dc->full_critical_ms > 0 && full_ms < dc->full_critical_ms)
		wrong(d, NAG_CRITICAL, name, why);
	else if (dc->full_warning_ms > 0 && full_ms < dc->full_warning_ms)
		wrong(d, NAG_WARNING, name, why);
	else if (full_ms / 1000 < FORETELL_MAX_S)
		result_more(d->run->result, "%s %s", name, why);
}

static void judge(struct disk_run *d, const struct disk_target *t, const struct disk_space *s)
{
	const struct mount *m = t->mount;
	const char *name = d->conf->device ? m->source : m->dir;
	struct growth_fs *fs = growth_at(&d->growth, m->dir);
	struct disk_verdict v = disk_judge(s, &d->limits);
	char why[160], inodes[32] = "";
	bool ok = v.state == NAG_OK;

	d->judged++;
	if (!ok)
		wrong(d, v.state, name, v.why);
	if (readonly_is_wrong(d, t, fs, why, sizeof why)) {
		wrong(d, NAG_CRITICAL, name, why);
		ok = false;
	}
	if (fs) {
		/* once it was writable, that is remembered until it is writable again or the state is lost */
		bool writable = !m->super_ro || (fs->known && fs->writable);
		d->changed |= !fs->known || writable != fs->writable;
		fs->writable = writable;
		fs->seen = true;
		foretell(d, name, fs, s);
	}
	add_perf(d, name, s);
	if (d->conf->errors_only && ok)
		return;
	if (s->inodes > 0)
		snprintf(inodes, sizeof inodes, " inode=%d%%", (int)disk_inodes_free_percent(s));
	buf_printf(&d->free, " %s %.0f%s (%d%%%s);", name, floor(s->free / d->limits.unit),
		   unit_name(d->conf), (int)disk_free_percent(s), inodes);
}

static void unreadable(struct disk_run *d, const struct disk_target *t, const char *path, int err)
{
	char why[200];

	if (!t->asked && (err == EACCES || err == EPERM)) {
		result_more(d->run->result, "%s: not looked at: %s", path, strerror(err));
		return;
	}
	snprintf(why, sizeof why, "is not accessible: %s", strerror(err));
	if (err == EACCES || err == EPERM) {
		d->unmeasured = true;
		wrong(d, NAG_UNKNOWN, path, why);
	} else {
		wrong(d, NAG_CRITICAL, path, why);
	}
}

static void look_at(struct disk_run *d, const struct disk_target *t)
{
	struct statvfs st;

	if (!t->mount) {
		if (d->conf->select.exact)
			wrong(d, NAG_CRITICAL, t->asked, "is neither a mount point nor a mounted device");
		else
			unreadable(d, t, t->asked, ENOENT);
		return;
	}
	probe_at_name(d->run, "statvfs", t->mount->dir);
	if (statvfs(t->mount->dir, &st) != 0) {
		unreadable(d, t, t->mount->dir, errno);
		return;
	}
	if (st.f_blocks == 0) {
		if (t->asked)
			wrong(d, NAG_UNKNOWN, t->asked, "is on a file system that has no size");
		return;
	}
	if (t->only_stat)
		return;
	double block = (double)(st.f_frsize ? st.f_frsize : st.f_bsize);
	struct disk_space s = {
		.total = (double)st.f_blocks * block,
		.used = (double)(st.f_blocks - st.f_bfree) * block,
		.free = (double)st.f_bavail * block,
		.reserved = (double)(st.f_bfree - st.f_bavail) * block,
		.inodes = (double)st.f_files,
		.inodes_free = (double)st.f_ffree,
	};
	if (d->conf->ignore_reserved)
		s.total -= s.reserved;
	judge(d, t, &s);
}

static void conclude(struct disk_run *d)
{
	struct result *r = d->run->result;

	if (d->judged == 0 && d->wrong.len == 0) {
		result_fail(r, NAG_UNKNOWN, "config", "no file system matches what this check looks at");
		return;
	}
	if (d->free.len == 0 && d->wrong.len > 2)
		d->wrong.data[d->wrong.len -= 2] = '\0'; /* "; " */
	const char *text = buf_str(&d->wrong);
	if (d->worst == NAG_OK || d->free.len > 0)
		result_set(r, d->worst, "%s%s%s", text,
			   d->free.len > 0 ? "free space:" : "all file systems are fine", buf_str(&d->free));
	else
		result_set(r, d->worst, "%s", text);
	r->measured = !(d->unmeasured && d->worst == NAG_UNKNOWN);
	if (d->worst != NAG_OK)
		snprintf(r->layer, sizeof r->layer, "%s", d->judged ? "disk" : "path");
}

static void disk_run(struct probe_run *run)
{
	struct disk_run d = { .run = run, .conf = run->conf, .now_ms = clock_wall_ms(), .worst = NAG_OK };
	struct mounts mounts;
	struct disk_targets targets = { 0 };
	struct buf text;

	buf_init(&text, MOUNTINFO_MAX);
	probe_at(run, "read /proc/self/mountinfo");
	if (!file_read("/proc/self/mountinfo", &text)) {
		result_fail(run->result, NAG_UNKNOWN, "read", "cannot read /proc/self/mountinfo: %s",
			    strerror(errno));
		run->result->measured = false;
		buf_fini(&text);
		return;
	}
	mounts_parse(&mounts, buf_str(&text));
	buf_fini(&text);
	read_limits(d.conf, &d.limits, NULL);
	growth_load(&d.growth, run->state, run->state_len);
	buf_init(&d.wrong, RESULT_TEXT_MAX);
	buf_init(&d.free, RESULT_TEXT_MAX);
	if (disk_select(&targets, &mounts, &d.conf->select, resolve, run)) {
		for (size_t i = 0; i < targets.n; i++)
			look_at(&d, &targets.v[i]);
		conclude(&d);
		if (d.changed)
			growth_save(&d.growth, &run->newstate);
	} else {
		result_fail(run->result, NAG_UNKNOWN, "memory", "out of memory");
		run->result->measured = false;
	}
	disk_targets_fini(&targets);
	mounts_fini(&mounts);
	buf_fini(&d.wrong);
	buf_fini(&d.free);
}

const struct probe probe_disk = {
	.name = "disk",
	.help = "free space and inodes of file systems, whether they take writes, and when they will be full",
	.place = PROBE_LOCAL,
	.opts = disk_opts,
	.conf_size = sizeof(struct disk_conf),
	.check_conf = disk_check_conf,
	.run = disk_run,
};
