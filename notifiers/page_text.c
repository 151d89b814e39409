/*
 * A page as one short text, for every line with a small screen (SMS, TAP, DTMF). Pure but for the time zone.
 * Promises never to pass the maximum; what is wrong is shortened first, then the host goes, then the
 * check's name is cut; state, time and incident id always stay. What is said once is not said again: neither
 * the state that a plugin's own words begin with, nor a host that they name.
 */
#include "notifier.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../lib/clock.h"
#include "../lib/result.h"

enum {
	WHAT_MAX = 1024, /* bytes of "what is wrong" that are looked at: a result's first line */
	TAIL_MAX = 128,
	STATE_MAX = 32
};

struct parts {
	const char *again, *kind, *check;
	char state[STATE_MAX];
	char host[160]; /* " (mx1)" or "": when neither the check's name nor what is wrong names it */
	char span[64];	/* of a recovery: " after 12 min" */
	char what[WHAT_MAX + 1];
	char tail[TAIL_MAX]; /* " since 03:12 #K7Q2M" */
	size_t max;
	size_t (*count)(const char *utf8);
};

/* Moves a cut back to the start of a UTF-8 character. */
static size_t boundary(const char *s, size_t n)
{
	while (n > 0 && ((unsigned char)s[n] & 0xC0) == 0x80)
		n--;
	return n;
}

/* The first line of src, control bytes as spaces, without trailing blanks and full stops. */
static void tidy_first_line(const char *src, char *out, size_t size)
{
	size_t n = strcspn(src, "\r\n");

	if (n >= size)
		n = boundary(src, size - 1);
	for (size_t i = 0; i < n; i++)
		out[i] = (unsigned char)src[i] < 0x20 || src[i] == 0x7F ? ' ' : src[i];
	while (n > 0 && (out[n - 1] == ' ' || out[n - 1] == '.'))
		n--;
	out[n] = '\0';
}

/* "03:12", or "11-20 03:12" when that was another day than at. */
static void time_text(int64_t since_ms, int64_t at_ms, char *out, size_t size)
{
	time_t s = (time_t)(since_ms / 1000), a = (time_t)(at_ms / 1000);
	struct tm st, at;

	localtime_r(&s, &st);
	localtime_r(&a, &at);
	if (at_ms > 0 && (st.tm_yday != at.tm_yday || st.tm_year != at.tm_year))
		strftime(out, size, "%m-%d %H:%M", &st);
	else
		strftime(out, size, "%H:%M", &st);
}

static void make_tail(const struct page *p, char *out, size_t size)
{
	char when[32] = "", id[40] = "";

	if (p->incident[0] != '\0')
		snprintf(id, sizeof(id), " #%.32s", p->incident);
	if (p->since_wall_ms > 0 && (p->kind == PAGE_NEW || p->kind == PAGE_REPEAT))
		time_text(p->since_wall_ms, p->at_wall_ms, when, sizeof(when));
	snprintf(out, size, "%s%s%s", when[0] != '\0' ? " since " : "", when, id);
}

static void make_span(const struct page *p, char *out, size_t size)
{
	char span[32];

	out[0] = '\0';
	if (p->kind == PAGE_RECOVERED && p->since_wall_ms > 0 && p->at_wall_ms >= p->since_wall_ms)
		snprintf(out, size, " after %s",
			 clock_span(p->at_wall_ms - p->since_wall_ms, span, sizeof(span)));
}

static const char *kind_word(enum page_kind k)
{
	switch (k) {
	case PAGE_REPEAT:
		return "REPEAT ";
	case PAGE_ACK:
		return "ACK ";
	case PAGE_NOTICE:
		return "NOTICE ";
	case PAGE_TEST:
		return "TEST: ";
	case PAGE_NEW:
	case PAGE_RECOVERED:
		break;
	}
	return "";
}

