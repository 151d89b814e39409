/*
 * The commands of monitorctl that change something. Each returns monitorctl's exit code and has
 * said what it did.
 */
#ifndef MONITORD_CTL_CHANGE_H
#define MONITORD_CTL_CHANGE_H

struct ctl;

int ctl_do_ack(struct ctl *ctl);
int ctl_do_downtime(struct ctl *ctl);
/* monitord validates; only what it took is handed to pagerd. Both must then name the same digest. */
int ctl_do_reload(struct ctl *ctl);
int ctl_do_test_page(struct ctl *ctl);

#endif
