/*
 * One notifier as its users (pagerd; monitord for its last resort) see it: a
 * coprocess that takes pages and answers outcomes. doc/contracts.md, "notifier".
 */
#ifndef LIB_LINE_H
#define LIB_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event.h"

struct cJSON;
struct event_base;
struct line;

enum outcome { OUTCOME_SENT, OUTCOME_RETRY, OUTCOME_REFUSED, OUTCOME_UNKNOWN };

enum page_kind { PAGE_NEW, PAGE_REPEAT, PAGE_ACK, PAGE_RECOVERED, PAGE_NOTICE, PAGE_TEST };

/* What a notifier gets. Strings are borrowed for the call. */
struct page {
	const char *id;       /* unique per page and attempt series: the outcome names it */
	const char *to;       /* address on the line */
	enum page_kind kind;
	bool resend;          /* may have reached the person already: the text must say so */
	const char *incident; /* "K7Q2M" */
	const char *check, *host, *state; /* "CRITICAL" */
	const char *text;     /* what is wrong */
	const char *more;     /* may be NULL */
	int64_t since_wall_ms, at_wall_ms;
	int64_t deadline_ms;  /* from now */
};

struct line_calls {
	/* An outcome for page id; may come again later for the same id (a late "sent" after "unknown"). */
	void (*outcome)(void *arg, struct line *l, const char *id, enum outcome o, const char *detail);
	/* ok: the line says of itself that it can send. */
	void (*health)(void *arg, struct line *l, bool ok, const char *text);
	/* A message came in on the line. */
	void (*received)(void *arg, struct line *l, const char *from, const char *text);
	/* The notifier ended; pages without an outcome are now unknown (an outcome call was made for each). */
	void (*down)(void *arg, struct line *l, const char *why);
};

/* options: what the configuration gave this line; copied. */
struct line *line_new(struct event_base *base, const char *name, const char *notifier, const char *libexec,
		      const struct cJSON *options, const struct line_calls *calls, void *arg);
/* False when the line is down or already has a page in flight that is the same id. One notifier sends one page at a
 * time; more are queued inside the notifier's pipe. */
bool line_send(struct line *l, const struct page *p);
bool line_is_up(const struct line *l);
const char *line_name(const struct line *l);
void line_stop(struct line *l); /* lets it finish what it has, 10 s at most */
/* Kills a notifier that gives no answer: pages in flight become unknown, down() is told, it is started again. */
void line_kill(struct line *l);
void line_free(struct line *l); /* not from within outcome(), health() or received() */

const char *outcome_name(enum outcome o);
const char *page_kind_name(enum page_kind k);
bool outcome_from_name(const char *s, enum outcome *o);
bool page_kind_from_name(const char *s, enum page_kind *k);
/* The page as the JSON of the contract; for line.c and tests. */
struct cJSON *page_to_json(const struct page *p);

#endif
