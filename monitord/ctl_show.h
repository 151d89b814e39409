/*
 * What monitorctl shows: answers of the daemons as text for a terminal of at least
 * 80 columns. Pure: from JSON to a buffer; no I/O, no clock of its own.
 */
#ifndef MONITORD_CTL_SHOW_H
#define MONITORD_CTL_SHOW_H

#include <stdbool.h>

#include "../lib/buf.h"
#include "../lib/clock.h"

struct cJSON;

struct ctl_style {
	bool colour;
	int columns; /* lines are cut to this many characters; 0: never cut */
};

/* Both snapshots (either may be NULL: that daemon did not answer, and why says it); only: show this check alone, in
 * full, or NULL. */
void ctl_show_status(const struct cJSON *monitord, const char *monitord_why, const struct cJSON *pagerd,
		     const char *pagerd_why, const char *only, const struct ctl_style *style, const struct stamp *now,
		     struct buf *out);
/* One check object of monitord's snapshot, in full. */
void ctl_show_check(const struct cJSON *check, const struct ctl_style *style, const struct stamp *now, struct buf *out);
/* The answer of "history", newest last. */
void ctl_show_history(const struct cJSON *answer, const struct ctl_style *style, struct buf *out);
/* True when some check has a hard problem that nobody suppressed. */
bool ctl_has_problem(const struct cJSON *monitord);

#endif
