/*
 * What is wrong with an input, for people: file:line:column: item "value": reason.
 * A reader collects all complaints, not only the first; at the maximum the rest
 * are counted.
 */
#ifndef LIB_CONFIG_COMPLAINT_H
#define LIB_CONFIG_COMPLAINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "lib/buf.h"

/* A place in a file. file is owned by whoever made the mark; line and column count from 1, 0 = none. */
struct mark {
	const char *file;
	int line, column;
};

struct complaint {
	char *file; /* NULL when there is none */
	int line, column;
	char *item;   /* the thing's name, such as checks.mx1.port; NULL when there is none */
	char *value;  /* as written; NULL when there is none */
	char *reason; /* never NULL */
	size_t more;  /* other checks, made from the same line, of which the same is true */
};

enum { COMPLAINTS_MAX = 200 };

struct complaints {
	struct complaint *v;
	size_t n;
	size_t dropped; /* beyond COMPLAINTS_MAX */
	size_t folded;  /* counted in another's `more` */
};

void complaints_init(struct complaints *c);
void complaints_fini(struct complaints *c);
/* at, item and value may be NULL. Secrets must never be passed as value. */
void complaint_add(struct complaints *c, const struct mark *at, const char *item, const char *value,
		   const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/* One complaint as one line without newline. */
void complaint_format(const struct complaint *c, struct buf *out);
/* All of them, one a line, and "and N more" when some were dropped. */
void complaints_print(const struct complaints *c, FILE *out);

#endif
