/*
 * Many pages of one kind to one contact, said in one text. What differs stands first: how bad, how many,
 * where. Called by dispatch.c. Pure: no I/O, no clock, no globals.
 */
#ifndef PAGERD_RULES_DIGEST_H
#define PAGERD_RULES_DIGEST_H

#include "lib/buf.h"
#include "lib/contract/event.h"
#include "pace.h"

enum {
	DIGEST_LIST_MAX = 85, /* bytes of the list of places: what one short message holds beside the rest */
	DIGEST_LIST_FOLDED = 50, /* when the budget has to be told of as well */
	DIGEST_WITH_IDS = 4	 /* pages whose incidents' ids still fit */
};

/* One page of the digest. Strings are borrowed. */
struct digest_item {
	const char *cause; /* what groups it: the parent's host, else its own, else the check */
	const char *check, *id, *text;
	enum nag_state state;
	int64_t made_wall_ms;
	bool fresh;    /* of a cause that the contact has not heard of */
	size_t behind; /* checks that are not paged because this one is down */
};

struct digest {
	enum pace_class class;
	const struct digest_item *items;
	size_t n;
	size_t told;   /* incidents that the contact was told of before and that last */
	size_t folded; /* the route's budget is used up: so many were folded for it, which is said; 0: it is
			  not */
};

/* The worst of their states; OK for recoveries. */
enum nag_state digest_state(const struct digest *d);
/* "CRITICAL: 212 checks in 3 min: relay1 40, relay2 38, 134 more" */
void digest_text(const struct digest *d, struct buf *text);
/* One line each, as many as fit. */
void digest_more(const struct digest *d, struct buf *more);

#endif
