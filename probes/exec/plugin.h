/*
 * Runs a foreign Nagios plugin, unmodified: for check_exec.c and check_nrpe.c. Promises: the program gets a
 * chosen environment, /dev/null as input and a session of its own; at most 64 KiB of what it writes is kept; it and
 * all it started are dead when the run is over. A program that could not be run, crashed or timed out is UNKNOWN
 * and not measured; one that says UNKNOWN (exit 3) is UNKNOWN and measured.
 */
#ifndef PROBES_EXEC_PLUGIN_H
#define PROBES_EXEC_PLUGIN_H

#include "probes/probe.h"

/* argv: NULL-terminated, at most 256 words, the first an absolute path. given: environment beside PATH, LANG=C and
 * TZ; may be NULL. */
void plugin_run(struct probe_run *run, char *const *argv, const struct opt_list *given, const char *directory);

#endif
