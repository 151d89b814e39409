/* The text of a page's mail; see message.h. Called by notify_email.c. */
#include "message.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/clock.h"
#include "notifiers/notifier.h"

enum {
	LINE_MAX_CHARS = 76,
	WORD_BYTES = 39,
	WORD_CHARS = 64 /* of base64 52, and =?UTF-8?B??= */
};

/* --- RFC 2047 --- */

static bool plain(const char *s)
{
	if (strstr(s, "=?"))
		return false;
	for (; *s; s++) {
		if ((unsigned char)*s < 0x20 || (unsigned char)*s > 0x7e)
			return false;
	}
	return true;
}

static void base64(struct buf *out, const unsigned char *p, size_t n)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (; n > 0; n = n > 3 ? n - 3 : 0, p += 3) {
		unsigned v = (unsigned)p[0] << 16 | (n > 1 ? (unsigned)p[1] << 8 : 0) | (n > 2 ? p[2] : 0u);
		char four[4] = {digits[v >> 18], digits[v >> 12 & 63], n > 1 ? digits[v >> 6 & 63] : '=',
				n > 2 ? digits[v & 63] : '='};

		buf_add(out, four, 4);
	}
}

/* As many bytes of s as make whole UTF-8 characters within max. */
static size_t whole_characters(const char *s, size_t max)
{
	size_t n = strnlen(s, max + 1);

	if (n <= max)
		return n;
	n = max;
	while (n > 0 && ((unsigned char)s[n] & 0xc0) == 0x80)
		n--;
	return n ? n : max; /* no UTF-8 at all: cut anywhere */
}

static void encoded_words(struct buf *out, const char *text)
{
	for (bool first = true; *text; first = false) {
		size_t n = whole_characters(text, WORD_BYTES);

		buf_puts(out, first ? "=?UTF-8?B?" : "\r\n =?UTF-8?B?");
		base64(out, (const unsigned char *)text, n);
		buf_puts(out, "?=");
		text += n;
	}
}

void email_header_text(struct buf *out, const char *text, size_t used)
{
	if (!plain(text)) {
		if (used + WORD_CHARS > LINE_MAX_CHARS)
			buf_puts(out, "\r\n ");
		encoded_words(out, text);
		return;
	}
	/* fold at blanks; a word that is too long for a line stays whole (the limit of the protocol is 998)
	 */
	while (*text) {
		size_t word = strspn(text, " ") + strcspn(text + strspn(text, " "), " ");

		if (used + word > LINE_MAX_CHARS && *text == ' ' && text[strspn(text, " ")]) {
			buf_puts(out, "\r\n");
			used = 0;
		}
		buf_add(out, text, word);
		text += word;
		used += word;
	}
}

/* --- quoted-printable --- */

static void quoted_line(struct buf *out, const char *s, size_t n)
{
	size_t used = 0;

	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];
		bool blank = c == ' ' || c == '\t', last = i + 1 == n;
		/* a dot at the start of a line would mean the end, "From " is changed by some stores */
		bool quote = c == '=' || c > 0x7e || (c < 0x20 && c != '\t') || (blank && last) ||
			     (used == 0 && (c == '.' || c == 'F'));

		if (used + (quote ? 3 : 1) > LINE_MAX_CHARS - 1) {
			buf_puts(out, "=\r\n");
			used = 0;
			quote = quote || c == '.' || c == 'F';
		}
		if (quote)
			buf_printf(out, "=%02X", c);
		else
			buf_add(out, &s[i], 1);
		used += quote ? 3 : 1;
	}
	buf_puts(out, "\r\n");
}

void email_quoted(struct buf *out, const char *text)
{
	while (*text) {
		size_t n = strcspn(text, "\n"), cut = n && text[n - 1] == '\r' ? n - 1 : n;

		quoted_line(out, text, cut);
		text += n + (text[n] == '\n');
	}
}

/* --- the mail --- */

