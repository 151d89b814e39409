/* Between open.c, session.c and, below them, talk.c. */
#ifndef PROBES_IMAP_PRIVATE_H
#define PROBES_IMAP_PRIVATE_H

#include "session.h"

enum { IMAP_COMMAND_MAX = 8192 };

typedef void imap_handler(void *arg, const char *reply, size_t len);

bool imap_send(struct imap_session *s, const struct buf *text, const char *doing);
/* Makes the next whole answer stand at the front of s->in; its length, or 0 after a failure. */
size_t imap_next(struct imap_session *s, const char *doing);
/* Sends one command (without tag and line end) and takes answers until its own comes; f, when there is one,
 * sees the untagged ones. */
bool imap_command(struct imap_session *s, const char *doing, const struct buf *text, imap_handler *f,
		  void *arg);
/* A command without arguments, whose answers nobody asks for in particular. */
bool imap_simple(struct imap_session *s, const char *name);

#endif
