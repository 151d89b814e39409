/* A page as a log message; see format.h. */
#include "notifiers/syslog/format.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "notifiers/notifier.h"

enum { SUMMARY_MAX = 1000, NAME_MAX_BYTES = 255 };

/* Ours in the journal, for journalctl MESSAGE_ID=... */
#define MESSAGE_ID "5b1f8e0c3a4d4f0e9c7a52d1b86e4f73"

int syslog_severity(const struct page *p)
{
	if (p->kind == PAGE_TEST || p->kind == PAGE_INFO)
		return 6;
	if (p->kind == PAGE_ACK || p->kind == PAGE_RECOVERED || p->kind == PAGE_NOTICE)
		return 5;
	if (strcmp(p->state, "CRITICAL") == 0)
		return 2;
	return strcmp(p->state, "OK") == 0 ? 5 : 4;
}

bool syslog_name_ok(const char *s, size_t max, bool sd_name)
{
	size_t n = strlen(s);

	for (size_t i = 0; i < n; i++)
		if (s[i] < 33 || s[i] > 126 || (sd_name && strchr("=]\"", s[i]) != NULL))
			return false;
	return n > 0 && n <= max;
}

/* The page in one line; control bytes are spaces in it. Owned by the caller. */
static char *summary_of(const struct page *p)
{
	char *text = page_text(p, SUMMARY_MAX, NULL);

	return text != NULL ? text : strdup(p->text);
}

/* --- RFC 5424 -------------------------------------------------------------------------------------- */

/* PARAM-VALUE: three characters are escaped; control bytes, which some receivers end a message at, become
 * spaces. */
static bool param(struct buf *out, const char *name, const char *value)
{
	bool ok = buf_printf(out, " %s=\"", name);

	for (; value != NULL && *value != '\0' && ok; value++) {
		unsigned char c = (unsigned char)*value;

		if (strchr("\"\\]", c) != NULL)
			ok = buf_printf(out, "\\%c", c);
		else
			ok = buf_add(out, c < 0x20 || c == 0x7f ? " " : value, 1);
	}
	return ok && buf_puts(out, "\"");
}

static bool structured(struct buf *out, const struct syslog_origin *o, const struct page *p)
{
	return buf_printf(out, "[%s", o->sd_id) && param(out, "incident", p->incident) &&
	       param(out, "check", p->check) && param(out, "host", p->host) &&
	       param(out, "state", p->state) && param(out, "kind", page_kind_name(p->kind)) &&
	       param(out, "resend", p->resend ? "true" : "false") && param(out, "to", p->to) &&
	       param(out, "line", o->line) && param(out, "id", p->id) && buf_puts(out, "]");
}

static bool header(struct buf *out, const struct syslog_origin *o, const struct page *p)
{
	char at[40];
	const char *host = o->host && syslog_name_ok(o->host, NAME_MAX_BYTES, false) ? o->host : "-";

	return buf_printf(out, "<%d>1 %s %s %s %lld %s ", o->facility * 8 + syslog_severity(p),
			  clock_iso(o->now_wall_ms, at, sizeof(at)), host, o->app, (long long)o->pid,
			  page_kind_name(p->kind));
}

/* As much of the text as there is room for, in whole characters. The mark before it says that it is UTF-8. */
static bool message(struct buf *out, const char *text, size_t max)
{
	static const char bom[] = "\xEF\xBB\xBF";
	size_t room = max > out->len + sizeof(bom) ? max - out->len - sizeof(bom) : 0, n = strlen(text);

	if (n > room) {
		n = room;
		while (n > 0 && ((unsigned char)text[n] & 0xC0) == 0x80)
			n--;
	}
	return n == 0 || (buf_puts(out, " ") && buf_puts(out, bom) && buf_add(out, text, n));
}

bool syslog_message(struct buf *out, const struct syslog_origin *o, const struct page *p, size_t max)
{
	struct buf data;
	char *text = summary_of(p);
	bool ok;

	buf_init(&data, max);
	ok = text != NULL && header(out, o, p);
	if (ok && structured(&data, o, p) && out->len + data.len <= max)
		ok = buf_add(out, data.data, data.len);
	else
		ok = ok && buf_puts(out, "-");
	ok = ok && out->len <= max && message(out, text, max);
	buf_fini(&data);
	free(text);
	return ok;
}

/* --- the journal ----------------------------------------------------------------------------------- */

/* "NAME=value\n", or with the length as eight little-endian bytes when the value has lines of its own. */
static bool field(struct buf *out, const char *name, const char *value)
{
	size_t n = value ? strlen(value) : 0;
	char size[8];

	if (n == 0)
		return true;
	if (strchr(value, '\n') == NULL)
		return buf_printf(out, "%s=%s\n", name, value);
	for (int i = 0; i < 8; i++)
		size[i] = (char)((uint64_t)n >> (8 * i) & 0xff);
	return buf_printf(out, "%s\n", name) && buf_add(out, size, 8) && buf_add(out, value, n) &&
	       buf_puts(out, "\n");
}

static bool page_fields(struct buf *out, const struct syslog_origin *o, const struct page *p)
{
	return field(out, "MONITORD_INCIDENT", p->incident) && field(out, "MONITORD_CHECK", p->check) &&
	       field(out, "MONITORD_HOST", p->host) && field(out, "MONITORD_STATE", p->state) &&
	       field(out, "MONITORD_KIND", page_kind_name(p->kind)) &&
	       field(out, "MONITORD_RESEND", p->resend ? "1" : "0") && field(out, "MONITORD_TO", p->to) &&
	       field(out, "MONITORD_LINE", o->line) && field(out, "MONITORD_ID", p->id) &&
	       field(out, "MONITORD_TEXT", p->text) && field(out, "MONITORD_MORE", p->more);
}

bool syslog_journal(struct buf *out, const struct syslog_origin *o, const struct page *p)
{
	char *text = summary_of(p);
	bool ok = text != NULL && field(out, "MESSAGE", text) &&
		  buf_printf(out, "PRIORITY=%d\n", syslog_severity(p)) &&
		  buf_printf(out, "SYSLOG_FACILITY=%d\n", o->facility) &&
		  field(out, "SYSLOG_IDENTIFIER", o->app) && field(out, "MESSAGE_ID", MESSAGE_ID) &&
		  page_fields(out, o, p);

	free(text);
	return ok;
}
