/* See journal.h. What libsystemd maps of the journal's files counts as resident, but belongs to the page
 * cache.
 */
#include "journal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-journal.h>

#include "lib/clock.h"

enum { LINE_MAX_ = LOG_LINE_MAX + 512, LOOK_AT_CLOCK = 256 };

/* --- cursors --- */

/* "s=SEQNUM-ID;i=SEQNUM;b=BOOT;..." */
static const char *cursor_field(const char *cursor, const char *key, size_t *len)
{
	const char *p = strncmp(cursor, key, 2) == 0 ? cursor : NULL;

	for (; !p && (cursor = strchr(cursor, ';')) != NULL; cursor++)
		p = strncmp(cursor + 1, key, 2) == 0 ? cursor + 1 : NULL;
	if (p)
		*len = strcspn(p + 2, ";");
	return p ? p + 2 : NULL;
}

bool log_journal_between(const char *older, const char *newer, uint64_t *n)
{
	size_t a = 0, b = 0, i = 0;
	const char *x = cursor_field(older, "s=", &a), *y = cursor_field(newer, "s=", &b);
	uint64_t first, second;

	if (!x || !y || a != b || memcmp(x, y, a) != 0)
		return false;
	x = cursor_field(older, "i=", &i);
	y = cursor_field(newer, "i=", &i);
	if (!x || !y)
		return false;
	first = strtoull(x, NULL, 16);
	second = strtoull(y, NULL, 16);
	*n = second > first ? second - first - 1 : 0;
	return second > first;
}

static bool take_cursor(sd_journal *sd, char *out)
{
	char *text = NULL;
	bool ok = sd_journal_get_cursor(sd, &text) >= 0 && strlen(text) < LOG_CURSOR_MAX;

	if (ok)
		snprintf(out, LOG_CURSOR_MAX, "%s", text);
	free(text);
	return ok;
}

/* --- opening --- */

static int match_each(sd_journal *sd, const char *field, const struct opt_list *l)
{
	char text[512];
	int r = 0;

	for (size_t i = 0; r >= 0 && i < l->n; i++) {
		snprintf(text, sizeof(text), "%s=%s", field, l->v[i]);
		r = sd_journal_add_match(sd, text, 0);
		if (r >= 0)
			r = sd_journal_add_disjunction(sd);
	}
	return r;
}

/* Every mail program logs with the facility mail, which the journal has an index of. */
static int match(sd_journal *sd, const struct log_journal *j)
{
	int r;

	if (!j->units->n && !j->identifiers->n)
		return sd_journal_add_match(sd, "SYSLOG_FACILITY=2", 0);
	r = match_each(sd, "_SYSTEMD_UNIT", j->units);
	return r < 0 ? r : match_each(sd, "SYSLOG_IDENTIFIER", j->identifiers);
}

static int open_journal(sd_journal **sd, const struct log_journal *j)
{
	uint64_t bytes = 0;
	int r;

	r = j->dir ? sd_journal_open_directory(sd, j->dir, 0)
		   : sd_journal_open(sd, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM);

	if (r < 0)
		return r;
	sd_journal_set_data_threshold(*sd, LINE_MAX_);
	/* files that may not be read are passed by without a word */
	if (sd_journal_get_usage(*sd, &bytes) >= 0 && bytes > 0)
		return 0;
	sd_journal_close(*sd);
	return -ENOENT;
}

/* --- where to begin --- */

/* The last entry of all, whoever wrote it; empty when there is none. */
static int tail_cursor(sd_journal *sd, char *out)
{
	int r = sd_journal_seek_tail(sd);

	*out = '\0';
	if (r >= 0)
		r = sd_journal_previous(sd);
	return r > 0 && !take_cursor(sd, out) ? -EIO : r < 0 ? r : 0;
}

/* Whether what the cursor names is there yet; else how much is gone. Asked before there is a filter, as the
 * entry may be anybody's. */
static int look_for(sd_journal *sd, const struct log_journal *j, struct log_tail *t)
{
	char found[LOG_CURSOR_MAX];
	int r = sd_journal_seek_cursor(sd, j->cursor);

	if (r >= 0)
		r = sd_journal_next(sd);
	if (r <= 0 || sd_journal_test_cursor(sd, j->cursor) > 0)
		return r < 0 ? r : 0;
	t->lost = true;
	if (take_cursor(sd, found) && log_journal_between(j->cursor, found, &t->missing))
		t->lost = t->missing > 0; /* the next in number: nothing is missing */
	return 0;
}

