/*
 * A page as one short text, for every line with a small screen (SMS, TAP, a mail's subject). Pure but for the
 * time zone. Promises never to pass the maximum; what is wrong is shortened first, then the host goes (also
 * where it leaves what is wrong only a few characters), then the check's name is cut; state, time, incident id and
 * reply code stay. What is said once is not said again:
 * neither the state that a plugin's own words begin with, nor a host that they name. A contact's template
 * changes the order, not these rules.
 */
#include "notifiers/notifier.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/contract/result.h"
#include "lib/contract/template.h"
#include "words.h"

enum {
	WHAT_MAX = 1024, /* bytes of "what is wrong" that are looked at: a result's first line */
	TEXT_MAX = 1 << 17,
	WHAT_LEAST = 10, /* characters of it */
	HOST_MAX = 155,
	STATE_MAX = 64
};

struct parts {
	const struct words *words;
	const char *again, *check;
	char state[STATE_MAX], host[HOST_MAX + 1], span[48];
	char what[WHAT_MAX + 1];
	char when[48], id[40], reply[64], number[24]; /* "since 03:12" "#K7Q2M" "reply ACK 4711" */
	struct template_part layout[TEMPLATE_PARTS_MAX];
	size_t nlayout; /* 0: the usual one */
	size_t max;
	size_t (*count)(const char *utf8);
};

/* How much of it is shown. */
struct cut {
	bool host;
	size_t check, what; /* bytes */
};

/* Moves a cut back to the start of a UTF-8 character. */
static size_t boundary(const char *s, size_t n)
{
	while (n > 0 && ((unsigned char)s[n] & 0xC0) == 0x80)
		n--;
	return n;
}

static void copy_cut(const char *src, char *out, size_t size)
{
	size_t n = strlen(src);

	if (n >= size)
		n = boundary(src, size - 1);
	memcpy(out, src, n);
	out[n] = '\0';
}

/* The first line of src (lines: all of them as one), control bytes as spaces, without trailing blanks and
 * full stops. */
