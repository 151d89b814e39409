/*
 * Which configuration is in force: at the start, and after a reload. A bad one never takes
 * effect: at the start the last good copy runs instead, later the old one stays; both are said, shown in
 * the status and paged (self.pagerd-config).
 */
#ifndef PAGERD_RELOAD_H
#define PAGERD_RELOAD_H

#include "state.h"

struct cJSON;

/* Sets p->conf from p->conf_path, or from the last good copy; state_dir: where that copy is if the
 * configuration cannot tell. False: neither can be used; all complaints were printed on stderr. */
bool reload_first(struct pager *p);
/* To be called when everything runs: keeps a copy of a good configuration, pages a bad one. */
void reload_tell(struct pager *p);
/* Loads again; the answer of doc/contracts.md for `reload`, owned by the caller. */
struct cJSON *reload_again(struct pager *p);

#endif
