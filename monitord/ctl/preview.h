/*
 * What a page would look like on each line of each contact, as the notifiers themselves say (`notify_X
 * --preview`). Reads the configuration; asks no daemon and sends nothing.
 */
#ifndef MONITORD_CTL_PREVIEW_H
#define MONITORD_CTL_PREVIEW_H

struct ctl;

int ctl_do_preview(struct ctl *ctl);

#endif
