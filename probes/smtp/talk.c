/*
 * One line to the server and one reply from it, within the phase that runs. Below session.c (which opens),
 * auth.c and dialogue.c. A fault that ends the connection breaks the session; a reply of any code does not.
 */
#include <string.h>

#include "probes/net/wire.h"
#include "session_private.h"

enum { COMMAND_MAX = 1024 };

static const char *protocol(const struct smtp_session *s)
{
	return s->t.lmtp ? "LMTP" : "SMTP";
}

static bool closed(struct smtp_session *s)
{
	int err = wire_errno(s->wire);

	if (err)
		return smtp_fault_errno(s->fault, s->phase, err);
	if (s->phase == SMTP_GREETING)
		return smtp_fault_set(s->fault, SMTP_FAULT_CLOSED, s->phase,
				      "closes the connection without a greeting");
	return smtp_fault_set(s->fault, SMTP_FAULT_CLOSED, s->phase, "closes the connection in %s",
			      smtp_phase_name(s->phase));
}

bool smtp_lost(struct smtp_session *s, enum wire_state state)
{
	s->broken = true;
	switch (state) {
	case WIRE_LATE:
		return smtp_phase_expired(s);
	case WIRE_CLOSED:
		return closed(s);
	case WIRE_LONG:
		return smtp_fault_set(s->fault, SMTP_FAULT_NOT_SMTP, s->phase,
				      "does not speak %s, a line without end in %s", protocol(s),
				      smtp_phase_name(s->phase));
	case WIRE_TLS:
		return smtp_fault_set(s->fault, SMTP_FAULT_TLS, s->phase, "TLS: %s",
				      s->check.report.why[0] && !s->check.report.done ? s->check.report.why
										      : wire_why(s->wire));
	default:
		return smtp_fault_set(s->fault, SMTP_FAULT_LOCAL, s->phase, "cannot be measured: %s",
				      wire_why(s->wire));
	}
}

bool smtp_send(struct smtp_session *s, const char *bytes, size_t n)
{
	enum wire_state state = wire_send(s->wire, bytes, n, smtp_phase_deadline(s));

	return state == WIRE_OK || smtp_lost(s, state);
}

static bool not_smtp(struct smtp_session *s, const struct smtp_reply *r)
{
	const char *last = strrchr(buf_str(&r->text), '\n');

	s->broken = true;
	last = last ? last + 1 : buf_str(&r->text);
	return smtp_fault_set(s->fault, SMTP_FAULT_NOT_SMTP, s->phase,
			      "does not speak %s, %s in %s: \"%.60s\"", protocol(s), r->why,
			      smtp_phase_name(s->phase), last);
}

bool smtp_read(struct smtp_session *s, struct smtp_reply *r)
{
	enum wire_state state;
	const char *line;
	size_t n;

	smtp_reply_reset(r);
	s->last = r;
	for (;;) {
		state = wire_line(s->wire, smtp_phase_deadline(s), &line, &n);
		if (state != WIRE_OK)
			return smtp_lost(s, state);
		switch (smtp_reply_line(r, line, n)) {
		case SMTP_REPLY_DONE:
			return true;
		case SMTP_REPLY_BAD:
			return not_smtp(s, r);
		default:
			break;
		}
	}
}

/* The command could not leave. A server that hangs up often says why first: what it said counts then. */
static bool last_words(struct smtp_session *s, struct smtp_reply *r)
{
	struct smtp_fault why = *s->fault;

	if (why.kind == SMTP_FAULT_CLOSED && smtp_read(s, r) && r->code >= 400)
		return smtp_fault_reply(s->fault, s->phase, r->code, buf_str(&r->text));
	*s->fault = why;
	s->broken = true;
	return false;
}

bool smtp_exchange(struct smtp_session *s, const char *line, struct smtp_reply *r)
{
	char out[COMMAND_MAX];
	size_t n = strlen(line);
	bool ok;

	if (n + 2 > sizeof(out) || memchr(line, '\r', n) || memchr(line, '\n', n))
		return smtp_fault_set(s->fault, SMTP_FAULT_LOCAL, s->phase,
				      "cannot be asked: the command is too long or has a line end");
	memcpy(out, line, n);
	memcpy(out + n, "\r\n", 2);
	ok = smtp_send(s, out, n + 2);
	explicit_bzero(out, n); /* may hold a login */
	return ok ? smtp_read(s, r) : last_words(s, r);
}

bool smtp_refused(struct smtp_session *s, const struct smtp_reply *r)
{
	if (r->code / 100 == 2)
		return false;
	if (r->code >= 400)
		smtp_fault_reply(s->fault, s->phase, r->code, buf_str(&r->text));
	else
		smtp_fault_set(s->fault, SMTP_FAULT_NOT_SMTP, s->phase, "answers %s out of order: %d",
			       smtp_phase_name(s->phase), r->code);
	return true;
}
