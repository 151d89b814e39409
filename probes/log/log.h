/* The probe log: its options, what it keeps between runs, what it says. Shared by check_log, state.c and
 * report.c. */
#ifndef PROBES_LOG_LOG_H
#define PROBES_LOG_LOG_H

#include "count.h"
#include "lib/config/units.h"
#include "lib/contract/result.h"
#include "follow.h"

enum log_figure {
	LOG_FIG_RECEIVED,
	LOG_FIG_SENT,
	LOG_FIG_DEFERRED,
	LOG_FIG_BOUNCED,
	LOG_FIG_REJECTED,
	LOG_FIG_AUTH_FAILED,
	LOG_FIG_USER_UNKNOWN,
	LOG_FIG_HOPS,
	LOG_FIG_BYTES,
	LOG_FIGURES
};

struct log_conf {
	char *path, *journal_directory;
	bool from_start, journal;
	struct opt_list units, identifiers;
	struct range warn[LOG_FIGURES], crit[LOG_FIGURES];
	struct opt_list leave_out;
	int64_t top, read_time;
};

/* over_ms: since the last run, 0 when there was none. */
void log_report(struct result *r, const struct log_conf *conf, const struct log_counts *c,
		const struct log_tail *t, int64_t over_ms);

#endif
