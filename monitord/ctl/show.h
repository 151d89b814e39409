/*
 * What monitorctl shows: answers of the daemons as text for a terminal of at least
 * 80 columns. Pure: from JSON to a buffer; no I/O, no clock of its own.
 */
#ifndef MONITORD_CTL_SHOW_H
#define MONITORD_CTL_SHOW_H

#include "text.h"

struct cJSON;

/* Both snapshots; either may be NULL: that daemon did not answer, and why says it. What is wrong comes first,
 * each problem with its incident and who was paged; then, a line each, what is wrong but pages nobody, and
 * what is OK. */
void ctl_show_status(const struct cJSON *monitord, const char *monitord_why, const struct cJSON *pagerd,
		     const char *pagerd_why, const struct ctl_style *style, const struct stamp *now,
		     struct buf *out);
/* True when some check has a confirmed problem that pages, or a line cannot send. */
bool ctl_has_problem(const struct cJSON *monitord, const struct cJSON *pagerd);

#endif
