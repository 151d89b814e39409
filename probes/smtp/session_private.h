/*
 * What the parts of a session share: host.c finds the addresses, session.c opens and closes, auth.c logs in,
 * dialogue.c speaks once it is open; below them talk.c (lines and replies) and phase.c (times).
 */
#ifndef PROBES_SMTP_SESSION_PRIVATE_H
#define PROBES_SMTP_SESSION_PRIVATE_H

#include "probes/net/wire.h"
#include "session.h"

enum { SMTP_HELO_MAX = 256 };

struct smtp_session {
	struct smtp_target t;
	struct wire *wire; /* NULL: not connected */
	struct smtp_seen *seen, own;
	struct smtp_reply ehlo, reply;
	const struct smtp_reply *last;
	struct smtp_fault *fault; /* where the running call reports; never NULL */
	struct tls_check check;
	enum smtp_phase phase;
	int64_t since_us; /* CLOCK_BOOTTIME, start of the phase; 0: in none */
	bool broken;	  /* says nothing more */
	char helo[SMTP_HELO_MAX];
};

/* Ends the phase that runs and starts another. Each phase's time is the sum of its parts. */
void smtp_phase_begin(struct smtp_session *s, enum smtp_phase phase);
void smtp_phase_end(struct smtp_session *s);
/* When the running phase, or the whole session, runs out of time: CLOCK_BOOTTIME us. */
int64_t smtp_phase_deadline(const struct smtp_session *s);
/* The fault for the deadline that just passed; returns false. */
bool smtp_phase_expired(struct smtp_session *s);
int64_t smtp_limit_ms(const struct smtp_target *t, enum smtp_phase phase);
/* For probe_at: "smtp EHLO". */
const char *smtp_where(enum smtp_phase phase);

/* Each reports to s->fault. lost: for a connection that ended in this state; returns false. */
bool smtp_lost(struct smtp_session *s, enum wire_state state);
bool smtp_send(struct smtp_session *s, const char *bytes, size_t n);
bool smtp_read(struct smtp_session *s, struct smtp_reply *r);
/* One line (its end is added) and the reply: true for one of any code. */
bool smtp_exchange(struct smtp_session *s, const char *line, struct smtp_reply *r);
/* True, and a fault, for a reply that is no 2xx. */
bool smtp_refused(struct smtp_session *s, const struct smtp_reply *r);
bool smtp_login(struct smtp_session *s);

#endif
