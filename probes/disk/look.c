/*
 * The run of a disk check; see look.h. A file system that hangs blocks here, and the watchdog names it.
 */
#include "look.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#include "lib/clock.h"
#include "rules.h"

enum { FORETELL_MAX_S = 7 * 86400, GROUPS_MAX = 64 };

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

static void add_perf(struct disk_run *d, const char *name, const struct disk_space *s,
		     const struct disk_limits *l)
{
	struct range warn = disk_used_limit(s, &l->warn, l->unit);
	struct range crit = disk_used_limit(s, &l->crit, l->unit);
	struct perf *p = result_perf(d->run->result, name, s->used, "B", &warn, &crit);
	char label[PERF_LABEL_MAX];

	if (p) {
		p->has_min = p->has_max = true;
		p->max = s->total;
	}
	if (!d->conf->iperfdata || s->inodes <= 0)
		return;
	struct disk_space inodes = {.total = s->inodes};
	warn = disk_used_limit(&inodes, &(struct disk_limit){.percent = l->iwarn}, 1);
	crit = disk_used_limit(&inodes, &(struct disk_limit){.percent = l->icrit}, 1);
	snprintf(label, sizeof label, "%.*s (inodes)", PERF_LABEL_MAX - 12, name);
	p = result_perf(d->run->result, label, s->inodes - s->inodes_free, "", &warn, &crit);
	if (p) {
		p->has_min = p->has_max = true;
		p->max = s->inodes;
	}
}

/* When it will be full, if it grows; judged only where a limit is configured. */
static void foretell(struct disk_run *d, const char *name, double rate, int64_t span,
		     const struct disk_space *s)
{
	const struct disk_conf *dc = d->conf;
	char left[32], over[32], why[160];

	if (rate <= 0 || s->free / rate > FORETELL_MAX_S * 10.0)
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

/* What is remembered of it, and what that tells: read-only now, growing. Returns false when something is
 * wrong. */
static bool judge_mount(struct disk_run *d, const struct disk_target *t, const char *name,
			const struct disk_space *s)
{
	const struct mount *m = t->mount;
	struct growth_fs *fs = growth_at(&d->growth, m->dir);
	int64_t span, window = d->conf->growth_window_ms;
	double rate;
	bool known = false, readonly;
	char why[160];

	readonly = readonly_is_wrong(d, t, fs, why, sizeof why);
	if (readonly)
		wrong(d, NAG_CRITICAL, name, why);
	if (fs) {
		/* once it was writable, that is remembered until it is writable again or the state is lost */
		bool writable = !m->super_ro || (fs->known && fs->writable);
		d->changed |= !fs->known || writable != fs->writable;
		fs->writable = writable;
		fs->seen = true;
		d->changed |= growth_add(fs, d->now_ms, s->used, window);
		known = growth_rate(fs, d->now_ms, s->used, window, &rate, &span);
		if (known)
			foretell(d, name, rate, span, s);
	}
	disk_facts_add(&d->facts, m->dir, s, known ? &rate : NULL);
	return !readonly;
}

/* Figures against limits: of one file system or of a group. */
static void judge_space(struct disk_run *d, const char *name, const struct disk_space *s,
			const struct disk_limits *l, bool ok)
{
	struct disk_verdict v = disk_judge(s, l);
	char inodes[32] = "";

	d->judged++;
	if (v.state != NAG_OK)
		wrong(d, v.state, name, v.why);
	add_perf(d, name, s, l);
	if (d->conf->errors_only && ok && v.state == NAG_OK)
		return;
	if (s->inodes > 0)
		snprintf(inodes, sizeof inodes, " inode=%d%%", (int)disk_inodes_free_percent(s));
	buf_printf(&d->free, " %s %.0f%s (%d%%%s);", name, floor(s->free / l->unit),
		   disk_conf_unit_name(d->conf), (int)disk_free_percent(s), inodes);
}

/* Several file systems that are judged as one. */
struct groups {
	struct {
		const struct disk_rule *rule;
		struct disk_space space;
	} v[GROUPS_MAX];
	size_t n;
};

static struct disk_space *group_at(struct groups *g, const struct disk_rule *rule)
{
	for (size_t i = 0; i < g->n; i++)
		if (strcmp(g->v[i].rule->group, rule->group) == 0)
			return &g->v[i].space;
	if (g->n == GROUPS_MAX)
		return NULL;
	g->v[g->n].rule = rule;
	return &g->v[g->n++].space;
}

static void space_add(struct disk_space *sum, const struct disk_space *s)
{
	sum->total += s->total;
	sum->used += s->used;
	sum->free += s->free;
	sum->reserved += s->reserved;
	sum->inodes += s->inodes;
	sum->inodes_free += s->inodes_free;
}

static void judge(struct disk_run *d, struct groups *g, const struct disk_target *t,
		  const struct disk_space *s)
{
	const char *name = d->conf->device ? t->mount->source : t->mount->dir;
	struct disk_space *sum = t->rule->group ? group_at(g, t->rule) : NULL;
	bool ok = judge_mount(d, t, name, s);

	if (sum)
		space_add(sum, s);
	else
		judge_space(d, name, s, &t->rule->limits, ok);
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

static void look_at(struct disk_run *d, struct groups *g, const struct disk_target *t)
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
	judge(d, g, t, &s);
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

void disk_look(struct disk_run *d, const struct disk_targets *t)
{
	struct groups g = {.n = 0};

	for (size_t i = 0; i < t->n; i++)
		look_at(d, &g, &t->v[i]);
	for (size_t i = 0; i < g.n; i++)
		judge_space(d, g.v[i].rule->group, &g.v[i].space, &g.v[i].rule->limits, true);
	disk_facts_tell(&d->facts, d->run->result);
	conclude(d);
}
