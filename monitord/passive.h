/*
 * Checks whose results come from outside: which one is meant, and whether it heard too long ago. Pure but for
 * the clock that is given. Called by control_cmds.c (a result), tick.c (freshness), apply.c (after a start).
 */
#ifndef MONITORD_PASSIVE_H
#define MONITORD_PASSIVE_H

#include "check.h"

struct cJSON;

/* The passive check of {"name":..} or, as Nagios names it, {"host":..,"service":..}: the check "HOST
 * SERVICE", else the one named SERVICE whose host is HOST, else, without a service, the one named HOST. NULL:
 * why says which. */
struct check *passive_find(const struct checks *t, const struct cJSON *request, char *why, size_t size);
/* No result for longer than its freshness threshold, and that is not said yet. */
bool passive_is_stale(const struct check *c, int64_t now_ms);
/* After a start: how old the last result is, also over a reboot. */
void passive_fresh(struct check *c, const struct stamp *now);

#endif
