/*
 * What a host of the site answers: SMTP, submission, IMAP, POP3, with or without TLS, its certificate; and
 * its name in the DNS. drafts before they are tried, then what becomes of them.
 */
#ifndef MONITORD_PROPOSE_SERVICES_H
#define MONITORD_PROPOSE_SERVICES_H

#include <stddef.h>

struct draft;
struct drafts;
struct site;
struct wish;

void services_draft(struct drafts *d, const struct site *s, const struct wish *w);
/* After they were tried: which variant stands in the file, or none, and whose child it is. */
void services_choose(struct drafts *d, const struct site *s, const struct wish *w);
/* "STARTTLS, certificate until 2027-01-03" of a service that answered, "" when nothing is to be said. */
void services_tell(const struct draft *one, char *out, size_t size);

#endif
