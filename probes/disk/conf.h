/*
 * What a disk check is told: the structure that its option table fills (check_disk.c). Read by the rules
 * (rules.c), the selection (select.c) and the run (look.c).
 */
#ifndef PROBES_DISK_CONF_H
#define PROBES_DISK_CONF_H

#include "lib/config/opts.h"

enum { READONLY_AUTO, READONLY_OK, READONLY_CRITICAL };

struct disk_select_conf {
	struct opt_list path, exclude, exclude_type, include_type;
	struct opt_list match, match_nocase, ignore, ignore_nocase; /* extended regular expressions */
	bool exact, local, stat_remote;
};

struct disk_conf {
	struct opt_list warning, critical;
	struct opt_list in_order; /* of a command line: limits, paths, groups as they came */
	char *iwarning, *icritical, *group;
	struct disk_select_conf select;
	int units, readonly;
	bool kilobytes, megabytes, errors_only, device, iperfdata, ignore_reserved, all, clear;
	int64_t growth_window_ms, full_warning_ms, full_critical_ms;
};

#endif
