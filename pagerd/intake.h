/*
 * The spool's reader: events become incidents. Woken by inotify and, whatever inotify
 * missed, every 2 s. An event is let go of (moved to done/) only when its incident is on the
 * disk; one that was applied before changes nothing. A file that is no event is itself a page.
 */
#ifndef PAGERD_INTAKE_H
#define PAGERD_INTAKE_H

#include "pager.h"

struct intake;

enum { INTAKE_RESCAN_MS = 2000, INTAKE_DONE_KEPT = 1000, INTAKE_BAD_PAGES = 5, INTAKE_BAD_SPAN_MS = 600000 };

/* NULL with a reason. Nothing is read before intake_start. */
struct intake *intake_new(struct pager *p, char *why, size_t size);
void intake_start(struct intake *in);
void intake_free(struct intake *in);
/* Reads the spool: applies what is new, lets go of what is recorded. */
void intake_scan(struct intake *in);
/* Something was applied whose file is still in the spool. */
bool intake_pending(const struct intake *in);
/* Files in new/ at the last scan, and bad ones since the start. */
size_t intake_new_count(const struct intake *in);
size_t intake_bad_count(const struct intake *in);

#endif
