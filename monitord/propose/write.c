/* YAML with comments; see write.h. Called by propose.c. */
#include "write.h"

#include <stdio.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/json.h"
#include "draft.h"
#include "look.h"
#include "services.h"
#include "site.h"

enum { COLUMNS = 112, COMMENT_MAX = 4000, KEYS_INDENT = 4 };

/* --- characters --- */

/* Printable ASCII; a line stays a line. */
static void harmless(const char *text, char *out, size_t size)
{
	size_t n = 0;
	for (const unsigned char *p = (const unsigned char *)text; *p && n < size - 1; p++)
		if (*p >= ' ' && *p < 0x7f)
			out[n++] = (char)*p;
		else if ((*p & 0xc0) != 0x80) /* of a character of several bytes the first stands for all */
			out[n++] = *p == '\n' || *p == '\t' ? ' ' : '?';
	out[n] = '\0';
}

/* Where a line of at most room characters ends: at a blank if there is one. */
static size_t line_end(const char *s, size_t room)
{
	size_t n = strlen(s);
	if (n <= room)
		return n;
	for (n = room; n > room / 2; n--)
		if (s[n] == ' ')
			return n;
	return room;
}

void write_comment(struct buf *out, int indent, const char *text)
{
	char plain[COMMENT_MAX];
	size_t room = (size_t)(COLUMNS - indent), n;
	harmless(text, plain, sizeof plain);
	for (const char *p = plain; *p; p += n + strspn(p + n, " ")) {
		n = line_end(p, room);
		buf_printf(out, "%*s# %.*s\n", indent, "", (int)n, p);
	}
}

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

static bool is_plain(const char *s)
{
	return *s && strchr(LETTERS "/", *s) && strspn(s, LETTERS "._-/%") == strlen(s);
}

void write_scalar(struct buf *out, const char *text)
{
	if (is_plain(text))
		buf_puts(out, text);
	else
		json_put_string(out, text); /* JSON's quoting is YAML's, too */
}

/* --- one check --- */

static void write_value(struct buf *out, const cJSON *v)
{
	const cJSON *e;
	bool first = true;
	if (cJSON_IsString(v)) {
		write_scalar(out, v->valuestring);
		return;
	}
	buf_puts(out, "[");
	cJSON_ArrayForEach(e, v)
	{
		buf_puts(out, first ? "" : ", ");
		write_scalar(out, e->valuestring);
		first = false;
	}
	buf_puts(out, "]");
}

static void write_key(struct buf *out, const char *before, const char *key, const char *value)
{
	buf_printf(out, "%s%*s%s: ", before, KEYS_INDENT, "", key);
	write_scalar(out, value);
	buf_puts(out, "\n");
}

static void write_keys(const struct draft *one, const struct drafts *d, const char *group, const char *before,
		       struct buf *out)
{
	const cJSON *o;
	write_key(out, before, "probe", one->probe);
	cJSON_ArrayForEach(o, one->variants[one->chosen])
	{
		buf_printf(out, "%s%*s%s: ", before, KEYS_INDENT, "", o->string);
		write_value(out, o);
		buf_puts(out, "\n");
	}
	if (one->parent) {
		buf_printf(out, "%s%*sparents: [self, ", before, KEYS_INDENT, "");
		write_scalar(out, d->v[one->parent - 1].name);
		buf_puts(out, "]\n");
	}
	if (one->interval)
		write_key(out, before, "interval", one->interval);
	if (strlen(group) > DRAFT_NAME_MAX)
		return;
	buf_printf(out, "%s%*sgroups: [", before, KEYS_INDENT, "");
	write_scalar(out, group);
	buf_puts(out, "]\n");
}

static void write_today(const struct draft *one, struct buf *out)
{
	char line[COMMENT_MAX];
	if (one->untried)
		return;
	snprintf(line, sizeof line, "today: %s %s", look_state(draft_result(one)),
		 look_text(draft_result(one)));
	write_comment(out, 2, line);
}

static void write_draft(const struct draft *one, const struct drafts *d, const char *group, struct buf *out)
{
	const char *before = one->fate == DRAFT_SUGGESTION ? "  #" : "";
	if (one->fate == DRAFT_GONE)
		return;
	write_comment(out, 2, one->note);
	if (one->fate == DRAFT_NOTE) {
		buf_puts(out, "\n");
		return;
	}
	write_today(one, out);
	buf_printf(out, "%s  ", before);
	write_scalar(out, one->name);
	buf_puts(out, ":\n");
	write_keys(one, d, group, before, out);
	buf_puts(out, "\n");
}

/* --- what was found --- */

