/*
 * Who must know of an incident as time passes: ladders are climbed, duty is handed over, quiet hours hold
 * what can wait until the morning. Beside the incident machine (incident.h), which tells whom it is given.
 *
 * Pure: no I/O, no clock, no globals.
 */
#ifndef PAGERD_RULES_ESCALATION_H
#define PAGERD_RULES_ESCALATION_H

#include "incident.h"

enum { ESCALATION_LOOK_MS = 1000 };

/* Notes the names that an event concerns; where it opens the incident (anew), or ends that it was suppressed,
 * ladders begin. To be called before the event is applied. */
void escalation_concern(struct incident *i, const struct event *e, const char *const *names, size_t n,
			const struct stamp *now);
/* Who is to know now. When the configuration has none of the incident's names any more: the default contacts.
 */
void escalation_look(const struct incident *i, const struct config *conf, const struct stamp *now,
		     struct audience *a);
void escalation_defaults(const struct config *conf, int64_t wall_ms, struct audience *a);
/* All that time does to an incident: holds, steps, handovers, repeats. views: of all contacts, in the order
 * of the configuration. Returns the time until it must be called again, INT64_MAX when time does nothing to
 * it. */
int64_t escalation_pass(struct incident *i, const struct config *conf, const struct contact_view *views,
			size_t nviews, const struct stamp *now);
/* Until when (wall ms) this page waits for the end of its contact's quiet hours; 0: it may leave. */
int64_t escalation_hold(const struct incident *i, const struct call *c, const struct config *conf,
			const struct stamp *now);

#endif
