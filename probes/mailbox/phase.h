/*
 * The phases of a session with a mail store: how long each took and may take. For IMAP and POP3.
 */
#ifndef PROBES_MAILBOX_PHASE_H
#define PROBES_MAILBOX_PHASE_H

#include <stdint.h>

struct probe_run;

enum mailbox_phase {
	MAILBOX_RESOLVE,
	MAILBOX_CONNECT,
	MAILBOX_GREETING,
	MAILBOX_TLS, /* STARTTLS or STLS and the handshake */
	MAILBOX_LOGIN,
	MAILBOX_COMMAND, /* each command and its answer */
	MAILBOX_PHASES
};

struct mailbox_clock {
	struct probe_run *run;		  /* for probe_at; may be NULL */
	int64_t deadline;		  /* of all of it: CLOCK_BOOTTIME ms */
	int64_t limit_ms[MAILBOX_PHASES]; /* 0: none but the deadline */
	double ms[MAILBOX_PHASES];	  /* NAN: did not happen */
	enum mailbox_phase phase;
	int64_t since_us; /* 0: in none */
};

void mailbox_clock_init(struct mailbox_clock *c, struct probe_run *run, int64_t deadline);
/* "resolve" "connect" "greeting" "TLS" "login" "command" */
const char *mailbox_phase_name(enum mailbox_phase phase);
/* Ends the phase that runs and starts another. Each phase's time is the sum of its parts. */
void mailbox_begin(struct mailbox_clock *c, enum mailbox_phase phase);
void mailbox_end(struct mailbox_clock *c);
/* When the running phase, or all of it, runs out of time: CLOCK_BOOTTIME us. */
int64_t mailbox_until(const struct mailbox_clock *c);

#endif
