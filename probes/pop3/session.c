/*
 * The dialogue of a POP3 session (see session.h). Called by check_pop3, check_cert and fetch.c.
 */
#include "session.h"

#include <stdio.h>
#include <string.h>

#include "probes/net/sasl.h"

enum {
	COMMAND_MAX = 1024,
	CAPABILITIES_MAX = 200 /* lines: a server that never ends is stopped */
};

struct answer {
	enum pop3_status status;
	const char *line; /* until the next one */
	size_t n;
	char text[POP3_TEXT_MAX];
};

/* One status line of any kind but nonsense. */
static bool hear(struct pop3_session *s, const char *doing, struct answer *a)
{
	if (!mailbox_line(&s->link, doing, &a->line, &a->n))
		return false;
	a->status = pop3_status(a->line, a->n);
	pop3_text(a->line, a->n, a->text, sizeof(a->text));
	return a->status != POP3_NONSENSE ||
	       mailbox_fail(&s->link, "protocol", "%s: not a POP3 answer: \"%.60s\"", doing, a->text);
}

static bool ask(struct pop3_session *s, const char *doing, const char *command, struct answer *a)
{
	char line[COMMAND_MAX];
	int n = snprintf(line, sizeof(line), "%s\r\n", command);
	bool ok = n > 0 && (size_t)n < sizeof(line);

	ok = ok ? mailbox_send(&s->link, line, (size_t)n, doing)
		: mailbox_fail(&s->link, "local", "%s: name or password is too long", doing);
	explicit_bzero(line, sizeof(line)); /* may hold a login */
	return ok && hear(s, doing, a);
}

static bool good(struct pop3_session *s, const char *doing, const struct answer *a)
{
	return a->status == POP3_OK || mailbox_fail(&s->link, "answer", "%s: %s", doing, a->text);
}

static bool greeting(struct pop3_session *s)
{
	struct answer a;

	mailbox_begin(&s->link.clock, MAILBOX_GREETING);
	if (!mailbox_line(&s->link, "greeting", &a.line, &a.n))
		return false;
	mailbox_greeted(&s->link, a.line, a.n);
	pop3_text(a.line, a.n, a.text, sizeof(a.text));
	a.status = pop3_status(a.line, a.n);
	if (a.status == POP3_ERR)
		return mailbox_fail(&s->link, "answer", "greets with -ERR %s", a.text);
	return a.status == POP3_OK ||
	       mailbox_fail(&s->link, "protocol", "does not speak POP3, it greets with \"%.60s\"", a.text);
}

/* An old server without CAPA is no fault. */
static bool capabilities(struct pop3_session *s)
{
	struct answer a;

	memset(&s->can, 0, sizeof(s->can));
	if (!ask(s, "CAPA", "CAPA", &a))
		return false;
	s->knows_capa = a.status == POP3_OK;
	for (int i = 0; s->knows_capa; i++) {
		if (i == CAPABILITIES_MAX)
			return mailbox_fail(&s->link, "protocol", "CAPA: no end to the answer");
		if (!mailbox_line(&s->link, "CAPA", &a.line, &a.n))
			return false;
		if (a.n == 1 && a.line[0] == '.')
			break;
		pop3_capability(a.line, a.n, &s->can);
	}
	return true;
}

static bool stls(struct pop3_session *s, const struct mailbox_target *t)
{
	struct answer a;

	mailbox_begin(&s->link.clock, MAILBOX_TLS);
	if (s->knows_capa && !s->can.stls)
		return mailbox_fail(&s->link, "tls", "the server offers no STLS");
	return ask(s, "STLS", "STLS", &a) && good(s, "STLS", &a) && mailbox_secure(&s->link, t, 0) &&
	       capabilities(s);
}

/* Says no, and why. A store that cannot at present (RFC 3206) is not one that does not want us. */
static bool refused(struct pop3_session *s, const struct answer *a)
{
	bool ours = pop3_code(a->line, a->n, "IN-USE") || pop3_code(a->line, a->n, "LOGIN-DELAY"),
	     theirs = pop3_code(a->line, a->n, "SYS/TEMP") || pop3_code(a->line, a->n, "SYS/PERM");

	return mailbox_fail(&s->link, ours || theirs ? "answer" : "auth", "login refused: %.160s", a->text);
}

