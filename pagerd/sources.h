/*
 * Who else puts events into the spool: other monitors, scripts, people. What they may say (nobody speaks for
 * another, decided by the owner of the file), whom it concerns, and how much of it is paged one by one.
 */
#ifndef PAGERD_SOURCES_H
#define PAGERD_SOURCES_H

#include "lib/config/config.h"

struct pager;
struct sources;

struct sources *sources_new(struct pager *p);
void sources_free(struct sources *s);
/* Names the event's source (from its file's owner when it does not say) and whom it concerns. False: it may
 * not be said by that user; why tells it for a page. Changes e->source only; *contacts and *n are the
 * source's own, n 0: the event's. */
bool sources_admit(const struct sources *s, struct event *e, char *const **contacts, size_t *n, char *why,
		   size_t size);
/* Whether one more event of that source is paged by itself; false: it is beyond the budget, and why says so.
 */
bool sources_spend(struct sources *s, const char *source, char *why, size_t size);
/* Says what was folded once it is over; returns the time until it is worth looking again. */
int64_t sources_watch(struct sources *s, int64_t now);

#endif
