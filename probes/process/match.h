/*
 * Which processes a process check counts, and its limits, both as monitoring-plugins' check_procs has them.
 * Pure.
 */
#ifndef PROBES_PROCESS_MATCH_H
#define PROBES_PROCESS_MATCH_H

#include "lib/buf.h"
#include "lib/config/units.h"
#include "lib/pattern.h"
#include "proc.h"

/* NULL, and a negative number: whatever it is. */
struct process_filter {
	const char *state, *user, *args, *command;
	const struct pattern *pattern; /* of args */
	const char *regex;	       /* its text */
	int64_t uid, ppid, vsz_kib, rss_kib;
	double cpu;
	bool no_kernel;
};

bool process_matches(const struct process_filter *f, const struct proc *p);
/* " with command name 'qmgr', UID = 107 (postfix)"; nothing when all are counted. */
void process_describe(const struct process_filter *f, struct buf *out);
/* "max", "min:max", "min:", ":max"; "max:min" alerts inside. False and a reason (static text). */
bool process_range(const char *text, struct range *out, const char **why);

#endif
