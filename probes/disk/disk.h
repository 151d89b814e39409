/*
 * The pure half of the disk probe: thresholds as monitoring-plugins' check_disk writes
 * them, and what the figures of a file system mean. Percentages and the blocks reserved for
 * root are taken as check_disk takes them: free is what others than root may still use, the
 * percentage is free of (used + free).
 */
#ifndef PROBES_DISK_DISK_H
#define PROBES_DISK_DISK_H

#include <stdint.h>

#include "lib/config/opts.h"
#include "lib/contract/result.h"

/* -w and -c: "100" units, "10%", or a range of either; each may be given once. */
struct disk_limit {
	struct range units, percent; /* alert when the free space is inside */
};

struct disk_limits {
	struct disk_limit warn, crit;
	struct range iwarn, icrit; /* of the percentage of free inodes */
	double unit;		   /* bytes in one unit */
};

/* A file system's figures, in bytes. */
struct disk_space {
	double total, used, free;   /* free: for others than root */
	double reserved;	    /* for root alone */
	double inodes, inodes_free; /* 0: it does not count them */
};

struct disk_verdict {
	enum nag_state state;
	char why[160]; /* "3 % free, not above 5 %"; "" when OK */
};

/* "MB" -> 1048576 and so on; index into disk_unit_choices. */
extern const char disk_unit_choices[];
double disk_unit_bytes(int index);
const char *disk_unit_name(int index); /* "MiB" */

/* One more "100", "10%" or range of either; replace: one of its kind that is there already gives way, else that is an error. */
bool disk_limit_add(struct disk_limit *l, const char *value, bool replace, const char **why);
/* values: at most one of units and one of percent. False and a reason (static text). */
bool disk_limit_parse(const struct opt_list *values, struct disk_limit *out, const char **why);
/* "20%" or "20". */
bool disk_inode_limit_parse(const char *value, struct range *out, const char **why);

double disk_free_percent(const struct disk_space *s);
double disk_inodes_free_percent(const struct disk_space *s); /* 100 where it does not count them */
struct disk_verdict disk_judge(const struct disk_space *s, const struct disk_limits *l);
/* The limit on free space as a limit on used bytes, as check_disk's performance data has it; unset where it
 * has none. */
struct range disk_used_limit(const struct disk_space *s, const struct disk_limit *l, double unit);

#endif
