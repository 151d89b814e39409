/*
 * Whom an event concerns and by which routes they can be reached: the configuration as
 * the pure cores want it.
 */
#ifndef PAGERD_CONTACTS_H
#define PAGERD_CONTACTS_H

#include "state.h"

/* All contacts that are configured, into a new array; NULL when memory is out. */
struct contact_view *contacts_all(const struct config *conf, size_t *n);
/* A siren: its pages are never folded into one. */
bool contacts_follows(const struct config *conf, const char *contact);
/* Whom an event of this incident concerns now, to be called before it is applied: the incident notes the names, which may be
 * groups, rotas and ladders. Names that are not configured are replaced by the default ones; so are none. At most max. */
size_t contacts_of(const struct config *conf, struct incident *i, const struct event *e, const struct stamp *now,
		   struct contact_view *out, size_t max);
/* The routes of a page as they stand now. A contact that is not configured any more is reached by the default
 * ones. */
size_t contacts_routes(struct pager *p, const struct call *c, int64_t now, struct route_view *out,
		       size_t max);
/* What the contact's configuration says about its pages' texts. */
void contacts_dress(const struct config *conf, const char *contact, struct page *page);

#endif
