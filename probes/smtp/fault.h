/*
 * Where an SMTP session broke and why, in one vocabulary for every probe that speaks SMTP: a kind, the
 * phase, the reply code, and a sentence without a subject ("refuses the connection"), so that the
 * caller can say who. Pure.
 */
#ifndef PROBES_SMTP_FAULT_H
#define PROBES_SMTP_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/contract/result.h"

enum smtp_phase {
	SMTP_RESOLVE,
	SMTP_CONNECT,
	SMTP_GREETING,
	SMTP_EHLO,     /* both of them when there is STARTTLS */
	SMTP_STARTTLS, /* the command and the handshake; implicit TLS: the handshake */
	SMTP_AUTH,
	SMTP_MAIL, /* MAIL FROM, and any other command that is sent by smtp_command */
	SMTP_RCPT,
	SMTP_DATA, /* the command, the content, and the answer to it */
	SMTP_QUIT,
	SMTP_PHASES
};

/* "resolve" "connect" "greeting" "EHLO" "STARTTLS" "AUTH" "MAIL" "RCPT" "DATA" "QUIT" */
const char *smtp_phase_name(enum smtp_phase phase);

enum smtp_fault_kind {
	SMTP_FINE,
	SMTP_FAULT_NAME,     /* the resolver says there is no such name or no address */
	SMTP_FAULT_RESOLVER, /* the resolver does not answer, or fails */
	SMTP_FAULT_REFUSED,
	SMTP_FAULT_UNREACHABLE, /* no route, network down, host unreachable */
	SMTP_FAULT_TIMEOUT,	/* in phase */
	SMTP_FAULT_TLS,
	SMTP_FAULT_ANSWER,  /* 4xx or 5xx in phase; code is set */
	SMTP_FAULT_LIMITED, /* 421: turned away for now, us rather than everybody */
	SMTP_FAULT_NOT_SMTP,
	SMTP_FAULT_CLOSED,     /* closed or reset by the other side, in phase */
	SMTP_FAULT_UNEXPECTED, /* a correct answer that is not what the administrator expects */
	SMTP_FAULT_LOCAL       /* this side could not measure: no memory, an unreadable file */
};

enum { SMTP_FAULT_TEXT_MAX = 200 };

struct smtp_fault {
	enum smtp_fault_kind kind;
	enum smtp_phase phase;
	int code;			/* of the reply, 0 when there was none */
	bool lmtp;			/* a 4xx to RCPT is no greylisting there */
	char text[SMTP_FAULT_TEXT_MAX]; /* "refuses the connection"; made harmless by result_set */
};

/* Fills all of it; returns false, so that a function can end with it. */
bool smtp_fault_set(struct smtp_fault *f, enum smtp_fault_kind kind, enum smtp_phase phase, const char *fmt,
		    ...) __attribute__((format(printf, 4, 5)));
/* From a reply: its code and its text decide between ANSWER and LIMITED. raw: "550-5.7.1 no\n550 ...". */
bool smtp_fault_reply(struct smtp_fault *f, enum smtp_phase phase, int code, const char *raw);
/* From the errno of connect, send or recv. */
bool smtp_fault_errno(struct smtp_fault *f, enum smtp_phase phase, int err);
/* Which phase ran out of time, after how long. */
bool smtp_fault_timeout(struct smtp_fault *f, enum smtp_phase phase, int64_t after_ms);

/* For result_fail: "resolve" "refused" "unreachable" "timeout" "tls" "answer" "limited" "not-smtp" "closed"
 * "unexpected" "local". */
const char *smtp_fault_layer(const struct smtp_fault *f);
/* CRITICAL, but WARNING for LIMITED, UNEXPECTED, for an unanswered QUIT and for a 4xx to RCPT (greylisting),
 * and UNKNOWN for LOCAL and RESOLVER: the relay was not measured. */
enum nag_state smtp_fault_state(const struct smtp_fault *f);
/* result_fail with "WHO TEXT", and measured = false for LOCAL. */
void smtp_fault_report(const struct smtp_fault *f, const char *who, struct result *r);

#endif
