/*
 * The prover: sees to it that routes are known to work. Keeps when each was last proved and how
 * (rules/proof.c), sends test pages and loopback pages when they are due and the daily summary, and makes it
 * a problem (self.route LINE, self.loopback LINE) when a route stays unproven or a loopback page is late;
 * such routes go behind the others until they are proved again.
 *
 * Durable: STATE/proofs.json, within two seconds.
 * Called by inputs.c (what was sent, reported, received), pager.c (each turn), snapshot.c, pagerd.c.
 */
#ifndef PAGERD_PROVER_H
#define PAGERD_PROVER_H

#include "state.h"

struct cJSON;
struct prover;

enum {
	PROVER_SENT_KEPT = 128, /* pages whose reports may still come */
	PROVER_SAVE_MS = 2000,
	PROVER_LOOK_MS = 1000,
	PROVER_TEST_MS = 900000 /* a test page that could not leave by then has failed */
};

struct prover *prover_new(struct pager *p);
void prover_free(struct prover *v);
/* A page was sent. id: as the line knows it. */
void prover_sent(struct prover *v, const char *line, const char *to, const char *id, enum page_kind kind,
		 const struct stamp *now);
/* The network reports on it. */
void prover_reported(struct prover *v, const char *line, const char *id, bool delivered);
/* True: the message came from a modem of ours, and is no person's. */
bool prover_received(struct prover *v, const char *line, const struct received *m);
int64_t prover_watch(struct prover *v, const struct stamp *now);
/* "routes" of the snapshot. */
struct cJSON *prover_show(const struct prover *v);

#endif
