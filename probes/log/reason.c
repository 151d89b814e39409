/* Why a mail was not taken, out of the words of the reply: one table, the first row that fits counts. See
 * event.h. */
#include "event.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static const struct {
	enum log_reason why;
	const char *words; /* any case */
} rows[] = {
    {LOG_WHY_DISK, "no space left on device"},
    {LOG_WHY_DISK, "insufficient system storage"},
    {LOG_WHY_DISK, "insufficient disk space"},
    {LOG_WHY_HOPS, "too many hops"},
    {LOG_WHY_HOPS, "hopcount exceeded"},
    {LOG_WHY_HOPS, "loops back to myself"},
    {LOG_WHY_HOPS, "mail forwarding loop"},
    {LOG_WHY_HOPS, "mail loop"},
    {LOG_WHY_HOPS, "routing loop"},
    {LOG_WHY_HOPS, "too many \"received\" headers"},
    {LOG_WHY_DNS, "host or domain name not found"},
    {LOG_WHY_DNS, "name service error"},
    {LOG_WHY_DNS, "name server:"},
    {LOG_WHY_DNS, "host lookup did not complete"},
    {LOG_WHY_DNS, "host not found"},
    {LOG_WHY_DNS, "host unknown"},
    {LOG_WHY_DNS, "lowest numbered mx record points to local host"},
    {LOG_WHY_DNS, "temporary failure in mx lookup"},
    {LOG_WHY_DNS, "could not resolve"},
    {LOG_WHY_SPF, "spf"},
    {LOG_WHY_SPF, "sender policy framework"},
    {LOG_WHY_RELAY, "relay access denied"},
    {LOG_WHY_RELAY, "relaying denied"},
    {LOG_WHY_RELAY, "relay not permitted"},
    {LOG_WHY_RELAY, "relaying not allowed"},
    {LOG_WHY_RELAY, "not permitted to relay"},
    {LOG_WHY_LISTED, "blocked using"},
    {LOG_WHY_LISTED, "listed by"},
    {LOG_WHY_LISTED, "listed at"},
    {LOG_WHY_LISTED, "listed in"},
    {LOG_WHY_LISTED, "blacklist"},
    {LOG_WHY_LISTED, "blocklist"},
    {LOG_WHY_LISTED, "block list"},
    {LOG_WHY_LISTED, "dnsbl"},
    {LOG_WHY_LISTED, "spamhaus"},
    {LOG_WHY_FULL, "over quota"},
    {LOG_WHY_FULL, "quota exceeded"},
    {LOG_WHY_FULL, "mailbox full"},
    {LOG_WHY_FULL, "mailbox is full"},
    {LOG_WHY_SENDER, "sender address rejected"},
    {LOG_WHY_SENDER, "domain of sender address"},
    {LOG_WHY_SENDER, "sender verify fail"},
    {LOG_WHY_USER_UNKNOWN, "user unknown"},
    {LOG_WHY_USER_UNKNOWN, "unknown user"},
    {LOG_WHY_USER_UNKNOWN, "no such user"},
    {LOG_WHY_USER_UNKNOWN, "user doesn't exist"},
    {LOG_WHY_USER_UNKNOWN, "invalid recipient"},
    {LOG_WHY_USER_UNKNOWN, "undeliverable address"},
    {LOG_WHY_USER_UNKNOWN, "unrouteable address"},
    {LOG_WHY_USER_UNKNOWN, "mailing list expansion problem"},
    {LOG_WHY_USER_UNKNOWN, "recipient unknown"},
    {LOG_WHY_USER_UNKNOWN, "unknown recipient"},
    {LOG_WHY_USER_UNKNOWN, "mailbox unavailable"},
    {LOG_WHY_USER_UNKNOWN, " 5.1.1 "},
    {LOG_WHY_LIMIT, "greylist"},
    {LOG_WHY_LIMIT, "graylist"},
    {LOG_WHY_LIMIT, "rate limit"},
    {LOG_WHY_LIMIT, "ratelimit"},
    {LOG_WHY_LIMIT, "too many connections"},
    {LOG_WHY_LIMIT, "too many messages"},
    {LOG_WHY_LIMIT, "throttl"},
    {LOG_WHY_TIMEOUT, "timed out"},
    {LOG_WHY_TIMEOUT, "timeout"},
    {LOG_WHY_REFUSED, "connection refused"},
    {LOG_WHY_REFUSED, "no route to host"},
    {LOG_WHY_REFUSED, "network is unreachable"},
    {LOG_WHY_REFUSED, "lost connection"},
    {LOG_WHY_REFUSED, "connection reset"},
    {LOG_WHY_TLS, "tls"},
    {LOG_WHY_TLS, "certificate"},
    {LOG_WHY_CONTENT, "spam"},
    {LOG_WHY_CONTENT, "virus"},
    {LOG_WHY_CONTENT, "content rejected"},
    {LOG_WHY_EXPIRED, "retry time not reached"},
    {LOG_WHY_EXPIRED, "retry timeout exceeded"},
    {LOG_WHY_EXPIRED, "expired"},
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]), TEXT_MOST = 1024 };

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static bool fits(const char *s, size_t left, const char *words)
{
	for (size_t i = 1; words[i]; i++) { /* the first is known to fit */
		if (i >= left || lower(s[i]) != words[i])
			return false;
	}
	return true;
}

