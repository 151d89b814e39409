/*
 * Goes to a port and looks at its certificate (see look.h). Called by check_cert. Back by the deadline,
 * whatever the server does.
 */
#include "look.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/clock.h"
#include "probes/imap/session.h"
#include "probes/net/connect.h"
#include "probes/net/wire.h"
#include "probes/pop3/session.h"
#include "probes/smtp/session.h"

uint16_t cert_port(enum cert_protocol protocol)
{
	static const uint16_t ports[CERT_PROTOCOLS] = {443, 25, 143, 110};

	return ports[protocol];
}

void cert_global_init(void)
{
	smtp_global_init();
}

static void broke(struct cert_look *l, const char *layer, const char *why)
{
	snprintf(l->layer, sizeof(l->layer), "%s", layer);
	snprintf(l->why, sizeof(l->why), "%s", why);
}

static void look_mailbox(struct cert_look *l, struct mailbox_link *link)
{
	l->report = link->trust.report;
	broke(l, link->layer, link->why);
}

static struct mailbox_target target_of(const struct cert_look *l, enum mailbox_tls tls)
{
	return (struct mailbox_target){.host = l->host,
				       .to = l->to,
				       .tls = tls,
				       .verify = TLS_VERIFY_OFF,
				       .ca_file = l->ca_file,
				       .name = l->name,
				       .shown = l->shown};
}

static void look_tls(struct cert_look *l)
{
	struct mailbox_target t = target_of(l, MAILBOX_IMPLICIT);
	struct mailbox_link link = {0};

	mailbox_clock_init(&link.clock, l->run, l->deadline);
	if (mailbox_connect(&link, &t))
		mailbox_secure(&link, &t, 0);
	look_mailbox(l, &link);
	mailbox_close(&link, NULL);
}

static void look_pop3(struct cert_look *l)
{
	struct mailbox_target t = target_of(l, MAILBOX_STARTTLS);
	struct pop3_session s = {0};

	mailbox_clock_init(&s.link.clock, l->run, l->deadline);
	pop3_open(&s, &t, POP3_LOGIN_BEST);
	look_mailbox(l, &s.link);
	pop3_close(&s);
}

static void look_imap(struct cert_look *l)
{
	struct mailbox_target t = target_of(l, MAILBOX_STARTTLS);
	struct imap_session s = {0};

	mailbox_clock_init(&s.link.clock, l->run, l->deadline);
	imap_open(&s, &t);
	look_mailbox(l, &s.link);
	imap_close(&s);
}

static void look_smtp(struct cert_look *l)
{
	struct smtp_target t = {.host = l->name ? l->name : l->host,
				.port = l->port,
				.tls = SMTP_TLS_STARTTLS,
				.verify = TLS_VERIFY_OFF,
				.ca_file = l->ca_file,
				.sni = l->host,
				.shown = l->shown,
				.deadline = l->deadline,
				.run = l->run};
	struct smtp_fault fault, bye;
	struct smtp_session *s;
	struct smtp_seen seen;

	smtp_seen_init(&seen);
	s = smtp_open(&t, l->to, &seen, &fault);
	l->report = seen.tls;
	if (!s)
		broke(l, smtp_fault_layer(&fault), fault.text);
	smtp_quit(s, &bye);
	smtp_free(s);
	smtp_seen_fini(&seen);
}

void cert_look(struct cert_look *l)
{
	static void (*const looks[CERT_PROTOCOLS])(struct cert_look *) = {look_tls, look_smtp, look_imap,
									  look_pop3};
	int64_t start = clock_boot_us();

	looks[l->protocol](l);
	l->seconds = (double)(clock_boot_us() - start) / 1e6;
}
