/*
 * One line of a mail log, understood: what happened, why, and to whom. The formats (Postfix, sendmail, Exim,
 * Dovecot, OpenSMTPD) stand in a file each behind log_line_parse; the probes log and rate call it. Pure: no
 * I/O, nothing is copied, every text points into the line.
 */
#ifndef PROBES_LOG_EVENT_H
#define PROBES_LOG_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct log_span {
	const char *s; /* not terminated; NULL when the line does not say */
	size_t n;
};

enum log_kind {
	LOG_NOTHING,  /* nothing that is counted */
	LOG_RECEIVED, /* a message was taken: client, sasl or uid where known */
	LOG_SENT,     /* delivered to one recipient */
	LOG_DEFERRED, /* one recipient, tried again later */
	LOG_BOUNCED,  /* one recipient, given up */
	LOG_REJECTED, /* refused in the dialogue */
	LOG_AUTH_FAILED,
	LOG_QUEUED, /* the queue manager took it up: the sender is known now; a deferred message says so at
		       each try */
	LOG_KINDS
};

enum log_reason {
	LOG_WHY_OTHER,
	LOG_WHY_USER_UNKNOWN,
	LOG_WHY_HOPS, /* too many hops: a loop */
	LOG_WHY_RELAY,
	LOG_WHY_DNS,
	LOG_WHY_LISTED, /* a DNS list's name or URL in the reply */
	LOG_WHY_SPF,
	LOG_WHY_DISK,
	LOG_WHY_TIMEOUT,
	LOG_WHY_REFUSED,
	LOG_WHY_FULL,  /* a mailbox over its quota */
	LOG_WHY_LIMIT, /* rate or connection limits, greylisting */
	LOG_WHY_TLS,
	LOG_WHY_CONTENT, /* spam, virus, policy about the content */
	LOG_WHY_EXPIRED,
	LOG_WHY_SENDER, /* sender's domain not found, sender refused */
	LOG_REASONS
};

enum log_format { LOG_POSTFIX, LOG_SENDMAIL, LOG_EXIM, LOG_DOVECOT, LOG_OPENSMTPD, LOG_FORMATS };

struct log_event {
	enum log_kind kind;
	enum log_reason reason;
	enum log_format format;
	struct log_span client;	      /* an address, without brackets */
	struct log_span sasl;	      /* who logged in, or tried to */
	struct log_span uid;	      /* a local submission's user */
	struct log_span sender, rcpt; /* without <>; the null sender has n 0 and s set */
	struct log_span text;	      /* the reason as it stands in the line */
	struct log_span id;	      /* what tells that lines belong together, where count.c asks for it */
	unsigned times;		      /* how often it happened, as one line may say several; at least 1 */
};

/* One line without its newline; any bytes. False when it is no line of a mail program that is known. True
 * with LOG_NOTHING: known, and nothing to count. */
bool log_line_parse(const char *line, size_t len, struct log_event *e);

/* What a text of a failure means; a table (reason.c). */
enum log_reason log_reason_of(const char *text, size_t len);
const char *log_reason_name(enum log_reason r); /* "user unknown" */
/* The list's name or URL in a reply that says an address is listed; n 0 when there is none. */
struct log_span log_listed_by(const char *text, size_t len);
/* The address that an SPF refusal names: the first literal one in it; n 0 when there is none. */
struct log_span log_spf_address(const char *text, size_t len);
/* The next hop on this host that a failed connection names, as people write it: "127.0.0.1:10024", "[::1]:24",
 * "private/lmtp"; "" when it names none. */
char *log_own_hop(const char *text, size_t len, char *out, size_t size);
/* The part behind the last @; n 0 when there is none. */
struct log_span log_domain(struct log_span address);

/* For the formats. */
bool log_postfix(const char *s, const char *end, struct log_event *e);
bool log_sendmail(const char *s, const char *end, struct log_event *e);
bool log_exim(const char *s, const char *end, struct log_event *e);
bool log_dovecot(const char *s, const char *end, struct log_event *e);
bool log_opensmtpd(const char *s, const char *end, struct log_event *e);

static inline bool log_begins(const char *s, const char *end, const char *with)
{
	size_t n = strlen(with);

	return (size_t)(end - s) >= n && memcmp(s, with, n) == 0;
}

/* Behind the first occurrence of what, or NULL. */
static inline const char *log_behind(const char *s, const char *end, const char *what)
{
	const char *p = s < end ? memmem(s, (size_t)(end - s), what, strlen(what)) : NULL;

	return p ? p + strlen(what) : NULL;
}

/* Behind the time stamp (syslog's old one, RFC 3339, Exim's own) and its blank; NULL when there is none.
 * *exim: the stamp is Exim's, no host and program follow. */
const char *log_stamp(const char *s, const char *end, bool *exim);
/* Behind Exim's own time stamp, if one stands there. */
const char *log_past_stamp(const char *s, const char *end);
/* Any case; with is in lower case. */
bool log_begins_any(const char *s, const char *end, const char *with);

static inline bool log_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool log_letter(char c)
{
	return (c | 32) >= 'a' && (c | 32) <= 'z';
}

static inline bool log_among(char c, const char *stops)
{
	for (; *stops; stops++) {
		if (*stops == c)
			return true;
	}
	return false;
}

/* From s to the first byte of stops, or end. */
static inline struct log_span log_until(const char *s, const char *end, const char *stops)
{
	const char *p = s;

	if (stops[1] == '\0') {
		p = s < end ? memchr(s, stops[0], (size_t)(end - s)) : NULL;
		return (struct log_span){s, (size_t)((p ? p : end) - s)};
	}
	while (p < end && !log_among(*p, stops))
		p++;
	return (struct log_span){s, (size_t)(p - s)};
}

/* What stands behind key until a stop; none: s is NULL. */
static inline struct log_span log_value(const char *s, const char *end, const char *key, const char *stops)
{
	const char *p = log_behind(s, end, key);

	return p ? log_until(p, end, stops) : (struct log_span){NULL, 0};
}

#endif
