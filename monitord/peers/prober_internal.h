/* What place.c (what there is), prober.c (who says what), prober_watch.c (are they well) and remote.c share, and nobody else sees. */
#ifndef MONITORD_PEERS_PROBER_INTERNAL_H
#define MONITORD_PEERS_PROBER_INTERNAL_H

#include "prober.h"
#include "remote.h"

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
	/* of a remote: */
	int64_t hello_ms;
	int64_t beat, beat_sent_ms, beat_heard_ms; /* the last one's number; when it left, when it was answered */
	int strays;	    /* lines within this second that nobody asked for */
	int nsaid;	    /* complaints of this connection */
	char said[160];	    /* the last of them */
	char given_up[100]; /* why it was killed; "": it was not */
};

struct place {
	struct event_base *base;
	enum check_place which;
	bool far;		  /* a remote */
	struct conf_remote remote; /* of that */
	char label[EVENT_NAME_MAX + 16]; /* "prober net", "remote relay1" */
	char version[40];	  /* what runs there */
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

/* A worker of the place, which starts in the next turn of the loop. NULL: no memory. */
struct worker *prober_worker_new(struct place *p);
void prober_run_add(struct worker *w, struct run *r);
/* Ends a run without a result. */
void prober_lose_run(struct run *r, const char *why, bool culprit);
/* Takes w out of the lingering ones. */
void prober_old_remove(struct place *p, struct worker *w);
void prober_worker_free(struct worker *w);

#endif
