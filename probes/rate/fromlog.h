/* The rates out of a mail log: what arrived since the last run, by origin, as a minute's. Used by check_rate.
 */
#ifndef PROBES_RATE_FROMLOG_H
#define PROBES_RATE_FROMLOG_H

#include "counts.h"
#include "probes/log/follow.h"

enum { RATE_LEAST_MS = 10000 }; /* what came in less time counts as if it had taken this long */

struct rate_log {
	struct log_from from;
	struct log_state state; /* in and out */
	struct log_tail tail;	/* out: whether it was read to its end, what is lost */
	bool first;		/* out: no run before, so there is no time that went by */
};

/* False: `why` says what failed. */
bool rate_from_log(struct rate_log *l, int64_t deadline, struct rate_counts *out, char *why, size_t size);

#endif
