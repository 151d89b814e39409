/*
 * AUTH (RFC 4954) in an open session. Called by session.c; net/sasl.c knows the mechanisms.
 */
#include <stdio.h>
#include <string.h>

#include "probes/net/sasl.h"
#include "session_private.h"

static unsigned offered(const struct smtp_session *s)
{
	unsigned bits = 0;
	char want[32];

	for (int m = SASL_NONE + 1; m < SASL_MECHANISMS; m++) {
		snprintf(want, sizeof(want), "AUTH %s", sasl_name((enum sasl)m));
		if (smtp_reply_offers(&s->ehlo, want))
			bits |= 1U << m;
	}
	return bits;
}

static bool no_auth(struct smtp_session *s)
{
	if (!smtp_reply_offers(&s->ehlo, "AUTH"))
		return smtp_fault_set(s->fault, SMTP_FAULT_ANSWER, SMTP_AUTH, "does not offer AUTH%s",
				      wire_secure(s->wire) ? "" : " (without TLS)");
	return smtp_fault_set(s->fault, SMTP_FAULT_ANSWER, SMTP_AUTH, "does not offer AUTH %s",
			      s->t.mechanism ? s->t.mechanism : "CRAM-MD5, PLAIN or LOGIN");
}

/* Answers one challenge. */
static bool answer(struct smtp_session *s, enum sasl m, int step)
{
	char challenge[SMTP_LINE_MAX];
	struct buf line;
	bool ok;

	smtp_reply_first(buf_str(&s->reply.text), challenge, sizeof(challenge));
	buf_init(&line, SASL_ANSWER_MAX);
	ok = sasl_answer(m, step, challenge, strlen(challenge), s->t.user, s->t.password ? s->t.password : "",
			 &line);
	if (!ok) {
		smtp_exchange(s, "*", &s->reply); /* cancelled: the server answers 501 */
		smtp_fault_set(s->fault, SMTP_FAULT_ANSWER, SMTP_AUTH,
			       "answers AUTH with a challenge that cannot be met");
	} else {
		ok = smtp_exchange(s, buf_str(&line), &s->reply);
	}
	if (line.data)
		explicit_bzero(line.data, line.len);
	buf_fini(&line);
	return ok;
}

bool smtp_login(struct smtp_session *s)
{
	enum sasl m = sasl_choose(offered(s), s->t.mechanism);
	char line[32];
	bool ok;

	if (m == SASL_NONE)
		return no_auth(s);
	smtp_phase_begin(s, SMTP_AUTH);
	snprintf(line, sizeof(line), "AUTH %s", sasl_name(m));
	ok = smtp_exchange(s, line, &s->reply);
	for (int step = 0; ok && s->reply.code == 334; step++)
		ok = answer(s, m, step);
	return ok && !smtp_refused(s, &s->reply);
}
