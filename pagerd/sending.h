/*
 * Handing pages to a line: one alone, or many as a digest. What leaves is durable before its first byte.
 * Called by dispatch.c, which decides what goes and where.
 */
#ifndef PAGERD_SENDING_H
#define PAGERD_SENDING_H

#include "pagerd/rules/pace.h"
#include "state.h"

/* A page of an incident: what is to be sent may have gone by the time it is looked at. */
struct waiting {
	struct incident *i;
	unsigned call;
	bool fresh; /* an alarm of a cause that its contact has not heard of */
};

/* last: it uses up the route's budget, and says so. */
void send_one(struct pager *p, struct incident *i, struct call *c, const struct route_view *v, bool last,
	      const struct stamp *now);
/* All are to the same contact, of one class, and waiting. False: nothing left. */
bool send_digest(struct pager *p, const struct waiting *w, size_t n, enum pace_class class,
		 const struct route_view *v, bool last, const struct stamp *now);

#endif