/* What may stand in a Message-ID, at most 60 characters. */
static void id_part(struct buf *out, const char *s)
{
	for (size_t n = 0; *s && n < 60; s++, n++) {
		bool ok = (*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || (*s >= '0' && *s <= '9') ||
			  *s == '-';

		buf_add(out, ok ? s : "_", 1);
	}
}

/* RFC 5322 date in UTC: names of days and months must not follow the locale. */
static void date(struct buf *out, int64_t wall_ms)
{
	static const char days[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
					 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	time_t t = (time_t)(wall_ms / 1000);
	struct tm tm;

	gmtime_r(&t, &tm);
	buf_printf(out, "Date: %s, %02d %s %04d %02d:%02d:%02d +0000\r\n", days[tm.tm_wday], tm.tm_mday,
		   months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* The page's short text holds state, check, what is wrong, since when and the incident's id. */
char *email_subject(const struct page *p)
{
	return page_text(p, EMAIL_SUBJECT_MAX, NULL);
}

static void subject(struct buf *out, const struct page *p)
{
	char *text = email_subject(p);

	buf_puts(out, "Subject: ");
	email_header_text(out, text ? text : p->state, 9);
	buf_puts(out, "\r\n");
	free(text);
}

static void ids(struct buf *out, const struct page *p, const char *host)
{
	buf_puts(out, "Message-ID: <page.");
	id_part(out, p->id);
	buf_printf(out, "@%s>\r\n", host);
	if (!p->incident[0])
		return;
	for (int i = 0; i < 2; i++) {
		buf_puts(out, i ? "References: <incident." : "In-Reply-To: <incident.");
		id_part(out, p->incident);
		buf_printf(out, "@%s>\r\n", host);
	}
	buf_puts(out, "X-Monitord-Incident: ");
	id_part(out, p->incident);
	buf_puts(out, "\r\n");
}

static void add_field(struct buf *body, const char *name, const char *value)
{
	if (value && value[0])
		buf_printf(body, "%-9s %s\n", name, value);
}

static void body(struct buf *out, const struct page *p)
{
	char when[32];
	struct buf text;

	buf_init(&text, EMAIL_MESSAGE_MAX / 4);
	buf_printf(&text, "%s\n\n", p->text);
	if (p->resend)
		buf_puts(&text, "(This may have reached you already.)\n\n");
	add_field(&text, "Check:", p->check);
	add_field(&text, "Host:", p->host);
	add_field(&text, "State:", p->state);
	add_field(&text, "Kind:", page_kind_name(p->kind));
	add_field(&text,
		  "Since:", p->since_wall_ms > 0 ? clock_text(p->since_wall_ms, when, sizeof(when)) : "");
	add_field(&text, "Incident:", p->incident);
	if (p->more && p->more[0])
		buf_printf(&text, "\n%s\n", p->more);
	email_quoted(out, buf_str(&text));
	buf_fini(&text);
}

bool email_message(struct buf *out, const struct page *p, const char *from, const char *host,
		   int64_t now_wall_ms)
{
	date(out, now_wall_ms);
	buf_printf(out, "From: monitord <%s>\r\nTo: <%s>\r\n", from, p->to);
	subject(out, p);
	ids(out, p, host);
	buf_puts(
	    out,
	    "Auto-Submitted: auto-generated\r\nX-Auto-Response-Suppress: All\r\nMIME-Version: 1.0\r\n"
	    "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n");
	body(out, p);
	return !out->full;
}

bool email_address_ok(const char *address, char *why, size_t size)
{
	const char *at = strchr(address, '@');
	size_t n = strlen(address);

	for (const char *s = address; *s; s++) {
		if ((unsigned char)*s <= ' ' || (unsigned char)*s > '~' || strchr("<>()[],;:\\\"", *s)) {
			snprintf(
			    why, size,
			    "not a plain mail address: it holds a blank, a non-ASCII character or one of "
			    "<>()[],;:\\\"");
			return false;
		}
	}
	if (n > EMAIL_ADDRESS_MAX) {
		snprintf(why, size, "not a mail address: longer than %d characters", EMAIL_ADDRESS_MAX);
		return false;
	}
	if (!at || at == address || !at[1] || strchr(at + 1, '@') || at[1] == '.' || address[n - 1] == '.') {
		snprintf(why, size, "not a mail address of the form name@domain");
		return false;
	}
	return true;
}
