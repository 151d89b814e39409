/*
 * monitord's history as `monitorctl history` shows it: a line for each event, with the
 * incident's id, how long it lasted and why nobody was paged. Pure.
 */
#ifndef MONITORD_CTL_HISTORY_H
#define MONITORD_CTL_HISTORY_H

#include "text.h"

/* The answer of "history", newest last. Returns how many events there were. */
int ctl_show_history(const struct cJSON *answer, const struct ctl_style *style, const struct stamp *now,
		     struct buf *out);

#endif
