/*
 * An incident as JSON: the file under incidents/ and, shorter, what people are shown.
 * Reading is strict: whatever a crash or a disk made of a file must be noticed.
 */
#ifndef PAGERD_STORE_RECORD_H
#define PAGERD_STORE_RECORD_H

#include "pagerd/rules/incident.h"

struct cJSON;

enum { RECORD_MAX = 4 << 20 }; /* bytes of one incident's file */

/* Everything that must survive; owned by the caller. */
struct cJSON *record_make(const struct incident *i);
/* NULL and a reason in why. Attempts without outcome are then in doubt (call_restored). */
struct incident *record_read(const struct cJSON *v, char *why, size_t size);
/* As doc/contracts.md shows incidents in pagerd's snapshot. */
struct cJSON *record_show(const struct incident *i);
/* One page as the snapshot and subscribers see it. */
struct cJSON *record_show_call(const struct incident *i, const struct call *c);

#endif
