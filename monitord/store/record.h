/*
 * A check's record: what must survive a restart, as JSON text. Pure (no files). doc/judge.md says what is in
 * it and why a crash at any moment loses nothing.
 */
#ifndef MONITORD_STORE_RECORD_H
#define MONITORD_STORE_RECORD_H

#include "monitord/check.h"

/* A probe's state is at most 64 KiB; escaped, and with events that wait for a sick disk, a record can be
 * larger. */
enum { RECORD_MAX = 2 << 20 };

/* malloced text; NULL when memory is out. */
char *record_encode(const struct check *c, size_t *len);
/* Fills a fresh check from text. False and a reason: then c is as it was. */
bool record_decode(struct check *c, const char *text, size_t len, char *why, size_t size);
/* After another boot, writes of the last one may never have reached the disk: numbers that may have been used
 * are jumped over, so that no event's id is ever used twice. */
enum { RECORD_JUMP = 1000 };

#endif
