/* What prober.c (who runs where) and prober_watch.c (are they well) share, and nobody else sees. */
#ifndef MONITORD_PROBER_INTERNAL_H
#define MONITORD_PROBER_INTERNAL_H

#include "prober.h"

struct coproc;

/* Deaths that are remembered, and how many within how long are trouble. */
enum { DEATHS = 3, DEATHS_WITHIN_MS = 300000, DOWN_TROUBLE_MS = 30000 };

struct worker {
	struct worker *next; /* lingering */
	struct place *place;
	struct coproc *co;
	struct run *runs;
	int nruns;
	bool hello;
	int threads;
	int64_t pid;
	int64_t up_ms;	   /* when it was started; 0: it is down */
	int64_t linger_ms; /* retired: until then at most */
};

struct place {
	struct event_base *base;
	enum check_place which;
	char *prober, *socket;
	struct place_calls calls;
	void *arg;
	struct worker *now, *old;
	int nold;
	uint64_t next_id;
	int64_t restarts;
	bool ever_up;
	int64_t down_since_ms; /* 0: it is up */
	int64_t deaths[DEATHS];
	char why[200];
};

const char *prober_place_name(const struct place *p);
/* Ends a run without a result. */
void prober_lose_run(struct run *r, const char *why, bool culprit);
/* Takes w out of the lingering ones. */
void prober_old_remove(struct place *p, struct worker *w);
void prober_worker_free(struct worker *w);

#endif
