/* pagerd's requests on its control socket: status ack test_page reload history subscribe (doc/contracts.md,
 * "control"). */
#ifndef PAGERD_CONTROL_CMDS_H
#define PAGERD_CONTROL_CMDS_H

#include "state.h"

struct cJSON;
struct control_client;

/* A control_handler; arg is the struct pager. */
void control_cmds(void *arg, struct control_client *client, const struct cJSON *request);

#endif
