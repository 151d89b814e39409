/*
 * The dead-man switch, this side: monitord that is silent for longer than the limit, stuck
 * though it beats, or not back from a planned stop is the incident self.monitord.
 */
#ifndef PAGERD_DEADMAN_H
#define PAGERD_DEADMAN_H

#include "pager.h"

struct cJSON;
struct deadman;

/* NULL with a reason. */
struct deadman *deadman_new(struct pager *p, char *why, size_t size);
void deadman_free(struct deadman *d);
/* After a reload: another interval. */
void deadman_use_conf(struct deadman *d);
/* A planned stop begins: tells the other side. */
void deadman_say_goodbye(struct deadman *d);
/* "supervisor" of the snapshot. */
struct cJSON *deadman_show(struct deadman *d);

#endif
