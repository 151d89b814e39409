/*
 * Reads Received header lines (see received.h). Called by check_roundtrip with
 * bytes that any relay on the way may have written; promises no more than that
 * what it returns is bounded and printable.
 */
#include "received.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* A cursor over one field's body. */
struct scan {
	const char *p, *end;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Jumps over blanks and comments; comments nest and may quote with a backslash (RFC 5322 3.2.2). */
static void skip_cfws(struct scan *s)
{
	int depth = 0;

	for (; s->p < s->end; s->p++) {
		if (depth && *s->p == '\\' && s->p + 1 < s->end)
			s->p++;
		else if (*s->p == '(')
			depth++;
		else if (*s->p == ')' && depth)
			depth--;
		else if (!depth && !is_blank(*s->p))
			return;
	}
}

/* The next word: up to a blank, a comment, ';' or ','. Empty at the end or at one of those signs. */
static struct scan next_word(struct scan *s)
{
	struct scan w;

	skip_cfws(s);
	w.p = s->p;
	while (s->p < s->end && !is_blank(*s->p) && !strchr("(;,", *s->p))
		s->p++;
	w.end = s->p;
	return w;
}

static bool word_is(struct scan w, const char *text)
{
	size_t n = strlen(text);

	return (size_t)(w.end - w.p) == n && strncasecmp(w.p, text, n) == 0;
}

/* A number of min to max digits, nothing else may follow a digit run. */
static bool number(struct scan *s, int min, int max, int *v)
{
	int n = 0;

	*v = 0;
	for (; s->p < s->end && isdigit((unsigned char)*s->p); s->p++) {
		if (++n > max)
			return false;
		*v = *v * 10 + (*s->p - '0');
	}
	return n >= min;
}

static bool sign(struct scan *s, char c)
{
	skip_cfws(s);
	if (s->p >= s->end || *s->p != c)
		return false;
	s->p++;
	skip_cfws(s);
	return true;
}

/* 1 to 12, 0 when it is no month. */
static int month(struct scan w)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	if (w.end - w.p != 3)
		return 0;
	for (int i = 0; i < 12; i++)
		if (strncasecmp(w.p, names + 3 * i, 3) == 0)
			return i + 1;
	return 0;
}

/* Minutes east of Greenwich. An unknown name counts as -0000, that is UTC (RFC 5322 4.3). */
static bool zone(struct scan *s, int *minutes)
{
	static const struct { const char *name; int hours; } old[] = {
		{"EST", -5}, {"EDT", -4}, {"CST", -6}, {"CDT", -5}, {"MST", -7}, {"MDT", -6}, {"PST", -8}, {"PDT", -7},
		{"JST", 9}, {"CET", 1}, {"CEST", 2},
	};
	struct scan w;
	int hhmm;

	skip_cfws(s);
	*minutes = 0;
	if (s->p < s->end && (*s->p == '+' || *s->p == '-')) {
		bool west = *s->p++ == '-';

		if (!number(s, 4, 4, &hhmm) || hhmm % 100 > 59)
			return false;
		*minutes = (hhmm / 100 * 60 + hhmm % 100) * (west ? -1 : 1);
		return true;
	}
	w = next_word(s);
	for (size_t i = 0; i < sizeof(old) / sizeof(old[0]); i++)
		if (word_is(w, old[i].name))
			*minutes = old[i].hours * 60;
	return true;
}

/* Days since 1970-01-01 of a Gregorian date (Howard Hinnant's civil_from_days, reversed). */
static int64_t days(int y, int m, int d)
{
	int64_t era;
	int yoe, doy, doe;

	y -= m <= 2;
	era = y / 400;
	yoe = (int)(y - era * 400);
	doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
	return era * 146097 + doe - 719468;
}

