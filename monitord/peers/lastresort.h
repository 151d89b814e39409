/*
 * The last resort: monitord's own way to a person, for when pagerd is gone. A notifier on a line that no
 * route of pagerd uses, started when there is something to say and stopped when pagerd is back. Bounded: at
 * most LASTRESORT_NEWS problems an outage, then one page that says that there are more.
 */
#ifndef MONITORD_PEERS_LASTRESORT_H
#define MONITORD_PEERS_LASTRESORT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/config/config.h"
#include "lib/contract/event.h"
#include "lib/contract/line.h"

struct event_base;
struct lastresort;

enum { LASTRESORT_NEWS = 20, LASTRESORT_QUEUE = 32 };

/* One thing to say; strings are cut to fit. */
struct lastresort_news {
	char check[EVENT_NAME_MAX], host[EVENT_NAME_MAX];
	uint64_t opened;
	enum page_kind kind;
	enum nag_state state;
	char text[400];
	struct stamp since, at;
};

/* sent: a page left (or may have). */
struct lastresort *lastresort_new(struct event_base *base, const char *libexec,
				  void (*sent)(void *arg, const struct lastresort_news *n), void *arg);
void lastresort_free(struct lastresort *l);
/* The configuration's line and address; a copy is kept. */
void lastresort_use(struct lastresort *l, const struct config *conf);
bool lastresort_is_set(const struct lastresort *l);
void lastresort_from_event(struct lastresort_news *n, const struct event *e);
/* Queues a page. A recovery of what was not sent yet cancels that instead. */
void lastresort_page(struct lastresort *l, const struct lastresort_news *n);
/* pagerd is back: what was not tried yet is its to say; what is under way is finished; then the line is let
 * go. */
void lastresort_stand_down(struct lastresort *l);
/* A new outage: the count of news starts again. */
void lastresort_stand_up(struct lastresort *l);
/* Every second. */
void lastresort_tick(struct lastresort *l, int64_t now_ms);

#endif
