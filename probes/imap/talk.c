/*
 * Commands and their answers, on the wire. Below open.c and session.c. Promises that no wait passes the
 * deadline and that a failure says which step it was in and why.
 */
#include <stdio.h>
#include <string.h>

#include "private.h"
#include "probes/probe.h"

enum { REPLIES_MAX = 20000 /* answers to one command: a server that never ends is stopped */ };

bool imap_send(struct imap_session *s, const struct buf *text, const char *doing)
{
	return mailbox_send(&s->link, text->data, text->len, doing);
}

static bool too_long(struct imap_session *s, const char *doing)
{
	return mailbox_fail(&s->link, "protocol", "%s: answer too long, not read to its end", doing);
}

static bool receive(struct imap_session *s, const char *doing)
{
	char bytes[16384];
	size_t n = 0;
	enum wire_state state =
	    wire_some(s->link.wire, mailbox_until(&s->link.clock), bytes, sizeof(bytes), &n);

	if (state != WIRE_OK)
		return mailbox_lost(&s->link, state, doing);
	return buf_add(&s->in, bytes, n) || too_long(s, doing);
}

size_t imap_next(struct imap_session *s, const char *doing)
{
	for (;;) {
		long n = s->in.len ? imap_reply_length(s->in.data, s->in.len) : 0;

		if (n > 0)
			return (size_t)n;
		if (n < 0) {
			too_long(s, doing);
			return 0;
		}
		if (!receive(s, doing))
			return 0;
	}
}

static void hear_capabilities(struct imap_session *s, const char *reply, size_t len)
{
	char word[32];

	imap_reply_capability(reply, len, "UIDPLUS", &s->uidplus);
	imap_reply_capability(reply, len, "STARTTLS", &s->can.starttls);
	imap_reply_capability(reply, len, "LOGINDISABLED", &s->can.no_login);
	imap_reply_capability(reply, len, "QUOTA", &s->can.quota);
	for (int m = SASL_NONE + 1; m < SASL_MECHANISMS; m++) {
		bool has = false;

		snprintf(word, sizeof(word), "AUTH=%s", sasl_name((enum sasl)m));
		imap_reply_capability(reply, len, word, &has);
		s->can.sasl |= (unsigned)has << m;
	}
}

/* What any answer may tell besides. */
static void overhear(struct imap_session *s, const char *reply, size_t len)
{
	uint32_t n;

	if (imap_reply_exists(reply, len, &n)) {
		s->grew = true;
		s->exists = n;
	}
	if (imap_reply_code(reply, len, "UIDNEXT", &n))
		s->uidnext = n;
	if (imap_reply_code(reply, len, "UIDVALIDITY", &n))
		s->uidvalidity = n;
	hear_capabilities(s, reply, len);
}

/* What an answer means for the command that waits: +1 it is done, 0 it goes on, -1 it failed. */
static int judge(struct imap_session *s, enum imap_status status, const char *doing, const char *said)
{
	switch (status) {
	case IMAP_UNTAGGED:
		return 0;
	case IMAP_OK:
		return 1;
	case IMAP_BYE:
		mailbox_fail(&s->link, "closed", "%s: the server hung up: %s", doing, said);
		return -1;
	case IMAP_NO:
	case IMAP_BAD:
		mailbox_fail(&s->link, "answer", "%s: %s %s", doing, status == IMAP_NO ? "NO" : "BAD", said);
		return -1;
	default:
		mailbox_fail(&s->link, "protocol", "%s: not an IMAP answer", doing);
		return -1;
	}
}

/* Takes one answer; as judge says. */
static int take(struct imap_session *s, const char *doing, const char *tag, imap_handler *f, void *arg)
{
	size_t n = imap_next(s, doing);
	char said[IMAP_TEXT_MAX];
	enum imap_status status;

	if (n == 0)
		return -1;
	status = imap_reply_status(s->in.data, n, tag);
	if (status == IMAP_CONTINUE && s->challenged) {
		int rc = s->challenged(s, s->in.data, n) ? 0 : -1;

		buf_drop(&s->in, n);
		return rc;
	}
	if (status == IMAP_UNTAGGED) {
		overhear(s, s->in.data, n);
		if (f)
			f(arg, s->in.data, n);
	}
	imap_reply_text(s->in.data, n, said, sizeof(said));
	buf_drop(&s->in, n);
	return judge(s, status, doing, said);
}

static bool send_command(struct imap_session *s, const char *doing, const char *tag, const struct buf *text)
{
	struct buf line;
	bool ok;

	buf_init(&line, IMAP_COMMAND_MAX);
	ok = buf_printf(&line, "%s %s\r\n", tag, buf_str(text)) ||
	     mailbox_fail(&s->link, "protocol", "%s: command too long", doing);
	ok = ok && imap_send(s, &line, doing);
	if (line.data)
		explicit_bzero(line.data, line.len); /* may hold a login */
	buf_fini(&line);
	return ok;
}

bool imap_command(struct imap_session *s, const char *doing, const struct buf *text, imap_handler *f,
		  void *arg)
{
	char tag[16];

	if (s->link.clock.phase == MAILBOX_COMMAND) /* each has the limit to itself */
		mailbox_begin(&s->link.clock, MAILBOX_COMMAND);
	if (s->link.clock.run)
		probe_at(s->link.clock.run, doing);
	snprintf(tag, sizeof(tag), "M%u", ++s->tag);
	if (!send_command(s, doing, tag, text))
		return false;
	for (int i = 0; i < REPLIES_MAX; i++) {
		int rc = take(s, doing, tag, f, arg);

		if (rc)
			return rc > 0;
	}
	return mailbox_fail(&s->link, "protocol", "%s: no end to the answer", doing);
}

bool imap_simple(struct imap_session *s, const char *name)
{
	struct buf text;
	bool ok;

	buf_init(&text, IMAP_COMMAND_MAX);
	buf_puts(&text, name);
	ok = imap_command(s, name, &text, NULL, NULL);
	buf_fini(&text);
	return ok;
}