static int month_days(int y, int m)
{
	static const int n[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return m == 2 && y % 4 == 0 && (y % 100 != 0 || y % 400 == 0) ? 29 : n[m - 1];
}

static bool date(struct scan *s, int *y, int *m, int *d)
{
	const char *start;

	skip_cfws(s);
	if (s->p < s->end && isalpha((unsigned char)*s->p)) { /* the day of the week says nothing new */
		next_word(s);
		if (!sign(s, ','))
			return false;
	}
	if (!number(s, 1, 2, d))
		return false;
	*m = month(next_word(s));
	skip_cfws(s);
	start = s->p;
	if (!*m || !number(s, 2, 4, y))
		return false;
	if (s->p - start == 2)
		*y += *y < 50 ? 2000 : 1900;
	else if (s->p - start == 3)
		*y += 1900;
	return *y >= 1970 && *d >= 1 && *d <= month_days(*y, *m);
}

bool received_date(const char *text, size_t len, int64_t *wall_ms)
{
	struct scan s = {text, text + len};
	int y, mon, d, h, min, sec = 0, east;

	if (!date(&s, &y, &mon, &d))
		return false;
	skip_cfws(&s);
	if (!number(&s, 1, 2, &h) || !sign(&s, ':') || !number(&s, 1, 2, &min))
		return false;
	if (sign(&s, ':') && !number(&s, 1, 2, &sec))
		return false;
	if (h > 23 || min > 59 || sec > 60 || !zone(&s, &east))
		return false;
	*wall_ms = ((days(y, mon, d) * 24 + h) * 3600 + (int64_t)(min - east) * 60 + sec) * 1000;
	return true;
}

/* Only what a host name or address literal consists of; anything else ends the name. */
static void copy_name(struct scan w, char *out)
{
	size_t n = 0;

	while (w.p < w.end && n < RECEIVED_NAME_MAX - 1 &&
	       (isalnum((unsigned char)*w.p) || strchr(".-_:[]", *w.p)) && *w.p)
		out[n++] = *w.p++;
	out[n] = '\0';
}

/* The last ';' outside comments stands before the date. */
static const char *last_semicolon(struct scan s)
{
	const char *found = NULL;

	for (;;) {
		skip_cfws(&s);
		if (s.p >= s.end)
			return found;
		if (*s.p == ';')
			found = s.p;
		s.p++;
	}
}

static void parse_hop(const char *value, size_t len, struct hop *h)
{
	struct scan s = {value, value + len}, w;
	const char *semi = last_semicolon(s);

	*h = (struct hop){0};
	if (semi) {
		h->has_time = received_date(semi + 1, (size_t)(s.end - semi - 1), &h->wall_ms);
		s.end = semi;
	}
	for (w = next_word(&s); s.p < s.end || w.p < w.end; w = next_word(&s)) {
		if (w.p == w.end)
			s.p++; /* a stray sign */
		else if (word_is(w, "from") && !h->from[0])
			copy_name(next_word(&s), h->from);
		else if (word_is(w, "by") && !h->by[0])
			copy_name(next_word(&s), h->by);
	}
}

static void reverse(struct received *r)
{
	for (size_t i = 0; i + 1 < r->n - i; i++) {
		struct hop t = r->hop[i];

		r->hop[i] = r->hop[r->n - 1 - i];
		r->hop[r->n - 1 - i] = t;
	}
}

/*
 * A header's time is cut to whole seconds: two lines written within one second may
 * look up to a second apart either way, so only a step back beyond that is skew,
 * and a smaller one is no delay at all.
 */
static void delays(struct received *r, int64_t before, bool known)
{
	for (size_t i = 0; i < r->n; i++) {
		struct hop *h = &r->hop[i];

		if (!h->has_time)
			continue;
		if (known) {
			h->has_delay = true;
			h->delay_ms = h->wall_ms - before;
			h->skew = h->delay_ms <= -1000;
			if (h->delay_ms < 0 && !h->skew)
				h->delay_ms = 0;
		}
		before = h->wall_ms;
		known = true;
	}
}

static void sum_up(struct received *r)
{
	r->slowest = -1;
	r->skew = false;
	for (size_t i = 0; i < r->n; i++) {
		const struct hop *h = &r->hop[i];

		r->skew |= h->skew;
		if (h->has_delay && !h->skew && (r->slowest < 0 || h->delay_ms > r->hop[r->slowest].delay_ms))
			r->slowest = (int)i;
	}
}

void received_bound(struct received *r, int64_t whole_ms)
{
	for (size_t i = 0; i < r->n; i++) {
		struct hop *h = &r->hop[i];

		if (!h->has_delay || h->skew || h->delay_ms <= whole_ms)
			continue;
		if (h->delay_ms - whole_ms <= 1000)
			h->delay_ms = whole_ms;
		else
			h->skew = true;
	}
	sum_up(r);
}

void received_parse(const char *header, size_t len, int64_t sent_wall_ms, struct received *r)
{
	const char *value;
	size_t pos = 0, value_len;

	memset(r, 0, sizeof(*r));
	/* the newest line stands first */
	while (header_next(header, len, "Received", &pos, &value, &value_len)) {
		if (r->n == RECEIVED_HOPS_MAX) {
			r->dropped++;
			continue;
		}
		parse_hop(value, value_len, &r->hop[r->n++]);
	}
	if (r->n)
		reverse(r);
	/* with dropped ones the first kept hop does not follow our own sending */
	delays(r, sent_wall_ms, sent_wall_ms > 0 && !r->dropped);
	sum_up(r);
}

/* The end of the line that starts at pos, its line feed included. */
static size_t line_end(const char *s, size_t len, size_t pos)
{
	const char *nl = memchr(s + pos, '\n', len - pos);

	return nl ? (size_t)(nl - s) + 1 : len;
}

static bool empty_line(const char *s, size_t len, size_t pos)
{
	return s[pos] == '\n' || (s[pos] == '\r' && (pos + 1 == len || s[pos + 1] == '\n'));
}

bool header_next(const char *header, size_t len, const char *name, size_t *pos, const char **value, size_t *value_len)
{
	size_t n = strlen(name);

	while (*pos < len && !empty_line(header, len, *pos)) {
		size_t start = *pos, end = line_end(header, len, start), colon = start + n;

		while (end < len && (header[end] == ' ' || header[end] == '\t'))
			end = line_end(header, len, end);
		*pos = end;
		if (colon >= end || strncasecmp(header + start, name, n) != 0)
			continue;
		while (colon < end && (header[colon] == ' ' || header[colon] == '\t'))
			colon++;
		if (colon == end || header[colon] != ':')
			continue;
		*value = header + colon + 1;
		*value_len = end - colon - 1;
		return true;
	}
	return false;
}
