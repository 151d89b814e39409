/*
 * What is answered, in words: one message of at most 160 GSM characters (or 70 of UCS-2) each, English or
 * Japanese. Pure. Called by answers.c and prover.c.
 */
#ifndef PAGERD_RULES_ANSWER_TEXT_H
#define PAGERD_RULES_ANSWER_TEXT_H

#include "answer.h"

enum { ANSWER_OUT_MAX = 512 }; /* bytes */

struct answer_words {
	bool ja;
	const char *id, *check; /* of the incident or check that is meant */
	const char *by;		/* who acknowledged it */
	const char *at;		/* when: "19:44" */
	const char *code;	/* as it was written */
	const char *until;	/* DOWN: "21:44" */
	const char *why;	/* DOWN, UP: why not; NULL: it was done */
	unsigned others;	/* ACK: how many others hear of it */
	int may;		/* HELP: of conf_may */
};

void answer_text(enum answer_do what, const struct answer_words *w, char out[ANSWER_OUT_MAX]);

/* One line of a summary. */
struct answer_item {
	enum nag_state state;
	const char *check, *id;
	int64_t age_ms;
	bool acked;
	char code[8]; /* to acknowledge it with; "": not shown */
	size_t of;    /* the caller's */
};

struct answer_counts {
	bool known;    /* false: monitord does not say */
	unsigned n[4]; /* by enum nag_state */
};

/* Counts, then items (worst first) as far as they fit; the rest is counted. */
void answer_status(const struct answer_counts *c, const struct answer_item *v, size_t n, bool ja,
		   char out[ANSWER_OUT_MAX]);
/* Worst first, then the longer one. For qsort. */
int answer_item_order(const void *a, const void *b);

/* Cuts text to what one message holds, between characters. */
void answer_fit(char *text);
bool answer_fits(const char *text);

#endif
