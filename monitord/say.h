/*
 * Saying things: an event goes into the check's record first and, when that is on disk, into the spool;
 * it leaves the record when the spool has it. So a crash at any moment leaves it in one of the two, and
 * writing it twice writes the same file. A disk that does not answer within SAY_PATIENCE_MS is not waited
 * for.
 */
#ifndef MONITORD_SAY_H
#define MONITORD_SAY_H

#include "super.h"

enum { SAY_PATIENCE_MS = 2000 };

/* Says what the judge wants said, with the check's last text. why: what suppressed it, "" when nothing did.
 */
void say_event(struct super *s, struct check *c, const struct judge_say *say, const char *why);
/* Its problem, said already, is recognised only now: for the next page, whichever it is; makes none. */
void say_named(struct super *s, struct check *c);
/* A notice about the check, outside of any problem. */
void say_notice(struct super *s, struct check *c, const char *text);
/* A check that was just loaded may hold events whose way to the spool was cut short. */
void say_again(struct super *s, struct check *c);
/* The check's record is on disk up to that ticket (or will not be soon). */
void say_recorded(struct super *s, struct check *c, uint64_t ticket);
/* What the spool writer tells. */
void say_spool_fates(struct super *s);
/* Does not wait any longer for a disk that hangs; lets go of what the twin holds when pagerd is alive. Every
 * second. */
void say_tick(struct super *s, struct check *c, int64_t now_ms);

#endif
