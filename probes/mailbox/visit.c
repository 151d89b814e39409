/*
 * Goes to a mail store (see visit.h). Called by check_imap and check_pop3. Promises to be back by the
 * deadline, which the addresses share, and never to send a password where the configuration does not allow
 * it.
 */
#include "visit.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/file.h"
#include "probes/net/connect.h"
#include "probes/net/resolve.h"
#include "probes/probe.h"
#include "report.h"

enum {
	CLOSING_MS = 200,	       /* kept for the end of a run */
	ANSWER_MAX = MAILBOX_MAXBYTES, /* bytes of an answer to send that are kept */
	PAUSE_MS = 2000		       /* how long a half match waits for the rest, as check_tcp does */
};

/* Another address would say the same, and count as one more bad login. */
static bool is_final(const char *layer)
{
	return strcmp(layer, "auth") == 0 || strcmp(layer, "local") == 0;
}

static void begin(struct mailbox_visit *v, const struct net_address *to, int64_t deadline)
{
	v->target.to = to;
	v->begun_us = clock_boot_us();
	memset(v->link, 0, sizeof(*v->link));
	mailbox_clock_init(&v->link->clock, v->run, deadline);
	mailbox_conf_limits(v->o, v->link->clock.limit_ms);
}

static bool session(struct mailbox_visit *v)
{
	return v->kind->open(v) && (!v->o->user || v->kind->look(v));
}

/* --- a conversation as check_tcp has it: say one thing, wait for expect --- */

static bool say(struct mailbox_visit *v, const char *text, const char *end)
{
	struct buf out;
	bool ok;

	buf_init(&out, MAILBOX_MAXBYTES);
	ok = (mailbox_unescape(v->o, text, &out) && buf_puts(&out, end)) ||
	     mailbox_fail(v->link, "local", "out of memory");
	ok = ok && (out.len == 0 || mailbox_send(v->link, out.data, out.len, "sending"));
	buf_fini(&out);
	return ok;
}

/* The delay is part of the run's time. */
static void pause_for(struct mailbox_visit *v, int64_t ms)
{
	int64_t until = clock_boot_ms() + ms, left;

	if (until > v->link->clock.deadline)
		until = v->link->clock.deadline;
	probe_at(v->run, "delay");
	while ((left = until - clock_boot_ms()) > 0)
		poll(NULL, 0, (int)left);
}

static size_t first_line(const char *bytes, size_t n)
{
	const char *end = memchr(bytes, '\n', n);

	return end ? (size_t)(end - bytes) : n;
}

/* Reads until expect matches or cannot any more. What came last, when nothing more comes, decides. */
static bool listen_for(struct mailbox_visit *v, struct buf *in, enum mailbox_match *match)
{
	size_t max = v->o->maxbytes ? (size_t)v->o->maxbytes : ANSWER_MAX;
	char bytes[4096];
	size_t n;

	*match = MAILBOX_MORE;
	while (*match == MAILBOX_MORE && in->len < max) {
		int64_t until = mailbox_until(&v->link->clock);
		enum wire_state state;

		if (in->len > 0 && until > clock_boot_us() + PAUSE_MS * 1000)
			until = clock_boot_us() + PAUSE_MS * 1000;
		state = wire_some(v->link->wire, until, bytes, sizeof(bytes), &n);
		if (state != WIRE_OK)
			return in->len > 0 || mailbox_lost(v->link, state, "waiting for an answer");
		if (in->len == 0)
			mailbox_greeted(v->link, bytes, first_line(bytes, n));
		if (!buf_add(in, bytes, n < max - in->len ? n : max - in->len))
			return mailbox_fail(v->link, "local", "out of memory");
		*match = mailbox_match(v->o, v->kind->words.expect, in->data, in->len);
	}
	return true;
}

