/*
 * What is said in an open SMTP session: commands, envelopes, a message, QUIT. Each call ends within its
 * phase's limit; after a time-out or a close the session is broken and says nothing more.
 */
#include <stdio.h>
#include <string.h>

#include "session_private.h"

enum { CHUNK = 4096, COMMAND_MAX = 1024 };

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

/* Bytes behind the reply are none we asked for: the next reply would be a wrong one. */
static bool exchange(struct smtp_session *s, const char *line)
{
	bool ok = smtp_exchange(s, line, &s->reply);

	s->broken |= wire_waiting(s->wire) > 0;
	return ok;
}

bool smtp_command(struct smtp_session *s, enum smtp_phase phase, const char *line, struct smtp_fault *fault)
{
	bool ok = begin(s, phase, fault) && exchange(s, line);

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
			if (!smtp_send(s, out, n))
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
	return (n == 0 || smtp_send(s, out, n)) && (start || smtp_send(s, "\r\n", 2)) &&
	       smtp_send(s, ".\r\n", 3);
}

bool smtp_data(struct smtp_session *s, const char *text, size_t len, struct smtp_fault *fault)
{
	bool ok = begin(s, SMTP_DATA, fault) && exchange(s, "DATA") && expect(s, 3) &&
		  send_text(s, text, len) && smtp_read(s, &s->reply) && expect(s, 2);

	smtp_phase_end(s);
	return ok;
}

bool smtp_quit(struct smtp_session *s, struct smtp_fault *fault)
{
	struct smtp_fault scrap;
	bool ok;

	if (!s || s->broken)
		return true;
	ok = begin(s, SMTP_QUIT, fault ? fault : &scrap) && exchange(s, "QUIT") && expect(s, 2);
	smtp_phase_end(s);
	s->broken = true;
	return ok;
}
