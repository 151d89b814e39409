/* What a visit found, as a result. Between visit.c and report.c. */
#ifndef PROBES_MAILBOX_REPORT_H
#define PROBES_MAILBOX_REPORT_H

#include "visit.h"

/* A visit that broke, by the link's layer and why; or that never came to a link. */
void mailbox_report_failed(struct mailbox_visit *v, const char *layer, const char *why);
/* matched: of a conversation, whether expect was heard; of a session the greeting says it. */
void mailbox_report(struct mailbox_visit *v, bool matched);

#endif
