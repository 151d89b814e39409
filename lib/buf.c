/* The growing buffer with a maximum; see buf.h. */
#include "buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){ .max = max };
}

void buf_fini(struct buf *b)
{
	free(b->data);
	*b = (struct buf){ .max = b->max };
}

void buf_reset(struct buf *b)
{
	b->len = 0;
	b->full = false;
	if (b->data)
		b->data[0] = '\0';
}

/* Makes room for n more bytes and the NUL. */
static bool reserve(struct buf *b, size_t n)
{
	if (n > b->max - b->len) {
		b->full = true;
		return false;
	}
	size_t want = b->len + n + 1;
	if (want <= b->cap)
		return true;
	size_t cap = b->cap ? b->cap * 2 : 64;
	if (cap < want)
		cap = want;
	if (cap > b->max + 1)
		cap = b->max + 1;
	char *p = realloc(b->data, cap);
	if (!p) {
		b->full = true;
		return false;
	}
	b->data = p;
	b->cap = cap;
	return true;
}

bool buf_add(struct buf *b, const void *bytes, size_t n)
{
	if (!reserve(b, n))
		return false;
	if (n)
		memcpy(b->data + b->len, bytes, n);
	b->len += n;
	b->data[b->len] = '\0';
	return true;
}

bool buf_add_cut(struct buf *b, const void *bytes, size_t n)
{
	size_t room = b->max - b->len;
	if (n <= room)
		return buf_add(b, bytes, n);
	buf_add(b, bytes, room);
	b->full = true;
	return false;
}

bool buf_puts(struct buf *b, const char *s)
{
	return buf_add(b, s, strlen(s));
}

bool buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
	va_list again;
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, ap);
	bool ok = n >= 0 && reserve(b, (size_t)n);
	if (ok) {
		vsnprintf(b->data + b->len, (size_t)n + 1, fmt, again);
		b->len += (size_t)n;
	}
	va_end(again);
	return ok;
}

bool buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	bool ok = buf_vprintf(b, fmt, ap);
	va_end(ap);
	return ok;
}

void buf_drop(struct buf *b, size_t n)
{
	if (!n)
		return;
	b->len -= n;
	memmove(b->data, b->data + n, b->len + 1);
}

const char *buf_str(const struct buf *b)
{
	return b->data ? b->data : "";
}
