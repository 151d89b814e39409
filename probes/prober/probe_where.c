/*
 * Where a run is. Called by the probes and, from other threads, by whoever tells people.
 */
#include "probes/probe.h"

#include <stdio.h>

/* Byte by byte and atomic: a reader may catch half of a name, never a race. */
void probe_at_name(struct probe_run *run, const char *call, const char *name)
{
	size_t i = 0;

	atomic_store_explicit(&run->where, call, memory_order_relaxed);
	for (; name[i] && i < PROBE_WHERE_MAX - 1; i++)
		atomic_store_explicit(&run->where_name[i], name[i], memory_order_relaxed);
	atomic_store_explicit(&run->where_name[i], '\0', memory_order_relaxed);
}

char *probe_where(const struct probe_run *run, char *out, size_t size)
{
	const char *call = atomic_load_explicit(&run->where, memory_order_relaxed);
	char name[PROBE_WHERE_MAX];
	size_t i = 0;

	for (; i < sizeof name - 1; i++) {
		name[i] = atomic_load_explicit(&run->where_name[i], memory_order_relaxed);
		if (!name[i])
			break;
	}
	name[i] = '\0';
	snprintf(out, size, "%s%s%s", call ? call : "an unnamed step", *name ? " " : "", name);
	return out;
}
