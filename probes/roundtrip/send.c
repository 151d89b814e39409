/*
 * The way out of the round trip (see roundtrip.h). Called by check_roundtrip with a mail whose
 * token is stored. Promises: a mail counts as not sent only when that is certain; when the answer to its
 * content is missing it may be under way, and stays in the state as such.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/file.h"
#include "roundtrip.h"
#include "probes/smtp/session.h"

static void relay_failed(struct rt_run *r, const char *host, struct rt_side *side, const struct smtp_fault *fault)
{

	side->failed = true;
	side->state = smtp_fault_state(fault);
	snprintf(side->layer, sizeof(side->layer), "%s", smtp_fault_layer(fault));
	snprintf(side->why, sizeof(side->why), "%s%s port %lld %s", r->mx.on ? "" : "relay ", host,
		 (long long)r->conf->smtp_port, fault->text);
}

static struct smtp_target target_of(const struct rt_run *r, const char *host, const char *password, int64_t deadline)
{
	static const enum smtp_tls tls[] = {
		[RT_SMTP_NONE] = SMTP_TLS_OFF,
		[RT_SMTP_STARTTLS] = SMTP_TLS_STARTTLS,
		[RT_SMTP_IMPLICIT] = SMTP_TLS_IMPLICIT,
	};
	const struct roundtrip_conf *c = r->conf;

	return (struct smtp_target){
		.host = host, .port = (uint16_t)c->smtp_port, .helo = c->smtp_helo, .tls = tls[c->smtp_tls],
		.verify = c->smtp_verify ? TLS_VERIFY_FULL : TLS_VERIFY_OFF, .ca_file = c->smtp_ca_file,
		.user = c->smtp_user, .password = password, .deadline = deadline, .run = r->run,
	};
}

/* Says what became of the mail. */
static enum rt_event deliver(struct rt_run *r, struct smtp_session *s, struct rt_mail *m, const char *message,
			     size_t len, struct smtp_fault *fault, bool *known)
{
	*known = true;
	if (!s || !smtp_mail(s, r->conf->from, fault) || !smtp_rcpt(s, r->conf->to, fault))
		return RT_REFUSED;
	/* a pause before the greeting is the relay's way of greeting, not a delay of the mail */
	m->sent = clock_stamp();
	if (smtp_data(s, message, len, fault))
		return RT_ACCEPTED;
	*known = fault->kind == SMTP_FAULT_ANSWER || fault->kind == SMTP_FAULT_LIMITED;
	return RT_REFUSED;
}

static void session(struct rt_run *r, struct rt_mail *m, const struct smtp_target *target, const char *message,
		    size_t len)
{
	int64_t start = clock_boot_us();
	struct smtp_fault fault = {.kind = SMTP_FINE};
	struct rt_side *side = &rt_found(r, m->way)->smtp;
	struct smtp_session *s = smtp_open_host(target, AF_UNSPEC, r->mx.servers[0] ? r->mx.servers : NULL, NULL, &fault);
	bool known;
	enum rt_event event = deliver(r, s, m, message, len, &fault, &known);

	if (event == RT_ACCEPTED)
		side->seconds = (double)(clock_boot_us() - start) / 1e6;
	else
		relay_failed(r, target->host, side, &fault);
	if (known)
		rt_answered(&r->state, m, event);
	smtp_quit(s, NULL);
	smtp_free(s);
}

void rt_send(struct rt_run *r, const char *host, struct rt_mail *m, const char *message, size_t len, int64_t deadline)
{
	const char *file = r->conf->smtp_password_file;
	struct smtp_target target;
	char why[200], *password = NULL;

	if (file && !(password = file_secret(file, why, sizeof(why)))) {
		struct smtp_fault fault;

		smtp_fault_set(&fault, SMTP_FAULT_LOCAL, SMTP_AUTH, "is not tried: smtp_password_file: %s", why);
		relay_failed(r, host, &rt_found(r, m->way)->smtp, &fault);
		rt_answered(&r->state, m, RT_REFUSED);
		return;
	}
	target = target_of(r, host, password, deadline);
	session(r, m, &target, message, len);
	file_secret_free(password);
}
