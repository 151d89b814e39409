/*
 * What is checked of the domain itself: its ways in, its records in the DNS, its outbound addresses on lists;
 * and what may be checked beyond, as suggestions.
 */
#ifndef MONITORD_PROPOSE_DOMAIN_H
#define MONITORD_PROPOSE_DOMAIN_H

struct drafts;
struct site;
struct wish;

void domain_draft(struct drafts *d, const struct site *s, const struct wish *w);
/* After they were tried: what stands in the file, and what is said of it. */
void domain_choose(struct drafts *d, const struct wish *w);

#endif
