/*
 * Messages in a POP3 session that is logged in: their unique ids, their headers, their deletion. Nothing is
 * fetched but headers. Used by the round trip.
 */
#ifndef PROBES_POP3_FETCH_H
#define PROBES_POP3_FETCH_H

#include "session.h"

enum { POP3_HEADER_MAX = 1024 * 1024 /* bytes of a header that are read past, and not one more */ };

/* Each returns false with link.layer and link.why filled. Layer "answer": the server said no, and the session
 * goes on. */
bool pop3_ask_uid(struct pop3_session *s, uint64_t number, char uid[POP3_UIDL_MAX + 1]);
/* The header of a message: its first size bytes into out, *len of them. */
bool pop3_ask_top(struct pop3_session *s, uint64_t number, char *out, size_t size, size_t *len);
/* Only a QUIT that is answered makes it last. */
bool pop3_delete(struct pop3_session *s, uint64_t number);
bool pop3_quit(struct pop3_session *s);

#endif
