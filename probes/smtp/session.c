/*
 * Opens and closes SMTP sessions. Called by check_smtp and by the round trip, from many threads. Each phase has its own
 * limit, to the millisecond, and every failure can name its phase.
 */
#include "session.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"
#include "probes/net/connect.h"
#include "probes/net/wire.h"
#include "session_private.h"

enum { GOODBYE_MS = 1000 };


void smtp_global_init(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, resolve_global_init);
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

/* A full host name, else the address of our end in brackets (RFC 5321, 4.1.3). */
static void choose_helo(struct smtp_session *s)
{
	struct net_address me = {.len = sizeof(me.sa)};
	char host[SMTP_HELO_MAX] = "", text[INET6_ADDRSTRLEN] = "127.0.0.1";

	if (s->t.helo || (gethostname(host, sizeof(host) - 1) == 0 && strchr(host, '.'))) {
		snprintf(s->helo, sizeof(s->helo), "%s", s->t.helo ? s->t.helo : host);
		return;
	}
	if (getsockname(wire_fd(s->wire), &me.sa.any, &me.len) == 0 && me.sa.any.sa_family != AF_UNIX)
		net_address_text(&me, text, sizeof(text));
	snprintf(s->helo, sizeof(s->helo), "[%s%s]", strchr(text, ':') ? "IPv6:" : "", text);
}

static bool connect_to(struct smtp_session *s, const struct net_address *to)
{
	int err, fd;

	smtp_phase_begin(s, SMTP_CONNECT);
	fd = net_connect(to, smtp_phase_deadline(s), &err);
	s->broken = fd < 0;
	if (fd < 0)
		return err ? smtp_fault_errno(s->fault, SMTP_CONNECT, err) : smtp_phase_expired(s);
	s->wire = wire_new(fd);
	if (s->wire)
		return true;
	return smtp_fault_set(s->fault, SMTP_FAULT_LOCAL, SMTP_CONNECT, "cannot be measured: out of memory");
}

static bool handshake(struct smtp_session *s)
{
	const struct smtp_target *t = &s->t;
	enum wire_state state;

	s->check =
	    (struct tls_check){.verify = t->verify, .ca_file = t->ca_file, .name = t->host, .sni = t->sni, .shown = t->shown};
	smtp_phase_begin(s, SMTP_STARTTLS);
	state = wire_tls(s->wire, &s->check, smtp_phase_deadline(s));
	return state == WIRE_OK || smtp_lost(s, state);
}

static bool greeting(struct smtp_session *s)
{
	smtp_phase_begin(s, SMTP_GREETING);
	return smtp_read(s, &s->seen->greeting) && !smtp_refused(s, &s->seen->greeting);
}

/* An old server without EHLO is no fault, unless TLS is wanted: that needs EHLO. LMTP has nothing older. */
static bool hello(struct smtp_session *s)
{
	bool need = s->t.lmtp || (s->t.tls == SMTP_TLS_STARTTLS && !wire_secure(s->wire));
	char line[SMTP_HELO_MAX + 8];

	smtp_phase_begin(s, SMTP_EHLO);
	snprintf(line, sizeof(line), "%s %s", s->t.lmtp ? "LHLO" : "EHLO", s->helo);
	if (!smtp_exchange(s, line, &s->ehlo))
		return false;
	if (s->ehlo.code >= 400 && s->ehlo.code != 421 && !need) {
		snprintf(line, sizeof(line), "HELO %s", s->helo);
		if (!smtp_exchange(s, line, &s->ehlo))
			return false;
	}
	return !smtp_refused(s, &s->ehlo);
}

static bool starttls(struct smtp_session *s)
{
	if (!smtp_reply_offers(&s->ehlo, "STARTTLS"))
		return smtp_fault_set(s->fault, SMTP_FAULT_TLS, SMTP_STARTTLS, "does not offer STARTTLS");
	smtp_phase_begin(s, SMTP_STARTTLS);
	return smtp_exchange(s, "STARTTLS", &s->reply) && !smtp_refused(s, &s->reply) && handshake(s) && hello(s);
}

static bool converse(struct smtp_session *s)
{
	bool ok = s->t.tls != SMTP_TLS_IMPLICIT || handshake(s);

	ok = ok && greeting(s) && hello(s) && (s->t.tls != SMTP_TLS_STARTTLS || starttls(s)) &&
	     (!s->t.user || smtp_login(s));
	smtp_phase_end(s);
	return ok;
}

/* A server that refused us is still told QUIT. */
static void say_goodbye(struct smtp_session *s)
{
	int64_t until = clock_boot_us() + GOODBYE_MS * 1000;
	const char *line;
	size_t n;

	if (s->broken || (s->fault->kind != SMTP_FAULT_ANSWER && s->fault->kind != SMTP_FAULT_LIMITED))
		return;
	if (s->t.deadline && s->t.deadline * 1000 < until)
		until = s->t.deadline * 1000;
	if (wire_send(s->wire, "QUIT\r\n", 6, until) != WIRE_OK)
		return;
	while (wire_line(s->wire, until, &line, &n) == WIRE_OK)
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
	if (s->wire)
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
		if (converse(s)) {
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
	wire_free(s->wire);
	smtp_reply_fini(&s->ehlo);
	smtp_reply_fini(&s->reply);
	smtp_seen_fini(&s->own);
	free(s);
}
