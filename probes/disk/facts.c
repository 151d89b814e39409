/*
 * Which file system the facts are of, and what they say; see facts.h. Called by look.c.
 */
#include "facts.h"

#include <math.h>
#include <stdio.h>

enum { SOON_S = 86400, FORETELL_MAX_S = 366 * 86400 };

static double trouble(const struct disk_facts *f)
{
	double soon = f->fills ? 1 - f->full_in_s / SOON_S : 0;

	return fmax(fmax(f->used_share, f->inodes ? f->inode_used_share : 0), soon);
}

void disk_facts_add(struct disk_facts *f, const char *path, const struct disk_space *s, const double *rate)
{
	double all = s->used + s->free;
	struct disk_facts one = {
	    .used_share = all > 0 ? s->used / all : 1, .inodes = s->inodes > 0, .growth = rate != NULL};

	if (one.inodes)
		one.inode_used_share = 1 - s->inodes_free / s->inodes;
	if (rate) {
		one.growth_per_min = *rate * 60;
		one.fills = *rate > 0 && s->free / *rate < FORETELL_MAX_S;
		one.full_in_s = one.fills ? s->free / *rate : 0;
	}
	one.trouble = trouble(&one);
	if (f->path[0] && one.trouble <= f->trouble)
		return;
	snprintf(one.path, sizeof one.path, "%s", path);
	*f = one;
}

void disk_facts_tell(const struct disk_facts *f, struct result *r)
{
	if (!f->path[0])
		return;
	result_fact_text(r, "path", f->path);
	result_fact(r, "used_share", f->used_share);
	if (f->inodes)
		result_fact(r, "inode_used_share", f->inode_used_share);
	if (f->growth)
		result_fact(r, "growth_per_min", f->growth_per_min);
	if (f->fills)
		result_fact(r, "full_in_s", floor(f->full_in_s));
}
