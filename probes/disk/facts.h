/*
 * The facts of a disk check: those of the one file system that is in most trouble, by its space, its inodes
 * or how soon it is full. Pure.
 */
#ifndef PROBES_DISK_FACTS_H
#define PROBES_DISK_FACTS_H

#include "disk.h"

struct disk_facts {
	char path[FACT_TEXT_MAX];
	double trouble; /* 0: nothing was looked at */
	double used_share, inode_used_share, growth_per_min, full_in_s;
	bool inodes, growth, fills; /* which are known */
};

/* One more; rate in bytes a second, NULL: not known yet. */
void disk_facts_add(struct disk_facts *f, const char *path, const struct disk_space *s, const double *rate);
void disk_facts_tell(const struct disk_facts *f, struct result *r);

#endif
