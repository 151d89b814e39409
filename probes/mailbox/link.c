/*
 * The connection to a mail store (see link.h). Called by the sessions of imap/ and pop3/. Promises that no
 * wait passes its phase's limit and that a failure says what was being done.
 */
#include "link.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/clock.h"
#include "probes/net/connect.h"

bool mailbox_fail(struct mailbox_link *l, const char *layer, const char *fmt, ...)
{
	va_list ap;

	snprintf(l->layer, sizeof(l->layer), "%s", layer);
	va_start(ap, fmt);
	vsnprintf(l->why, sizeof(l->why), fmt, ap);
	va_end(ap);
	return false;
}

bool mailbox_lost(struct mailbox_link *l, enum wire_state state, const char *doing)
{
	switch (state) {
	case WIRE_LATE:
		return mailbox_fail(l, "timeout", "timed out in %s", doing);
	case WIRE_CLOSED:
		return mailbox_fail(l, "closed", "connection closed in %s", doing);
	case WIRE_LONG:
		return mailbox_fail(l, "protocol", "%s: answer too long, not read to its end", doing);
	case WIRE_TLS:
		return mailbox_fail(l, "tls", "TLS: %s",
				    l->trust.report.why[0] && !l->trust.report.done ? l->trust.report.why
										    : wire_why(l->wire));
	default:
		return mailbox_fail(l, "local", "%s", wire_why(l->wire));
	}
}

bool mailbox_connect(struct mailbox_link *l, const struct mailbox_target *t)
{
	int err = 0, fd;

	mailbox_begin(&l->clock, MAILBOX_CONNECT);
	fd = net_connect(t->to, mailbox_until(&l->clock), &err);
	if (fd < 0 && err == 0)
		return mailbox_fail(l, "timeout", "timed out in connect");
	if (fd < 0 && err == ECONNREFUSED)
		return mailbox_fail(l, "refused", "connection refused");
	if (fd < 0)
		return mailbox_fail(l, "connect", "%s", strerrordesc_np(err));
	l->wire = wire_new(fd);
	return l->wire || mailbox_fail(l, "local", "out of memory");
}

bool mailbox_secure(struct mailbox_link *l, const struct mailbox_target *t, size_t waiting)
{
	enum wire_state state;

	mailbox_begin(&l->clock, MAILBOX_TLS);
	if (waiting > 0) /* they would be taken for protected ones (CVE-2021-22947) */
		return mailbox_fail(l, "tls", "TLS: unprotected bytes come behind the answer to STARTTLS");
	l->trust = (struct tls_check){.verify = t->verify,
				      .ca_file = t->ca_file,
				      .name = t->name ? t->name : t->host,
				      .sni = t->host,
				      .shown = t->shown};
	state = wire_tls(l->wire, &l->trust, mailbox_until(&l->clock));
	return state == WIRE_OK || mailbox_lost(l, state, t->tls == MAILBOX_IMPLICIT ? "TLS" : "STARTTLS");
}

bool mailbox_send(struct mailbox_link *l, const char *bytes, size_t n, const char *doing)
{
	enum wire_state state = wire_send(l->wire, bytes, n, mailbox_until(&l->clock));

	return state == WIRE_OK || mailbox_lost(l, state, doing);
}

bool mailbox_line(struct mailbox_link *l, const char *doing, const char **line, size_t *n)
{
	enum wire_state state = wire_line(l->wire, mailbox_until(&l->clock), line, n);

	if (state != WIRE_OK)
		return mailbox_lost(l, state, doing);
	while (*n > 0 && ((*line)[*n - 1] == '\n' || (*line)[*n - 1] == '\r'))
		(*n)--;
	return true;
}

void mailbox_greeted(struct mailbox_link *l, const char *line, size_t n)
{
	while (n > 0 && (line[n - 1] == '\n' || line[n - 1] == '\r'))
		n--;
	l->greeted = true;
	l->greeted_us = clock_boot_us();
	snprintf(l->greeting, sizeof(l->greeting), "%.*s",
		 (int)(n < sizeof(l->greeting) ? n : sizeof(l->greeting) - 1), line);
}

void mailbox_close(struct mailbox_link *l, const char *bye)
{
	mailbox_end(&l->clock);
	/* a good-bye nobody waits for: the answer would tell nothing */
	if (l->wire && bye && !l->layer[0])
		wire_send(l->wire, bye, strlen(bye), clock_boot_us());
	wire_free(l->wire);
	l->wire = NULL;
}
