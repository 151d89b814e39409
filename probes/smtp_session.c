/*
 * Opens and closes SMTP sessions. Called by check_smtp and by the round trip, from many threads. The socket
 * and all time limits are ours; libcurl (smtp_wire.c) holds the dialogue, and its reply lines tell which
 * phase runs. So a limit strikes its own phase only, to the millisecond, and every failure can name the
 * phase.
 */
#include "smtp_session.h"

#include <math.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/clock.h"
#include "net_connect.h"
#include "probe.h"
#include "smtp_session_private.h"
#include "smtp_wire.h"

enum { GOODBYE_MS = 1000 };

const int64_t smtp_default_limit_ms[SMTP_PHASES] = {
    [SMTP_RESOLVE] = 10000, [SMTP_CONNECT] = 10000,  [SMTP_GREETING] = 30000, /* some relays pause for 20 s to
										 see who cannot wait */
    [SMTP_EHLO] = 15000,    [SMTP_STARTTLS] = 15000, [SMTP_AUTH] = 15000,     [SMTP_MAIL] = 15000,
    [SMTP_RCPT] = 30000,    [SMTP_DATA] = 60000,     [SMTP_QUIT] = 5000,
};

static void init_libraries(void)
{
	resolve_global_init();
	smtp_wire_global_init();
}

void smtp_global_init(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, init_libraries);
}

void smtp_seen_init(struct smtp_seen *seen)
{
	size_t i;

	memset(seen, 0, sizeof(*seen));
	for (i = 0; i < SMTP_PHASES; i++)
		seen->ms[i] = NAN;
	smtp_reply_init(&seen->greeting);
}

void smtp_seen_fini(struct smtp_seen *seen)
{
	smtp_reply_fini(&seen->greeting);
}

/* --- phases --- */

const char *smtp_where(enum smtp_phase phase)
{
	static const char *const text[SMTP_PHASES] = {
	    "smtp resolve", "smtp connect", "smtp greeting", "smtp EHLO", "smtp STARTTLS",
	    "smtp AUTH",    "smtp MAIL",    "smtp RCPT",     "smtp DATA", "smtp QUIT"};

	return text[phase];
}

void smtp_phase_end(struct smtp_session *s)
{
	double *ms = &s->seen->ms[s->phase];

	if (s->since_us)
		*ms = (isnan(*ms) ? 0 : *ms) + (double)(clock_boot_us() - s->since_us) / 1000;
	s->since_us = 0;
}

void smtp_phase_begin(struct smtp_session *s, enum smtp_phase phase)
{
	smtp_phase_end(s);
	s->phase = phase;
	s->since_us = clock_boot_us();
	if (s->t.run)
		probe_at(s->t.run, smtp_where(phase));
}

int64_t smtp_limit_ms(const struct smtp_target *t, enum smtp_phase phase)
{
	return t->limit_ms[phase] > 0 ? t->limit_ms[phase] : smtp_default_limit_ms[phase];
}

int64_t smtp_phase_deadline(const struct smtp_session *s)
{
	int64_t end = s->since_us + smtp_limit_ms(&s->t, s->phase) * 1000;

	return s->t.deadline && s->t.deadline * 1000 < end ? s->t.deadline * 1000 : end;
}

bool smtp_phase_expired(struct smtp_session *s)
{
	s->broken = true;
	return smtp_fault_timeout(s->fault, s->phase, (clock_boot_us() - s->since_us + 500) / 1000);
}

/* --- what the server says while libcurl leads --- */

static struct smtp_reply *reply_of(struct smtp_session *s)
{
	return s->phase == SMTP_GREETING ? &s->seen->greeting : s->phase == SMTP_EHLO ? &s->ehlo : &s->reply;
}

static bool not_smtp(struct smtp_session *s, const struct smtp_reply *r)
{
	const char *last = strrchr(buf_str(&r->text), '\n');

	last = last ? last + 1 : buf_str(&r->text);
	return smtp_fault_set(s->fault, SMTP_FAULT_NOT_SMTP, s->phase,
			      "does not speak SMTP, %s in %s: \"%.60s\"", r->why, smtp_phase_name(s->phase),
			      last);
}

