/*
 * Errands: pages that no incident asked for and that nobody writes down (answers, test pages over one route,
 * loopback pages, daily summaries). They travel like any page; whoever sent one on its way is told how
 * it ended. Watched by pager_turn.
 */
#ifndef PAGERD_ERRANDS_H
#define PAGERD_ERRANDS_H

#include "state.h"

struct errands;

enum { ERRANDS_MAX = 64 };

struct errand {
	const char *contact;   /* whose language, and whose routes when line is NULL */
	const char *line, *to; /* this route only; NULL: the contact's */
	bool elsewhere;	       /* over the contact's routes when this one fails */
	enum page_kind kind;
	const char *text;
	int64_t until_ms; /* from now; then it is given up */
	uint64_t tag;	  /* of whoever is told */
	/* sent, or given up; last is the attempt that was made last, NULL when none was. May start another
	 * one. */
	void (*done)(void *arg, uint64_t tag, bool sent, const struct attempt *last);
	void *arg;
};

struct errands *errands_new(struct pager *p);
void errands_free(struct errands *e);
/* Strings are copied. False: there are too many, and done is not called. */
bool errands_start(struct errands *e, const struct errand *what);
/* Ends those that are decided; ms until the next would be given up. */
int64_t errands_watch(struct errands *e, int64_t now);

#endif
