/*
 * The lines: one resident notifier each, one page in flight per line. A notifier that
 * gives no outcome by its deadline and half of it again is killed; its page's outcome is then
 * unknown. A reload leaves lines running whose options did not change.
 * What notifiers say goes to whoever made the lines, by struct lines_calls.
 */
#ifndef PAGERD_LINES_H
#define PAGERD_LINES_H

#include "lib/config/config.h"
#include "lib/contract/line.h"
#include "pagerd/rules/route.h"

struct cJSON;
struct event_base;
struct lines;

enum { LINE_START_MS = 5000, LINE_LIMIT_NUM = 3, LINE_LIMIT_DEN = 2 };

struct lines_calls {
	/* What became of page id on that line, now or late. */
	void (*outcome)(void *arg, const char *line, const char *id, enum outcome o, const char *detail);
	/* What the line says of itself has changed, or was said again. */
	void (*health)(void *arg);
	/* The notifier ended: pages it had get no answer any more. */
	void (*down)(void *arg, const char *line);
	/* It says again that it can send. */
	void (*back)(void *arg, const char *line);
	/* A message came in; lines_taken says that it is safe. */
	void (*received)(void *arg, const char *line, const struct received *r);
	/* What the network says of a page that was sent. */
	void (*report)(void *arg, const char *line, const char *id, bool delivered, const char *detail);
};

/* No line runs before lines_sync. */
struct lines *lines_new(struct event_base *base, const struct lines_calls *calls, void *arg);
void lines_free(struct lines *ls);
/* Starts, stops and keeps notifiers after the configuration in force. */
void lines_sync(struct lines *ls, const struct config *conf);
/* Fills up, starting, busy, doubtful and confirms of a route's view. */
void lines_look(struct lines *ls, struct route_view *v, int64_t now);
/* Hands a page over. False: it did not leave. */
bool lines_send(struct lines *ls, const char *line, const struct page *p);
/* Tells the lines that hang a watchdog on it that the pager lives, and whether all is well with monitord. */
void lines_beat(struct lines *ls, bool ok, const char *why);
/* False: "sent" tells only that the line was used; see line_confirms. */
bool lines_confirm(const struct lines *ls, const char *line);
/* The message is recorded: the line may forget it. */
void lines_taken(struct lines *ls, const char *line, const char *id);
/* Kills the wedged; returns the ms until the next one would be, or a large number. */
int64_t lines_watch(struct lines *ls, int64_t now);
/* Lets all finish; lines_busy counts those that have not ended. */
void lines_stop(struct lines *ls);
size_t lines_busy(const struct lines *ls);
/* "lines" of the snapshot. */
struct cJSON *lines_show(const struct lines *ls);

#endif
