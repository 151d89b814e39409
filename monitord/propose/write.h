/*
 * The configuration as text: comments that say what was found, and the checks. Pure, into a buffer. Whatever
 * a name server or a greeting said stands in comments only, as printable ASCII; what stands in values was
 * read as a name or an address before.
 */
#ifndef MONITORD_PROPOSE_WRITE_H
#define MONITORD_PROPOSE_WRITE_H

#include <stddef.h>

struct buf;
struct drafts;
struct site;
struct wish;

enum { WRITE_MAX = 4 << 20 };

void write_all(const struct wish *w, const struct site *s, const struct drafts *d, struct buf *out);
/* How many checks stand in the file, and how many of these are not OK today. */
size_t write_checks(const struct drafts *d, size_t *wrong);

/* A comment of as many lines as it takes, each with the indent and "# " before it. */
void write_comment(struct buf *out, int indent, const char *text);
/* A value or key of YAML, quoted where it must be. */
void write_scalar(struct buf *out, const char *text);

#endif
