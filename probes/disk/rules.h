/*
 * What is looked at with which limits: a rule for each path, pattern or "all that can be full", in the order
 * in which the command line has them, as monitoring-plugins' check_disk reads it. Limits hold for the paths
 * behind them, and for those before them that had none of their kind; -C forgets limits, group and paths, and
 * what stands before it without a path is of all file systems. From a configuration, which has no order: one
 * set of limits for all. Pure.
 */
#ifndef PROBES_DISK_RULES_H
#define PROBES_DISK_RULES_H

#include "conf.h"
#include "disk.h"

enum disk_rule_kind { DISK_PATH, DISK_MATCH, DISK_MATCH_NOCASE, DISK_ALL };

struct disk_rule {
	enum disk_rule_kind kind;
	const char *value; /* the path or the pattern; of conf, as is group */
	const char *group; /* judged together under this name; NULL: by itself */
	struct disk_limits limits;
};

struct disk_rules {
	struct disk_rule *v;
	size_t n;
};

/* False when a complaint was added (c may be NULL when they were looked at before) or memory is out. */
bool disk_rules_make(struct disk_rules *r, const struct disk_conf *conf, struct complaints *c);
void disk_rules_fini(struct disk_rules *r);

/* The unit of limits and text: -k and -m before -u. */
double disk_conf_unit(const struct disk_conf *conf);
const char *disk_conf_unit_name(const struct disk_conf *conf);

#endif
