/*
 * Starts foreign programs for the prober's threads. Forking a process full of threads
 * and memory for each run would be slow and delicate, so a small process is forked off
 * once, before there are threads; it forks a guard (guard.h) for each run. The one
 * piece of process-wide state of the exec probe.
 */
#ifndef PROBES_EXEC_NURSERY_H
#define PROBES_EXEC_NURSERY_H

#include <stdbool.h>
#include <stddef.h>

enum { NURSERY_MESSAGE_MAX = 65536 }; /* argv, environment and directory together, in bytes */

struct nursery_child {
	int control; /* guard_message comes here; closing it, or writing to it, kills the program and all it
			started */
	int out, err;
};

/* The prober's global_init: forks the nursery. A failure shows at the first spawn. */
void nursery_init(void);
/* From any thread. False with a reason. A nursery that died is replaced. */
bool nursery_spawn(char *const *argv, char *const *env, const char *directory, struct nursery_child *child,
		   char *why, size_t size);
void nursery_child_close(struct nursery_child *child);

#endif
