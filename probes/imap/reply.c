/*
 * Reads IMAP answers (see reply.h). Called by imap_session; promises to stay
 * inside the bytes it is given whatever they are.
 */
#include "reply.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "probes/roundtrip/received.h"

struct scan {
	const char *p, *end;
};

/* Reads digits; false when there are none or the value passes 32 bits. */
static bool number(struct scan *s, uint32_t *v)
{
	uint64_t n = 0;
	const char *start = s->p;

	for (; s->p < s->end && isdigit((unsigned char)*s->p); s->p++) {
		n = n * 10 + (uint64_t)(*s->p - '0');
		if (n > UINT32_MAX)
			return false;
	}
	*v = (uint32_t)n;
	return s->p > start;
}

/* Jumps over a text without regard to case; false when it is not there. */
static bool word(struct scan *s, const char *text)
{
	size_t n = strlen(text);

	if ((size_t)(s->end - s->p) < n || strncasecmp(s->p, text, n) != 0)
		return false;
	s->p += n;
	return true;
}

/* The size that a line announces at its end, "{123}" or "{123+}"; -1: none. end is behind the CRLF. */
static int64_t literal_at_end(const char *start, const char *end)
{
	struct scan s;
	uint32_t n;
	const char *p = end;

	while (p > start && (p[-1] == '\n' || p[-1] == '\r'))
		p--;
	if (p == start || p[-1] != '}')
		return -1;
	s.end = --p;
	if (p > start && p[-1] == '+')
		s.end = --p;
	while (p > start && isdigit((unsigned char)p[-1]))
		p--;
	s.p = p;
	if (p == start || p[-1] != '{' || !number(&s, &n))
		return -1;
	return n;
}

long imap_reply_length(const char *data, size_t len)
{
	size_t pos = 0;

	while (pos < len) {
		const char *nl = memchr(data + pos, '\n', len - pos);
		int64_t literal;

		if (!nl)
			break;
		literal = literal_at_end(data + pos, nl + 1);
		pos = (size_t)(nl + 1 - data);
		if (literal < 0)
			return pos <= IMAP_REPLY_MAX ? (long)pos : -1;
		if ((uint64_t)literal + pos > IMAP_REPLY_MAX)
			return -1;
		pos += (size_t)literal;
	}
	return len > IMAP_REPLY_MAX ? -1 : 0;
}

enum imap_status imap_reply_status(const char *reply, size_t len, const char *tag)
{
	struct scan s = {reply, reply + len};

	if (word(&s, "* BYE"))
		return IMAP_BYE;
	if (word(&s, "* "))
		return IMAP_UNTAGGED;
	if (word(&s, "+"))
		return IMAP_CONTINUE;
	if (!word(&s, tag) || !word(&s, " "))
		return IMAP_NONSENSE;
	if (word(&s, "OK"))
		return IMAP_OK;
	if (word(&s, "NO"))
		return IMAP_NO;
	return word(&s, "BAD") ? IMAP_BAD : IMAP_NONSENSE;
}

char *imap_reply_text(const char *reply, size_t len, char *out, size_t size)
{
	struct scan s = {reply, reply + len};
	size_t n = 0;

	for (int words = 0; words < 2 && s.p < s.end; s.p++)
		words += *s.p == ' ';
	for (; s.p < s.end && n + 1 < size && *s.p != '\r' && *s.p != '\n'; s.p++)
		out[n++] = isprint((unsigned char)*s.p) ? *s.p : '?';
	out[n] = '\0';
	return out;
}

bool imap_reply_exists(const char *reply, size_t len, uint32_t *n)
{
	struct scan s = {reply, reply + len};

	return word(&s, "* ") && number(&s, n) && word(&s, " EXISTS") && s.p < s.end && strchr("\r\n ", *s.p);
}

bool imap_reply_code(const char *reply, size_t len, const char *code, uint32_t *n)
{
	struct scan s = {reply, reply + len};

	return word(&s, "* OK [") && word(&s, code) && word(&s, " ") && number(&s, n) && word(&s, "]");
}

/* The next word up to a blank or the line's end. */
static struct scan next_word(struct scan *s)
{
	struct scan w;

	while (s->p < s->end && (*s->p == ' ' || *s->p == '\r' || *s->p == '\n'))
		s->p++;
	w.p = s->p;
	while (s->p < s->end && *s->p != ' ' && *s->p != '\r' && *s->p != '\n')
		s->p++;
	w.end = s->p;
	return w;
}

bool imap_reply_capability(const char *reply, size_t len, const char *name, bool *has)
{
	struct scan s = {reply, reply + len}, w;
	size_t n = strlen(name);

	if (!word(&s, "* CAPABILITY"))
		return false;
	for (w = next_word(&s); w.p < w.end; w = next_word(&s))
		if ((size_t)(w.end - w.p) == n && strncasecmp(w.p, name, n) == 0)
			*has = true;
	return true;
}

bool imap_reply_search(const char *reply, size_t len, uint32_t *uids, size_t max, size_t *n, size_t *total)
{
	struct scan s = {reply, reply + len}, w;
	uint32_t uid;

	if (!word(&s, "* SEARCH"))
		return false;
	for (w = next_word(&s); w.p < w.end; w = next_word(&s)) {
		if (!number(&w, &uid) || w.p != w.end || uid == 0)
			break; /* a modseq in brackets, or nonsense */
		if (*n < max)
			uids[(*n)++] = uid;
		(*total)++;
	}
	return true;
}

