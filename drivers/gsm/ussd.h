/*
 * USSD (27.007, 7.15): the answer of a prepaid service, and what it says of balance and validity. Pure: every
 * byte here is foreign.
 */
#ifndef DRIVERS_GSM_USSD_H
#define DRIVERS_GSM_USSD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buf.h"

enum { USSD_TEXT_MAX = 800 };

/* A whole "+CUSD: m,"text",dcs". False when it is none; *status: m; text and dcs (15 when absent) may be
 * missing. The text is as the modem wrote it. */
bool ussd_parse(const char *line, int *status, char *text, size_t size, int *dcs);
/* Whether a quoted text has begun and not ended: it goes on in the next line. */
bool ussd_goes_on(const char *line);
/* What the text says, in UTF-8: UCS-2 in hex, GSM-7 packed in hex, or plain, by its coding scheme (23.038,
 * clause 5) and looks. packed: this modem always packs. False when it cannot be told. */
bool ussd_decode(const char *text, int dcs, bool packed, struct buf *out);
/* The code as a modem that packs wants it: hex. */
void ussd_pack(const char *code, char *out, size_t size);

/* pattern: a regular expression (lib/pattern.h) whose first group is an amount. "1,200.50", "1.200,50" and
 * "1 200" are understood. */
bool ussd_amount(const char *pattern, const char *text, double *amount);
enum ussd_order { USSD_YMD, USSD_DMY, USSD_MDY };
/* Three groups: a date; the day's end in UTC. Two digits of a year are 20xx. */
bool ussd_date(const char *pattern, enum ussd_order order, const char *text, int64_t *wall_ms);
/* False and a reason when it is no expression with so many groups. */
bool ussd_pattern_ok(const char *pattern, size_t groups, char *why, size_t size);

#endif
