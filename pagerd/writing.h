/*
 * Writing incidents down, and what happens while the disk does not take them: they go to the twin, that is
 * paged once, and every PAGER_STORE_RETRY_MS the disk is tried again. Called by the turn and by the dispatcher.
 */
#ifndef PAGERD_WRITING_H
#define PAGERD_WRITING_H

#include "state.h"

struct cJSON;

/* Writes one incident now: durable when it returns, as far as any disk works. */
void writing_save(struct pager *p, struct incident *i);
/* Writes a note (store.h); false: no disk took it. */
bool writing_note(struct pager *p, const char *name, const struct cJSON *v);
/* Writes what changed, and what the disk is owed when it is time to try it again. False when some is left for
 * later. */
bool writing_all(struct pager *p);

#endif