/* The rows by their first byte, each list in the order of the table; made anew for each text, which costs
 * less than trying all of them at each word. */
struct index {
	uint8_t head[128], next[ROWS];
};

static void make_index(struct index *x)
{
	memset(x->head, ROWS, sizeof(x->head));
	for (size_t k = ROWS; k-- > 0;) {
		uint8_t *head = &x->head[(unsigned char)rows[k].words[0]];

		x->next[k] = *head;
		*head = (uint8_t)k;
	}
}

/* The best row that begins at s, if it is better than what is known. */
static size_t better(const struct index *x, const char *s, size_t left, size_t best)
{
	unsigned char c = (unsigned char)lower(*s);

	if (c >= sizeof(x->head))
		return best;
	for (size_t k = x->head[c]; k < best; k = x->next[k]) {
		if (fits(s, left, rows[k].words))
			return k;
	}
	return best;
}

enum log_reason log_reason_of(const char *text, size_t len)
{
	struct index x;
	size_t best = ROWS;

	make_index(&x);
	if (len > TEXT_MOST)
		len = TEXT_MOST;
	for (size_t i = 0; i < len && best > 0; i++) {
		/* a row begins where a word does: most positions are passed by */
		if (i == 0 || !log_letter(text[i - 1]))
			best = better(&x, text + i, len - i, best);
	}
	return best < ROWS ? rows[best].why : LOG_WHY_OTHER;
}

const char *log_reason_name(enum log_reason r)
{
	static const char *const names[LOG_REASONS] = {
	    "other", "user unknown",  "too many hops", "relay denied",	  "name not found", "listed",
	    "SPF",   "no space left", "timed out",     "refused or lost", "mailbox full",   "limited",
	    "TLS",   "content",	      "expired",       "sender refused"};

	return names[r];
}

static bool host_byte(char c)
{
	return isalnum((unsigned char)c) || c == '.' || c == '-';
}

struct log_span log_listed_by(const char *text, size_t len)
{
	const char *end = text + len, *p = log_behind(text, end, "blocked using ");

	if (p) {
		struct log_span r = {p, 0};

		while (p + r.n < end && host_byte(p[r.n]))
			r.n++;
		if (r.n)
			return r;
	}
	p = log_behind(text, end, "http");
	return p ? log_until(p - 4, end, " ;,)>\"'(") : (struct log_span){NULL, 0};
}

/* Behind "host mx.example[192.0.2.9] said: " (Postfix) or "host mx.example [192.0.2.9]: " (Exim): whose
 * answer it is does not matter. */
static size_t said_at(const char *text, size_t len)
{
	const char *end = text + len, *host = log_behind(text, end, "host "), *p;

	p = host ? log_behind(host, end, "] said: ") : NULL;
	if (host && !p)
		p = log_behind(host, end, "]: ");
	return p ? (size_t)(p - text) : 0;
}

struct log_span log_spf_address(const char *text, size_t len)
{
	for (size_t i = said_at(text, len); i < len; i++) {
		size_t n = 0, dots = 0;

		if (!isdigit((unsigned char)text[i]) || (i > 0 && host_byte(text[i - 1])))
			continue;
		for (; i + n < len && (isdigit((unsigned char)text[i + n]) || text[i + n] == '.'); n++)
			dots +=
			    text[i + n] == '.' && i + n + 1 < len && isdigit((unsigned char)text[i + n + 1]);
		while (n > 0 && text[i + n - 1] == '.')
			n--;
		if (dots == 3 && n <= 15)
			return (struct log_span){text + i, n};
	}
	return (struct log_span){NULL, 0};
}

/* The bracket that opens a loopback address or a socket of this host; NULL: none. */
static const char *own_bracket(const char *text, const char *end)
{
	static const char *const begins[] = {"127.", "::1]", "private/"};

	for (const char *p = log_behind(text, end, "["); p; p = log_behind(p, end, "[")) {
		for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++) {
			if (log_begins(p, end, begins[i]))
				return p - 1;
		}
	}
	return NULL;
}

char *log_own_hop(const char *text, size_t len, char *out, size_t size)
{
	const char *end = text + len, *open = own_bracket(text, end);
	const char *close = open ? memchr(open, ']', (size_t)(end - open)) : NULL;
	struct log_span host, port = {"", 0};

	*out = '\0';
	if (!close)
		return out;
	host = open[1] == ':' ? (struct log_span){open, (size_t)(close + 1 - open)}
			      : (struct log_span){open + 1, (size_t)(close - open - 1)};
	if (close + 1 < end && close[1] == ':') {
		for (port.s = close + 2; port.s + port.n < end && log_digit(port.s[port.n]);)
			port.n++;
	}
	snprintf(out, size, "%.*s%s%.*s", (int)host.n, host.s, port.n ? ":" : "", (int)port.n, port.s);
	return out;
}

struct log_span log_domain(struct log_span a)
{
	const char *at = a.n ? memrchr(a.s, '@', a.n) : NULL;

	if (!at)
		return (struct log_span){NULL, 0};
	return (struct log_span){at + 1, a.n - (size_t)(at + 1 - a.s)};
}
