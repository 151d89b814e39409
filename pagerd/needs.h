/*
 * Does a check that a route needs fail? Told from pagerd's own open incidents (at once) and
 * from monitord's snapshot (within 2 s). A snapshot older than three heartbeats tells nothing: then
 * a need counts as not failing, and that is logged.
 */
#ifndef PAGERD_NEEDS_H
#define PAGERD_NEEDS_H

#include <stdbool.h>

struct config;
struct event_base;
struct needs;

/* open(arg, check): has pagerd an open incident of that check? conf must live until the next needs_use_conf. */
struct needs *needs_new(struct event_base *base, const struct config *conf,
			bool (*open)(void *arg, const char *check), void *arg);
void needs_free(struct needs *n);
void needs_use_conf(struct needs *n, const struct config *conf);
bool needs_failing(struct needs *n, const char *check);

#endif
