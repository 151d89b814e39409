/*
 * The history: STATE/events.jsonl, one event a line, oldest first, bounded. Written by the writing
 * thread; a line that a crash cut short is ended at the next start and left out when read.
 */
#ifndef MONITORD_STORE_EVLOG_H
#define MONITORD_STORE_EVLOG_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/contract/event.h"
#include "diskq.h"

struct cJSON;
struct event_base;
struct evlog;

/* keep: lines that stay when it is shortened; it is when a quarter more are there. */
struct evlog *evlog_new(struct event_base *base, const char *state_dir, size_t keep, struct diskq *disk);
void evlog_keep(struct evlog *h, size_t keep);
void evlog_add(struct evlog *h, const struct event *e);
/* The newest limit events (of that check, when name is not NULL), newest first, as a JSON array. Reads here
 * and now. */
struct cJSON *evlog_read(const struct evlog *h, const char *name, size_t limit);
/* The same by the writing thread, after all that was added; done is called from the loop and owns events.
 * False: too many ask. Whoever frees the log first gets no call. */
bool evlog_ask(struct evlog *h, const char *name, size_t limit, void (*done)(void *arg, struct cJSON *events),
	       void *arg);
void evlog_free(struct evlog *h);

#endif
