/*
 * One look at the chosen file systems: figures, judgement, read-only, growth, facts. Called by the disk probe
 * (check_disk.c).
 */
#ifndef PROBES_DISK_LOOK_H
#define PROBES_DISK_LOOK_H

#include "conf.h"
#include "disk.h"
#include "facts.h"
#include "growth.h"
#include "probes/probe.h"
#include "select.h"

struct disk_run {
	struct probe_run *run;
	const struct disk_conf *conf;
	struct growth growth;
	struct disk_facts facts;
	int64_t now_ms;
	enum nag_state worst;
	struct buf wrong, free; /* "/var: 3% free, not above 5%; " and " / 812MiB (83% inode=97%);" */
	size_t judged;
	bool unmeasured, changed;
};

/* All of them; what was found is in the result and in growth. */
void disk_look(struct disk_run *d, const struct disk_targets *t);

#endif
