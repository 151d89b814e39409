/*
 * One notifier as its users (pagerd; monitord for its last resort) see it: a
 * coprocess that takes pages and answers outcomes. doc/contracts.md, "notifier".
 */
#ifndef LIB_CONTRACT_LINE_H
#define LIB_CONTRACT_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event.h"

struct cJSON;
struct event_base;
struct line;

enum outcome {
	OUTCOME_SENT,
	OUTCOME_RETRY,
	OUTCOME_REFUSED,
	OUTCOME_UNKNOWN, /* it may have left; a late answer may tell */
	OUTCOME_DOUBTFUL /* it may have left, and nobody will ever tell: the next try at once, marked */
};

enum page_kind { PAGE_NEW, PAGE_REPEAT, PAGE_ACK, PAGE_RECOVERED, PAGE_NOTICE, PAGE_TEST,
	PAGE_DIGEST, /* speaks of several incidents at once: text says all, check and host are empty */
	PAGE_INFO /* the answer to a message, a daily summary: text says all, check and host are empty */
};

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
	const char *lang;     /* "en", "ja": the contact's; "": en */
	const char *template; /* of the contact's pages (template.h); NULL: the usual layout */
	const char *code;     /* what a reply must say to acknowledge; "": replies do not */
	int64_t number;       /* of the check, for pagers that show digits only; 0: it has none */
	int64_t since_wall_ms, at_wall_ms;
	int64_t deadline_ms;  /* from now */
};

/* A message that came in. Strings are borrowed for the call. */
struct received {
	const char *id;      /* the same whenever it is told again; "": the line keeps none, nothing is to be taken */
	const char *from, *text;
	int64_t at_wall_ms;  /* when the network got it; 0: not known */
};

struct line_calls {
	/* An outcome for page id; may come again later for the same id (a late "sent" after "unknown"). */
	void (*outcome)(void *arg, struct line *l, const char *id, enum outcome o, const char *detail);
	/* ok: the line says of itself that it can send. */
	void (*health)(void *arg, struct line *l, bool ok, const char *text);
	/* A message came in on the line, which keeps it and tells it again until line_taken. NULL: all are taken unread. */
	void (*received)(void *arg, struct line *l, const struct received *r);
	/* What the network says of a page that was sent. May be NULL. */
	void (*report)(void *arg, struct line *l, const char *id, bool delivered, const char *detail);
	/* The notifier ended; pages without an outcome are now unknown (an outcome call was made for each). */
	void (*down)(void *arg, struct line *l, const char *why);
};

/* options: what the configuration gave this line; copied. */
struct line *line_new(struct event_base *base, const char *name, const char *notifier, const char *libexec,
		      const struct cJSON *options, const struct line_calls *calls, void *arg);
/* False when the line is down or already has a page in flight that is the same id. One notifier sends one page at a
 * time; more are queued inside the notifier's pipe. */
bool line_send(struct line *l, const struct page *p);
/* The message is recorded where a crash does not reach it: the line may forget it. */
void line_taken(struct line *l, const char *id);
bool line_is_up(const struct line *l);
/* False: "sent" tells only that the line was used (tones into a phone, a siren); nobody may have got it. */
bool line_confirms(const struct line *l);
/* What the line told of itself beside words, with its last health: a flat object (doc/contracts.md, "values"); NULL:
 * nothing, or the notifier ended. */
const struct cJSON *line_values(const struct line *l);
/* Tells a notifier that asked for it (a watchdog hangs on it) that its parent lives, and whether all is well with what
 * it watches over. About once a second. */
void line_beat(struct line *l, bool ok, const char *why);
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
