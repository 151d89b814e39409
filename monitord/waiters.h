/*
 * Who asked on the control socket and waits: for a run of a check, or for its record to be on disk. The
 * control commands add them to the check (check_waiter_add); the core answers them when it has come to pass.
 */
#ifndef MONITORD_WAITERS_H
#define MONITORD_WAITERS_H

#include "super.h"

struct control_client;

/* The answer {"ok":true,"check":{...}}; note: a remark for people, or NULL. */
void waiters_answer(struct control_client *client, const struct check *c, const char *note);
/* A run of c that started then has ended: who waits for it is answered. */
void waiters_run_ended(struct check *c, int64_t started_ms);
/* c's record is written up to that ticket; why: NULL, or why it is not on the disk itself. */
void waiters_written(struct check *c, uint64_t ticket, const char *why);
/* There will be no answer for those who wait: why. */
void waiters_gone(struct check *c, const char *why);
/* Nobody waits for ever. Every second. */
void waiters_tick(struct super *s, int64_t now_ms);

#endif
