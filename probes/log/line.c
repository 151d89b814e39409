/* Which program wrote a line, told line by line: past the time stamp (syslog's old one, RFC 3339, Exim's own)
 * and the host to the program's name, whose format then reads the rest. See event.h. */
#include "event.h"

/* A file that Dovecot writes itself: "imap-login: Info: ...", no host before it. */
static bool dovecot_file(const char *s, const char *end)
{
	static const char *const levels[] = {
	    "Info: ", "Warning: ", "Error: ", "Fatal: ", "Panic: ", "Debug: "};
	const char *p = memchr(s, ' ', (size_t)(end - s));

	if (!p || p == s || p[-1] != ':')
		return false;
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		if (log_begins(p + 1, end, levels[i]))
			return true;
	}
	return false;
}

/* "prog[12]: rest" or "prog: rest": the name, and the rest behind it. */
static const char *program(const char *s, const char *end, struct log_span *name)
{
	const char *p = s;

	while (p < end && *p != ' ' && *p != '[' && *p != ':' && *p != '(')
		p++;
	*name = (struct log_span){s, (size_t)(p - s)};
	if (p < end && *p == '[') {
		p = memchr(p, ']', (size_t)(end - p));
		p = p ? p + 1 : end;
	}
	if (p >= end || *p != ':')
		return NULL;
	p++;
	return p < end && *p == ' ' ? p + 1 : p;
}

static bool is(struct log_span name, const char *what)
{
	return name.n == strlen(what) && memcmp(name.s, what, name.n) == 0;
}

static bool by_program(struct log_span name, const char *s, const char *end, struct log_event *e)
{
	if (name.n && memchr(name.s, '/', name.n)) /* postfix/smtpd, postfix-out/submission/smtpd */
		return log_postfix(s, end, e);
	switch (name.n ? name.s[0] : 0) {
	case 's':
		if (is(name, "smtpd"))
			return log_opensmtpd(s, end, e);
		return (is(name, "sendmail") || is(name, "sm-mta") || is(name, "sm-msp-queue")) &&
		       log_sendmail(s, end, e);
	case 'e':
		return (is(name, "exim") || is(name, "exim4")) && log_exim(log_past_stamp(s, end), end, e);
	case 'd':
		return is(name, "dovecot") && log_dovecot(s, end, e);
	case 'o':
		return is(name, "opensmtpd") && log_opensmtpd(s, end, e);
	default:
		return false;
	}
}

/* Member by member: the compiler's memset of so few bytes took 4 % of all the time. */
static void clear(struct log_event *e)
{
	const struct log_span none = {NULL, 0};

	e->kind = LOG_NOTHING;
	e->reason = LOG_WHY_OTHER;
	e->format = LOG_POSTFIX;
	e->client = none;
	e->sasl = none;
	e->uid = none;
	e->sender = none;
	e->rcpt = none;
	e->text = none;
	e->id = none;
	e->times = 1;
}

bool log_line_parse(const char *line, size_t len, struct log_event *e)
{
	const char *end = line + len, *s, *rest;
	struct log_span name;
	bool exim;

	clear(e);
	s = log_stamp(line, end, &exim);
	if (!s)
		return false;
	if (dovecot_file(s, end))
		return log_dovecot(s, end, e);
	if (exim)
		return log_exim(s, end, e);
	s = memchr(s, ' ', (size_t)(end - s)); /* the host */
	if (!s)
		return false;
	rest = program(s + 1, end, &name);
	if (!rest)
		return false;
	if (!by_program(name, rest, end, e))
		return false;
	if (e->format == LOG_EXIM) /* with its process: a copy of it is told by that */
		e->id = (struct log_span){name.s, (size_t)(end - name.s)};
	return true;
}
