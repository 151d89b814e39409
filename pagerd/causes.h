/*
 * What belongs together: incidents of one cause (the parent that is down, else the host, else the check
 * itself), and which causes a contact has heard of. Rebuilt by the dispatcher when it has alarms to order;
 * nothing is kept.
 */
#ifndef PAGERD_CAUSES_H
#define PAGERD_CAUSES_H

#include "state.h"

/* Borrowed from the incident (or its parent's). */
const char *cause_of(const struct pager *p, const struct incident *i);

/* A sorted set of hashes. */
struct hashes {
	uint64_t *v;
	size_t n;
};

void hashes_fini(struct hashes *h);
/* Who has heard of which cause that lasts. */
struct hashes causes_heard(const struct pager *p);
bool causes_is_heard(const struct hashes *h, const char *contact, const char *cause);
/* Which checks are down above how many that are not paged because of that. */
struct hashes causes_above(const struct pager *p);
size_t causes_behind(const struct hashes *h, const char *check);
/* Problems that last and of which the contact was told. */
size_t causes_told(const struct pager *p, const char *contact);

#endif
