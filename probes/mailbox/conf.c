/*
 * What the shared options of the mail stores' probes mean (see conf.h). Pure. Called by check_imap,
 * check_pop3 and visit.c.
 */
#include "conf.h"

#include <string.h>

#include "probes/net/cert_days.h"
#include "probes/net/resolve.h"

enum mailbox_tls mailbox_conf_tls(const struct mailbox_conf *o)
{
	if (o->starttls)
		return MAILBOX_STARTTLS;
	return o->tls || o->certificate ? MAILBOX_IMPLICIT : MAILBOX_PLAIN;
}

static void check_login(const struct mailbox_conf *o, struct complaints *c)
{
	if (!o->user != !o->password_file)
		complaint_add(c, NULL, "user", NULL, "user and password_file go together");
	if (o->user && mailbox_conf_tls(o) == MAILBOX_PLAIN && !o->insecure_auth)
		complaint_add(
		    c, NULL, "user", o->user,
		    "would send the password readable: use tls or starttls, or allow it with insecure_auth");
	if (o->user && strpbrk(o->user, "\r\n"))
		complaint_add(c, NULL, "user", NULL, "has a line end in it");
}

/* send is a conversation of its own, in which nothing is known of the protocol. */
static void check_send(const struct mailbox_conf *o, struct complaints *c)
{
	if (!o->send && (o->maxbytes || o->delay_ms))
		complaint_add(c, NULL, o->maxbytes ? "maxbytes" : "delay", NULL, "is for the answer to send");
	if (o->send && o->user)
		complaint_add(c, NULL, "send", NULL, "excludes user: nothing else is said");
	if (o->send && o->starttls)
		complaint_add(c, NULL, "send", NULL, "excludes starttls: nothing else is said");
}

void mailbox_conf_check(const struct mailbox_conf *o, struct complaints *c)
{
	if (o->host && (!o->host[0] || strpbrk(o->host, " \r\n") ||
			(o->host[0] == '/' ? strlen(o->host) > RESOLVE_PATH_MAX : strlen(o->host) > 253)))
		complaint_add(c, NULL, "host", o->host,
			      "neither a host name, nor an address, nor the path of a socket");
	if (o->four && o->six)
		complaint_add(c, NULL, "use_ipv6", NULL, "excludes use_ipv4");
	if (o->starttls && o->tls)
		complaint_add(c, NULL, "starttls", NULL, "excludes tls");
	for (size_t i = 0; i < o->expect.n; i++)
		if (strlen(o->expect.v[i]) > MAILBOX_TEXT_MAX - 1)
			complaint_add(c, NULL, "expect", NULL, "longer than %d bytes", MAILBOX_TEXT_MAX - 1);
	cert_days_check(o->certificate, "certificate", c);
	check_login(o, c);
	check_send(o, c);
}

enum mailbox_match mailbox_match(const struct mailbox_conf *o, const char *dflt, const char *text, size_t n)
{
	size_t matched = 0, partly = 0, all = o->expect.n ? o->expect.n : 1;

	for (size_t i = 0; i < all; i++) {
		const char *want = o->expect.n ? o->expect.v[i] : dflt;
		size_t len = strlen(want);

		if (n >= len && memcmp(text, want, len) == 0)
			matched++;
		else if (n < len && memcmp(text, want, n) == 0)
			partly++;
	}
	if (o->all ? matched == all : matched > 0)
		return MAILBOX_MATCH;
	return partly > 0 ? MAILBOX_MORE : MAILBOX_NO_MATCH;
}

bool mailbox_unescape(const struct mailbox_conf *o, const char *text, struct buf *out)
{
	for (; *text; text++) {
		char c = *text;

		if (o->escape && c == '\\' && text[1]) {
			c = *++text;
			c = (char)(c == 'n' ? '\n' : c == 'r' ? '\r' : c == 't' ? '\t' : c);
			if (c == *text && c != '\\' && !buf_add(out, "\\", 1))
				return false;
		}
		if (!buf_add(out, &c, 1))
			return false;
	}
	return true;
}

enum nag_state mailbox_judgement(int said, enum nag_state otherwise)
{
	static const enum nag_state states[] = {NAG_UNKNOWN, NAG_OK, NAG_WARNING, NAG_CRITICAL};

	return said > 0 && said < 4 ? states[said] : otherwise;
}

void mailbox_conf_limits(const struct mailbox_conf *o, int64_t limit_ms[MAILBOX_PHASES])
{
	limit_ms[MAILBOX_RESOLVE] = o->resolve_ms;
	limit_ms[MAILBOX_CONNECT] = o->connect_ms;
	limit_ms[MAILBOX_GREETING] = o->greeting_ms;
	limit_ms[MAILBOX_TLS] = o->tls_ms;
	limit_ms[MAILBOX_LOGIN] = o->login_ms;
	limit_ms[MAILBOX_COMMAND] = o->command_ms;
}
