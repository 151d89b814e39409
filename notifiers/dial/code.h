/*
 * Templates of what is dialled, and the numbers a page becomes on a pager that shows digits only. Pure. For
 * notify_dtmf.
 */
#ifndef NOTIFIERS_DIAL_CODE_H
#define NOTIFIERS_DIAL_CODE_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/buf.h"
#include "notifiers/notifier.h"

enum code_check { CODE_MOD10, CODE_LUHN };

/* A template is dialled as it stands but for {NAME} and {NAME:WIDTH} (1 to 9). In the numeric code:
 *	number	the check's number (`number:` of the check), with leading zeros up to WIDTH, never cut; 0: it
 *has none state	0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN, 8 somebody acknowledged, 9 none of these (a test page, a digest) id
 *the incident's id as digits, the last WIDTH of them (4) time	hhmm, since when, local time
 *	check	a digit that makes the digits since the start of the code right (mod10: their sum is a
 *multiple of 10) In the dial string: to, access, code. */
bool code_template_ok(const char *t, char *why, size_t size);
bool dial_template_ok(const char *t, char *why, size_t size);

/* The numeric code of a page; false when it does not fit into out. */
bool code_of_page(const char *t, const struct page *p, enum code_check check, struct buf *out);
/* The dial string, tidy. */
bool dial_of_template(const char *t, const char *access, const char *to, const char *code, struct buf *out);
/* The id of an incident as a number: its letters and digits in base 36, the last nine decimal digits. */
unsigned long code_id_number(const char *incident);

#endif
