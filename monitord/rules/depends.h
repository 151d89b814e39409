/*
 * Dependencies beyond parents, in the spirit of Nagios' notification and execution failure criteria. Pure.
 *
 * Parents say how a check is reached: all of them must be down before it is blocked. A dependency says what
 * it is made of: any one that is in a state it names is enough. Each speaks for itself: that its own
 * dependency fails is no state of it.
 */
#ifndef MONITORD_RULES_DEPENDS_H
#define MONITORD_RULES_DEPENDS_H

#include <stdbool.h>

#include "monitord/check.h"

/* The other check is in a state that counts: from its first such result on, as a parent is down from its
 * first CRITICAL on; while it cannot be measured, what was confirmed counts. */
bool depends_fails(const struct depend *d);
/* The first that fails and suppresses c's pages (or its runs); NULL: none. */
const struct depend *depends_mute(const struct check *c);
const struct depend *depends_hold(const struct check *c);
/* One that may mute c and whose last answer is older than c's last turn; NULL: none. */
struct check *depends_unsure(const struct check *c);
/* "depends on mx1, which is CRITICAL", into out; returns out. */
char *depends_text(const struct depend *d, char *out, size_t size);

#endif