static bool login_sasl(struct pop3_session *s, const struct mailbox_target *t, enum sasl m)
{
	char command[32];
	struct answer a;
	struct buf line;
	bool ok;

	snprintf(command, sizeof(command), "AUTH %s", sasl_name(m));
	ok = ask(s, "login", command, &a);
	buf_init(&line, SASL_ANSWER_MAX);
	for (int step = 0; ok && a.status == POP3_CHALLENGE; step++) {
		size_t at = a.n > 1 ? 2 : 1;

		buf_reset(&line);
		ok = sasl_answer(m, step, a.line + at, a.n - at, t->user, t->password, &line) ||
		     mailbox_fail(&s->link, "protocol", "login: a challenge that cannot be met");
		ok = ok && ask(s, "login", buf_str(&line), &a);
	}
	if (line.data)
		explicit_bzero(line.data, line.cap);
	buf_fini(&line);
	return ok && (a.status == POP3_OK || refused(s, &a));
}

static bool login_user(struct pop3_session *s, const struct mailbox_target *t)
{
	char command[COMMAND_MAX];
	struct answer a;
	bool ok;

	if (strpbrk(t->user, "\r\n") || strpbrk(t->password, "\r\n"))
		return mailbox_fail(&s->link, "local", "name or password has a line end in it");
	snprintf(command, sizeof(command), "USER %s", t->user);
	if (!ask(s, "login", command, &a))
		return false;
	if (a.status != POP3_OK)
		return refused(s, &a);
	snprintf(command, sizeof(command), "PASS %s", t->password);
	ok = ask(s, "login", command, &a);
	explicit_bzero(command, sizeof(command));
	return ok && (a.status == POP3_OK || refused(s, &a));
}

static bool login_apop(struct pop3_session *s, const struct mailbox_target *t)
{
	char command[COMMAND_MAX], digest[33];
	struct answer a;

	if (!sasl_apop(s->link.greeting, t->password, digest))
		return mailbox_fail(&s->link, "local", "out of memory");
	if (!digest[0])
		return mailbox_fail(&s->link, "auth", "the server offers no APOP");
	if (strpbrk(t->user, "\r\n"))
		return mailbox_fail(&s->link, "local", "name has a line end in it");
	snprintf(command, sizeof(command), "APOP %s %s", t->user, digest);
	return ask(s, "login", command, &a) && (a.status == POP3_OK || refused(s, &a));
}

/* The best: what a listener learns least from. */
static bool login(struct pop3_session *s, const struct mailbox_target *t, enum pop3_login how)
{
	enum sasl m = how == POP3_LOGIN_PLAIN ? SASL_PLAIN : sasl_choose(s->can.sasl, NULL);
	bool apop = how == POP3_LOGIN_APOP || (how == POP3_LOGIN_BEST && !wire_secure(s->link.wire) &&
					       m != SASL_CRAM_MD5 && strchr(s->link.greeting, '<'));

	mailbox_begin(&s->link.clock, MAILBOX_LOGIN);
	if (apop)
		return login_apop(s, t);
	if (how == POP3_LOGIN_USER || m == SASL_NONE)
		return login_user(s, t);
	return login_sasl(s, t, m);
}

bool pop3_open(struct pop3_session *s, const struct mailbox_target *t, enum pop3_login how)
{
	return mailbox_connect(&s->link, t) &&
	       (t->tls != MAILBOX_IMPLICIT || mailbox_secure(&s->link, t, 0)) && greeting(s) &&
	       (mailbox_begin(&s->link.clock, MAILBOX_COMMAND), capabilities(s)) &&
	       (t->tls != MAILBOX_STARTTLS || stls(s, t)) && (!t->user || login(s, t, how));
}

bool pop3_ask_stat(struct pop3_session *s)
{
	struct answer a;

	mailbox_begin(&s->link.clock, MAILBOX_COMMAND);
	if (!ask(s, "STAT", "STAT", &a) || !good(s, "STAT", &a))
		return false;
	return pop3_stat(a.line, a.n, &s->messages, &s->octets) ||
	       mailbox_fail(&s->link, "protocol", "STAT: not how many messages there are: \"%.60s\"", a.text);
}

void pop3_close(struct pop3_session *s)
{
	mailbox_close(&s->link, "QUIT\r\n");
}

bool pop3_command(struct pop3_session *s, const char *doing, const char *command, const char **line, size_t *n)
{
	struct answer a;

	mailbox_begin(&s->link.clock, MAILBOX_COMMAND);
	if (!ask(s, doing, command, &a) || !good(s, doing, &a))
		return false;
	*line = a.line;
	*n = a.n;
	return true;
}
