/* How probe mailq judges and words what was measured, as check_mailq does. Pure. */
#ifndef PROBES_QUEUE_MAILQ_H
#define PROBES_QUEUE_MAILQ_H

#include "queue.h"

enum { MAILQ_SAMPLE = 20000 }; /* messages read for the domains; of more, these are a sample */

struct mailq_limits {
	int64_t warning, critical, warning_domain, critical_domain;
};

/* What check_mailq counts: what waits to be sent by the daemon. Of sendmail not what a receiver or a
 * submitter still holds, of nullmailer not what failed. */
uint64_t mailq_count(const struct queue_seen *s);
void mailq_report(const struct queue_seen *s, const struct mailq_limits *l, struct result *r);

#endif
