/*
 * The core: hands results to the judge, and has said what the judge wants said. The only module that changes checks. All calls are from the loop.
 */
#ifndef MONITORD_CORE_H
#define MONITORD_CORE_H

#include "super.h"

struct result;

/* A built-in check's finding. */
void core_self(struct super *s, const char *name, enum nag_state state, const char *layer, const char *text);
/* A result that came from outside. */
void core_passive(struct super *s, struct check *c, const struct result *res);
/* Lets the judge compare what is and what was said, of all checks, in the next turn of the loop. */
void core_settle_soon(struct super *s);
/* For the loop (arg is the supervisor): takes what the disk and the spool tell. */
void core_on_disk(void *arg);
void core_on_spool(void *arg);
/* No result came for too long. */
void core_stale(struct super *s, struct check *c, int64_t now_ms);
/* Its remote is down. */
void core_unreachable(struct super *s, struct check *c);
/* What a prober tells (see struct place_calls); arg is the supervisor. */
struct run;
void core_done(void *arg, struct run *r, struct result *res, const char *blob, double run_ms);
void core_lost(void *arg, struct run *r, const char *why, bool culprit);
void core_store(void *arg, struct run *r, const char *state);
/* Somebody ends its quarantine. */
void core_release(struct super *s, struct check *c);
/* Its downtime was set or cancelled. */
void core_downtime_changed(struct super *s, struct check *c);

#endif