/* A whole reply came: which phase is next? False ends the session. */
static bool on_reply(struct smtp_session *s, const struct smtp_reply *r)
{
	s->last = r;
	s->pending.kind = SMTP_FINE;
	if (r->code >= 400)
		smtp_fault_reply(&s->pending, s->phase, r->code, buf_str(&r->text));
	if (r->code == 421)
		return false;
	if (r->code >= 300)
		return true;
	if (s->phase == SMTP_GREETING)
		smtp_phase_begin(s, SMTP_EHLO);
	else if (s->phase == SMTP_EHLO && s->t.tls == SMTP_TLS_STARTTLS && !s->secure)
		smtp_phase_begin(s, SMTP_STARTTLS);
	else if (s->phase == SMTP_EHLO && s->t.user)
		smtp_phase_begin(s, SMTP_AUTH);
	else if (s->phase == SMTP_STARTTLS)
		s->secure = true;
	else if (s->phase == SMTP_AUTH)
		s->logged_in = true;
	return true;
}

static bool on_line(void *arg, const char *line, size_t n)
{
	struct smtp_session *s = arg;
	struct smtp_reply *r = reply_of(s);

	if (r->state != SMTP_REPLY_MORE)
		smtp_reply_reset(r);
	switch (smtp_reply_line(r, line, n)) {
	case SMTP_REPLY_MORE:
		return true;
	case SMTP_REPLY_DONE:
		return on_reply(s, r);
	default:
		return not_smtp(s, r);
	}
}

static void on_handshake(void *arg)
{
	struct smtp_session *s = arg;

	smtp_phase_begin(s, s->t.tls == SMTP_TLS_IMPLICIT ? SMTP_GREETING : SMTP_EHLO);
}

/* --- opening --- */

/* A full host name, else the address of our end in brackets (RFC 5321, 4.1.3). */
static void choose_helo(struct smtp_session *s)
{
	struct net_address me = {.len = sizeof(me.sa)};
	char host[SMTP_HELO_MAX] = "", text[INET6_ADDRSTRLEN] = "127.0.0.1";

	if (s->t.helo || (gethostname(host, sizeof(host) - 1) == 0 && strchr(host, '.'))) {
		snprintf(s->helo, sizeof(s->helo), "%s", s->t.helo ? s->t.helo : host);
		return;
	}
	if (getsockname(s->fd, &me.sa.any, &me.len) == 0)
		net_address_text(&me, text, sizeof(text));
	snprintf(s->helo, sizeof(s->helo), "[%s%s]", strchr(text, ':') ? "IPv6:" : "", text);
}

static bool connect_to(struct smtp_session *s, const struct net_address *to)
{
	int err;

	smtp_phase_begin(s, SMTP_CONNECT);
	s->fd = net_connect(to, smtp_phase_deadline(s), &err);
	if (s->fd >= 0)
		return true;
	s->broken = true;
	return err ? smtp_fault_errno(s->fault, SMTP_CONNECT, err) : smtp_phase_expired(s);
}

static bool wire_up(struct smtp_session *s)
{
	const struct smtp_target *t = &s->t;
	struct smtp_wire_conf conf = {
	    .fd = s->fd,
	    .host = t->host,
	    .port = t->port,
	    .helo = s->helo,
	    .starttls = t->tls == SMTP_TLS_STARTTLS,
	    .implicit_tls = t->tls == SMTP_TLS_IMPLICIT,
	    .check = &s->check,
	    .user = t->user,
	    .password = t->password,
	    .mechanism = t->mechanism,
	    .line = on_line,
	    .arg = s,
	};

	s->check = (struct tls_check){
	    .verify = t->verify, .ca_file = t->ca_file, .name = t->host, .done = on_handshake, .arg = s};
	s->secure = conf.implicit_tls;
	s->wire = smtp_wire_new(&conf);
	if (s->wire)
		return true;
	return smtp_fault_set(s->fault, SMTP_FAULT_LOCAL, SMTP_CONNECT,
			      "cannot be measured: out of memory or a bad name");
}

