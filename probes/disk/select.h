/*
 * Which file systems a disk check looks at: what its rules name by path, device or pattern,
 * or all that can be full. Reads nothing but the list of mounts; resolving a path is
 * the caller's, because it may hang.
 */
#ifndef PROBES_DISK_SELECT_H
#define PROBES_DISK_SELECT_H

#include "conf.h"
#include "mounts.h"
#include "rules.h"

struct disk_target {
	const struct mount *mount;    /* NULL: nothing there; why says so */
	const char *asked;	      /* the path as given; NULL: found by itself */
	const struct disk_rule *rule; /* what it is judged by: the last that chose it */
	bool only_stat;		      /* -L: touched, not judged */
};

struct disk_targets {
	struct disk_target *v;
	size_t n;
};

/* resolve turns a path as given into one without links; NULL when there is none (errno says why). */
typedef char *disk_resolve(void *arg, const char *path);

/* False only when memory is out. */
bool disk_select(struct disk_targets *t, const struct mounts *m, const struct disk_select_conf *conf,
		 const struct disk_rules *rules, disk_resolve *resolve, void *arg);
void disk_targets_fini(struct disk_targets *t);

#endif
