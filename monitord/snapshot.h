/*
 * The status: what monitord knows, as one JSON object (doc/contracts.md, "Status and control"). It is
 * written to RUN/status.json before an event leaves (of many at once: the first, the others soon after), soon
 * after each other change of a state, and at each heartbeat.
 */
#ifndef MONITORD_SNAPSHOT_H
#define MONITORD_SNAPSHOT_H

#include "super.h"

struct cJSON;

/* The snapshot; owned by the caller. NULL: out of memory, or more than 16 MiB. */
struct cJSON *snapshot_json(const struct super *s);
/* Writes the file if anything changed since it was written. */
void snapshot_flush(struct super *s);
/* The same, unless it was only just written for another event: an outage of a thousand checks must not be spent on
 * writing. */
void snapshot_before_event(struct super *s);
/* Something changed: writes the file within a fifth of a second (later when writing takes long). */
void snapshot_later(struct super *s);
/* Writes the file in any case. */
void snapshot_write(struct super *s);

#endif