/* --- entries --- */

struct reading {
	sd_journal *sd;
	struct log_tail *t;
	char *line;
	char last[LOG_CURSOR_MAX]; /* of what was told last */
};

static size_t field(sd_journal *sd, const char *name, const char **value)
{
	const void *data;
	size_t len, key = strlen(name) + 1;

	if (sd_journal_get_data(sd, name, &data, &len) < 0 || len < key)
		return 0;
	*value = (const char *)data + key;
	return len - key;
}

/* One line for each line of the message: "Jan  1 00:00:00 journal PROGRAM: TEXT". */
static void tell(struct reading *r)
{
	static const char stamp[] = "Jan  1 00:00:00 journal ";
	const char *who = "", *text = "", *end, *nl;
	size_t n = field(r->sd, "SYSLOG_IDENTIFIER", &who), at;

	memcpy(r->line, stamp, sizeof(stamp) - 1);
	at = sizeof(stamp) - 1;
	n = n < 200 ? n : 200;
	memcpy(r->line + at, who, n);
	at += n;
	memcpy(r->line + at, ": ", 2);
	at += 2;
	n = field(r->sd, "MESSAGE", &text); /* the identifier's bytes are not valid any more */
	r->t->bytes += n;
	for (end = text + n; text < end; text = nl + 1) {
		nl = memchr(text, '\n', (size_t)(end - text));
		nl = nl ? nl : end;
		n = (size_t)(nl - text);
		r->t->cut += n > LOG_LINE_MAX;
		n = n < LOG_LINE_MAX ? n : LOG_LINE_MAX;
		memcpy(r->line + at, text, n);
		r->t->lines++;
		r->t->line(r->t->arg, r->line, at + n);
	}
}

/* From the cursor on; the entry it names was told before. */
static int read_on(struct reading *r, const char *cursor)
{
	int more = *cursor ? sd_journal_seek_cursor(r->sd, cursor) : sd_journal_seek_head(r->sd);

	if (more < 0)
		return more;
	for (unsigned n = 0; (more = sd_journal_next(r->sd)) > 0; n++) {
		if (n == 0 && *cursor && sd_journal_test_cursor(r->sd, cursor) > 0)
			continue;
		tell(r);
		if (!take_cursor(r->sd, r->last))
			return -EIO;
		if (n % LOOK_AT_CLOCK == LOOK_AT_CLOCK - 1 && clock_boot_ms() >= r->t->deadline) {
			r->t->late = true;
			break;
		}
	}
	return more;
}

/* The place is the last entry told, or what was the journal's last before reading began, if that is later: as
 * long as no mail comes the place must not grow old with it. */
static void settle(struct log_journal *j, const struct reading *r, const char *tail)
{
	uint64_t n;

	if (r->last[0] && (r->t->late || !tail[0] || !log_journal_between(r->last, tail, &n)))
		snprintf(j->cursor, sizeof(j->cursor), "%s", r->last);
	else if (tail[0])
		snprintf(j->cursor, sizeof(j->cursor), "%s", tail);
}

static int follow(struct reading *r, struct log_journal *j)
{
	char tail[LOG_CURSOR_MAX];
	int e = tail_cursor(r->sd, tail);

	if (e >= 0 && !j->began && !r->t->from_start) {
		snprintf(j->cursor, sizeof(j->cursor), "%s", tail);
		j->began = true;
		return 0;
	}
	if (e >= 0 && j->cursor[0])
		e = look_for(r->sd, j, r->t);
	if (e >= 0)
		e = match(r->sd, j);
	if (e >= 0)
		e = read_on(r, j->cursor);
	if (e < 0)
		return e;
	settle(j, r, tail);
	j->began = true;
	return 0;
}

bool log_journal_read(struct log_tail *t, struct log_journal *j)
{
	struct reading r = {.t = t, .line = malloc(LINE_MAX_)};
	int e = r.line ? open_journal(&r.sd, j) : -ENOMEM;

	if (e >= 0) {
		e = follow(&r, j);
		sd_journal_close(r.sd);
	}
	free(r.line);
	t->error = e < 0 ? -e : 0;
	t->absent = e == -ENOENT;
	return e >= 0;
}
