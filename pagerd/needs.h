/*
 * Does a check that a route needs fail? Told from pagerd's own open incidents (at once) and
 * from monitord's snapshot (within 2 s). A snapshot older than three heartbeats tells nothing: then
 * a need counts as not failing, and that is logged.
 */
#ifndef PAGERD_NEEDS_H
#define PAGERD_NEEDS_H

#include <stdbool.h>

struct needs;
struct pager;

struct needs *needs_new(struct pager *p);
void needs_free(struct needs *n);
bool needs_failing(struct needs *n, const char *check);

#endif
