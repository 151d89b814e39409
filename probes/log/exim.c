/* Exim's main log, with its own stamp in front or through syslog; see event.h. */
#include "event.h"

#include <ctype.h>

/* "H=name (helo) [1.2.3.4]:port": the address. */
static struct log_span host(const char *s, const char *end)
{
	const char *p = log_behind(s, end, "H=");

	p = p ? log_behind(p, end, " [") : NULL;
	if (!p && s < end && log_begins(s, end, "H=["))
		p = s + 3;
	return p ? log_until(p, end, "] ") : (struct log_span){NULL, 0};
}

static void why(const char *s, const char *end, struct log_event *e)
{
	e->text = (struct log_span){s, (size_t)(end - s)};
	e->reason = log_reason_of(s, e->text.n);
}

static struct log_span mailbox(const char *s, const char *end)
{
	struct log_span a = log_until(s, end, " :");
	const char *open;

	/* "local part <full@address> R=..." */
	open = s + a.n + 1 < end && s[a.n] == ' ' && s[a.n + 1] == '<' ? s + a.n + 2 : NULL;
	if (open)
		a = log_until(open, end, ">");
	else if (a.n > 1 && a.s[0] == '<' && a.s[a.n - 1] == '>')
		a = (struct log_span){a.s + 1, a.n - 2};
	return a;
}

static void received(const char *s, const char *end, struct log_event *e)
{
	const char *a = log_behind(s, end, " A=");

	e->kind = LOG_RECEIVED;
	e->sender = log_until(s, end, " ");
	if (e->sender.n == 2 && s[0] == '<') {
		e->sender = (struct log_span){s + 1, 0};
		if (log_begins(s + 2, end, " R=") && log_behind(s, end, " P=local")) {
			e->kind = LOG_QUEUED; /* its own report of a failure did not come from anywhere */
			return;
		}
	}
	e->client = host(s, end);
	if (!e->client.s)
		e->uid = log_value(s, end, " U=", " ");
	a = a ? memchr(a, ':', (size_t)(end - a)) : NULL;
	if (a)
		e->sasl = log_until(a + 1, end, " ");
}

static bool message_line(const char *s, const char *end, struct log_event *e)
{
	if (end - s < 4 || s[2] != ' ')
		return false;
	switch ((unsigned char)s[0] << 8 | (unsigned char)s[1]) {
	case '<' << 8 | '=':
		received(s + 3, end, e);
		return true;
	case '=' << 8 | '>':
	case '-' << 8 | '>':
	case '>' << 8 | '>':
		e->kind = LOG_SENT;
		e->rcpt = mailbox(s + 3, end);
		return true;
	case '*' << 8 | '*':
		e->kind = LOG_BOUNCED;
		break;
	case '=' << 8 | '=':
		e->kind = LOG_DEFERRED;
		break;
	default:
		return false;
	}
	e->rcpt = mailbox(s + 3, end);
	why(s + 3, end, e);
	return true;
}

static void session_line(const char *s, const char *end, struct log_event *e)
{
	const char *r = log_behind(s, end, " rejected "), *p;

	if (r) {
		e->kind = LOG_REJECTED;
		e->client = host(s, end);
		e->sender = log_value(s, r, " F=<", ">");
		e->rcpt =
		    log_begins(r, end, "RCPT <") ? log_until(r + 6, end, ">") : (struct log_span){NULL, 0};
		why(r, end, e);
	} else if ((p = log_behind(s, end, " authenticator failed for ")) != NULL) {
		e->kind = LOG_AUTH_FAILED;
		p = memchr(p, '[', (size_t)(end - p));
		e->client = p ? log_until(p + 1, end, "]") : (struct log_span){NULL, 0};
		e->sasl = log_value(s, end, "(set_id=", ")");
	} else if (log_behind(s, end, "No space left on device")) {
		e->reason = LOG_WHY_DISK;
	}
}

/* A message id has two hyphens and only letters and digits besides: 16 or 23 bytes. */
static bool message_id(const char *s, size_t n)
{
	size_t hyphens = 0;

	for (size_t i = 0; i < n; i++) {
		if (s[i] == '-')
			hyphens++;
		else if (!isalnum((unsigned char)s[i]))
			return false;
	}
	return hyphens == 2 && (n == 16 || n == 23);
}

/* Through syslog a long line comes in pieces, "[2/3] ...", of which the first says what happened; lines of
 * the reject log, "[1\\9] ...", are copies of what the main log said. */
static bool piece_to_pass(struct log_span word)
{
	const char *sep = memchr(word.s, '\\', word.n);

	if (!sep)
		sep = memchr(word.s, '/', word.n);
	return sep && (*sep == '\\' || sep != word.s + 2 || word.s[1] != '1');
}

bool log_exim(const char *s, const char *end, struct log_event *e)
{
	struct log_span word = log_until(s, end, " ");

	e->format = LOG_EXIM;
	if (word.n > 2 && word.s[0] == '[' && piece_to_pass(word))
		return true;
	if (word.n > 2 && word.s[0] == '[') { /* [pid] */
		s += word.n + (s + word.n < end);
		s = log_past_stamp(s, end);
		word = log_until(s, end, " ");
	}
	if (message_id(word.s, word.n) && s + word.n < end) {
		s += word.n + 1;
		if (message_line(s, end, e))
			return true;
	}
	session_line(s, end, e);
	return true;
}