/* libcurl goes on without a login when none is offered. */
static bool not_logged_in(struct smtp_session *s)
{
	struct smtp_fault *fault = s->fault;

	smtp_quit(s, NULL);
	s->fault = fault;
	return smtp_explain_no_auth(s);
}

static bool converse(struct smtp_session *s)
{
	enum smtp_wire_state state;
	int64_t left;

	smtp_phase_begin(s, s->secure ? SMTP_STARTTLS : SMTP_GREETING);
	for (;;) {
		left = smtp_phase_deadline(s) - clock_boot_us();
		state = smtp_wire_step(s->wire, left <= 0 ? 0 : (int)((left + 999) / 1000));
		if (state == WIRE_OPEN)
			break;
		if (state != WIRE_BUSY)
			return smtp_explain(s, state);
		if (left <= 0)
			return smtp_phase_expired(s);
	}
	smtp_phase_end(s);
	s->fault->kind = SMTP_FINE;
	return !s->t.user || s->logged_in || not_logged_in(s);
}

/* A server that refused us is still told QUIT; libcurl has let go of the socket by then. */
static void say_goodbye(struct smtp_session *s)
{
	char scrap[512];
	int64_t until = clock_boot_us() + GOODBYE_MS * 1000;

	if (s->secure || (s->fault->kind != SMTP_FAULT_ANSWER && s->fault->kind != SMTP_FAULT_LIMITED))
		return;
	if (s->t.deadline && s->t.deadline * 1000 < until)
		until = s->t.deadline * 1000;
	if (send(s->fd, "QUIT\r\n", 6, MSG_NOSIGNAL) != 6)
		return;
	while (net_wait(s->fd, POLLIN, until) && recv(s->fd, scrap, sizeof(scrap), 0) > 0)
		;
}

/* Whatever the reports say is kept also when the session fails. */
static void keep_report(struct smtp_session *s)
{
	smtp_phase_end(s);
	s->seen->tls = s->check.report;
}

static void give_up(struct smtp_session *s)
{
	keep_report(s);
	smtp_wire_free(s->wire);
	s->wire = NULL;
	if (s->fd >= 0)
		say_goodbye(s);
	smtp_free(s);
}

static struct smtp_session *session_new(const struct smtp_target *t, struct smtp_seen *seen,
					struct smtp_fault *fault)
{
	struct smtp_session *s = calloc(1, sizeof(*s));

	*fault = (struct smtp_fault){.kind = SMTP_FINE};
	if (!s) {
		smtp_fault_set(fault, SMTP_FAULT_LOCAL, SMTP_CONNECT, "cannot be measured: out of memory");
		return NULL;
	}
	s->t = *t;
	s->fd = -1;
	s->fault = fault;
	smtp_seen_init(&s->own);
	s->seen = seen ? seen : &s->own;
	smtp_reply_reset(&s->seen->greeting);
	smtp_reply_init(&s->ehlo);
	smtp_reply_init(&s->reply);
	return s;
}

struct smtp_session *smtp_open(const struct smtp_target *t, const struct net_address *to,
			       struct smtp_seen *seen, struct smtp_fault *fault)
{
	struct smtp_session *s;

	smtp_global_init();
	s = session_new(t, seen, fault);
	if (!s)
		return NULL;
	if (connect_to(s, to)) {
		choose_helo(s);
		if (wire_up(s) && converse(s)) {
			keep_report(s);
			return s;
		}
	}
	give_up(s);
	return NULL;
}

const struct smtp_seen *smtp_seen(const struct smtp_session *s)
{
	return s->seen;
}

const struct smtp_reply *smtp_ehlo_reply(const struct smtp_session *s)
{
	return &s->ehlo;
}

const struct smtp_reply *smtp_last_reply(const struct smtp_session *s)
{
	return s->last;
}

void smtp_free(struct smtp_session *s)
{
	if (!s)
		return;
	smtp_wire_free(s->wire);
	if (s->fd >= 0)
		close(s->fd);
	smtp_reply_fini(&s->ehlo);
	smtp_reply_fini(&s->reply);
	smtp_seen_fini(&s->own);
	free(s);
}
