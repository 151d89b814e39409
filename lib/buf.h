/*
 * A growing byte buffer with a mandatory maximum. Everything that foreign
 * bytes can make grow is one of these: at the maximum a write fails, nothing
 * aborts, and the caller says so ("at least N, truncated").
 */
#ifndef LIB_BUF_H
#define LIB_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct buf {
	char *data; /* always NUL-terminated once anything was added; NULL before */
	size_t len; /* bytes, the NUL not counted */
	size_t cap;
	size_t max; /* bytes, the NUL not counted */
	bool full;  /* something did not fit since buf_init or buf_reset */
};

void buf_init(struct buf *b, size_t max);
void buf_fini(struct buf *b);
/* Empties the buffer and keeps its memory. */
void buf_reset(struct buf *b);
/* All or nothing; false (and b->full) when it would pass the maximum or memory is out. */
bool buf_add(struct buf *b, const void *bytes, size_t n);
/* As much as fits; false when something was cut. */
bool buf_add_cut(struct buf *b, const void *bytes, size_t n);
bool buf_puts(struct buf *b, const char *s);
bool buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool buf_vprintf(struct buf *b, const char *fmt, va_list ap);
/* Removes n bytes from the front (n <= len). */
void buf_drop(struct buf *b, size_t n);
/* The content as a C string; "" when empty. Owned by the buffer. */
const char *buf_str(const struct buf *b);

#endif