/* "10.0.0.1" stands in "10.0.0.1:25 refuses", not in "10.0.0.10 refuses". */
static bool names(const char *text, const char *host)
{
	size_t n = strlen(host);

	for (const char *at = text; (at = strstr(at, host)) != NULL; at++) {
		bool before = at > text && (isalnum((unsigned char)at[-1]) || at[-1] == '.' || at[-1] == '-');
		bool after = isalnum((unsigned char)at[n]) || at[n] == '-' ||
			     (at[n] == '.' && isalnum((unsigned char)at[n + 1]));

		if (!before && !after)
			return true;
	}
	return false;
}

static void make_parts(struct parts *q, const struct page *p)
{
	/* a test is about no check: its own name and state would only raise questions */
	bool about = p->kind != PAGE_TEST || p->text[0] == '\0';

	q->again = p->resend ? "(again) " : "";
	q->kind = kind_word(p->kind);
	q->check = about ? p->check : "";
	snprintf(q->state, sizeof(q->state), "%.16s",
		 !about						    ? ""
		 : p->kind == PAGE_RECOVERED && p->state[0] == '\0' ? "OK"
								    : p->state);
	tidy_first_line(result_words(p->text, q->state), q->what, sizeof(q->what));
	if (q->state[0] != '\0' && q->check[0] != '\0')
		strncat(q->state, " ", sizeof(q->state) - strlen(q->state) - 1);
	q->host[0] = '\0';
	if (about && p->host[0] != '\0' && strlen(p->host) < sizeof(q->host) - 4 &&
	    !names(p->check, p->host) && !names(q->what, p->host))
		snprintf(q->host, sizeof(q->host), " (%s)", p->host);
	make_span(p, q->span, sizeof(q->span));
	make_tail(p, q->tail, sizeof(q->tail));
}

/* The text with the first n bytes of what and the first m of the check's name. Owned by the caller. */
static char *assemble(const struct parts *q, bool host, size_t m, size_t n)
{
	char *out = NULL;
	bool head = q->state[0] != '\0' || m > 0, cut = n < strlen(q->what);
	const char *behind = n == 0 ? "" : cut ? "..." : strncmp(q->tail, " since", 6) == 0 ? "," : "";

	/* a cut check name needs no dots: what is wrong was given up before it, the id leads to the rest */
	if (asprintf(&out, "%s%s%s%.*s%s%s%s%.*s%s%s", q->again, q->kind, q->state, (int)m, q->check,
		     host ? q->host : "", q->span, head && n > 0 ? ": " : "", (int)n, q->what, behind,
		     q->tail) < 0)
		return NULL;
	return out;
}

static bool fits(const struct parts *q, bool host, size_t m, size_t n)
{
	char *s = assemble(q, host, m, n);
	bool ok = s != NULL && (q->count != NULL ? q->count(s) : strlen(s)) <= q->max;

	free(s);
	return ok;
}

/* The longest prefix of text (a byte count at a character's start) that fits; of_what tells which of the two
 * it is. */
static size_t longest(const struct parts *q, bool host, size_t m, const char *text, bool of_what)
{
	size_t lo = 0, hi = strlen(text);

	while (lo < hi) {
		size_t mid = boundary(text, (lo + hi + 1) / 2), n = mid > lo ? mid : hi;

		if (mid <= lo && !fits(q, host, of_what ? m : n, of_what ? n : 0)) {
			/* between lo and hi stands part of one character only, or hi itself does not fit */
			hi = boundary(text, hi - 1);
		} else if (mid <= lo) {
			lo = n;
		} else if (fits(q, host, of_what ? m : mid, of_what ? mid : 0)) {
			lo = mid;
		} else {
			hi = boundary(text, mid - 1);
		}
	}
	return lo;
}

char *page_text(const struct page *p, size_t max, size_t (*count)(const char *utf8))
{
	struct parts q = {.max = max, .count = count};
	size_t m, n;
	bool host = true;

	make_parts(&q, p);
	m = strlen(q.check);
	n = strlen(q.what);
	if (fits(&q, true, m, n))
		return assemble(&q, true, m, n);
	host = fits(&q, true, m, 0);
	if (host || fits(&q, false, m, 0))
		return assemble(&q, host, m, longest(&q, host, m, q.what, true));
	return assemble(&q, false, longest(&q, false, 0, q.check, false), 0);
}
