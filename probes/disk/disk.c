/*
 * Judging a file system's figures; see disk.h. Called by the disk probe; no I/O.
 */
#include "disk.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *name, *shown;
	double bytes;
} units[] = {
	{ "MB", "MiB", 1048576.0 },	{ "kB", "kiB", 1024.0 },     { "KB", "kiB", 1024.0 },
	{ "GB", "GiB", 1073741824.0 },	{ "TB", "TiB", 1099511627776.0 }, { "B", "B", 1.0 },
	{ "bytes", "B", 1.0 },		{ "KiB", "KiB", 1024.0 },    { "MiB", "MiB", 1048576.0 },
	{ "GiB", "GiB", 1073741824.0 }, { "TiB", "TiB", 1099511627776.0 },
};

const char disk_unit_choices[] = "MB|kB|KB|GB|TB|B|bytes|KiB|MiB|GiB|TiB";

double disk_unit_bytes(int index)
{
	return units[index].bytes;
}

const char *disk_unit_name(int index)
{
	return units[index].shown;
}

/* A value of check_disk is a range that alerts inside: "10" means 0 to 10. */
static bool parse_inside(const char *text, struct range *out, const char **why)
{
	char range[96];
	size_t n = 0;

	if (*text != '@')
		range[n++] = '@';
	for (; *text; text++) {
		if (*text == '%')
			continue;
		if (n + 1 >= sizeof range) {
			*why = "is too long for a threshold";
			return false;
		}
		range[n++] = *text;
	}
	range[n] = '\0';
	return units_range(range, out, why);
}

bool disk_limit_add(struct disk_limit *l, const char *value, bool replace, const char **why)
{
	struct range *r = strchr(value, '%') ? &l->percent : &l->units;

	if (r->set && !replace) {
		*why = "give at most one number of units and one percentage";
		return false;
	}
	if (!parse_inside(value, r, why))
		return false;
	if (r == &l->percent && isfinite(r->end) && r->end > 100) {
		*why = "a percentage is at most 100";
		return false;
	}
	return true;
}

bool disk_limit_parse(const struct opt_list *values, struct disk_limit *out, const char **why)
{
	memset(out, 0, sizeof *out);
	for (size_t i = 0; i < values->n; i++)
		if (!disk_limit_add(out, values->v[i], false, why))
			return false;
	return true;
}

bool disk_inode_limit_parse(const char *value, struct range *out, const char **why)
{
	memset(out, 0, sizeof *out);
	if (!value)
		return true;
	if (!parse_inside(value, out, why))
		return false;
	if (isfinite(out->end) && out->end > 100) {
		*why = "a percentage is at most 100";
		return false;
	}
	return true;
}

double disk_free_percent(const struct disk_space *s)
{
	double all = s->used + s->free;

	return all > 0 ? 100.0 - s->used / all * 100.0 : 0;
}

double disk_inodes_free_percent(const struct disk_space *s)
{
	return s->inodes > 0 ? s->inodes_free / s->inodes * 100.0 : 100.0;
}

/* Three digits, or more where they stand before the point. */
static char *number(double v, char *out, size_t size)
{
	snprintf(out, size, fabs(v) >= 100 ? "%.0f" : "%.3g", v);
	return out;
}

/* Says in why which limit was passed. */
static bool judge_one(double value, const struct range *limit, const char *what, const char *unit, char *why,
		      size_t size)
{
	char v[32], from[32], to[32];

	if (!range_alerts(limit, value))
		return false;
	number(value, v, sizeof v);
	number(limit->start, from, sizeof from);
	number(limit->end, to, sizeof to);
	if (limit->start > 0)
		snprintf(why, size, "%s%s %s, inside %s to %s%s", v, unit, what, from, to, unit);
	else
		snprintf(why, size, "%s%s %s, not above %s%s", v, unit, what, to, unit);
	return true;
}

static bool judge_level(const struct disk_space *s, const struct disk_limit *l, const struct range *inodes,
			double unit, struct disk_verdict *v)
{
	const char *name = unit == 1	       ? " B"
			   : unit <= 1024      ? " KiB"
			   : unit <= 1048576.0 ? " MiB"
			   : unit < 1e12       ? " GiB"
					       : " TiB";

	/* whole units, as check_disk compares them */
	return judge_one(disk_free_percent(s), &l->percent, "free", "%", v->why, sizeof v->why) ||
	       judge_one(floor(s->free / unit), &l->units, "free", name, v->why, sizeof v->why) ||
	       (s->inodes > 0 && judge_one(disk_inodes_free_percent(s), inodes, "of the inodes free", "%",
					   v->why, sizeof v->why));
}

struct disk_verdict disk_judge(const struct disk_space *s, const struct disk_limits *l)
{
	struct disk_verdict v = { NAG_OK, "" };

	if (judge_level(s, &l->crit, &l->icrit, l->unit, &v))
		v.state = NAG_CRITICAL;
	else if (judge_level(s, &l->warn, &l->iwarn, l->unit, &v))
		v.state = NAG_WARNING;
	return v;
}

struct range disk_used_limit(const struct disk_space *s, const struct disk_limit *l, double unit)
{
	double end = INFINITY;

	if (l->units.set && isfinite(l->units.end))
		end = s->total - l->units.end * unit;
	if (l->percent.set && isfinite(l->percent.end))
		end = fmin(end, (1 - l->percent.end / 100) * s->total);
	if (!isfinite(end))
		return (struct range){ 0 };
	return (struct range){ .set = true, .start = 0, .end = floor(fmax(end, 0)) };
}
