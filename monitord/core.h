/*
 * The core: runs checks when they are due, hands results to the judge, and has said what the judge
 * wants said. The only module that changes checks. All calls are from the loop.
 */
#ifndef MONITORD_CORE_H
#define MONITORD_CORE_H

#include "super.h"

/* A built-in check's finding. */
void core_self(struct super *s, const char *name, enum nag_state state, const char *layer, const char *text);
/* Lets the judge compare what is and what was said, of all checks, in the next turn of the loop. */
void core_settle_soon(struct super *s);
/* For the loop (arg is the supervisor): starts what is due; takes what the disk and the spool tell. */
enum { CORE_LOOK_MS = 1000 };
void core_start_due(void *arg);
void core_on_disk(void *arg);
void core_on_spool(void *arg);
/* Where c runs; NULL: nowhere now. */
struct place *core_place_of(const struct super *s, const struct check *c);
/* No result came for too long. */
void core_stale(struct super *s, struct check *c, int64_t now_ms);
/* It is tried rarely on purpose, because it blocks. */
bool core_is_paused(const struct check *c);
/* Looks at the schedule in the next turn of the loop. */
void core_start_soon(struct super *s);
/* Nobody waits for the run that is in flight; it is made again. */
void core_drop_run(struct super *s, struct check *c);
extern const struct place_calls core_place_calls;
/* Runs c as soon as possible. */
void core_run_now(struct super *s, struct check *c);
/* Its downtime was set or cancelled. */
void core_downtime_changed(struct super *s, struct check *c);
/* The age and name of the oldest start that is owed. */
int64_t core_overdue(const struct super *s, const char **name);

#endif
