/* Incidents and pages in words; see pages.h. Called by show.c, monitorctl and monitord-run. */
#include "pages.h"

#include <stdio.h>
#include <string.h>

#include "lib/json.h"
#include "lib/contract/result.h"

static const cJSON *get(const cJSON *o, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(o, key);
}

static bool is(const cJSON *o, const char *key, const char *value)
{
	return strcmp(json_str(o, key, ""), value) == 0;
}

bool ctl_incident_is_open(const cJSON *i)
{
	return is(i, "phase", "new") || is(i, "phase", "acknowledged") || is(i, "phase", "suppressed");
}

static bool is_undone(const cJSON *page)
{
	return is(page, "phase", "waiting") || is(page, "phase", "trying") || is(page, "phase", "unsure");
}

bool ctl_incident_has_undone(const cJSON *i)
{
	const cJSON *p;
	cJSON_ArrayForEach(p, get(i, "pages")) if (is_undone(p)) return true;
	return false;
}

/* What the page does to its contact: "oncall paged", "oncall told of the recovery". */
static const char *deed(const cJSON *page)
{
	static const char *const deeds[][2] = {{"new", "paged"},
					       {"repeat", "paged again"},
					       {"ack", "told of the acknowledgement"},
					       {"recovered", "told of the recovery"},
					       {"notice", "told"},
					       {"test", "sent a test page"}};
	for (size_t i = 0; i < sizeof deeds / sizeof deeds[0]; i++)
		if (is(page, "kind", deeds[i][0]))
			return deeds[i][1];
	return "told";
}

static void add_route(const cJSON *p, const char *before, struct buf *out)
{
	if (*json_str(p, "route", ""))
		buf_printf(out, "%s%s (%s)", before, json_str(p, "route", ""), json_str(p, "to", ""));
}

static void add_waiting(const cJSON *p, struct buf *out)
{
	int n = (int)json_int(p, "attempts", 0);
	if (!n) {
		buf_puts(out, ", waits for a line");
		return;
	}
	buf_puts(out, ", ");
	ctl_count(out, n, "attempt", "attempts");
	add_route(p, ", last by ", out);
	if (*json_str(p, "detail", ""))
		buf_printf(out, ": %s", json_str(p, "detail", ""));
}

void ctl_page_words(const cJSON *p, const struct stamp *now, struct buf *out)
{
	char age[32] = "";
	const char *contact = json_str(p, "contact", "?"), *what = deed(p);
	bool done = !is_undone(p);
	if (now)
		ctl_age(p, done ? "done" : "made", now, age, sizeof age);
	if (is(p, "phase", "sent")) {
		buf_printf(out, "%s %s%s%s", contact, what, now ? " " : "", age);
		buf_puts(out, now ? " ago" : "");
		add_route(p, " by ", out);
	} else if (is(p, "phase", "waiting")) {
		buf_printf(out, "%s NOT YET %s%s%s", contact, what, now ? " for " : "", age);
		add_waiting(p, out);
	} else if (is(p, "phase", "trying")) {
		buf_printf(out, "%s is being %s", contact, what);
		add_route(p, " by ", out);
		buf_printf(out, "%s%s", now ? " for " : "", age);
	} else if (is(p, "phase", "unsure")) {
		buf_printf(out, "%s MAYBE %s%s%s", contact, what, now ? " for " : "", age);
		add_route(p, ": no answer yet from ", out);
	} else {
		buf_printf(out, "%s not %s: %s", contact, what,
			   is(p, "phase", "acknowledged") ? "acknowledged before" : "a later page says it");
	}
	if (is(p, "phase", "sent") && !json_bool(p, "confirmed", true))
		buf_puts(out, ", unconfirmed");
	if (*json_str(p, "digest", ""))
		buf_printf(out, ", in digest #%s", json_str(p, "digest", ""));
	if (is(p, "phase", "sent") && json_bool(p, "resend", false))
		buf_puts(out, ", marked as a repeat");
}

static bool later_of_contact(const cJSON *page)
{
	for (const cJSON *p = page->next; p; p = p->next)
		if (is(p, "phase", "sent") && is(p, "contact", json_str(page, "contact", "")))
			return true;
	return false;
}

