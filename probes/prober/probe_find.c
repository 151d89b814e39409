/*
 * A built-in probe by its name. Called by the prober; in a file of its own because whatever links it links every
 * probe and its libraries, which a stand-alone plugin must not: it would start three times as slowly and in three
 * times the memory.
 */
#include "probes/probe.h"

#include <string.h>

const struct probe *probe_find(const char *name)
{
	for (size_t i = 0; probes_all[i]; i++)
		if (strcmp(probes_all[i]->name, name) == 0)
			return probes_all[i];
	return NULL;
}
