/*
 * Quiet hours: pages of some severities wait until these are over. A CRITICAL never waits; the configuration
 * cannot ask for it. Pure.
 */
#ifndef LIB_ONCALL_QUIET_H
#define LIB_ONCALL_QUIET_H

#include "lib/contract/result.h"
#include "tz.h"
#include "when.h"

struct quiet {
	struct tz *zone;
	struct holidays holidays;
	struct when hours;
	unsigned holds; /* bits by enum nag_state */
	bool drop;	/* what is over before the hours are is not told at all */
};

/* Until when (UTC) a page of that severity waits that would leave now; 0: it does not wait. q may be NULL. */
int64_t quiet_until(const struct quiet *q, enum nag_state severity, int64_t utc_s);
/* There is an end to the hours whatever the weekday. */
bool quiet_ends(const struct quiet *q, int64_t utc_s);
void quiet_free(struct quiet *q);

#endif
