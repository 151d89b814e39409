/*
 * Whom an event concerns and by which routes they can be reached: the configuration as
 * the pure cores want it.
 */
#ifndef PAGERD_CONTACTS_H
#define PAGERD_CONTACTS_H

#include "pager.h"

/* All contacts that are configured, into a new array; NULL when memory is out. */
struct contact_view *contacts_all(const struct config *conf, size_t *n);
/* The contacts of an event. Names that are not configured are replaced by the default contacts; so are none.
 * At most max. */
size_t contacts_of(const struct config *conf, const struct event *e, struct contact_view *out, size_t max);
/* The routes of a page as they stand now. A contact that is not configured any more is reached by the default
 * ones. */
size_t contacts_routes(struct pager *p, const struct call *c, int64_t now, struct route_view *out,
		       size_t max);

#endif
