/*
 * The mail system of the host that monitorctl runs on: its queue, log, disks, load and processes.
 */
#ifndef MONITORD_PROPOSE_LOCAL_H
#define MONITORD_PROPOSE_LOCAL_H

struct drafts;

void local_draft(struct drafts *d);
/* After they were tried: nothing of it stands in the file when there is no mail system here. */
void local_choose(struct drafts *d);

#endif