static void tidy(const char *src, bool lines, char *out, size_t size)
{
	size_t n = lines ? strlen(src) : strcspn(src, "\r\n");

	if (n >= size)
		n = boundary(src, size - 1);
	for (size_t i = 0; i < n; i++)
		out[i] = (unsigned char)src[i] < 0x20 || src[i] == 0x7F ? ' ' : src[i];
	while (n > 0 && (out[n - 1] == ' ' || out[n - 1] == '.'))
		n--;
	out[n] = '\0';
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

/* --- the parts ------------------------------------------------------------------------------------------ */

/* A test, a digest or an answer is about no check: its own name and state would only raise questions. */
static bool is_about_check(const struct page *p)
{
	return (p->kind != PAGE_TEST && p->kind != PAGE_DIGEST && p->kind != PAGE_INFO) || p->text[0] == '\0';
}

static void make_state(struct parts *q, const struct page *p)
{
	char shown[33];
	const char *kind = q->words->kinds[p->kind], *state = words_state(q->words, p->state);

	if (p->kind == PAGE_RECOVERED && (p->state[0] == '\0' || strcmp(p->state, "OK") == 0))
		state = q->words->recovered;
	copy_cut(is_about_check(p) ? state : "", shown, sizeof(shown));
	snprintf(q->state, sizeof(q->state), "%s%s", kind != NULL ? kind : "", shown);
}

static void make_what(struct parts *q, const struct page *p)
{
	char what[WHAT_MAX + 1];

	tidy(result_words(p->text, is_about_check(p) ? p->state : ""),
	     p->kind == PAGE_DIGEST || p->kind == PAGE_INFO, what, sizeof(what));
	if (q->words->translate != NULL)
		q->words->translate(what, q->what, sizeof(q->what));
	else
		copy_cut(what, q->what, sizeof(q->what));
}

static void make_host(struct parts *q, const struct page *p)
{
	bool shown = is_about_check(p) && p->host[0] != '\0' && strlen(p->host) <= HOST_MAX;

	/* a template says where the host stands; the usual layout names it only when nothing else does */
	if (shown && q->nlayout == 0)
		shown = !names(p->check, p->host) && !names(q->what, p->host);
	copy_cut(shown ? p->host : "", q->host, sizeof(q->host));
}

static void make_times(struct parts *q, const struct page *p)
{
	char text[32];

	if (p->since_wall_ms > 0 && (p->kind == PAGE_NEW || p->kind == PAGE_REPEAT))
		snprintf(q->when, sizeof(q->when), q->words->since,
			 words_time(q->words, p->since_wall_ms, p->at_wall_ms, text, sizeof(text)));
	if (p->since_wall_ms > 0 && p->kind == PAGE_RECOVERED && p->at_wall_ms >= p->since_wall_ms)
		snprintf(q->span, sizeof(q->span), q->words->after,
			 words_span(q->words, p->at_wall_ms - p->since_wall_ms, text, sizeof(text)));
}

static void make_parts(struct parts *q, const struct page *p)
{
	char why[200], code[33];

	q->words = words_of(p->lang);
	if (p->template != NULL && is_about_check(p) &&
	    !template_parse(p->template, q->layout, &q->nlayout, why, sizeof(why)))
		q->nlayout = 0;
	q->again = p->resend || p->kind == PAGE_REPEAT ? "(again) " : "";
	q->check = is_about_check(p) ? p->check : "";
	make_state(q, p);
	make_what(q, p);
	make_host(q, p);
	make_times(q, p);
	copy_cut(p->incident, q->id, sizeof(q->id) - 7);
	copy_cut(p->code != NULL ? p->code : "", code, sizeof(code));
	if (code[0] != '\0')
		snprintf(q->reply, sizeof(q->reply), q->words->reply, code);
	if (p->number != 0)
		snprintf(q->number, sizeof(q->number), "%lld", (long long)p->number);
}

/* --- the usual layout: STATE check (host) after 12 min: what is wrong, since 03:12 #ID reply ACK 4711 ------
 */

static void add(struct buf *out, const char *before, const char *text)
{
	if (text[0] != '\0') {
		buf_puts(out, out->len > 0 ? before : "");
		buf_puts(out, text);
	}
}

static void add_what(struct buf *out, const struct parts *q, size_t n)
{
	bool cut = n < strlen(q->what);

	buf_add(out, q->what, n);
	/* nothing of it: what was given up needs no dots, the id leads to the rest */
	if (n > 0 && cut)
		buf_puts(out, q->words->dots);
}

/* One blank between two things. */
static void blank(struct buf *out)
{
	if (out->len > 0 && out->data[out->len - 1] != ' ')
		buf_puts(out, " ");
}

static void lay_out(struct buf *out, const struct parts *q, struct cut c)
{
	const struct words *w = q->words;

	buf_puts(out, q->again);
	buf_puts(out, q->state);
	if (c.check > 0) {
		blank(out);
		buf_add(out, q->check, c.check);
	}
	if (c.host && q->host[0] != '\0')
		buf_printf(out, "%s%s%s", w->host[0], q->host, w->host[1]);
	add(out, " ", q->span);
	if (c.what > 0 && out->len > 0 && out->data[out->len - 1] != ' ')
		buf_puts(out, ": ");
	add_what(out, q, c.what);
	if (c.what > 0 && c.what == strlen(q->what) && q->when[0] != '\0')
		buf_puts(out, w->comma);
	add(out, " ", q->when);
	if (q->id[0] != '\0')
		buf_printf(out, "%s#%s", out->len > 0 ? " " : "", q->id);
	add(out, " ", q->reply);
}

/* --- a contact's own layout ------------------------------------------------------------------------------
 */

static const char *field_text(const struct parts *q, enum template_field f)
{
	switch (f) {
	case TEMPLATE_STATE:
		return q->state;
	case TEMPLATE_SINCE:
		return q->when[0] != '\0' ? q->when : q->span;
	case TEMPLATE_ID:
		return q->id;
	case TEMPLATE_CODE:
		return q->reply;
	case TEMPLATE_NUMBER:
		return q->number;
	default:
		return "";
	}
}

/* An empty field takes along what only led to it, as in "check@" or "(" and ")", but nothing of the field before,
 * which ends at own. */
static void drop_lead(struct buf *out, size_t own)
{
	while (out->len > own && strchr("@/(#[", out->data[out->len - 1]))
		out->data[--out->len] = '\0';
}

static void add_literal(struct buf *out, const char *s, size_t n, bool after_nothing)
{
	while (after_nothing && n > 0 && strchr(")]", *s))
		s++, n--;
	/* one blank where two meet */
	while (n > 0 && *s == ' ' && (out->len == 0 || out->data[out->len - 1] == ' '))
		s++, n--;
	buf_add(out, s, n);
}

static void fill_template(struct buf *out, const struct parts *q, struct cut c)
{
	bool code = false, nothing = false;
	size_t own;

	buf_puts(out, q->again);
	own = out->len;
	for (size_t i = 0; i < q->nlayout; i++) {
		const struct template_part *t = &q->layout[i];
		size_t before = out->len;

		if (t->field == TEMPLATE_LITERAL) {
			add_literal(out, t->text, t->len, nothing);
			nothing = false;
			continue;
		}
		code |= t->field == TEMPLATE_CODE;
		if (t->field == TEMPLATE_CHECK)
			buf_add(out, q->check, c.check);
		else if (t->field == TEMPLATE_TEXT)
			add_what(out, q, c.what);
		else if (t->field != TEMPLATE_HOST)
			buf_puts(out, field_text(q, t->field));
		else if (c.host)
			buf_puts(out, q->host);
		nothing = out->len == before;
		if (nothing)
			drop_lead(out, own);
		else
			own = out->len;
	}
	while (out->len > 0 && out->data[out->len - 1] == ' ')
		out->data[--out->len] = '\0';
	if (!code)
		add(out, " ", q->reply);
}

/* --- fitting ---------------------------------------------------------------------------------------------
 */

/* Owned by the caller. */
static char *assemble(const struct parts *q, struct cut c)
{
	struct buf out;

	buf_init(&out, TEXT_MAX);
	if (q->nlayout > 0)
		fill_template(&out, q, c);
	else
		lay_out(&out, q, c);
	if (out.data == NULL)
		return strdup("");
	return out.data;
}

static bool is_short(const struct parts *q, const char *s)
{
	return (q->count != NULL ? q->count(s) : strlen(s)) <= q->max;
}

static bool fits(const struct parts *q, struct cut c)
{
	char *s = assemble(q, c);
	bool ok = s != NULL && is_short(q, s);

	free(s);
	return ok;
}

/* Makes part, one of c's two, the longest prefix of text that fits. */
static void longest(const struct parts *q, struct cut *c, size_t *part, const char *text)
{
	size_t lo = 0, hi = strlen(text);

	while (lo < hi) {
		size_t mid = boundary(text, (lo + hi + 1) / 2);

		if (mid <= lo) /* between lo and hi stands one character */
			mid = hi;
		*part = mid;
		if (fits(q, *c))
			lo = mid;
		else
			hi = boundary(text, mid - 1);
	}
	*part = lo;
}

/* What is left when not even an empty check name fits: as much of the beginning as there is room for. */
static char *cut_hard(const struct parts *q, char *s)
{
	size_t n = s != NULL ? strlen(s) : 0;

	while (n > 0 && !is_short(q, s)) {
		n = boundary(s, n - 1);
		s[n] = '\0';
	}
	return s;
}

static size_t characters(const char *s, size_t bytes)
{
	size_t n = 0;

	for (size_t i = 0; i < bytes; i++)
		n += ((unsigned char)s[i] & 0xC0) != 0x80;
	return n;
}

/* Enough of what is wrong to tell something. */
static bool tells(const struct parts *q, const struct cut *c)
{
	return c->what == strlen(q->what) || characters(q->what, c->what) >= WHAT_LEAST;
}

/* A few characters of what is wrong tell nothing: it has the host's room too where that helps. */
static void give_up_host(const struct parts *q, struct cut *c)
{
	struct cut bare = {false, c->check, 0};

	if (!c->host || !q->host[0] || !c->check || tells(q, c))
		return;
	longest(q, &bare, &bare.what, q->what);
	if (tells(q, &bare))
		*c = bare;
}

static char *shorten(struct parts *q)
{
	struct cut c = {true, strlen(q->check), strlen(q->what)};

	if (fits(q, c))
		return assemble(q, c);
	c.what = 0;
	c.host = fits(q, c);
	if (!c.host && !fits(q, c))
		return NULL;
	longest(q, &c, &c.what, q->what);
	give_up_host(q, &c);
	return assemble(q, c);
}

char *page_text(const struct page *p, size_t max, size_t (*count)(const char *utf8))
{
	struct parts q = {.max = max, .count = count};
	struct cut c = {0};
	char *s;

	make_parts(&q, p);
	s = shorten(&q);
	if (s == NULL && q.nlayout > 0) {
		q.nlayout = 0; /* the template's own words leave no room */
		s = shorten(&q);
	}
	if (s != NULL)
		return s;
	q.nlayout = 0;
	longest(&q, &c, &c.check, q.check);
	return cut_hard(&q, assemble(&q, c));
}
