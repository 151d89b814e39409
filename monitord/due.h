/*
 * What is due: starts the runs whose time has come, where there is room. Below everything that wants a run
 * made (core.c, settle.c, apply.c, the control commands). All calls are from the loop.
 */
#ifndef MONITORD_DUE_H
#define MONITORD_DUE_H

#include "super.h"

enum { DUE_LOOK_MS = 1000 };

/* For the loop (arg is the supervisor): starts what is due. */
void due_start(void *arg);
/* Looks at the schedule in the next turn of the loop. */
void due_start_soon(struct super *s);
/* It killed its prober too often: not run for an hour, unless somebody asks. Again after a restart: for what is left of
 * that hour. */
void due_quarantine(struct check *c);
void due_quarantine_again(struct check *c);
/* Somebody says that it is cured: run as soon as possible. */
void due_release(struct super *s, struct check *c);
/* Runs c as soon as possible. */
void due_run_now(struct super *s, struct check *c);
/* Where c runs; NULL: nowhere now. */
struct place *due_place_of(const struct super *s, const struct check *c);
/* The run in flight came to its end, and was judged. at_once: it is made again as soon as possible. */
void due_ended(struct super *s, struct check *c, bool at_once);
/* Nobody waits for the run that is in flight; it is made again. */
void due_drop_run(struct super *s, struct check *c);
/* Its last run ended with that layer: one that blocks again and again is tried more and more rarely. */
void due_pause_if_stuck(struct check *c, const char *layer);
/* It is tried rarely on purpose, because it blocks. */
bool due_is_paused(const struct check *c);
/* The age and name of the oldest start that is owed. */
int64_t due_overdue(const struct super *s, const char **name);

#endif
