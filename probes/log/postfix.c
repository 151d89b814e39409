/* Postfix's lines; see event.h. What each daemon writes is told by its first byte. */
#include "event.h"

/* "host[addr]" or "[addr]:port": the address. */
static struct log_span address(const char *s, const char *end)
{
	const char *open = s < end ? memchr(s, '[', (size_t)(end - s)) : NULL;

	return open ? log_until(open + 1, end, "],; ") : (struct log_span){NULL, 0};
}

static struct log_span angle(const char *s, const char *end, const char *key)
{
	return log_value(s, end, key, ">");
}

/* "reject: RCPT from host[addr]: 550 ...: why; from=<> to=<> ..." */
static bool rejected(const char *s, const char *end, struct log_event *e)
{
	const char *from = log_behind(s, end, " from "), *p, *tail;

	e->kind = LOG_REJECTED;
	if (!from)
		from = s;
	e->client = address(from, end);
	p = log_behind(from, end, ": ");
	tail = p ? log_behind(p, end, "; from=<") : NULL;
	e->text = (struct log_span){p ? p : from, (size_t)((tail ? tail - 8 : end) - (p ? p : from))};
	e->sender = tail ? log_until(tail, end, ">") : (struct log_span){NULL, 0};
	e->rcpt = angle(tail ? tail : end, end, " to=<");
	e->sasl = log_value(tail ? tail : end, end, " sasl_username=", ", ");
	e->reason = log_reason_of(e->text.s, e->text.n);
	return true;
}

static bool taken(const char *s, const char *end, struct log_event *e)
{
	e->kind = LOG_RECEIVED;
	e->client = address(s, end);
	if (e->client.s && e->client.s + e->client.n + 1 < end) /* most say no more than that */
		e->sasl = log_value(e->client.s, end, "sasl_username=", ", ");
	return true;
}

static size_t queue_id(const char *s, const char *end)
{
	const char *p = s;

	while (p < end && (log_digit(*p) || log_letter(*p)))
		p++;
	return p > s && end - p > 2 && p[0] == ':' && p[1] == ' ' ? (size_t)(p - s) : 0;
}

/* "4jX08J6XYcz1: message rejected: hopcount exceeded", of cleanup: refused behind the dialogue. It may be
 * said once for each header. */
static bool refused_whole(const char *s, const char *end, struct log_event *e)
{
	size_t n = queue_id(s, end);
	const char *p = s + n + 2;

	if (!n)
		return false;
	if (log_begins(p, end, "message rejected: hopcount exceeded"))
		e->reason = LOG_WHY_HOPS;
	else if (log_begins(p, end, "queue file size limit exceeded"))
		e->reason = LOG_WHY_LIMIT;
	else
		return false;
	e->kind = LOG_REJECTED;
	e->id = (struct log_span){s, n};
	e->text = (struct log_span){p, (size_t)(end - p)};
	return true;
}

/* "host[addr]: SASL LOGIN authentication failed: why, sasl_username=x" */
static bool warning(const char *s, const char *end, struct log_event *e)
{
	const char *p;

	if (refused_whole(s, end, e))
		return true;
	p = log_behind(s, end, " authentication failed");
	if (!p || !log_behind(s, p, "]: SASL "))
		return true;
	e->kind = LOG_AUTH_FAILED;
	e->client = address(s, end);
	e->sasl = log_value(p, end, "sasl_username=", ", ");
	return true;
}

static void disk(const char *s, const char *end, struct log_event *e)
{
	const char *p = log_behind(s, end, "No space left on device");

	if (!p)
		p = log_behind(s, end, "Insufficient system storage");
	if (p)
		e->reason = LOG_WHY_DISK;
}

/* Where the words say nothing, the code may (RFC 3463). */
static enum log_reason by_code(const char *s, const char *end)
{
	if (log_behind(s, end, " dsn=5.1.1,"))
		return LOG_WHY_USER_UNKNOWN;
	return log_behind(s, end, " dsn=5.4.6,") ? LOG_WHY_HOPS : LOG_WHY_OTHER;
}

static bool delivery(const char *s, const char *end, struct log_event *e)
{
	const char *st = log_behind(s, end, ", status="), *why;

	if (!st)
		return true;
	e->rcpt = log_until(s + 4, st, ">"); /* behind "to=<" */
	if (log_begins(st, end, "sent"))
		e->kind = LOG_SENT;
	else if (log_begins(st, end, "deferred"))
		e->kind = LOG_DEFERRED;
	else if (log_begins(st, end, "bounced") || log_begins(st, end, "expired"))
		e->kind = LOG_BOUNCED;
	if (e->kind == LOG_DEFERRED || e->kind == LOG_BOUNCED) {
		why = memchr(st, '(', (size_t)(end - st));
		e->text = (struct log_span){why ? why : st, (size_t)(end - (why ? why : st))};
		e->reason = log_reason_of(e->text.s, e->text.n);
		if (e->reason == LOG_WHY_OTHER)
			e->reason = by_code(s, st);
	}
	return true;
}

static bool queued(const char *s, const char *end, struct log_event *e)
{
	e->sender = log_until(s, end, ">");
	s = e->sender.s + e->sender.n;
	if (log_begins(s, end, ">, status=expired")) {
		e->kind = LOG_BOUNCED;
		e->reason = LOG_WHY_EXPIRED;
	} else {
		e->kind = LOG_QUEUED;
	}
	return true;
}

bool log_postfix(const char *s, const char *end, struct log_event *e)
{
	const char *p;
	size_t n;

	e->format = LOG_POSTFIX;
	if (log_begins(s, end, "warning: ")) {
		disk(s, end, e);
		return warning(s + 9, end, e);
	}
	if (log_begins(s, end, "fatal: ") || log_begins(s, end, "error: ")) {
		disk(s, end, e);
		return true;
	}
	n = queue_id(s, end);
	if (!n)
		return true;
	e->id = (struct log_span){s, n};
	p = s + n + 2;
	switch (*p) {
	case 't':
		return log_begins(p, end, "to=<") ? delivery(p, end, e) : true;
	case 'c':
		return log_begins(p, end, "client=") ? taken(p + 7, end, e) : true;
	case 'f':
		return log_begins(p, end, "from=<") ? queued(p + 6, end, e) : true;
	case 'u':
		if (!log_begins(p, end, "uid="))
			return true;
		e->kind = LOG_RECEIVED;
		e->uid = log_until(p + 4, end, " ");
		e->sender = angle(p, end, "from=<");
		return true;
	case 'r':
		return log_begins(p, end, "reject: ") ? rejected(p + 8, end, e) : true;
	case 'm':
		return log_begins(p, end, "milter-reject: ") ? rejected(p + 15, end, e) : true;
	case 'w':
		disk(p, end, e);
		return true;
	default:
		return true;
	}
}