static bool converse(struct mailbox_visit *v, bool *matched)
{
	enum mailbox_match match;
	struct buf in;
	bool ok;

	buf_init(&in, MAILBOX_MAXBYTES);
	ok = mailbox_connect(v->link, &v->target) &&
	     (v->target.tls != MAILBOX_IMPLICIT || mailbox_secure(v->link, &v->target, 0));
	if (ok) {
		mailbox_begin(&v->link->clock, MAILBOX_COMMAND);
		ok = say(v, v->o->send, "");
	}
	if (ok) {
		pause_for(v, v->o->delay_ms);
		ok = listen_for(v, &in, &match);
		*matched = match == MAILBOX_MATCH;
	}
	buf_fini(&in);
	return ok;
}

/* --- the addresses --- */

static void bye(struct mailbox_visit *v)
{
	if (v->o->quit && v->link->wire && !v->link->layer[0]) {
		say(v, v->o->quit, v->o->escape ? "" : "\r\n");
		mailbox_close(v->link, NULL);
	} else if (v->o->send) {
		mailbox_close(v->link, v->kind->words.quit);
	}
	v->kind->close(v);
}

static void visit(struct mailbox_visit *v, const struct net_addresses *to, int64_t deadline)
{
	bool ok = false, matched = false;

	for (size_t i = 0; i < to->n && !ok; i++) {
		int64_t now = clock_boot_ms();

		begin(v, &to->v[i], now + (deadline - now) / (int64_t)(to->n - i));
		ok = v->o->send ? converse(v, &matched) : session(v);
		mailbox_end(&v->link->clock);
		if (!ok && (is_final(v->link->layer) || i + 1 == to->n))
			break;
		if (!ok)
			v->kind->close(v);
	}
	if (!v->o->send)
		matched = mailbox_match(v->o, v->kind->words.expect, v->link->greeting,
					strlen(v->link->greeting)) == MAILBOX_MATCH;
	if (ok || (matched && v->o->expect.n && v->link->clock.phase == MAILBOX_GREETING))
		mailbox_report(v, matched); /* a greeting that turns us away may be what is expected */
	else
		mailbox_report_failed(v, v->link->layer, v->link->why);
	bye(v);
}

static void find_and_visit(struct mailbox_visit *v)
{
	int family = v->o->four ? AF_INET : v->o->six ? AF_INET6 : AF_UNSPEC;
	int64_t deadline = v->run->deadline - CLOSING_MS;
	enum resolve_outcome outcome;
	struct net_addresses to;
	char why[120];

	mailbox_clock_init(&v->resolved, v->run, deadline);
	mailbox_conf_limits(v->o, v->resolved.limit_ms);
	mailbox_begin(&v->resolved, MAILBOX_RESOLVE);
	outcome = resolve_host(v->o->host, v->port, family, NULL, mailbox_until(&v->resolved) / 1000, &to,
			       why, sizeof(why));
	mailbox_end(&v->resolved);
	if (outcome == RESOLVE_OK)
		visit(v, &to, deadline);
	else
		mailbox_report_failed(v, outcome == RESOLVE_LOCAL ? "local" : "resolve", why);
}

static void fill_target(struct mailbox_visit *v)
{
	const struct mailbox_conf *o = v->o;

	v->target = (struct mailbox_target){.host = o->sni ? o->sni : o->host,
					    .tls = mailbox_conf_tls(o),
					    .ca_file = o->ca_file,
					    .user = o->user};
	if (o->verify || o->ca_file || (o->user && !o->insecure_auth))
		v->target.verify = TLS_VERIFY_FULL;
	v->port = o->port			      ? (uint16_t)o->port
		  : v->target.tls == MAILBOX_IMPLICIT ? v->kind->words.tls_port
						      : v->kind->words.port;
}

void mailbox_run(struct mailbox_visit *v, struct probe_run *run)
{
	char why[200], *password = NULL;

	v->run = run;
	v->o = run->conf;
	v->start_us = v->begun_us = clock_boot_us();
	memset(v->link, 0, sizeof(*v->link));
	mailbox_clock_init(&v->link->clock, run, run->deadline);
	mailbox_clock_init(&v->resolved, run, run->deadline);
	fill_target(v);
	if (v->o->user && !(password = file_secret(v->o->password_file, why, sizeof(why)))) {
		mailbox_report_failed(v, "local", why);
		return;
	}
	v->target.password = password;
	find_and_visit(v);
	file_secret_free(password);
}
