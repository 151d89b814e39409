/*
 * The turn that moves everything on.
 *
 * One turn: note what time did (answers overdue, repeats due), give each idle line its next page, write down
 * what changed, and only then let go of the spool's files. Nothing leaves before its attempt record is
 * written; no event is let go of before its incident is written. Whatever happens calls pager_soon(), which
 * asks for a turn. Called by what comes in (inputs.c), by requests (control_cmds.c, reload.c) and by
 * pagerd.c.
 */
#ifndef PAGERD_PAGER_H
#define PAGERD_PAGER_H

#include "state.h"

bool pager_start(struct pager *p, char *why, size_t size);
void pager_fini(struct pager *p);
/* One turn, now. */
void pager_turn(struct pager *p);
/* Rebuilds what depends on the configuration. */
void pager_use_conf(struct pager *p);

#endif
