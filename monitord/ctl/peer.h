/* The other ops host in monitorctl's status: whether it is there, and its problems. */
#ifndef MONITORD_CTL_PEER_H
#define MONITORD_CTL_PEER_H

#include "text.h"

struct buf;
struct cJSON;
struct stamp;

/* monitord: its snapshot. Nothing when there is no other ops host. */
void ctl_show_peer(const struct cJSON *monitord, const struct ctl_style *style, const struct stamp *now,
		   struct buf *out);

#endif
