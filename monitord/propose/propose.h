/*
 * `monitorctl propose`: looks at a domain or host, and at this host's own mail system, and writes a
 * configuration for it. Asks no daemon; has the prober look, which exchanges greetings and asks the DNS, and
 * sends nothing.
 */
#ifndef MONITORD_PROPOSE_PROPOSE_H
#define MONITORD_PROPOSE_PROPOSE_H

struct ctl;

extern const char propose_help[];
int ctl_do_propose(struct ctl *ctl);

#endif
