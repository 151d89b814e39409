/*
 * Lists of hosts from elsewhere, kept up to date: a thread asks the DNS by a child (`prober --expand`),
 * writes what it says to the list's file, and looks whether any list's file changed. Then the configuration
 * is loaded again. When the DNS does not answer, the last known list stays. The loop never waits for it.
 */
#ifndef MONITORD_HOSTLISTS_H
#define MONITORD_HOSTLISTS_H

#include "super.h"

struct hostlists;
struct cJSON;

/* reload: a list changed. trouble: what is wrong with them is another thing now. Both from the loop. */
struct hostlists *hostlists_new(struct super *s, void (*reload)(struct super *s),
				void (*trouble)(struct super *s));
void hostlists_free(struct hostlists *h);
void hostlists_use(struct hostlists *h, const struct config *conf);
/* What is wrong, for people: a list that could not be had several times in a row. "" when nothing is. */
char *hostlists_trouble(struct hostlists *h, char *out, size_t size);
/* For the snapshot: [{"from","hosts","known","changed","trouble"}]; NULL: there are none. */
struct cJSON *hostlists_json(struct hostlists *h, const struct config *conf);

#endif
