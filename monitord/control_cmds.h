/*
 * What the control socket can ask (doc/contracts.md, "Status and control"): status, check, downtime, history,
 * reload, subscribe. Answers that must wait (for a run, for the disk, for a reload) are given later.
 */
#ifndef MONITORD_CONTROL_CMDS_H
#define MONITORD_CONTROL_CMDS_H

#include "super.h"

struct control_client;
struct cJSON;

/* The handler of lib/control.h; arg is the supervisor. */
void commands_handle(void *arg, struct control_client *client, const struct cJSON *request);
/* A run of c that started then has ended: who waits for it is answered. */
void commands_answer_run(struct super *s, struct check *c, int64_t started_ms);
/* c's record is written up to that ticket; why: NULL, or why it is not on the disk itself. */
void commands_answer_write(struct super *s, struct check *c, uint64_t ticket, const char *why);
/* There will be no answer for those who wait: why. */
void commands_answer_gone(struct check *c, const char *why);
/* Nobody waits for ever. Every second. */
void commands_tick(struct super *s, int64_t now_ms);

#endif
