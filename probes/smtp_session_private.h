/*
 * What the parts of a session share: smtp_host.c finds the addresses, smtp_session.c opens and closes,
 * smtp_explain.c says why it failed, smtp_dialogue.c speaks once it is open.
 */
#ifndef PROBES_SMTP_SESSION_PRIVATE_H
#define PROBES_SMTP_SESSION_PRIVATE_H

#include "smtp_session.h"
#include "smtp_wire.h"

enum { SMTP_HELO_MAX = 256 };

struct smtp_session {
	struct smtp_target t;
	int fd; /* -1: none */
	struct smtp_wire *wire;
	struct smtp_seen *seen, own;
	struct smtp_reply ehlo, reply;
	const struct smtp_reply *last;
	struct smtp_fault *fault;  /* where the running call reports; never NULL */
	struct smtp_fault pending; /* a refusal that libcurl may get over: HELO after a refused EHLO */
	struct tls_check check;
	enum smtp_phase phase;
	int64_t since_us; /* CLOCK_BOOTTIME, start of the phase; 0: in none */
	bool secure;	  /* TLS began: raw bytes on fd would make no sense */
	bool logged_in;
	bool broken;
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
/* Fills the fault for a dialogue that ended in this state; returns false. */
bool smtp_explain(struct smtp_session *s, enum smtp_wire_state state);
/* The fault for a login that did not come about although nobody refused it; returns false. */
bool smtp_explain_no_auth(struct smtp_session *s);

#endif
