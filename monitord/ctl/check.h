/*
 * One check in full, as `monitorctl check` and `monitorctl status CHECK` show it. Pure.
 */
#ifndef MONITORD_CTL_CHECK_H
#define MONITORD_CTL_CHECK_H

#include "text.h"

/* check: an object of monitord's snapshot; pagerd: its snapshot, for the check's incident, or NULL. */
void ctl_show_check(const struct cJSON *check, const struct cJSON *pagerd, const struct ctl_style *style,
		    const struct stamp *now, struct buf *out);
/* "127.0.0.1 answers": what a check or event says, without the state that is shown beside it. */
const char *ctl_says(const struct cJSON *o);
/* A downtime that is given: "in downtime until 02-03 04:05" or "downtime from ..."; false: there is none. */
bool ctl_downtime(const struct cJSON *check, char *out, size_t size);
/* The check's incident in pagerd's snapshot: the one that is open, or NULL. */
const struct cJSON *ctl_incident_of(const struct cJSON *check, const struct cJSON *pagerd);

#endif
