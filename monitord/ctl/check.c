/* One check in full; see check.h. Called by monitorctl and, for single lines, by show.c. */
#include "check.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lib/json.h"
#include "lib/contract/result.h"
#include "pages.h"

static const cJSON *get(const cJSON *o, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(o, key);
}

const char *ctl_says(const cJSON *o)
{
	return result_words(json_str(o, "text", ""), json_str(o, "state", ""));
}

bool ctl_downtime(const cJSON *check, char *out, size_t size)
{
	const cJSON *d = get(check, "downtime");
	char when[32];
	if (!cJSON_IsObject(d))
		return false;
	bool active = json_bool(d, "active", true);
	clock_text(json_int(d, active ? "until_wall_ms" : "from_wall_ms", 0), when, sizeof when);
	if (!active && json_int(d, "duration_ms", 0)) {
		clock_text(json_int(d, "until_wall_ms", 0), when, sizeof when);
		snprintf(out, size, "downtime once a problem begins before %.11s", when + 5);
		return true;
	}
	snprintf(out, size, active ? "in downtime until %.11s" : "downtime from %.11s on", when + 5);
	return true;
}

const cJSON *ctl_incident_of(const cJSON *check, const cJSON *pagerd)
{
	const char *id = json_str(check, "incident", ""), *name = json_str(check, "name", "");
	const cJSON *i;
	cJSON_ArrayForEach(
	    i, get(pagerd, "incidents")) if (ctl_incident_is_open(i) &&
					     strcmp(json_str(i, "check", ""), name) == 0 &&
					     (!*id || strcmp(json_str(i, "id", ""), id) == 0)) return i;
	return NULL;
}

/* As people read it: milliseconds for less than a second, powers of 1024 for bytes. */
static void value_text(double v, const char *uom, char *out, size_t size)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
	size_t k = 0;
	if (strcmp(uom, "s") == 0 && v != 0 && fabs(v) < 1) {
		snprintf(out, size, "%.3g ms", v * 1000);
	} else if (strcmp(uom, "B") == 0) {
		for (; fabs(v) >= 1024 && k + 1 < sizeof units / sizeof units[0]; k++)
			v /= 1024;
		snprintf(out, size, "%.4g %s", v, units[k]);
	} else {
		snprintf(out, size, "%.10g%s%s", v, *uom && *uom != '%' ? " " : "", uom);
	}
}

static void add_value(const cJSON *p, struct buf *out)
{
	const cJSON *v = get(p, "value");
	char text[64] = "unknown";
	if (cJSON_IsNumber(v))
		value_text(v->valuedouble, json_str(p, "uom", ""), text, sizeof text);
	buf_printf(out, "%12s", text);
}

static void add_perf(const cJSON *check, struct buf *out)
{
	const cJSON *p;
	int width = 10;
	cJSON_ArrayForEach(p, get(check, "perf"))
	{
		int n = ctl_width(json_str(p, "label", "?"));
		width = n > width ? n : width;
	}
	width = width > 32 ? 32 : width;
	cJSON_ArrayForEach(p, get(check, "perf"))
	{
		buf_puts(out, "    ");
		ctl_pad(out, json_str(p, "label", "?"), width);
		buf_puts(out, " ");
		add_value(p, out);
		if (*json_str(p, "warn", ""))
			buf_printf(out, "  warning %s", json_str(p, "warn", ""));
		if (*json_str(p, "crit", ""))
			buf_printf(out, "  critical %s", json_str(p, "crit", ""));
		buf_puts(out, "\n");
	}
}

static void add_more(const cJSON *check, const struct ctl_style *style, struct buf *out)
{
	const char *more = json_str(check, "more", "");
	while (*more) {
		buf_puts(out, "    ");
		ctl_wrap(out, more, 4, 6, 0, style);
		more += strcspn(more, "\n");
		more += *more == '\n';
	}
}

