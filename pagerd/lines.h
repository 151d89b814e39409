/*
 * The lines: one resident notifier each, one page in flight per line. A notifier that
 * gives no outcome by its deadline and half of it again is killed; its page's outcome is then
 * unknown. A reload leaves lines running whose options did not change.
 */
#ifndef PAGERD_LINES_H
#define PAGERD_LINES_H

#include "pager.h"

struct cJSON;
struct lines;

enum { LINE_START_MS = 5000, LINE_LIMIT_NUM = 3, LINE_LIMIT_DEN = 2 };

struct lines *lines_new(struct pager *p);
void lines_free(struct lines *ls);
/* Starts, stops and keeps notifiers after the configuration in force. */
void lines_sync(struct lines *ls);
/* Fills up, starting, busy and doubtful of a route's view. */
void lines_look(struct lines *ls, struct route_view *v, int64_t now);
/* Hands a page over. False: it did not leave. */
bool lines_send(struct lines *ls, const char *line, const struct page *p);
/* Kills the wedged; returns the ms until the next one would be, or a large number. */
int64_t lines_watch(struct lines *ls, int64_t now);
/* Lets all finish; lines_busy counts those that have not ended. */
void lines_stop(struct lines *ls);
size_t lines_busy(const struct lines *ls);
/* "lines" of the snapshot. */
struct cJSON *lines_show(const struct lines *ls);

#endif
