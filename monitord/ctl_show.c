/* Text of monitorctl's answers; see ctl_show.h. Worst first: what is wrong must be on the first screen. */
#include "ctl_show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/json.h"
#include "../lib/result.h"

static const cJSON *get(const cJSON *o, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(o, key);
}

static const char *colour_of(const char *state)
{
	static const char *const codes[] = { "\033[32m", "\033[33m", "\033[31m", "\033[35m" };
	enum nag_state s;
	return nag_from_name(state, &s) ? codes[s] : "";
}

/* Adds text padded to width characters, coloured after its state. */
static void add_state(struct buf *out, const char *state, const struct ctl_style *style)
{
	if (style->colour)
		buf_printf(out, "%s%-8s\033[0m", colour_of(state), state);
	else
		buf_printf(out, "%-8s", state);
}

/* Adds at most width characters (UTF-8 aware) of text as one line; "…" marks a cut. */
static void add_cut(struct buf *out, const char *text, int width)
{
	int n = 0;
	size_t end = 0, last = 0;
	for (const unsigned char *p = (const unsigned char *)text; *p && *p != '\n'; p++) {
		if ((*p & 0xc0) != 0x80) {
			if (width > 0 && n == width) {
				buf_add(out, text, last);
				buf_puts(out, "…");
				return;
			}
			last = end;
			n++;
		}
		end = (size_t)((const char *)p - text) + 1;
	}
	buf_add(out, text, end);
}

static void age_of(const cJSON *o, const char *key, const struct stamp *now, char *out, size_t size)
{
	struct stamp s;
	if (json_get_stamp(o, key, &s))
		clock_span(clock_age_ms(&s, now), out, size);
	else
		snprintf(out, size, "-");
}

/* CRITICAL first, OK last; soft after hard. */
static int rank(const cJSON *check)
{
	static const int order[] = { [NAG_CRITICAL] = 0, [NAG_UNKNOWN] = 1, [NAG_WARNING] = 2, [NAG_OK] = 3 };
	enum nag_state s = NAG_UNKNOWN;
	nag_from_name(json_str(check, "state", "UNKNOWN"), &s);
	return order[s] * 2 + !json_bool(check, "hard", true);
}

static int by_rank(const void *a, const void *b)
{
	const cJSON *x = *(const cJSON *const *)a, *y = *(const cJSON *const *)b;
	int d = rank(x) - rank(y);
	return d ? d : strcmp(json_str(x, "name", ""), json_str(y, "name", ""));
}

static const cJSON **sorted(const cJSON *checks, size_t *n)
{
	size_t total = (size_t)cJSON_GetArraySize(checks), i = 0;
	const cJSON **list = calloc(total + 1, sizeof *list), *c;
	cJSON_ArrayForEach(c, checks)
		if (list && i < total)
			list[i++] = c;
	if (list && i)
		qsort(list, i, sizeof *list, by_rank);
	*n = i;
	return list;
}

static void show_row(const cJSON *c, const struct ctl_style *style, const struct stamp *now, struct buf *out)
{
	char age[32], tags[96] = "";
	age_of(c, "since", now, age, sizeof age);
	if (!json_bool(c, "hard", true))
		snprintf(tags, sizeof tags, "(%d/%d) ", (int)json_int(c, "attempt", 0), (int)json_int(c, "max", 0));
	else if (cJSON_IsObject(get(c, "downtime")))
		snprintf(tags, sizeof tags, "(downtime) ");
	else if (json_bool(c, "suppressed", false))
		snprintf(tags, sizeof tags, "(%.80s) ", json_str(c, "why", "suppressed"));
	add_state(out, json_str(c, "state", "?"), style);
	buf_puts(out, " ");
	size_t before = out->len;
	add_cut(out, json_str(c, "name", "?"), style->columns ? 24 : 0);
	int pad = 25 - (int)(out->len - before);
	buf_printf(out, "%*s%9s  %s", pad > 0 ? pad : 1, "", age, tags);
	add_cut(out, json_str(c, "text", ""), style->columns ? style->columns - 46 - (int)strlen(tags) : 0);
	buf_puts(out, "\n");
}

static void count_states(const cJSON *checks, int counts[4])
{
	const cJSON *c;
	cJSON_ArrayForEach(c, checks) {
		enum nag_state s = NAG_UNKNOWN;
		nag_from_name(json_str(c, "state", ""), &s);
		counts[s]++;
	}
}

