/*
 * One POP3 session, of check_pop3 and check_cert: connect, greeting, STLS or TLS from the first byte, CAPA,
 * login (SASL, APOP, USER/PASS), STAT. Nothing is fetched or deleted. Blocking; each phase has its limit.
 */
#ifndef PROBES_POP3_SESSION_H
#define PROBES_POP3_SESSION_H

#include "probes/mailbox/link.h"
#include "reply.h"

enum pop3_login { POP3_LOGIN_BEST, POP3_LOGIN_USER, POP3_LOGIN_PLAIN, POP3_LOGIN_APOP };

struct pop3_session {
	struct mailbox_link link;
	struct pop3_can can;
	bool knows_capa;
	uint64_t messages, octets; /* after pop3_stat_ask */
};

/* Each returns false with link.layer and link.why filled; the session is then of use only to pop3_close.
 * link.clock is filled by the caller; the rest of *s is zeroed. how: which login, when there is one; APOP
 * needs a greeting that offers it. */
bool pop3_open(struct pop3_session *s, const struct mailbox_target *t, enum pop3_login how);
bool pop3_ask_stat(struct pop3_session *s);
/* One command and the +OK line to it, good until the next one. Layer "answer": the server said no, and the session goes
 * on. */
bool pop3_command(struct pop3_session *s, const char *doing, const char *command, const char **line, size_t *n);
void pop3_close(struct pop3_session *s);

#endif
