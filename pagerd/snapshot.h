/* pagerd's status.json (doc/contracts.md, "status"): written atomically soon after each change and at each
 * heartbeat. */
#ifndef PAGERD_SNAPSHOT_H
#define PAGERD_SNAPSHOT_H

#include "state.h"

struct cJSON;
struct snapshot;

enum { SNAPSHOT_DELAY_MS = 50, SNAPSHOT_CLOSED = 50, SNAPSHOT_SHARE = 9 };

struct snapshot *snapshot_new(struct pager *p);
void snapshot_free(struct snapshot *s);
/* Writes it at once: before the daemon says that it runs. */
void snapshot_now(struct snapshot *s);
void snapshot_soon(struct snapshot *s);
/* The object; owned by the caller. */
struct cJSON *snapshot_make(struct pager *p);

#endif