static void show_monitord(const cJSON *m, const struct stamp *now, struct buf *out)
{
	char up[32];
	int counts[4] = { 0 };
	age_of(m, "started", now, up, sizeof up);
	count_states(get(m, "checks"), counts);
	buf_printf(out, "monitord  up %s, %d checks:", up, cJSON_GetArraySize(get(m, "checks")));
	for (int i = 0; i < 4; i++)
		if (counts[i] || i == 0)
			buf_printf(out, "%s %d %s", i && out->data[out->len - 1] != ':' ? "," : "", counts[i],
				   nag_name((enum nag_state)i));
	buf_puts(out, "\n");
	const char *error = json_str(m, "config_error", "");
	if (*error)
		buf_printf(out, "          CONFIGURATION: %s\n          (%s is in force)\n", error,
			   json_bool(m, "from_copy", false) ? "the last good copy" : "the old one");
	const cJSON *spool = get(m, "spool"), *p;
	if (*json_str(spool, "trouble", ""))
		buf_printf(out, "          SPOOL: %s\n", json_str(spool, "trouble", ""));
	cJSON_ArrayForEach(p, get(m, "probers"))
		if (!json_bool(p, "up", true))
			buf_printf(out, "          PROBER %s is down: %s\n", json_str(p, "place", "?"), json_str(p, "why", ""));
	const cJSON *pager = get(m, "pager");
	if (!json_bool(pager, "connected", true))
		buf_printf(out, "          PAGER: no heartbeat (%s)\n", json_str(pager, "verdict", "?"));
	else if (strcmp(json_str(pager, "digest", ""), json_str(m, "digest", "")) != 0 && *json_str(pager, "digest", ""))
		buf_printf(out, "          PAGER: runs another configuration (%s, here %s)\n", json_str(pager, "digest", ""),
			   json_str(m, "digest", ""));
}

static void show_line(const cJSON *l, const struct ctl_style *style, struct buf *out)
{
	bool good = json_bool(l, "up", false) && json_bool(l, "ok", false);
	buf_printf(out, "line      %s (%s): %s", json_str(l, "name", "?"), json_str(l, "notifier", "?"),
		   good ? "ok" : json_bool(l, "up", false) ? "NOT OK" : "DOWN");
	if (*json_str(l, "text", "")) {
		buf_puts(out, ", ");
		add_cut(out, json_str(l, "text", ""), style->columns ? style->columns - 40 : 0);
	}
	if (json_int(l, "queue", 0))
		buf_printf(out, ", %d waiting", (int)json_int(l, "queue", 0));
	buf_puts(out, "\n");
}

static void show_page(const cJSON *p, struct buf *out)
{
	buf_printf(out, "            %s to %s: %s", json_str(p, "kind", "?"), json_str(p, "contact", "?"),
		   json_str(p, "phase", "?"));
	if (*json_str(p, "route", ""))
		buf_printf(out, " on %s (%s)", json_str(p, "route", ""), json_str(p, "to", ""));
	if (json_int(p, "attempts", 0) > 1)
		buf_printf(out, ", %d attempts", (int)json_int(p, "attempts", 0));
	if (*json_str(p, "detail", ""))
		buf_printf(out, ": %.120s", json_str(p, "detail", ""));
	buf_puts(out, "\n");
}

static void show_incident(const cJSON *i, const struct ctl_style *style, const struct stamp *now, struct buf *out)
{
	char age[32];
	age_of(i, "opened", now, age, sizeof age);
	buf_printf(out, "incident  %s ", json_str(i, "id", "?"));
	add_state(out, json_str(i, "state", "?"), style);
	buf_printf(out, " %s, %s", json_str(i, "check", "?"), json_str(i, "phase", "?"));
	if (*json_str(i, "by", ""))
		buf_printf(out, " by %s", json_str(i, "by", ""));
	buf_printf(out, ", %s ago\n", age);
	const cJSON *p;
	cJSON_ArrayForEach(p, get(i, "pages"))
		show_page(p, out);
}

static void show_pagerd(const cJSON *p, const struct ctl_style *style, const struct stamp *now, struct buf *out)
{
	char up[32];
	const cJSON *o;
	int open = 0;
	age_of(p, "started", now, up, sizeof up);
	cJSON_ArrayForEach(o, get(p, "incidents"))
		open += strcmp(json_str(o, "phase", ""), "recovered") != 0;
	buf_printf(out, "pagerd    up %s, supervisor %s, %d open incident%s\n", up,
		   json_str(get(p, "supervisor"), "verdict", "?"), open, open == 1 ? "" : "s");
	const char *error = json_str(p, "config_error", "");
	if (*error)
		buf_printf(out, "          CONFIGURATION: %s\n", error);
	if (json_int(get(p, "spool"), "bad", 0))
		buf_printf(out, "          %d unreadable event files in the spool's bad/\n",
			   (int)json_int(get(p, "spool"), "bad", 0));
	cJSON_ArrayForEach(o, get(p, "lines"))
		show_line(o, style, out);
	cJSON_ArrayForEach(o, get(p, "incidents"))
		if (strcmp(json_str(o, "phase", ""), "recovered") != 0)
			show_incident(o, style, now, out);
}

