/* The body of a webhook; see template.h. */
#include "notifiers/webhook/template.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/json.h"
#include "notifiers/notifier.h"

enum { WORD_MAX = 16, SUMMARY_MAX = 1000 };

const char webhook_default_body[] =
    "{\"v\":1,\"id\":\"{id}\",\"line\":\"{line}\",\"to\":\"{to}\",\"kind\":\"{kind}\",\"resend\":{resend},"
    "\"incident\":\"{incident}\",\"check\":\"{check}\",\"host\":\"{host}\",\"state\":\"{state}\",\"text\":\"{"
    "text}\","
    "\"more\":\"{more}\",\"since\":\"{since}\",\"at\":\"{at}\",\"summary\":\"{summary}\"}";

/* --- escaping -------------------------------------------------------------------------------------- */

static bool put_json(struct buf *out, const char *s)
{
	struct buf quoted;
	bool ok;

	buf_init(&quoted, WEBHOOK_BODY_MAX);
	ok = json_put_string(&quoted, s) && quoted.len >= 2 && buf_add(out, quoted.data + 1, quoted.len - 2);
	buf_fini(&quoted);
	return ok;
}

static bool put_form(struct buf *out, const char *s)
{
	bool ok = true;

	for (; *s != '\0' && ok; s++) {
		if (isalnum((unsigned char)*s) || strchr("-._", *s) != NULL)
			ok = buf_add(out, s, 1);
		else
			ok = *s == ' ' ? buf_puts(out, "+")
				       : buf_printf(out, "%%%02X", (unsigned)(unsigned char)*s);
	}
	return ok;
}

static bool put(struct buf *out, enum webhook_escape how, const char *s)
{
	if (s == NULL)
		return true;
	return how == WEBHOOK_JSON   ? put_json(out, s)
	       : how == WEBHOOK_FORM ? put_form(out, s)
				     : buf_puts(out, s);
}

/* --- the fields ------------------------------------------------------------------------------------ */

static bool put_time(struct buf *out, int64_t wall_ms)
{
	char text[40];

	return wall_ms <= 0 || buf_puts(out, clock_iso(wall_ms, text, sizeof(text)));
}

static bool put_summary(struct buf *out, enum webhook_escape how, const struct page *p)
{
	char *text = page_text(p, SUMMARY_MAX, NULL);
	bool ok = put(out, how, text != NULL ? text : p->text);

	free(text);
	return ok;
}

/* Those of plain text; NULL: the page has no such field. */
static const char *text_field(const char *word, const struct page *p, const char *line)
{
	const struct {
		const char *name, *value;
	} fields[] = {{"id", p->id},
		      {"line", line},
		      {"to", p->to},
		      {"kind", page_kind_name(p->kind)},
		      {"incident", p->incident},
		      {"check", p->check},
		      {"host", p->host},
		      {"state", p->state},
		      {"text", p->text},
		      {"more", p->more ? p->more : ""},
		      {"lang", p->lang ? p->lang : ""},
		      {"code", p->code ? p->code : ""}};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (strcmp(word, fields[i].name) == 0)
			return fields[i].value ? fields[i].value : "";
	return NULL;
}

/* False: it does not fit; *known tells whether there is such a field. */
static bool put_field(struct buf *out, enum webhook_escape how, const char *word, const struct page *p,
		      const char *line, bool *known)
{
	const char *text = text_field(word, p, line);

	*known = true;
	if (text != NULL)
		return put(out, how, text);
	if (strcmp(word, "resend") == 0)
		return buf_puts(out, p->resend ? "true" : "false");
	if (strcmp(word, "number") == 0)
		return buf_printf(out, "%lld", (long long)p->number);
	if (strcmp(word, "since") == 0)
		return put_time(out, p->since_wall_ms);
	if (strcmp(word, "at") == 0)
		return put_time(out, p->at_wall_ms);
	if (strcmp(word, "summary") == 0)
		return put_summary(out, how, p);
	*known = false;
	return true;
}

/* "{word}" at s: its length, and the word. 0: there is none here. */
static size_t word_at(const char *s, char *word)
{
	size_t n = strspn(s + 1, "abcdefghijklmnopqrstuvwxyz_");

	if (s[0] != '{' || n == 0 || n >= WORD_MAX || s[1 + n] != '}')
		return 0;
	memcpy(word, s + 1, n);
	word[n] = '\0';
	return n + 2;
}

/* unknown (may be NULL) gets the first word that is no field; such words stay as they are. */
static bool render(const char *template, enum webhook_escape how, const struct page *p, const char *line,
		   struct buf *out, char *unknown)
{
	char word[WORD_MAX];
	bool known;

	for (const char *s = template; *s != '\0';) {
		size_t n = word_at(s, word);

		if (n > 0 && !put_field(out, how, word, p, line, &known))
			return false;
		if (n > 0 && !known && unknown != NULL && unknown[0] == '\0')
			memcpy(unknown, word, WORD_MAX);
		if ((n == 0 || !known) && !buf_add(out, s, n > 0 ? n : 1))
			return false;
		s += n > 0 ? n : 1;
	}
	return true;
}

bool webhook_render(const char *template, enum webhook_escape how, const struct page *p, const char *line,
		    struct buf *out)
{
	return render(template, how, p, line, out, NULL);
}

bool webhook_template_check(const char *template, enum webhook_escape how, char *why, size_t size)
{
	const struct page sample = {.id = "K7Q2M-1",
				    .to = "\"a\"",
				    .incident = "K7Q2M",
				    .check = "\\",
				    .host = "h",
				    .state = "OK",
				    .text = "\"\n\t\\u0000 { } , :",
				    .more = "\"}]",
				    .since_wall_ms = 1,
				    .at_wall_ms = 1};
	char unknown[WORD_MAX] = "";
	const char *reason = "does not fit";
	struct buf out;
	cJSON *v = NULL;
	bool ok;

	buf_init(&out, WEBHOOK_BODY_MAX);
	ok = render(template, how, &sample, "l", &out, unknown);
	if (ok && how == WEBHOOK_JSON)
		v = json_parse(buf_str(&out), out.len, WEBHOOK_BODY_MAX, &reason);
	if (unknown[0] != '\0')
		snprintf(why, size, "a page has no \"%s\"", unknown);
	else if (!ok || (how == WEBHOOK_JSON && v == NULL))
		snprintf(why, size, "does not become JSON: %s", reason);
	ok = ok && unknown[0] == '\0' && (how != WEBHOOK_JSON || v != NULL);
	cJSON_Delete(v);
	buf_fini(&out);
	return ok;
}
