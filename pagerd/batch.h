/*
 * Digests on their way: one message that carries the pages of many incidents. Each of those pages gets an
 * attempt of its own, with the digest's id, as if it had been sent alone; so recovery, acknowledgement and
 * repeats need to know nothing of digests. What one fsync makes durable before the first byte leaves is a
 * note (store.h) that names them all; it goes when the records of all its incidents hold what it says. Made
 * by dispatch.c, ended by inputs.c.
 */
#ifndef PAGERD_BATCH_H
#define PAGERD_BATCH_H

#include "state.h"

enum { BATCHES_KEPT = 64 }; /* that ended: a late outcome may still come */

struct batch;
struct batches;

struct batches *batches_new(void);
void batches_free(struct batches *bs);
/* After the incidents were loaded: what was on its way when pagerd ended. bad is told of notes that cannot be
 * read. */
void batches_load(struct pager *p, void (*bad)(void *arg, const char *path, const char *why));
/* Lets go of notes that are no longer needed. */
void batches_tidy(struct pager *p);

/* A digest of pages to one contact over one route; NULL when memory is out. */
struct batch *batch_begin(struct pager *p, const char *contact, const char *line, const char *to,
			  const struct stamp *now);
/* Begins an attempt of a waiting page; false when that cannot be. */
bool batch_add(struct batch *b, struct incident *i, struct call *c, const struct stamp *now);
/* What a reply to it must say; kept with it until the records hold it. */
void batch_set_code(struct batch *b, const char *code);
/* The digest's id, for people; and the one its outcome will name. */
const char *batch_id(const struct batch *b);
const char *batch_page_id(const struct batch *b);
/* One of its attempts may repeat what the contact already has. */
bool batch_resends(const struct batch *b);
/* Durable when it returns, as far as any disk works; all pages are in flight from here on. */
void batch_write(struct pager *p, struct batch *b, const struct stamp *now);
/* What became of a message. False: it is no digest that is known. */
bool batch_outcome(struct pager *p, const char *line, const char *page_id, enum outcome o, const char *detail,
		   const struct stamp *now);

/* The address of such a message; NULL: it is no digest that is known. */
const char *batch_to(const struct pager *p, const char *line, const char *page_id);

/* The incidents that a digest told, at most max, still to be acknowledged or not; also those of digests
 * before a restart. */
size_t batch_incidents(const struct pager *p, const char *id, struct incident **out, size_t max);

#endif