/* One value: NIL, a number, an atom, a quoted string, a literal or a list (jumped over). text gets a string's inside. */
static bool value(struct scan *s, struct scan *text)
{
	uint32_t n;

	text->p = text->end = s->p;
	if (s->p >= s->end)
		return false;
	if (*s->p == '"') {
		text->p = ++s->p;
		while (s->p < s->end && *s->p != '"')
			s->p += *s->p == '\\' && s->p + 1 < s->end ? 2 : 1;
		text->end = s->p;
		return s->p < s->end && *s->p++ == '"';
	}
	if (*s->p == '{') {
		s->p++;
		if (!number(s, &n) || !word(s, "}") || (word(s, "\r"), !word(s, "\n")) || n > (size_t)(s->end - s->p))
			return false;
		text->p = s->p;
		text->end = s->p += n;
		return true;
	}
	while (s->p < s->end && !strchr(" ()\r\n", *s->p))
		s->p++;
	text->end = s->p;
	return s->p > text->p;
}

/* A list such as FLAGS (\Seen): nothing in it concerns us. */
static bool jump_list(struct scan *s)
{
	struct scan ignored;
	int depth = 0;

	do {
		if (s->p >= s->end)
			return false;
		if (*s->p == '(') {
			depth++;
			s->p++;
		} else if (*s->p == ')') {
			depth--;
			s->p++;
		} else if (*s->p == ' ') {
			s->p++;
		} else if (!value(s, &ignored)) {
			return false;
		}
	} while (depth > 0);
	return true;
}

/* An item's name: an atom, where what stands in [] belongs to it, blanks included. */
static struct scan item_name(struct scan *s)
{
	struct scan name = {s->p, s->p};
	bool inside = false;

	for (; s->p < s->end && *s->p != '\r' && *s->p != '\n'; s->p++) {
		if (*s->p == '[')
			inside = true;
		else if (*s->p == ']')
			inside = false;
		else if (!inside && strchr(" ()", *s->p))
			break;
	}
	name.end = s->p;
	return name;
}

/* "21-Nov-2026 19:23:20 +0900", the day perhaps with a blank before it. */
static int64_t internal_date(struct scan text)
{
	char date[40];
	size_t n = (size_t)(text.end - text.p);
	int64_t ms;

	if (n >= sizeof(date))
		return 0;
	for (size_t i = 0; i < n; i++)
		date[i] = text.p[i] == '-' && i < 12 ? ' ' : text.p[i];
	return received_date(date, n, &ms) ? ms : 0;
}

static bool item(struct scan *s, struct imap_fetched *f)
{
	struct scan name = item_name(s), text, start = name;

	if (name.p == name.end || !word(s, " "))
		return false;
	if (s->p < s->end && *s->p == '(')
		return jump_list(s);
	if (!value(s, &text))
		return false;
	if (name.end - name.p == 3 && word(&name, "UID")) {
		if (!number(&text, &f->uid))
			return false;
	} else if (name.end - name.p == 12 && word(&name, "INTERNALDATE")) {
		f->arrived_wall_ms = internal_date(text);
	} else if (word(&start, "BODY[") && text.p[-1] != ' ') { /* a string, not NIL */
		f->header = text.p;
		f->header_len = (size_t)(text.end - text.p);
	}
	return true;
}

bool imap_reply_fetch(const char *reply, size_t len, struct imap_fetched *f)
{
	struct scan s = {reply, reply + len};
	uint32_t sequence;

	memset(f, 0, sizeof(*f));
	if (!word(&s, "* ") || !number(&s, &sequence) || !word(&s, " FETCH ("))
		return false;
	while (!word(&s, ")"))
		if (!item(&s, f) || (word(&s, " "), s.p >= s.end))
			return false;
	return true;
}

/* 63 bits, as RFC 9208 has it. */
static bool big_number(struct scan *s, uint64_t *v)
{
	const char *start = s->p;

	*v = 0;
	for (; s->p < s->end && isdigit((unsigned char)*s->p); s->p++) {
		if (*v > (INT64_MAX - 9) / 10)
			return false;
		*v = *v * 10 + (uint64_t)(*s->p - '0');
	}
	return s->p > start;
}

static void keep_fullest(struct imap_quota *q, struct scan name, uint64_t used, uint64_t limit)
{
	double share = limit ? (double)used / (double)limit : 1;
	size_t n = (size_t)(name.end - name.p);

	if (q->found && share <= q->share)
		return;
	q->found = true;
	q->used = used;
	q->limit = limit;
	q->share = share;
	if (n >= sizeof(q->resource))
		n = sizeof(q->resource) - 1;
	for (size_t i = 0; i < n; i++)
		q->resource[i] = (char)(isprint((unsigned char)name.p[i]) ? name.p[i] : '?');
	q->resource[n] = '\0';
}

bool imap_reply_quota(const char *reply, size_t len, struct imap_quota *q)
{
	struct scan s = {reply, reply + len}, name;
	uint64_t used, limit;

	if (!word(&s, "* QUOTA ") || !value(&s, &name) || !word(&s, " ("))
		return false;
	while (!word(&s, ")")) {
		if (!value(&s, &name) || !word(&s, " ") || !big_number(&s, &used) || !word(&s, " ") ||
		    !big_number(&s, &limit))
			return false;
		keep_fullest(q, name, used, limit);
		word(&s, " ");
	}
	return true;
}

bool imap_quote(const char *s, struct buf *out)
{
	if (!buf_puts(out, "\""))
		return false;
	for (; *s; s++) {
		if (!isprint((unsigned char)*s))
			return false;
		if ((*s == '"' || *s == '\\') && !buf_puts(out, "\\"))
			return false;
		if (!buf_add(out, s, 1))
			return false;
	}
	return buf_puts(out, "\"");
}
