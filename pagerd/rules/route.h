/*
 * One page on its way to one person: the state machine that carries it over the
 * contact's routes. A page is never given up. A route that fails is followed by the
 * next one; after the last the first is tried again, each route with a back-off of its
 * own (2 s doubling to 5 min). A route whose needs fail, whose line says of itself
 * that it cannot send, or that refused this page, moves to the end of the
 * list, never out of it. doc/paging.md has the table.
 *
 * Pure: no I/O, no clock, no globals. Times are CLOCK_BOOTTIME milliseconds.
 */
#ifndef PAGERD_RULES_ROUTE_H
#define PAGERD_RULES_ROUTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/clock.h"
#include "lib/contract/event.h"
#include "lib/contract/line.h"

enum {
	ROUTE_BACKOFF_MIN_MS = 2000,
	ROUTE_BACKOFF_MAX_MS = 300000,
	ROUTE_REFUSED_MS = 60000, /* the least pause after a refusal */
	ROUTE_QUEUE_MS = 30000,	  /* a page waits that long for a busy line, then looks further */
	PAGE_ATTEMPTS_KEPT = 16,  /* of one page; older ones are only counted */
	PAGE_TRIES_MAX = 64	  /* routes whose failures a page remembers */
};

enum call_phase {
	CALL_WAITING, /* for a route */
	CALL_TRYING,  /* in flight */
	CALL_UNSURE,  /* the line could not tell whether it left; a late outcome is awaited */
	CALL_SENT,
	CALL_MERGED, /* overtaken: what it had to say is said by a later page */
	CALL_ACKED   /* somebody took the incident before this page left */
};

struct attempt {
	unsigned n; /* 1, 2, ...: the page's id on the wire is CALL.n */
	char *line, *to;
	struct stamp at;
	bool resend;
	bool ended; /* outcome and detail are known */
	bool weak;  /* sent over a line that cannot know that anybody got it */
	char *digest; /* the id of the digest that told it; NULL: a page of its own */
	enum outcome outcome;
	char *detail;
};

/* What one page remembers of one route since pagerd started. */
struct route_try {
	char *line, *to;
	unsigned fails;
	bool refused;
	int64_t not_before;
};

struct call {
	unsigned n; /* within the incident: the page's id is INCIDENT-n */
	char contact[EVENT_NAME_MAX];
	enum page_kind kind;
	enum nag_state state;
	char *text, *more;
	struct stamp made, since;
	struct stamp done; /* when it was sent, merged or acknowledged */
	struct stamp delivered; /* when the network reported that it arrived; 0: it did not say so */
	enum call_phase phase;
	bool doubt; /* an attempt may have reached the person: further ones must say so */
	struct attempt *attempts;
	size_t nattempts;
	unsigned tried; /* attempts ever */
	int64_t held_until; /* wall ms: the person's quiet hours end then; stays as the last one that held it. 0: none did */
	/* a page bound to one line and address (test pages); NULL: the contact's routes */
	char *only_line, *only_to;
	/* not persisted */
	struct route_try *tries;
	size_t ntries;
	int64_t queued_since; /* 0: not waiting for a busy line */
	int64_t unsure_until;
};

/* A route as it stands now. */
struct route_view {
	const char *line, *to;
	bool up;       /* its notifier runs */
	bool starting; /* not up yet, but started a moment ago: worth waiting for */
	bool busy;     /* has a page in flight */
	bool doubtful; /* a need fails or the line says it cannot send */
	unsigned pool; /* routes of the same number, which stand together, are equals; 0: of none */
	bool confirms; /* "sent" means that the line took it, not only that it was used */
};

void call_free(struct call *c);
const char *call_phase_name(enum call_phase p);
bool call_phase_from_name(const char *s, enum call_phase *p);
/* Sent, merged or acknowledged. */
bool call_is_done(const struct call *c);
/* It waits for a line, not for the end of quiet hours. */
bool call_may_leave(const struct call *c, const struct stamp *now);
/* How long it has been waiting, quiet hours not counted. */
int64_t call_waited_ms(const struct call *c, const struct stamp *now);
/* Which of the routes to take now; -1: none now, ask again in *again_ms (or when something changes). Only for
 * CALL_WAITING. */
int call_choose(struct call *c, const struct route_view *v, size_t n, int64_t now, int64_t *again_ms);
/* WAITING -> TRYING with an attempt record; NULL when memory is out. */
struct attempt *call_begin(struct call *c, const char *line, const char *to, const struct stamp *now);
/* What became of attempt n, now or late. unsure_ms: how long a late answer is awaited after "unknown". False
 * when the page has no such attempt (any more) or nothing changed. */
bool call_outcome(struct call *c, unsigned n, enum outcome o, const char *detail, const struct stamp *now,
		  int64_t unsure_ms);
/* Sent over a line that confirms nothing. more: the contact wants it confirmed, and another route may do that: then the page
 * goes on over it, marked, and this route is not taken again; else the page is sent. */
bool call_sent_weakly(struct call *c, unsigned n, const char *detail, bool more, const struct stamp *now);
/* Each of the routes was used so: none can confirm it. */
bool call_is_spent(const struct call *c, const struct route_view *v, size_t n);
/* Sent, and no line that confirms took it. */
bool call_is_unconfirmed(const struct call *c);
/* The line of the attempt that is awaited will not answer any more: UNSURE -> WAITING. */
bool call_no_answer(struct call *c, const char *line, int64_t now);
/* UNSURE and the wait is over -> WAITING. True when it changed. */
bool call_expire(struct call *c, int64_t now);
/* After a restart: an attempt without outcome may have reached the person. */
void call_restored(struct call *c);
/* The line is good again: its routes need not wait for their back-off. */
void call_line_back(struct call *c, const char *line);
/* Ends a page that is not done. */
void call_end(struct call *c, enum call_phase phase, const struct stamp *now);

#endif
