/*
 * The way into an IMAP session and out of it (see session.h): connect, greeting, TLS, login. Called by
 * rt_look, check_imap and check_cert. Promises that every failure names its step, within the deadline.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "private.h"

static bool greeting(struct imap_session *s, bool *known)
{
	char said[IMAP_TEXT_MAX];
	size_t n;

	mailbox_begin(&s->link.clock, MAILBOX_GREETING);
	n = imap_next(s, "greeting");
	if (n == 0)
		return false;
	mailbox_greeted(&s->link, s->in.data, n);
	imap_reply_text(s->in.data, n, said, sizeof(said));
	buf_drop(&s->in, n);
	*known = strncasecmp(s->link.greeting, "* PREAUTH", 9) == 0;
	if (strncasecmp(s->link.greeting, "* BYE", 5) == 0)
		return mailbox_fail(&s->link, "closed", "greeting: the server hung up: %s", said);
	return *known || strncasecmp(s->link.greeting, "* OK", 4) == 0 ||
	       mailbox_fail(&s->link, "protocol", "does not speak IMAP, it greets with \"%.60s\"",
			    s->link.greeting);
}

static bool capabilities(struct imap_session *s)
{
	mailbox_begin(&s->link.clock, MAILBOX_COMMAND);
	return imap_simple(s, "CAPABILITY");
}

static bool starttls(struct imap_session *s, const struct mailbox_target *t)
{
	mailbox_begin(&s->link.clock, MAILBOX_TLS);
	if (!s->can.starttls)
		return mailbox_fail(&s->link, "tls", "the server offers no STARTTLS");
	if (!imap_simple(s, "STARTTLS") || !mailbox_secure(&s->link, t, s->in.len))
		return false;
	memset(&s->can, 0, sizeof(s->can)); /* what was said unprotected counts no more */
	s->uidplus = false;
	return capabilities(s);
}

/* A "+ ..." within AUTHENTICATE: a challenge in base64. */
static bool challenged(struct imap_session *s, const char *reply, size_t len)
{
	size_t at = len > 1 && reply[1] == ' ' ? 2 : 1;
	struct buf line;
	bool ok;

	while (len > at && (reply[len - 1] == '\n' || reply[len - 1] == '\r'))
		len--;
	buf_init(&line, SASL_ANSWER_MAX);
	ok = (sasl_answer(s->mechanism, s->sasl_step++, reply + at, len - at, s->login->user,
			  s->login->password, &line) &&
	      buf_puts(&line, "\r\n")) ||
	     mailbox_fail(&s->link, "protocol", "login: a challenge that cannot be met");
	ok = ok && imap_send(s, &line, "login");
	if (line.data)
		explicit_bzero(line.data, line.len);
	buf_fini(&line);
	return ok;
}

static bool login_words(struct imap_session *s, const struct mailbox_target *t, struct buf *text)
{
	if (s->mechanism != SASL_NONE)
		return buf_printf(text, "AUTHENTICATE %s", sasl_name(s->mechanism));
	if (s->can.no_login)
		return mailbox_fail(&s->link, "auth", "the server offers no login that we know");
	return (buf_puts(text, "LOGIN ") && imap_quote(t->user, text) && buf_puts(text, " ") &&
		imap_quote(t->password, text)) ||
	       mailbox_fail(&s->link, "local",
			    "name or password cannot be sent with LOGIN: not printable ASCII, or too long");
}

/* Says no, and why. A store that cannot at present (RFC 5530) is not one that does not want us. */
static bool refused(struct imap_session *s)
{
	char said[IMAP_TEXT_MAX];
	const char *why = strstr(s->link.why, ": "); /* behind "login: " */

	snprintf(said, sizeof(said), "%s", why ? why + 2 : "");
	return mailbox_fail(&s->link, strstr(said, "[UNAVAILABLE]") ? "answer" : "auth", "login refused: %s",
			    said);
}

static bool login(struct imap_session *s, const struct mailbox_target *t)
{
	struct buf text;
	bool ok;

	mailbox_begin(&s->link.clock, MAILBOX_LOGIN);
	s->login = t;
	s->sasl_step = 0;
	s->mechanism = sasl_choose(s->can.sasl, NULL);
	s->challenged = challenged;
	buf_init(&text, IMAP_COMMAND_MAX);
	ok = login_words(s, t, &text) && imap_command(s, "login", &text, NULL, NULL);
	if (text.data)
		explicit_bzero(text.data, text.len);
	buf_fini(&text);
	s->challenged = NULL;
	s->login = NULL;
	if (!ok && strcmp(s->link.layer, "answer") == 0)
		return refused(s);
	return ok && capabilities(s); /* which may be others now */
}

bool imap_open(struct imap_session *s, const struct mailbox_target *t)
{
	struct mailbox_clock clock = s->link.clock;
	bool known = false;

	memset(s, 0, sizeof(*s));
	s->link.clock = clock;
	buf_init(&s->in, IMAP_REPLY_MAX + 16384);
	if (!mailbox_connect(&s->link, t) ||
	    (t->tls == MAILBOX_IMPLICIT && !mailbox_secure(&s->link, t, 0)) || !greeting(s, &known) ||
	    !capabilities(s))
		return false;
	return (t->tls != MAILBOX_STARTTLS || starttls(s, t)) && (known || !t->user || login(s, t));
}

void imap_close(struct imap_session *s)
{
	mailbox_close(&s->link, "M0 LOGOUT\r\n");
	buf_fini(&s->in);
}
