/*
 * What the control socket can ask (doc/contracts.md, "Status and control"): status, check, downtime, history,
 * reload, subscribe. Answers that must wait (for a run, for the disk, for a reload) are given later.
 */
#ifndef MONITORD_CONTROL_CMDS_H
#define MONITORD_CONTROL_CMDS_H

#include "super.h"

struct control_client;
struct cJSON;

/* The handler of lib/contract/control.h; arg is the supervisor. */
void commands_handle(void *arg, struct control_client *client, const struct cJSON *request);

#endif
