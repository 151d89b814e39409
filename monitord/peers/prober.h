/*
 * The probers of one place (net, local or a remote) as the supervisor sees them: who runs now, who lingers after
 * retiring, which runs are in flight where. A prober is a child, or, when the configuration names a
 * socket, a unit of its own, or stands behind ssh on another host. doc/contracts.md, "jobs and results".
 *
 * Promises: every run started here ends in exactly one call of done or lost. A prober that died, that said it
 * is stuck (retire), or that does not answer PROBER_GRACE_MS past a run's deadline is replaced; nothing waits
 * for it.
 */
#ifndef MONITORD_PEERS_PROBER_H
#define MONITORD_PEERS_PROBER_H

#include <stdbool.h>
#include <stdint.h>

#include "monitord/check.h"

struct cJSON;
struct event_base;
struct place;
struct worker;

enum { PROBER_GRACE_MS = 10000, PROBER_HELLO_MS = 15000, PROBER_LINGERING_MAX = 4 };

/* A run in flight. */
struct run {
	struct run *next, **link;
	char id[24];
	struct check *check; /* NULL: nobody wants the result any more */
	struct worker *worker;
	struct stamp started;
	int64_t deadline_ms;   /* boot ms: after that the prober counts as wedged */
	bool culprit;	       /* its prober died of it, as that said itself */
	uint64_t store_ticket; /* the write a "store" waits for; 0: none */
	int stores;	       /* it asked for so far */
};

struct place_calls {
	/* A result came. The run is freed after the call; r and blob (may be NULL) are the prober's. */
	void (*done)(void *arg, struct run *r, struct result *res, const char *blob, double run_ms);
	/* The prober was lost with the run in it. culprit: this run is the reason (it got no answer, or the prober died of it). */
	void (*lost)(void *arg, struct run *r, const char *why, bool culprit);
	/* The probe wants its state on disk before it goes on; answer by place_stored. */
	void (*store)(void *arg, struct run *r, const char *state);
	/* Something changed that may let more runs start, or that the status shows. */
	void (*room)(void *arg);
};

/* What a place is made from. */
struct place_spec {
	enum check_place which;
	const char *libexec;
	const char *socket;		  /* NULL: a child of ours is started from libexec/prober */
	const struct conf_remote *remote; /* not NULL: it is that, and the others do not count */
};
struct place *place_new(struct event_base *base, const struct place_spec *spec, const struct place_calls *calls, void *arg);
void place_free(struct place *p);
/* It can take another run. */
bool place_has_room(const struct place *p);
/* Starts a run of c; NULL when it could not be handed over. */
struct run *place_run(struct place *p, struct check *c, const char *blob);
void place_stored(struct run *r, bool ok);
struct place *run_place(const struct run *r);
/* Nobody wants the result any more. */
void place_cancel(struct run *r);
/* Deadlines, lingering probers: call every second. */
void place_tick(struct place *p, int64_t now_ms);
/* We slept for ms ourselves: no prober is to blame for that time. */
void place_forgive(struct place *p, int64_t ms);
/* No prober runs there now. */
bool place_is_down(const struct place *p);
/* "" when all is well, else what is wrong, for people. */
const char *place_trouble(const struct place *p, int64_t now_ms, char *out, size_t size);
/* The object of the contract's snapshot ("probers":[...]). */
struct cJSON *place_to_json(const struct place *p);
/* What it was made from is no longer what is configured. */
bool place_differs(const struct place *p, const struct place_spec *spec);
/* "net", "local", or the remote's name. */
const char *prober_place_name(const struct place *p);
bool place_is_remote(const struct place *p);
/* self.remote.NAME of a remote. False: nothing new can be said yet, what was so before stands. */
bool place_judge_remote(const struct place *p, int64_t now_ms, enum nag_state *state, char *text, size_t size);

#endif
