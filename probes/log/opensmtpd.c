/* OpenSMTPD's lines: "SESSION smtp event key=value ..."; see event.h. */
#include "event.h"

static struct log_span quoted(const char *s, const char *end, const char *key)
{
	const char *p = log_behind(s, end, key);

	if (p && p < end && *p == '"')
		return log_until(p + 1, end, "\"");
	return p ? log_until(p, end, " ") : (struct log_span){NULL, 0};
}

static void why(struct log_span text, struct log_event *e)
{
	e->text = text;
	e->reason = text.s ? log_reason_of(text.s, text.n) : LOG_WHY_OTHER;
}

static bool auth(const char *s, const char *end)
{
	const char *p = log_behind(s, end, "command=\"");

	return p && log_begins_any(p, end, "auth");
}

/* The recipient of a refused RCPT; clients write the command in any case. */
static struct log_span asked(const char *s, const char *end)
{
	const char *p = log_behind(s, end, "command=\"");

	return p && log_begins_any(p, end, "rcpt to:<") ? log_until(p + 9, end, ">")
							: (struct log_span){NULL, 0};
}

static void smtp(const char *s, const char *end, struct log_event *e)
{
	struct log_span reply;

	if (log_begins(s, end, "message ")) {
		e->kind = LOG_RECEIVED;
	} else if (log_begins(s, end, "envelope ")) {
		e->kind = LOG_QUEUED;
		e->sender = log_value(s, end, "from=<", ">");
	} else if (log_begins(s, end, "failed-command ")) {
		reply = quoted(s, end, "result=");
		e->kind = auth(s, end) ? LOG_AUTH_FAILED : LOG_REJECTED;
		e->rcpt = asked(s, end);
		why(reply, e);
	} else if (log_begins(s, end, "authentication ") && log_behind(s, end, "result=permfail")) {
		e->kind = LOG_AUTH_FAILED;
		e->sasl = log_value(s, end, "user=", " ");
	}
	e->client = log_value(s, end, "address=", " ");
}

static void delivery(const char *s, const char *end, struct log_event *e)
{
	struct log_span result = quoted(s, end, "result=");

	e->rcpt = log_value(s, end, "to=<", ">");
	e->sender = log_value(s, end, "from=<", ">");
	if (!result.s)
		return;
	if (log_begins(result.s, end, "Ok"))
		e->kind = LOG_SENT;
	else if (log_begins(result.s, end, "TempFail"))
		e->kind = LOG_DEFERRED;
	else if (log_begins(result.s, end, "PermFail") || log_begins(result.s, end, "Loop"))
		e->kind = LOG_BOUNCED;
	if (e->kind != LOG_SENT)
		why(quoted(s, end, "stat="), e);
	if (log_begins(result.s, end, "Loop"))
		e->reason = LOG_WHY_HOPS;
}

bool log_opensmtpd(const char *s, const char *end, struct log_event *e)
{
	const char *p = log_until(s, end, " ").n + s, *q;

	e->format = LOG_OPENSMTPD;
	if (log_behind(s, end, "No space left on device"))
		e->reason = LOG_WHY_DISK;
	if (p >= end)
		return true;
	p++;
	e->id = (struct log_span){
	    s, (size_t)(p - 1 - s)}; /* the session: who it is with stands in its first line */
	if (log_begins(p, end, "smtp "))
		smtp(p + 5, end, e);
	else if ((log_begins(p, end, "mta ") || log_begins(p, end, "mda ")) &&
		 (q = log_behind(p + 4, end, "delivery ")) != NULL)
		delivery(q, end, e);
	return true;
}