static void host_line(const struct site *s, const struct drafts *d, size_t i, struct buf *line)
{
	const struct site_host *h = &s->hosts[i];
	if (site_is_mx(h))
		buf_printf(line, "MX %d ", h->preference);
	buf_puts(line, h->said);
	for (size_t k = 0; k < h->n && strcmp(h->said, h->v[0]) != 0; k++)
		buf_printf(line, "%s%s", k ? ", " : " ", h->v[k]);
	if (h->left_out)
		buf_printf(line, " and %zu more addresses, which are not named here", h->left_out);
	if (h->why[0])
		buf_printf(line, ": %s", h->why);
	bool any = h->why[0] != '\0';
	for (size_t k = 0; k < d->n; k++) {
		char told[100];
		const struct draft *one = &d->v[k];
		if (one->section != i + 1 || one->service < 0 || one->fate != DRAFT_CHECK)
			continue;
		services_tell(one, told, sizeof told);
		buf_printf(line, "; %s%s%s", wish_service(one->service), *told ? " " : "", told);
		if (!look_ok(draft_result(one)))
			buf_printf(line, " %s", look_state(draft_result(one)));
		any = true;
	}
	if (!any)
		buf_puts(line, "; nobody answers at any port of mail");
}

static const char *kind_text(const struct site *s, const struct wish *w)
{
	if (w->address)
		return "An address: nothing is known of a domain.";
	switch (s->kind) {
	case SITE_DOMAIN:
		return "Its hosts:";
	case SITE_NULL_MX:
		return "It says that it takes no mail (a null MX); what is said of its senders still counts.";
	case SITE_HOST:
		if (s->in_table)
			return "Found in this host's /etc/hosts, not in the DNS.";
		return "It has no MX record: as a domain its mail goes to its own address (RFC 5321, 5.1).";
	case SITE_BARE:
		break;
	}
	return "It has neither an MX record nor an address: it only sends.";
}

static void write_hosts(const struct site *s, const struct wish *w, const struct drafts *d, struct buf *out)
{
	struct buf line;
	write_comment(out, 0, kind_text(s, w));
	for (size_t i = 0; i < s->n; i++) {
		buf_init(&line, COMMENT_MAX);
		buf_puts(&line, "- ");
		host_line(s, d, i, &line);
		write_comment(out, 0, buf_str(&line));
		buf_fini(&line);
	}
	if (s->mx_left_out || d->left_out) {
		char text[120];
		snprintf(text, sizeof text,
			 "%zu more MX and %zu more checks are left out here: there are too many.",
			 s->mx_left_out, d->left_out);
		write_comment(out, 0, text);
	}
}

size_t write_checks(const struct drafts *d, size_t *wrong)
{
	size_t n = 0;
	*wrong = 0;
	for (size_t i = 0; i < d->n; i++) {
		if (d->v[i].fate != DRAFT_CHECK)
			continue;
		n++;
		*wrong += !d->v[i].untried && !look_ok(draft_result(&d->v[i]));
	}
	return n;
}

static void write_head(const struct wish *w, const struct drafts *d, struct buf *out)
{
	char line[600], date[32];
	size_t wrong, n = write_checks(d, &wrong);
	clock_iso(clock_wall_ms(), date, sizeof date);
	date[10] = '\0';
	date[16] = '\0';
	snprintf(line, sizeof line,
		 "%s as it was found on %s at %s UTC by `monitorctl propose`: %zu check%s, %zu not OK today.",
		 w->subject, date, date + 11, n, n == 1 ? "" : "s", wrong);
	write_comment(out, 0, line);
	write_comment(out, 0,
		      "Nothing was sent but greetings. Look it over, save it as a file of conf.d that ends "
		      "in .yaml, then: "
		      "monitord -t && monitorctl reload");
	for (size_t i = 0; i < d->n; i++) {
		const struct draft *one = &d->v[i];
		if (one->fate != DRAFT_CHECK || one->untried || look_ok(draft_result(one)))
			continue;
		snprintf(line, sizeof line, "not OK: %s", one->name);
		write_comment(out, 0, line);
	}
}

static void write_section(const struct site *s, const struct drafts *d, size_t i, struct buf *out)
{
	size_t section = d->v[i].section;
	for (size_t k = 0; k < i; k++)
		if (d->v[k].section == section && d->v[k].fate != DRAFT_GONE)
			return;
	char line[400];
	if (section == DRAFT_LOCAL)
		snprintf(line, sizeof line, "--- this host's own mail system ---");
	else
		snprintf(line, sizeof line, "--- %s ---",
			 section ? s->hosts[section - 1].name : "the domain");
	write_comment(out, 2, line);
	buf_puts(out, "\n");
}

void write_all(const struct wish *w, const struct site *s, const struct drafts *d, struct buf *out)
{
	write_head(w, d, out);
	write_hosts(s, w, d, out);
	buf_puts(out, "checks:\n");
	for (size_t i = 0; i < d->n; i++) {
		if (d->v[i].fate == DRAFT_GONE)
			continue;
		write_section(s, d, i, out);
		write_draft(&d->v[i], d, w->subject, out);
	}
}
