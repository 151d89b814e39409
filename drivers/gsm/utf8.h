/*
 * UTF-8, one character at a time, for what is sent to small screens. Pure. Bytes that are no UTF-8 come out
 * as U+FFFD, one a byte, so that nothing foreign can stop a page.
 */
#ifndef DRIVERS_GSM_UTF8_H
#define DRIVERS_GSM_UTF8_H

#include <stddef.h>
#include <stdint.h>

#include "lib/buf.h"

/* The character at *s, which moves behind it; 0 at the end (and *s stays). */
uint32_t utf8_next(const char **s);
/* Appends one character (U+FFFD for what is none). False when the buffer is full. */
bool utf8_put(struct buf *out, uint32_t cp);
/* How many UTF-16 units the text has. */
size_t utf8_utf16_units(const char *s);

#endif