static int sent_to(const cJSON *pages, const char *contact)
{
	const cJSON *p;
	int n = 0;
	cJSON_ArrayForEach(p, pages) n += is(p, "phase", "sent") && is(p, "contact", contact);
	return n;
}

void ctl_pages_now(const cJSON *i, int indent, const struct ctl_style *style, const struct stamp *now,
		   struct buf *out)
{
	const cJSON *p;
	cJSON_ArrayForEach(p, get(i, "pages"))
	{
		struct buf words;
		bool sent = is(p, "phase", "sent");
		if (!is_undone(p) && !(sent && !later_of_contact(p)))
			continue;
		buf_init(&words, 4096);
		ctl_page_words(p, now, &words);
		int n = sent_to(get(i, "pages"), json_str(p, "contact", ""));
		if (sent && n > 1)
			buf_printf(&words, ", %d pages in all", n);
		buf_printf(out, "%*s", indent, "");
		ctl_wrap(out, buf_str(&words), indent, indent, 3, style);
		buf_fini(&words);
	}
}

/* --- what was --- */

static void add_header(const cJSON *i, const struct ctl_style *style, const struct stamp *now,
		       struct buf *out)
{
	char when[32], span[32];
	struct stamp opened = {0}, closed;
	json_get_stamp(i, "opened", &opened);
	buf_printf(out, "#%s  ", json_str(i, "id", "?"));
	ctl_state(out, json_str(i, "state", "?"), style);
	buf_printf(out, " %s", json_str(i, "check", "?"));
	if (*json_str(i, "host", "") && !is(i, "host", json_str(i, "check", "")))
		buf_printf(out, " (%s)", json_str(i, "host", ""));
	buf_printf(out, "\n        opened %s", clock_text(opened.wall_ms, when, sizeof when));
	if (json_get_stamp(i, "closed", &closed))
		buf_printf(out, ", recovered after %s",
			   clock_span(clock_age_ms(&opened, &closed), span, sizeof span));
	else if (is(i, "phase", "new"))
		buf_printf(out, ", open for %s, not acknowledged",
			   ctl_age(i, "opened", now, span, sizeof span));
	else if (is(i, "phase", "suppressed"))
		buf_printf(out, ", not paged: %s", json_str(i, "why_suppressed", ""));
	if (is(i, "phase", "acknowledged") || *json_str(i, "by", ""))
		buf_printf(out, ", acknowledged by %s",
			   *json_str(i, "by", "") ? json_str(i, "by", "") : "somebody");
	if (*json_str(i, "comment", ""))
		buf_printf(out, ": %s", json_str(i, "comment", ""));
	buf_puts(out, "\n");
}

static void add_page(const cJSON *p, const struct ctl_style *style, struct buf *out)
{
	char when[32];
	struct buf words;
	struct stamp at = {0};
	if (!json_get_stamp(p, "done", &at))
		json_get_stamp(p, "made", &at);
	buf_init(&words, 4096);
	ctl_page_words(p, NULL, &words);
	if (is(p, "phase", "sent") && json_int(p, "attempts", 1) > 1)
		buf_printf(&words, ", attempt %d", (int)json_int(p, "attempts", 1));
	clock_text(at.wall_ms, when, sizeof when);
	buf_printf(out, "        %s  ", when + 5);
	ctl_wrap(out, buf_str(&words), 24, 24, 3, style);
	buf_fini(&words);
}

int ctl_show_incidents(const cJSON *answer, const struct ctl_style *style, const struct stamp *now,
		       struct buf *out)
{
	const cJSON *all = get(answer, "incidents"), *p;
	int n = cJSON_GetArraySize(all);
	for (int k = n - 1; k >= 0; k--) {
		const cJSON *i = cJSON_GetArrayItem(all, k);
		add_header(i, style, now, out);
		buf_puts(out, "        ");
		ctl_wrap(out, result_words(json_str(i, "text", ""), json_str(i, "state", "")), 8, 8, 0,
			 style);
		cJSON_ArrayForEach(p, get(i, "pages")) add_page(p, style, out);
		if (k)
			buf_puts(out, "\n");
	}
	return n;
}
