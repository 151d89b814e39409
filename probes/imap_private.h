/* Between imap_open.c and imap_session.c. */
#ifndef PROBES_IMAP_PRIVATE_H
#define PROBES_IMAP_PRIVATE_H

#include "imap_session.h"

/* Fills layer and why; returns false, so that a function can end with it. */
bool imap_fail(struct imap_session *s, const char *layer, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* A command without arguments, whose answers nobody asks for in particular. */
bool imap_simple(struct imap_session *s, const char *name);

#endif
