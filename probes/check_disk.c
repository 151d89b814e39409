/*
 * disk: free space and inodes of file systems, read-only ones, and how soon they will be full.
 * The flags of monitoring-plugins' check_disk mean the same, in their order too. Reads the list of mounts and asks
 * each file system for its figures; a hung one blocks only this run, and the watchdog names it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "lib/clock.h"
#include "lib/file.h"
#include "lib/pattern.h"
#include "probe.h"
#include "probes/disk/look.h"
#include "probes/disk/rules.h"

enum { MOUNTINFO_MAX = 4 * 1024 * 1024 };

#define AT(member) .offset = offsetof(struct disk_conf, member)

static const struct opt disk_opts[] = {
	{ .name = "warning", .letter = 'w', .type = OPT_LIST, .flags = OPT_ORDERED, AT(warning), .unit = "UNITS|PERCENT%",
	  .help = "WARNING when not more than that is free; "
		  "a number of units and a percentage may both be given" },
	{ .name = "critical", .letter = 'c', .type = OPT_LIST, .flags = OPT_ORDERED, AT(critical), .unit = "UNITS|PERCENT%",
	  .help = "CRITICAL when not more than that is free" },
	{ .name = "iwarning", .letter = 'W', .type = OPT_STRING, .flags = OPT_ORDERED, AT(iwarning), .unit = "PERCENT%",
	  .help = "WARNING when not more than that share of the inodes is free" },
	{ .name = "icritical", .letter = 'K', .type = OPT_STRING, .flags = OPT_ORDERED, AT(icritical), .unit = "PERCENT%",
	  .help = "CRITICAL when not more than that share of the inodes is free" },
	{ .name = "path", .letter = 'p', .type = OPT_LIST, .flags = OPT_ORDERED, AT(select.path), .unit = "PATH",
	  .help = "the file system that holds this path, or this device; without any: all that can be full" },
	{ .name = "group", .letter = 'g', .type = OPT_STRING, .flags = OPT_ORDERED, AT(group), .unit = "NAME",
	  .help = "the paths behind it are judged together, under this name" },
	{ .name = "clear", .letter = 'C', .type = OPT_BOOL, AT(clear), .flags = OPT_ARGV_ONLY | OPT_ORDERED,
	  .help = "forget limits and group: other ones follow, for the paths behind them; without a path before it, those were of all" },
	{ .name = "in_order", .type = OPT_LIST, AT(in_order), .flags = OPT_NOT_GIVEN, .help = "" },
	{ .name = "exact_match", .letter = 'E', .type = OPT_BOOL, AT(select.exact),
	  .help = "each path must itself be a mount point or device" },
	{ .name = "exclude_device", .letter = 'x', .type = OPT_LIST, AT(select.exclude), .unit = "PATH",
	  .help = "leave out this device or mount point (of those not asked for by path)" },
	{ .name = "exclude_type", .letter = 'X', .type = OPT_LIST, AT(select.exclude_type), .unit = "TYPE",
	  .help = "leave out file systems of this type" },
	{ .name = "include_type", .letter = 'N', .type = OPT_LIST, AT(select.include_type), .unit = "TYPE",
	  .help = "only file systems of this type" },
	{ .name = "ereg_path", .letter = 'r', .type = OPT_LIST, .flags = OPT_ORDERED, AT(select.match), .unit = "REGEX",
	  .help = "file systems whose mount point or device matches" },
	{ .name = "eregi_path", .letter = 'R', .type = OPT_LIST, .flags = OPT_ORDERED, AT(select.match_nocase), .unit = "REGEX",
	  .help = "the same, upper and lower case alike" },
	{ .name = "ignore_ereg_path", .letter = 'i', .type = OPT_LIST, AT(select.ignore), .unit = "REGEX",
	  .help = "leave out those that match" },
	{ .name = "ignore_eregi_path", .letter = 'I', .type = OPT_LIST, AT(select.ignore_nocase),
	  .unit = "REGEX", .help = "the same, upper and lower case alike" },
	{ .name = "local", .letter = 'l', .type = OPT_BOOL, AT(select.local),
	  .help = "leave out remote file systems" },
	{ .name = "stat_remote_fs", .letter = 'L', .type = OPT_BOOL, AT(select.stat_remote),
	  .help = "ask remote file systems for their figures but do not judge these" },
	{ .name = "all", .letter = 'A', .type = OPT_BOOL, AT(all), .flags = OPT_ARGV_ONLY | OPT_ORDERED,
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

static void check_patterns(const struct opt_list *l, const char *item, struct complaints *c)
{
	char why[128];

	for (size_t i = 0; i < l->n; i++)
		if (!pattern_ok(l->v[i], 0, why, sizeof why))
			complaint_add(c, NULL, item, l->v[i], "%s", why);
}

static void disk_check_conf(const void *conf, struct complaints *c)
{
	const struct disk_conf *dc = conf;
	struct disk_rules rules;

	if (!disk_rules_make(&rules, dc, c) && c->n == 0)
		complaint_add(c, NULL, "path", NULL, "out of memory");
	disk_rules_fini(&rules);
	check_patterns(&dc->select.match, "ereg_path", c);
	check_patterns(&dc->select.match_nocase, "eregi_path", c);
	check_patterns(&dc->select.ignore, "ignore_ereg_path", c);
	check_patterns(&dc->select.ignore_nocase, "ignore_eregi_path", c);
	for (size_t i = 0; i < dc->select.path.n; i++)
		if (dc->select.path.v[i][0] != '/' && !strchr(dc->select.path.v[i], ':'))
			complaint_add(c, NULL, "path", dc->select.path.v[i], "must be an absolute path");
}

/* --- a run ------------------------------------------------------------------------------------------- */

static char *resolve(void *arg, const char *path)
{
	struct probe_run *run = arg;

	probe_at_name(run, "realpath", path);
	return realpath(path, NULL);
}

static void disk_run(struct probe_run *run)
{
	struct disk_run d = { .run = run, .conf = run->conf, .now_ms = clock_wall_ms(), .worst = NAG_OK };
	struct mounts mounts;
	struct disk_rules rules;
	struct disk_targets targets = { 0 };
	struct buf text;
	struct stat root;

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
	if (stat("/", &root) == 0)
		mounts_add_root(&mounts, major(root.st_dev), minor(root.st_dev));
	buf_fini(&text);
	growth_load(&d.growth, run->state, run->state_len);
	buf_init(&d.wrong, RESULT_TEXT_MAX);
	buf_init(&d.free, RESULT_TEXT_MAX);
	if (disk_rules_make(&rules, d.conf, NULL) &&
	    disk_select(&targets, &mounts, &d.conf->select, &rules, resolve, run)) {
		disk_look(&d, &targets);
		if (d.changed)
			growth_save(&d.growth, &run->newstate);
	} else {
		result_fail(run->result, NAG_UNKNOWN, "memory", "out of memory");
		run->result->measured = false;
	}
	disk_targets_fini(&targets);
	disk_rules_fini(&rules);
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
