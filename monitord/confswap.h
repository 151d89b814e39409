/*
 * Taking a new configuration into force while running. Loading runs programs (--describe, --validate) and
 * may take seconds, so a thread does it; the loop goes on. A bad file changes nothing: the old configuration
 * stays, the log, the status and self.config say why.
 */
#ifndef MONITORD_CONFSWAP_H
#define MONITORD_CONFSWAP_H

#include "super.h"

struct control_client;

struct confswap *confswap_new(struct super *s);
/* Reloads. client: who is answered {"ok":..,"digest":..,"complaints":[..]}; NULL: nobody (SIGHUP). Asked
 * while one is under way: once more after it, for the files may have changed since. */
void confswap_ask(struct confswap *r, struct control_client *client);
/* Waits for a thread that is loading, at most a few seconds. */
void confswap_free(struct confswap *r);

/* For the start: loads the file, or else the last good copy: under state_dir (may be NULL), the
 * state directory that the bad file names, $STATE_DIRECTORY, or the default. Complaints about the
 * file are in c. NULL: neither. */
struct config *confswap_first(const char *main_file, const char *state_dir, struct complaints *c);
/* The first complaint and how many more, as one line. malloced. */
char *confswap_summary(const struct complaints *c);

#endif
