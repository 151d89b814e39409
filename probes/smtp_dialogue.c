/*
 * What is said in an open SMTP session: commands, envelopes, a message, QUIT. Each call ends within its
 * phase's limit; after a time-out or a close the session is broken and says nothing more.
 */
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "../lib/clock.h"
#include "net_connect.h"
#include "smtp_session_private.h"

enum { CHUNK = 4096, COMMAND_MAX = 1024, TLS_NAP_US = 200000 };

static bool lost(struct smtp_session *s, enum smtp_wire_state state)
{
	int err = smtp_wire_errno(s->wire);

	s->broken = true;
	if (err)
		return smtp_fault_errno(s->fault, s->phase, err);
	if (state == WIRE_TLS)
		return smtp_fault_set(s->fault, SMTP_FAULT_TLS, s->phase, "TLS: %s", smtp_wire_why(s->wire));
	return smtp_fault_set(s->fault, SMTP_FAULT_CLOSED, s->phase, "closes the connection in %s",
			      smtp_phase_name(s->phase));
}

/* False when the phase is out of time. TLS may want the other direction than the one we wait for, so it naps.
 */
static bool wait_for(struct smtp_session *s, short events)
{
	int64_t end = smtp_phase_deadline(s), now = clock_boot_us();

	if (now >= end)
		return smtp_phase_expired(s);
	net_wait(s->fd, events, s->secure && end - now > TLS_NAP_US ? now + TLS_NAP_US : end);
	return true;
}

static bool send_all(struct smtp_session *s, const char *bytes, size_t n)
{
	enum smtp_wire_state state;
	size_t done;

	while (n > 0) {
		state = smtp_wire_send(s->wire, bytes, n, &done);
		bytes += done;
		n -= done;
		if (state == WIRE_BUSY) {
			if (!wait_for(s, POLLOUT))
				return false;
		} else if (state != WIRE_OPEN) {
			return lost(s, state);
		}
	}
	return true;
}

static bool read_reply(struct smtp_session *s)
{
	enum smtp_wire_state state;
	char bytes[CHUNK];
	size_t n, used;

	smtp_reply_reset(&s->reply);
	s->last = &s->reply;
	for (;;) {
		state = smtp_wire_recv(s->wire, bytes, sizeof(bytes), &n);
		if (state == WIRE_BUSY) {
			if (!wait_for(s, POLLIN))
				return false;
			continue;
		}
		if (state != WIRE_OPEN)
			return lost(s, state);
		switch (smtp_reply_feed(&s->reply, bytes, n, &used)) {
		case SMTP_REPLY_DONE:
			/* bytes behind the reply are none we asked for: the next reply would be a wrong one
			 */
			s->broken = used < n;
			return true;
		case SMTP_REPLY_BAD:
			s->broken = true;
			return smtp_fault_set(s->fault, SMTP_FAULT_NOT_SMTP, s->phase,
					      "does not speak SMTP, %s in %s", s->reply.why,
					      smtp_phase_name(s->phase));
		default:
			break;
		}
	}
}

/* Readies the session for one call that reports to fault. */
static bool begin(struct smtp_session *s, enum smtp_phase phase, struct smtp_fault *fault)
{
	s->fault = fault;
	fault->kind = SMTP_FINE;
	if (s->broken)
		return smtp_fault_set(fault, SMTP_FAULT_CLOSED, phase, "ended the session before %s",
				      smtp_phase_name(phase));
	smtp_phase_begin(s, phase);
	return true;
}

/* The command could not leave. A server that hangs up often says why first: what it said counts then. */
static bool last_words(struct smtp_session *s)
{
	struct smtp_fault why = *s->fault;

	if (why.kind == SMTP_FAULT_CLOSED && read_reply(s) && s->reply.code >= 400)
		return smtp_fault_reply(s->fault, s->phase, s->reply.code, buf_str(&s->reply.text));
	*s->fault = why;
	s->broken = true;
	return false;
}

static bool exchange(struct smtp_session *s, const char *line, size_t n)
{
	char out[COMMAND_MAX];

	if (n + 2 > sizeof(out) || memchr(line, '\r', n) || memchr(line, '\n', n))
		return smtp_fault_set(s->fault, SMTP_FAULT_LOCAL, s->phase,
				      "cannot be asked: the command is too long or has a line end");
	memcpy(out, line, n);
	memcpy(out + n, "\r\n", 2);
	return send_all(s, out, n + 2) ? read_reply(s) : last_words(s);
}

bool smtp_command(struct smtp_session *s, enum smtp_phase phase, const char *line, struct smtp_fault *fault)
{
	bool ok = begin(s, phase, fault) && exchange(s, line, strlen(line));

	smtp_phase_end(s);
	return ok;
}

static bool expect(struct smtp_session *s, int class)
{
	if (s->reply.code / 100 == class)
		return true;
	return smtp_fault_reply(s->fault, s->phase, s->reply.code, buf_str(&s->reply.text));
}

static bool envelope(struct smtp_session *s, enum smtp_phase phase, const char *verb, const char *address,
		     struct smtp_fault *fault)
{
	char line[COMMAND_MAX];
	int n = snprintf(line, sizeof(line), "%s:<%s>", verb, address);

	if (n < 0 || (size_t)n >= sizeof(line))
		return smtp_fault_set(fault, SMTP_FAULT_LOCAL, phase,
				      "cannot be asked: the address is too long");
	return smtp_command(s, phase, line, fault) && expect(s, 2);
}

bool smtp_mail(struct smtp_session *s, const char *from, struct smtp_fault *fault)
{
	return envelope(s, SMTP_MAIL, "MAIL FROM", from, fault);
}

bool smtp_rcpt(struct smtp_session *s, const char *to, struct smtp_fault *fault)
{
	return envelope(s, SMTP_RCPT, "RCPT TO", to, fault);
}

/* Sends text in chunks with every line end CRLF and every dot at a line's start doubled. */
static bool send_text(struct smtp_session *s, const char *text, size_t len)
{
	char out[CHUNK];
	size_t n = 0, i;
	bool start = true;

	for (i = 0; i < len; i++) {
		if (n + 4 > sizeof(out)) {
			if (!send_all(s, out, n))
				return false;
			n = 0;
		}
		if (start && text[i] == '.')
			out[n++] = '.';
		start = text[i] == '\n';
		if (start && (i == 0 || text[i - 1] != '\r'))
			out[n++] = '\r';
		out[n++] = text[i];
	}
	return (n == 0 || send_all(s, out, n)) && (start || send_all(s, "\r\n", 2)) &&
	       send_all(s, ".\r\n", 3);
}

bool smtp_data(struct smtp_session *s, const char *text, size_t len, struct smtp_fault *fault)
{
	bool ok = begin(s, SMTP_DATA, fault) && exchange(s, "DATA", 4) && expect(s, 3) &&
		  send_text(s, text, len) && read_reply(s) && expect(s, 2);

	smtp_phase_end(s);
	return ok;
}

bool smtp_quit(struct smtp_session *s, struct smtp_fault *fault)
{
	struct smtp_fault scrap;
	bool ok;

	if (!s || s->broken)
		return true;
	ok = begin(s, SMTP_QUIT, fault ? fault : &scrap) && exchange(s, "QUIT", 4) && expect(s, 2);
	smtp_phase_end(s);
	s->broken = true;
	return ok;
}
