/*
 * Which incident or check a person's message is about: by its code, by a name, or the only open one that concerns the
 * sender. Reads the pager's incidents, changes nothing. Called by answers.c.
 */
#ifndef PAGERD_MEANT_H
#define PAGERD_MEANT_H

#include "pagerd/rules/answer.h"
#include "sender.h"
#include "state.h"

struct meant {
	struct incident *i;
	const char *contact; /* whose code it is */
	const char *check;   /* DOWN, UP */
	enum answer_target target;
};

struct meant meant_find(const struct pager *p, const struct sender *s, const struct answer *m);
/* Whether the message holds the words of a page that may have been sent to its sender. */
bool meant_echoes(const struct pager *p, const char *text);

#endif
