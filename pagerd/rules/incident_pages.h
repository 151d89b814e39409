/* What the two halves of the incident machine share: incident.c (inputs) and incident_pages.c (who is told).
 * Pure. */
#ifndef PAGERD_RULES_INCIDENT_PAGES_H
#define PAGERD_RULES_INCIDENT_PAGES_H

#include "incident.h"

/* The contact's entry in the incident, made when there is room; else NULL. */
struct inc_contact *inc_contact_make(struct incident *i, const char *name);
/* A contact that is not configured any more is paged through the default ones: it wants what they get. */
struct contact_view inc_view_of(const struct contact_view *who, size_t nwho, const char *name);
bool inc_is_problem_call(const struct call *c);
/* A problem page to this contact is on its way. */
bool inc_has_open_problem_call(const struct incident *i, const char *contact);
/* Nothing of it has left: it may still be changed or taken back. */
bool inc_is_untouched(const struct call *c);
/* A recovery page of which nothing has left. */
bool inc_is_untouched_recovery(const struct call *c);
/* Pages the problem to each contact to whom its state is news. */
void inc_page_problem(struct incident *i, const struct contact_view *who, size_t nwho,
		      const struct stamp *now);
/* The page that says that it is over, and what it was. */
void inc_page_recovered(struct incident *i, struct inc_contact *c, bool ja, const struct stamp *now);
/* What the latest event says, in the language of who reads it. */
const char *inc_text_for(const struct incident *i, bool ja);
/* Ends those of the waiting and unsure pages that which() names. */
void inc_end_calls(struct incident *i, bool (*which)(const struct call *c), enum call_phase phase,
		   const struct stamp *now);

#endif
