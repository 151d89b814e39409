/*
 * Words and columns for monitorctl and monitord-run: padding, cutting and wrapping by
 * characters (not bytes), spans of time, states in colour. Pure, into a buffer.
 */
#ifndef MONITORD_CTL_TEXT_H
#define MONITORD_CTL_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/buf.h"
#include "lib/clock.h"

struct cJSON;

struct ctl_style {
	bool colour;
	bool all;    /* every check that is OK, however many */
	int columns; /* of the terminal; 0: not one, nothing is cut or wrapped */
};

/* Characters of UTF-8 text, to its end or the first newline. */
int ctl_width(const char *text);
/* At most width characters (0: all) of text's first line; "…" marks a cut. */
void ctl_cut(struct buf *out, const char *text, int width);
/* The same, padded with blanks to width. */
void ctl_pad(struct buf *out, const char *text, int width);
/* "CRITICAL" in eight columns, coloured after the state. */
void ctl_state(struct buf *out, const char *state, const struct ctl_style *style);
/* Text's first line and a newline, broken at blanks to fit the terminal. used: columns of the first line that
 * the caller has filled; the next ones begin with indent blanks. At most max_lines lines (0: all); "…" marks
 * a cut. */
void ctl_wrap(struct buf *out, const char *text, int used, int indent, int max_lines,
	      const struct ctl_style *style);
/* "3 min" since the stamp o[key], or "-" when there is none. Returns out. */
char *ctl_age(const struct cJSON *o, const char *key, const struct stamp *now, char *out, size_t size);
/* "2 checks" */
void ctl_count(struct buf *out, int n, const char *one, const char *many);

#endif
