/* Dovecot's lines: failed logins, mail saved or refused by its delivery; see event.h. */
#include "event.h"

enum { ATTEMPTS_MOST = 1000 };

/* ", 3 attempts in 12 secs)": one line for all of a session. */
static unsigned attempts(const char *s, const char *end)
{
	unsigned n = 0;

	if (!log_begins(s, end, ", "))
		return 1;
	for (s += 2; s < end && *s >= '0' && *s <= '9' && n < ATTEMPTS_MOST; s++)
		n = n * 10 + (unsigned)(*s - '0');
	return n < 1 ? 1 : n < ATTEMPTS_MOST ? n : ATTEMPTS_MOST;
}

static void login(const char *s, const char *end, struct log_event *e)
{
	const char *failed = log_behind(s, end, "auth failed");

	if (!failed)
		return;
	e->kind = LOG_AUTH_FAILED;
	e->times = attempts(failed, end);
	e->client = log_value(s, end, "rip=", ", ");
	e->sasl = log_value(s, end, "user=<", ">");
}

/* "lmtp(user)<pid><session>: ... saved mail to INBOX", "lda(user): ..." */
static void delivery(const char *s, const char *end, struct log_event *e)
{
	const char *who = memchr(s, '(', (size_t)(end - s));

	if (!who)
		return;
	if (log_behind(who, end, " saved mail to ") || log_behind(who, end, "stored mail into mailbox")) {
		e->kind = LOG_SENT;
	} else if (log_behind(who, end, " save failed to ") ||
		   log_behind(who, end, "failed to store into mailbox")) {
		e->kind = LOG_DEFERRED;
		e->text = (struct log_span){who, (size_t)(end - who)};
		e->reason = log_reason_of(e->text.s, e->text.n);
	}
	if (e->kind)
		e->rcpt = log_until(who + 1, end, "),");
}

bool log_dovecot(const char *s, const char *end, struct log_event *e)
{
	struct log_span name = log_until(s, end, ":(");

	e->format = LOG_DOVECOT;
	if (name.n > 6 && memcmp(name.s + name.n - 6, "-login", 6) == 0)
		login(s, end, e);
	else if (log_begins(s, end, "lmtp(") || log_begins(s, end, "lda(") || log_begins(s, end, "deliver("))
		delivery(s, end, e);
	if (log_behind(s, end, "No space left on device"))
		e->reason = LOG_WHY_DISK;
	return true;
}
