/*
 * monitorctl explain CHECK [--at TIME] [--state STATE]: who would be told, when, by which route, and why the
 * others not. It asks the functions that pagerd pages by (lib/oncall), over the files and the daemons'
 * snapshots.
 */
#ifndef MONITORD_CTL_EXPLAIN_H
#define MONITORD_CTL_EXPLAIN_H

struct ctl;

int ctl_do_explain(struct ctl *ctl);

#endif