void ctl_show_status(const cJSON *monitord, const char *monitord_why, const cJSON *pagerd, const char *pagerd_why,
		     const char *only, const struct ctl_style *style, const struct stamp *now, struct buf *out)
{
	size_t n = 0;
	const cJSON **list = sorted(get(monitord, "checks"), &n);
	if (only) {
		for (size_t i = 0; i < n; i++)
			if (strcmp(json_str(list[i], "name", ""), only) == 0)
				ctl_show_check(list[i], style, now, out);
		free(list);
		return;
	}
	if (monitord)
		show_monitord(monitord, now, out);
	else
		buf_printf(out, "monitord  DOES NOT ANSWER: %s\n", monitord_why);
	if (pagerd)
		show_pagerd(pagerd, style, now, out);
	else
		buf_printf(out, "pagerd    DOES NOT ANSWER: %s\n", pagerd_why);
	if (n)
		buf_puts(out, "\n");
	for (size_t i = 0; i < n; i++)
		show_row(list[i], style, now, out);
	free(list);
}

static void show_perf(const cJSON *p, struct buf *out)
{
	const cJSON *v = get(p, "value");
	char value[40] = "unknown";
	if (cJSON_IsNumber(v))
		snprintf(value, sizeof value, "%.6g", v->valuedouble);
	buf_printf(out, "  %-24s %s %s", json_str(p, "label", "?"), value, json_str(p, "uom", ""));
	if (*json_str(p, "warn", ""))
		buf_printf(out, "  warning %s", json_str(p, "warn", ""));
	if (*json_str(p, "crit", ""))
		buf_printf(out, "  critical %s", json_str(p, "crit", ""));
	buf_puts(out, "\n");
}

static void show_more(const char *more, struct buf *out)
{
	while (*more) {
		size_t n = strcspn(more, "\n");
		buf_printf(out, "  %.*s\n", (int)n, more);
		more += n + (more[n] == '\n');
	}
}

void ctl_show_check(const cJSON *c, const struct ctl_style *style, const struct stamp *now, struct buf *out)
{
	char age[32], last[32];
	const cJSON *p, *downtime = get(c, "downtime");
	age_of(c, "since", now, age, sizeof age);
	age_of(c, "last_run", now, last, sizeof last);
	add_state(out, json_str(c, "state", "?"), style);
	buf_printf(out, " %s: %s\n", json_str(c, "name", "?"), json_str(c, "text", ""));
	show_more(json_str(c, "more", ""), out);
	buf_printf(out, "  %s for %s (attempt %d of %d); probe %s%s%s; last run %s ago\n",
		   json_bool(c, "hard", true) ? "hard" : "soft", age, (int)json_int(c, "attempt", 0),
		   (int)json_int(c, "max", 0), json_str(c, "probe", "?"), *json_str(c, "host", "") ? " at " : "",
		   json_str(c, "host", ""), last);
	if (!json_bool(c, "measured", true))
		buf_puts(out, "  not measured: the check could not be run\n");
	if (json_bool(c, "suppressed", false))
		buf_printf(out, "  no page: %s\n", json_str(c, "why", ""));
	if (cJSON_IsObject(downtime)) {
		char until[32];
		clock_text(json_int(downtime, "until_wall_ms", 0), until, sizeof until);
		buf_printf(out, "  downtime until %s by %s: %s\n", until, json_str(downtime, "by", "?"),
			   json_str(downtime, "comment", ""));
	}
	cJSON_ArrayForEach(p, get(c, "perf"))
		show_perf(p, out);
}

void ctl_show_history(const cJSON *answer, const struct ctl_style *style, struct buf *out)
{
	const cJSON *events = get(answer, "events");
	for (int i = cJSON_GetArraySize(events) - 1; i >= 0; i--) {
		const cJSON *e = cJSON_GetArrayItem(events, i);
		struct stamp at = { 0 };
		char when[32];
		json_get_stamp(e, "at", &at);
		buf_printf(out, "%s  ", clock_text(at.wall_ms, when, sizeof when));
		add_state(out, json_str(e, "state", "?"), style);
		buf_printf(out, " %s%s: ", json_str(e, "check", "?"),
			   json_bool(e, "suppressed", false) ? " (no page)" : "");
		int used = 32 + (int)strlen(json_str(e, "check", "?"));
		add_cut(out, json_str(e, "text", ""), style->columns ? (style->columns > used + 10 ? style->columns - used : 10) : 0);
		buf_puts(out, "\n");
	}
}

bool ctl_has_problem(const cJSON *monitord)
{
	const cJSON *c;
	cJSON_ArrayForEach(c, get(monitord, "checks"))
		if (json_bool(c, "problem", false) && !json_bool(c, "suppressed", false))
			return true;
	return false;
}
