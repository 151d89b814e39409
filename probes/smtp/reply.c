/*
 * The parser of SMTP replies, for check_smtp and the round trip. All bytes are foreign: whatever comes,
 * memory stays within the maxima of the header, and a reply that is not SMTP is called so at its first wrong
 * line.
 */
#include "reply.h"

#include <string.h>
#include <strings.h>

void smtp_reply_init(struct smtp_reply *r)
{
	memset(r, 0, sizeof(*r));
	buf_init(&r->text, SMTP_REPLY_MAX);
	buf_init(&r->part, SMTP_LINE_MAX);
}

void smtp_reply_fini(struct smtp_reply *r)
{
	buf_fini(&r->text);
	buf_fini(&r->part);
}

void smtp_reply_reset(struct smtp_reply *r)
{
	buf_reset(&r->text);
	buf_reset(&r->part);
	r->state = SMTP_REPLY_MORE;
	r->code = 0;
	r->lines = 0;
	r->why = NULL;
}

static enum smtp_reply_state bad(struct smtp_reply *r, const char *why)
{
	r->why = why;
	return r->state = SMTP_REPLY_BAD;
}

static bool digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The code of a line, 0 when it has none: three digits, then a space, a hyphen or the end. */
static int code_of(const char *line, size_t n)
{
	if (n < 3 || line[0] < '2' || line[0] > '5' || !digit(line[1]) || !digit(line[2]))
		return 0;
	if (n > 3 && line[3] != ' ' && line[3] != '-')
		return 0;
	return (line[0] - '0') * 100 + (line[1] - '0') * 10 + line[2] - '0';
}

/* A line goes into text as it came, but for bytes that could move a terminal's cursor or end a C string. */
static bool keep(struct smtp_reply *r, const char *line, size_t n)
{
	size_t i, from = r->text.len + (r->lines > 0);

	if (r->text.len + n + 1 > SMTP_REPLY_MAX)
		return false;
	if ((r->lines > 0 && !buf_add(&r->text, "\n", 1)) || !buf_add(&r->text, line, n))
		return false;
	for (i = from; i < r->text.len; i++)
		if ((unsigned char)r->text.data[i] < ' ' || r->text.data[i] == 0x7f)
			r->text.data[i] = '?';
	r->lines++;
	return true;
}

enum smtp_reply_state smtp_reply_line(struct smtp_reply *r, const char *line, size_t n)
{
	int code;

	if (r->state != SMTP_REPLY_MORE)
		return r->state;
	if (n > 0 && line[n - 1] == '\n')
		n--;
	if (n > 0 && line[n - 1] == '\r')
		n--;
	if (n > SMTP_LINE_MAX)
		return bad(r, "a line without end");
	if (r->lines >= SMTP_REPLY_LINES_MAX || !keep(r, line, n))
		return bad(r, "a reply without end");
	code = code_of(line, n);
	if (!code)
		return bad(r, "no reply code");
	r->code = code;
	if (n > 3 && line[3] == '-')
		return SMTP_REPLY_MORE;
	return r->state = SMTP_REPLY_DONE;
}

/* The bytes before a line's end wait in part, so that a reply may arrive byte by byte. */
enum smtp_reply_state smtp_reply_feed(struct smtp_reply *r, const char *bytes, size_t n, size_t *used)
{
	size_t at = 0, len;
	const char *end;

	while (at < n && r->state == SMTP_REPLY_MORE) {
		end = memchr(bytes + at, '\n', n - at);
		len = end ? (size_t)(end + 1 - (bytes + at)) : n - at;
		if (!buf_add(&r->part, bytes + at, len)) {
			bad(r, "a line without end");
			break;
		}
		at += len;
		if (end) {
			smtp_reply_line(r, r->part.data, r->part.len);
			buf_reset(&r->part);
		}
	}
	*used = at;
	return r->state;
}

/* The next word of a line: its start, and its length in *n (0 at the end). Old servers write "AUTH=LOGIN". */
static const char *word(const char *s, const char *end, size_t *n)
{
	const char *start;

	while (s < end && (*s == ' ' || *s == '\t' || *s == '='))
		s++;
	start = s;
	while (s < end && *s != ' ' && *s != '\t' && *s != '=')
		s++;
	*n = (size_t)(s - start);
	return start;
}

static bool same_word(const char *a, size_t na, const char *b, size_t nb)
{
	return na == nb && strncasecmp(a, b, na) == 0;
}

/* Does the line (without its code) start with want's keyword and hold all of its parameters, in any order? */
static bool line_offers(const char *line, const char *end, const char *want)
{
	const char *want_end = want + strlen(want), *w, *have;
	size_t nw, nh;

	w = word(want, want_end, &nw);
	have = word(line, end, &nh);
	if (nw == 0 || !same_word(w, nw, have, nh))
		return false;
	line = have + nh;
	for (w = word(w + nw, want_end, &nw); nw > 0; w = word(w + nw, want_end, &nw)) {
		for (have = word(line, end, &nh); nh > 0 && !same_word(w, nw, have, nh);
		     have = word(have + nh, end, &nh))
			;
		if (nh == 0)
			return false;
	}
	return true;
}

bool smtp_reply_offers(const struct smtp_reply *r, const char *want)
{
	const char *line = strchr(buf_str(&r->text), '\n'), *end;

	/* the first line is the server's name */
	for (; line; line = end) {
		line++;
		end = strchr(line, '\n');
		if (line_offers(line + strnlen(line, 4), end ? end : line + strlen(line), want))
			return true;
	}
	return false;
}

char *smtp_reply_first(const char *text, char *out, size_t size)
{
	size_t n = strcspn(text, "\n"), skip = n < 4 ? n : 4;

	if (size == 0)
		return out;
	text += skip;
	n -= skip;
	if (n > size - 1)
		n = size - 1;
	memcpy(out, text, n);
	out[n] = '\0';
	return out;
}
