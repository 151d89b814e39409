/* sendmail's lines (sendmail, sm-mta): "QID: key=value, key=value ..."; see event.h. */
#include "event.h"

/* "host [1.2.3.4]" or "[1.2.3.4]" */
static struct log_span relay(const char *s, const char *end)
{
	const char *p = log_behind(s, end, "relay=");

	p = p ? memchr(p, '[', (size_t)(end - p)) : NULL;
	if (p && log_begins(p + 1, end, "IPv6:"))
		p += 5;
	return p ? log_until(p + 1, end, "], ") : (struct log_span){NULL, 0};
}

/* "relay=joe@localhost": handed in here by a user. */
static struct log_span local_user(const char *s, const char *end)
{
	struct log_span r = log_value(s, end, ", relay=", ", ");
	const char *at = r.n ? memchr(r.s, '@', r.n) : NULL;

	return at && log_begins(at, end, "@localhost") ? (struct log_span){r.s, (size_t)(at - r.s)}
						       : (struct log_span){NULL, 0};
}

static struct log_span mailbox(const char *s, const char *end)
{
	return s < end && *s == '<' ? log_until(s + 1, end, ">") : log_until(s, end, ", ");
}

static void why(const char *s, const char *end, struct log_event *e)
{
	e->text = (struct log_span){s, (size_t)(end - s)};
	e->reason = log_reason_of(s, (size_t)(end - s));
}

static void delivery(const char *s, const char *end, struct log_event *e)
{
	const char *st = log_behind(s, end, ", stat=");

	if (!st)
		return;
	e->rcpt = mailbox(s, st);
	if (log_begins(st, end, "Sent")) {
		e->kind = LOG_SENT;
		return;
	}
	if (log_begins(st, end, "queued"))
		return;
	e->kind = log_begins(st, end, "Deferred") ? LOG_DEFERRED : LOG_BOUNCED;
	why(st, end, e);
}

static void rejected(const char *s, const char *reject, const char *end, struct log_event *e)
{
	const char *arg = log_behind(s, reject, "arg1=");
	bool mail = log_behind(s, reject, "ruleset=check_mail") != NULL;

	e->kind = LOG_REJECTED;
	e->client = relay(s, reject);
	if (arg && mail)
		e->sender = mailbox(arg, reject);
	else if (arg)
		e->rcpt = mailbox(arg, reject);
	why(reject, end, e);
}

/* "<x@y>... User unknown" is how a refused recipient is logged. */
static bool refused_recipient(const char *s, const char *end, struct log_event *e)
{
	const char *p = *s == '<' ? log_behind(s, end, ">... ") : NULL;

	if (!p)
		return false;
	e->kind = LOG_REJECTED;
	e->rcpt = mailbox(s, p);
	why(p, end, e);
	return true;
}

/* nrcpts=0: every recipient was refused, nothing was taken. */
static void received(const char *s, const char *nrcpts, const char *end, struct log_event *e)
{
	if (log_begins(nrcpts, end, "0,"))
		return;
	e->kind = LOG_RECEIVED;
	e->sender = mailbox(s, end);
	e->client = relay(s, end);
	if (!e->client.s)
		e->uid = local_user(s, end);
}

/* "SYSERR(root): Too many hops 26 (25 max): from <a> via h, to <b>": taken, and given up. */
static bool looping(const char *s, const char *end, struct log_event *e)
{
	const char *p = log_begins(s, end, "SYSERR(") ? log_behind(s, end, "): Too many hops ") : NULL;

	if (!p)
		return false;
	e->kind = LOG_BOUNCED;
	e->reason = LOG_WHY_HOPS;
	e->text = (struct log_span){s, (size_t)(end - s)};
	e->sender = log_value(p, end, "from <", ">");
	e->rcpt = log_value(p, end, ", to <", ">");
	return true;
}

bool log_sendmail(const char *s, const char *end, struct log_event *e)
{
	const char *p, *r;

	e->format = LOG_SENDMAIL;
	if (log_behind(s, end, "No space left on device") || log_behind(s, end, "low on space"))
		e->reason = LOG_WHY_DISK;
	p = log_behind(s, end, ": ");
	if (!p || p >= end)
		return true;
	if (log_begins(p, end, "from=") && (r = log_behind(p, end, ", nrcpts=")) != NULL) {
		received(p + 5, r, end, e);
	} else if (log_begins(p, end, "to=")) {
		delivery(p + 3, end, e);
	} else if ((r = log_behind(p, end, ", reject=")) != NULL) {
		rejected(p, r, end, e);
	} else if (log_begins(p, end, "AUTH failure") || log_begins(s, end, "AUTH failure")) {
		e->kind = LOG_AUTH_FAILED;
		e->client = relay(p, end);
		e->sasl = log_value(p, end, "user=", ", ");
	} else if (!looping(p, end, e)) {
		refused_recipient(p, end, e);
	}
	return true;
}
