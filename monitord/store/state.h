/*
 * Where records are kept: STATE/checks/NAME.json, one small text a check, replaced atomically by the
 * writing thread; RUN/state/NAME.json is the twin, for when the disk is sick. A record that cannot be read is
 * set aside in STATE/bad/ and said; nothing else is lost by it.
 */
#ifndef MONITORD_STORE_STATE_H
#define MONITORD_STORE_STATE_H

#include "monitord/check.h"
#include "diskq.h"

struct evlog;

struct state {
	char *dir, *twin, *bad;
	struct diskq *disk;
	char trouble[200]; /* why the last write did not reach the disk; "" when it did */
};

enum state_found {
	STATE_NEW, /* nothing is known of the check */
	STATE_KNOWN,
	STATE_LOST /* its record was unreadable and set aside: why says where; the rest is from the history */
};

bool state_init(struct state *s, const char *state_dir, const char *run_dir, struct diskq *disk, char *why,
		size_t size);
void state_fini(struct state *s);
/* Fills a fresh check. A check that nothing is known of starts its change numbers at the wall clock's
 * millisecond: whatever was lost, pagerd has never seen such a number. */
enum state_found state_load(struct state *s, struct check *c, const struct evlog *h, char *why, size_t size);
/* Has the check's record written; c->ticket is then the write to wait for. */
void state_save(struct state *s, struct check *c);
/* Writes the twin at once, from the caller's thread: the disk does not answer and an event must leave. */
void state_save_twin(struct state *s, struct check *c);
/* The check's record is not needed any more. */
void state_forget(struct state *s, const struct check *c);

#endif
