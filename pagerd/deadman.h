/*
 * The dead-man switch, this side: monitord that is silent for longer than the limit, stuck
 * though it beats, or not back from a planned stop is the incident self.monitord.
 */
#ifndef PAGERD_DEADMAN_H
#define PAGERD_DEADMAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cJSON;
struct config;
struct deadman;
struct event_base;

struct deadman_calls {
	/* What is wrong with monitord; the same text again is no news. */
	void (*problem)(void *arg, const char *text);
	/* It is well; said at each look (there may be a problem of an earlier life). */
	void (*over)(void *arg, const char *text);
	/* Once a second: is monitord well, and if not, why. */
	void (*looked)(void *arg, bool ok, const char *why);
	/* The verdict in the snapshot is another. */
	void (*changed)(void *arg);
	/* The age of the oldest page that no route has tried, and its check: what our own heartbeat says. */
	int64_t (*overdue)(void *arg, const char **check);
};

/* NULL with a reason. conf must live until the next deadman_use_conf. */
struct deadman *deadman_new(struct event_base *base, const struct config *conf, const struct deadman_calls *calls,
			    void *arg, char *why, size_t size);
void deadman_free(struct deadman *d);
/* After a reload: another interval. */
void deadman_use_conf(struct deadman *d, const struct config *conf);
/* A planned stop begins: tells the other side. */
void deadman_say_goodbye(struct deadman *d);
/* "supervisor" of the snapshot. */
struct cJSON *deadman_show(struct deadman *d);

#endif
