/*
 * The proof that routes work: when each (a line and an address on it) last carried something for certain, and
 * how that is known; when the next test page is due; which of them nobody has proved for too long.
 *
 * A line that confirms proves a route by "sent"; once it has reported a delivery on that route, only reports
 * do. A line that confirms nothing (tones, a siren) is used, never proved.
 *
 * Pure: no I/O, no clock. Called by prover.c, contacts.c (which routes are doubtful) and the snapshot.
 */
#ifndef PAGERD_RULES_PROOF_H
#define PAGERD_RULES_PROOF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/clock.h"
#include "lib/contract/event.h"
#include "lib/contract/line.h"

enum {
	PROOFS_MAX = 4096,
	PROOF_TO_MAX = 256,
	PROOF_DAY_BEGIN = 8 * 60, /* minutes: tests wake nobody */
	PROOF_DAY_END = 21 * 60
};

enum proof_how { PROOF_NONE, PROOF_PAGE, PROOF_TEST, PROOF_LOOPBACK };

struct proof {
	char line[EVENT_NAME_MAX]; /* "": not a route but a contact's daily summary, whose name is in `to` */
	char to[PROOF_TO_MAX];
	struct stamp first;  /* when it was first seen in the configuration */
	struct stamp proved; /* 0: never */
	struct stamp before; /* the proof before that one, should that one be withdrawn */
	enum proof_how how;
	struct stamp used;   /* something left over it, whether or not that proves anything */
	struct stamp tested; /* when the last test began */
	bool reports;	     /* its line has reported a delivery here */
	/* not persisted */
	bool doubted; /* said to be unproven, or its line lost a loopback page: goes behind the others */
	bool seen;    /* in the configuration in force */
};

struct proofs {
	struct proof *v;
	size_t n;
	size_t doubted; /* how many are */
	bool dirty;
};

void proofs_fini(struct proofs *p);
struct proof *proofs_find(const struct proofs *p, const char *line, const char *to);
/* Found or made; NULL when there are too many. */
struct proof *proofs_make(struct proofs *p, const char *line, const char *to, const struct stamp *now);
/* Forgets routes that are not configured any more (seen is false). */
void proofs_sweep(struct proofs *p);

const char *proof_how_name(enum proof_how h); /* "page" "test" "loopback" "" */
enum proof_how proof_how_from_name(const char *s);
/* A page of that kind was sent over the route. */
void proof_sent(struct proof *r, enum page_kind kind, bool confirms, const struct stamp *now);
/* The network reports on it: sent tells which page, by when it left. */
void proof_reported(struct proof *r, enum page_kind kind, bool delivered, const struct stamp *sent,
		    const struct stamp *now);
/* Its line was proved by a loopback page. */
void proof_looped(struct proof *r, const struct stamp *now);
/* For how long nobody has proved it. */
int64_t proof_unproven_ms(const struct proof *r, const struct stamp *now);

/* The last moment of a schedule (every so often, at the minute `at` of the local day) that is not after now.
 * offset_ms: local time is ahead of UTC by so much. Wall clock ms. */
int64_t proof_slot(int64_t now_wall_ms, int64_t every_ms, int at, int64_t offset_ms);
/* True when a moment has passed since it was last done and this is no time at which people sleep, unless
 * `at` itself is. since: when it was first seen, so that a start is no flood of tests. */
bool proof_due(int64_t now_wall_ms, int64_t done_wall_ms, int64_t since_wall_ms, int64_t every_ms, int at,
	       int64_t offset_ms);

#endif
