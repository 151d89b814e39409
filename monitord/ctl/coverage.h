/*
 * monitorctl coverage: for each check and each contact it may concern, which routes survive when that check
 * is down, and when each was last proved. Checks for which all that is the same are shown together.
 */
#ifndef MONITORD_CTL_COVERAGE_H
#define MONITORD_CTL_COVERAGE_H

struct ctl;

/* EXIT_REFUSED when some check leaves a contact without a route. */
int ctl_do_coverage(struct ctl *ctl);

#endif
