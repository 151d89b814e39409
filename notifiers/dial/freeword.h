/*
 * Text as the touch tones of Japanese pocket bells and docomo short mail ("2 touch" input): each half-width
 * character is two digits, row and column of a table. Pure. For notify_dtmf.
 */
#ifndef NOTIFIERS_DIAL_FREEWORD_H
#define NOTIFIERS_DIAL_FREEWORD_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/buf.h"

/* Adds the codes of the text to out: kana of any width (a voiced mark follows its kana), ASCII (letters as
 * capitals), full-width ASCII; small kana as large ones. What has no code becomes a blank. Returns how many
 * characters that were; SIZE_MAX when out is full. */
size_t freeword_encode(const char *utf8, struct buf *out);
/* How many half-width characters the text takes on the pager: half the digits. */
size_t freeword_count(const char *utf8);
/* True when a kanji (or another character of East Asia without a code) is in it: no blank can stand for that.
 */
bool freeword_has_kanji(const char *utf8);

#endif
