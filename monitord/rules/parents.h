/*
 * What a check's parents mean for it. Pure: looks at checks, changes none.
 *
 * A check is blocked when every one of its parents is down or itself blocked (as Nagios counts reachability:
 * with two gateways, one that is down explains nothing), when it hangs below `self` and self is down, or when it
 * runs on a remote that is down or blocked. A blocked check's problem is recorded, not paged. The configuration
 * hangs what is measured over the network below self by itself.
 */
#ifndef MONITORD_RULES_PARENTS_H
#define MONITORD_RULES_PARENTS_H

#include <stdbool.h>

#include "monitord/check.h"

/* True when blocked; *by is then the down check that explains it. */
bool parents_block(const struct checks *t, const struct check *c, const struct check **by);
/* A parent whose last answer is older than c's last turn, so that it may be down without our knowing; NULL
 * when there is none that could matter. Not asked for self, which is looked at on the spot. */
struct check *parents_unsure(const struct check *c);

#endif
