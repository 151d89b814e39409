/* The history for people; see history.h. Called by monitorctl. */
#include "history.h"

#include <stdio.h>
#include <string.h>

#include "lib/contract/event.h"
#include "lib/json.h"
#include "check.h"

enum { NAME_MAX_COLUMNS = 20 };

static const cJSON *get(const cJSON *o, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(o, key);
}

/* What happened: "(below relay, which is down) refuses", "after 3 min: 220 ready". */
static void add_words(const cJSON *e, const struct stamp *at, struct buf *out)
{
	char span[32];
	struct stamp since;
	const char *why = json_str(e, "why_suppressed", ""), *says = ctl_says(e);
	if (json_bool(e, "suppressed", false))
		buf_printf(out, "(%s) ", *why ? why : "not paged");
	if (strcmp(json_str(e, "kind", ""), "recovery") == 0 && json_get_stamp(e, "since", &since))
		buf_printf(out, "after %s: ", clock_span(clock_age_ms(&since, at), span, sizeof span));
	if (json_bool(e, "named", false))
		buf_puts(out, "recognised: ");
	buf_printf(out, "%.*s", (int)strcspn(says, "\n"), says);
}

static void show_event(const cJSON *e, int width, const struct ctl_style *style, const struct stamp *now,
		       struct buf *out)
{
	struct stamp at = {0};
	char when[32], today[32], incident[8];
	struct buf words;
	json_get_stamp(e, "at", &at);
	clock_text(at.wall_ms, when, sizeof when);
	clock_text(now->wall_ms, today, sizeof today);
	bool same_year = style->columns && strncmp(when, today, 5) == 0;
	event_incident(json_str(e, "check", ""), (uint64_t)json_int(e, "opened", 0), incident,
		       sizeof incident);
	buf_printf(out, "%s ", same_year ? when + 5 : when);
	ctl_state(out, json_str(e, "state", "?"), style);
	buf_printf(out, " #%s ", incident);
	ctl_pad(out, json_str(e, "check", "?"), width);
	buf_puts(out, "  ");
	buf_init(&words, 8192);
	add_words(e, &at, &words);
	ctl_cut(out, buf_str(&words), style->columns ? style->columns - width - (same_year ? 33 : 38) : 0);
	buf_puts(out, "\n");
	buf_fini(&words);
}

int ctl_show_history(const cJSON *answer, const struct ctl_style *style, const struct stamp *now,
		     struct buf *out)
{
	const cJSON *events = get(answer, "events"), *e;
	int width = 4, n = cJSON_GetArraySize(events);
	cJSON_ArrayForEach(e, events)
	{
		int k = ctl_width(json_str(e, "check", "?"));
		width = k > width ? k : width;
	}
	width = style->columns && width > NAME_MAX_COLUMNS ? NAME_MAX_COLUMNS : width;
	for (int i = n - 1; i >= 0; i--)
		show_event(cJSON_GetArrayItem(events, i), width, style, now, out);
	return n;
}
