/*
 * The pure half of the load probe: the text of /proc/loadavg and the thresholds
 * as monitoring-plugins' check_load writes them.
 */
#ifndef PROBES_LOAD_LOAD_H
#define PROBES_LOAD_LOAD_H

#include <stdbool.h>

struct load_avg {
	double load[3];	     /* over 1, 5 and 15 minutes */
	long running, procs; /* -1 when the file does not say */
};

extern const int load_minutes[3];

/* "0.14 0.05 0.02 1/235 4711". False and a reason (static text). */
bool load_parse(const char *text, struct load_avg *avg, const char **why);
/* "5,4,3", "5,4" (the last counts for the rest) or "5". False and a reason (static text); why may be NULL. */
bool load_triple(const char *text, double out[3], const char **why);

#endif
