/*
 * One envelope to each address: it is proved that the host would take mail, and none is sent.
 */
#include <stdio.h>
#include <string.h>

#include "lib/clock.h"
#include "mx.h"

static void recipient(const struct mx_conf *o, const struct mx_host *h, char *out, size_t size)
{
	if (h->fallback && o->fallback_to)
		snprintf(out, size, "%s", o->fallback_to);
	else if (o->to)
		snprintf(out, size, "%s", o->to);
	else
		snprintf(out, size, "postmaster@%s", o->domain);
}

static void visit(const struct mx_conf *o, const struct mx_host *h, struct mx_visit *v, struct smtp_target *t)
{
	int64_t start = clock_boot_us();
	struct smtp_fault quit;
	struct smtp_session *s;
	char to[600];

	recipient(o, h, to, sizeof(to));
	t->host = h->name;
	t->port = h->port;
	s = smtp_open(t, &v->address, NULL, &v->fault);
	if (s && smtp_mail(s, o->from ? o->from : "", &v->fault) && smtp_rcpt(s, to, &v->fault))
		smtp_command(s, SMTP_MAIL, "RSET", &v->fault);
	smtp_quit(s, &quit);
	smtp_free(s);
	v->ms = (double)(clock_boot_us() - start) / 1000;
}

void mx_try(const struct mx_conf *o, struct mx_found *f, struct smtp_target *t)
{
	int64_t deadline = t->deadline;
	size_t i;

	for (i = 0; i < f->n; i++) {
		t->deadline = smtp_share(deadline, f->n - i);
		visit(o, &f->host[f->v[i].host], &f->v[i], t);
	}
	t->deadline = deadline;
}
