/* How many different names, or names under another, within fixed memory: a set of hashes. Full: "at least".
 * Used by count.c. */
#ifndef PROBES_LOG_PAIRS_H
#define PROBES_LOG_PAIRS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event.h"

enum { LOG_PAIRS_SLOTS = 2048, LOG_PAIRS_MAX = 1536 };

struct log_pairs {
	struct {
		uint32_t of, what; /* of 0: free */
	} slot[LOG_PAIRS_SLOTS];
	size_t n;
	bool full; /* something was left out */
};

void log_pairs_add(struct log_pairs *p, struct log_span of, struct log_span what);
/* How many different ones there are of a name. */
size_t log_pairs_count(const struct log_pairs *p, const char *of);

#endif
