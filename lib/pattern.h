/*
 * Regular expressions that people wrote, by PCRE2: unlike the C library's, it compiles any of them within
 * bounds of memory and time, and gives up a search that would take too long. What POSIX extended expressions mean
 * they mean here, but that a backslash escapes within brackets too. Bytes, not characters; no locale.
 */
#ifndef LIB_PATTERN_H
#define LIB_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

enum {
	PATTERN_NOCASE = 1,
	PATTERN_LINES = 2, /* ^ and $ mean each line, and . no end of one; else the whole text */
};

struct pattern;

struct pattern_group {
	size_t start, len; /* bytes of the text; start SIZE_MAX: took no part */
};

/* NULL: no such expression (or no memory); the reason in why (NULL, 0: nobody wants it). */
struct pattern *pattern_new(const char *expression, unsigned flags, char *why, size_t size);
/* NULL is fine. */
void pattern_free(struct pattern *p);
/* How many groups in parentheses it has. */
size_t pattern_groups(const struct pattern *p);
/* Whether it occurs in text; a search that takes too long finds nothing. groups (n of them, or NULL, 0): where. */
bool pattern_finds(const struct pattern *p, const char *text, struct pattern_group *groups, size_t n);
/* Whether pattern_new takes it. */
bool pattern_ok(const char *expression, unsigned flags, char *why, size_t size);

#endif