/* "for 3 min, attempt 1 of 3, not confirmed" */
static void add_state(const cJSON *c, const struct stamp *now, struct buf *out)
{
	char age[32];
	const char *state = json_str(c, "state", "?");
	int max = (int)json_int(c, "max", 0);
	buf_printf(out, "  %s for %s", state, ctl_age(c, "since", now, age, sizeof age));
	if (!json_bool(c, "hard", true))
		buf_printf(out, ", attempt %d of %d: not confirmed, nobody is paged",
			   (int)json_int(c, "attempt", 0), max);
	if (!json_bool(c, "measured", true))
		buf_puts(out, "; nothing was measured: the check could not be run");
	if (json_bool(c, "stale", false))
		buf_puts(out, "; no result came in time");
	buf_puts(out, "\n");
}

static void add_run(const cJSON *c, const struct stamp *now, struct buf *out)
{
	char age[32], took[32], next[32];
	if (!*json_str(c, "probe", "")) {
		buf_puts(out, "  one of monitord's own\n");
		return;
	}
	buf_printf(out, "  probe %s", json_str(c, "probe", "?"));
	if (*json_str(c, "host", ""))
		buf_printf(out, " at %s", json_str(c, "host", ""));
	if (*json_str(c, "on", ""))
		buf_printf(out, ", run on %s", json_str(c, "on", ""));
	if (cJSON_IsObject(get(c, "last_run")))
		buf_printf(out, "; ran %s ago, took %s", ctl_age(c, "last_run", now, age, sizeof age),
			   clock_span(json_int(c, "run_ms", 0), took, sizeof took));
	if (json_bool(c, "running", false))
		buf_puts(out, "; runs now");
	else if (*json_str(c, "not_run", ""))
		buf_printf(out, "; not run: %s", json_str(c, "not_run", ""));
	else if (json_int(c, "next_in_ms", -1) >= 0)
		buf_printf(out, "; next in %s", clock_span(json_int(c, "next_in_ms", 0), next, sizeof next));
	buf_puts(out, "\n");
}

static void add_incident(const cJSON *c, const cJSON *pagerd, const struct ctl_style *style,
			 const struct stamp *now, struct buf *out)
{
	const cJSON *i = ctl_incident_of(c, pagerd), *d = get(c, "downtime");
	char text[80];
	if (json_bool(c, "flapping", false))
		buf_printf(out, "  flapping (%d %%): one page said so, changes are only recorded\n",
			   (int)json_int(c, "flap_percent", 0));
	if (json_bool(c, "suppressed", false))
		buf_printf(out, "  no page: %s\n", json_str(c, "why", ""));
	if (ctl_downtime(c, text, sizeof text))
		buf_printf(out, "  %s, by %s%s%s\n", text, json_str(d, "by", "?"),
			   *json_str(d, "comment", "") ? ": " : "", json_str(d, "comment", ""));
	if (!i)
		return;
	buf_printf(out, "  incident #%s", json_str(i, "id", "?"));
	if (strcmp(json_str(i, "phase", ""), "acknowledged") == 0)
		buf_printf(out, ", acknowledged by %s%s%s",
			   *json_str(i, "by", "") ? json_str(i, "by", "") : "somebody",
			   *json_str(i, "comment", "") ? ": " : "", json_str(i, "comment", ""));
	buf_puts(out, "\n");
	ctl_pages_now(i, 4, style, now, out);
}

void ctl_show_check(const cJSON *c, const cJSON *pagerd, const struct ctl_style *style,
		    const struct stamp *now, struct buf *out)
{
	const char *name = json_str(c, "name", "?");
	ctl_state(out, json_str(c, "state", "?"), style);
	buf_printf(out, " %s: ", name);
	ctl_wrap(out, ctl_says(c), 11 + ctl_width(name), 9, 0, style);
	add_more(c, style, out);
	add_state(c, now, out);
	add_run(c, now, out);
	add_incident(c, pagerd, style, now, out);
	add_perf(c, out);
}
