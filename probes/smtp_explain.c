/*
 * Why libcurl gave a session up. Called once by smtp_session.c; what the server said comes first, then what
 * libcurl and OpenSSL know.
 */
#include <string.h>

#include "smtp_session_private.h"

/* "OpenSSL/3.0.22: error:0A00010B:SSL routines::wrong version number" -> "wrong version number" */
static const char *last_part(const char *why)
{
	const char *p, *last = why;

	for (p = strstr(why, "::"); p; p = strstr(p, "::")) {
		p += 2;
		last = p;
	}
	return last;
}

static bool closed(struct smtp_session *s)
{
	int err = smtp_wire_errno(s->wire);

	if (err)
		return smtp_fault_errno(s->fault, s->phase, err);
	if (s->phase == SMTP_GREETING)
		return smtp_fault_set(s->fault, SMTP_FAULT_CLOSED, s->phase,
				      "closes the connection without a greeting");
	return smtp_fault_set(s->fault, SMTP_FAULT_CLOSED, s->phase, "closes the connection in %s",
			      smtp_phase_name(s->phase));
}

bool smtp_explain_no_auth(struct smtp_session *s)
{
	if (!smtp_reply_offers(&s->ehlo, "AUTH"))
		return smtp_fault_set(s->fault, SMTP_FAULT_ANSWER, SMTP_AUTH, "does not offer AUTH%s",
				      s->secure ? "" : " (without TLS)");
	return smtp_fault_set(s->fault, SMTP_FAULT_ANSWER, SMTP_AUTH, "does not offer AUTH %s",
			      s->t.mechanism ? s->t.mechanism : "CRAM-MD5, PLAIN or LOGIN");
}

bool smtp_explain(struct smtp_session *s, enum smtp_wire_state state)
{
	s->broken = true;
	if (s->fault->kind != SMTP_FINE)
		return false;
	if (s->pending.kind != SMTP_FINE) {
		*s->fault = s->pending;
		return false;
	}
	switch (state) {
	case WIRE_CLOSED:
		return closed(s);
	case WIRE_NO_TLS:
		return smtp_fault_set(s->fault, SMTP_FAULT_TLS, SMTP_STARTTLS, "does not offer STARTTLS");
	case WIRE_TLS:
		return smtp_fault_set(s->fault, SMTP_FAULT_TLS, SMTP_STARTTLS, "TLS: %s",
				      s->check.report.why[0] ? s->check.report.why
							     : last_part(smtp_wire_why(s->wire)));
	case WIRE_NO_AUTH:
		return smtp_explain_no_auth(s);
	case WIRE_STOPPED:
		return smtp_fault_set(s->fault, SMTP_FAULT_NOT_SMTP, s->phase, "answers %s out of order: %s",
				      smtp_phase_name(s->phase), smtp_wire_why(s->wire));
	default:
		return smtp_fault_set(s->fault, SMTP_FAULT_LOCAL, s->phase, "cannot be measured: %s",
				      smtp_wire_why(s->wire));
	}
}
