/*
 * `monitorctl status`: what both daemons say, of all, of one check or of a group.
 */
#ifndef MONITORD_CTL_STATUS_H
#define MONITORD_CTL_STATUS_H

struct ctl;

int ctl_do_status(struct ctl *ctl);

#endif
