/* The other ops host; see peer.h. Called by show.c. */
#include "peer.h"

#include <string.h>

#include "lib/clock.h"
#include "lib/json.h"

static const cJSON *get(const cJSON *o, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(o, key);
}

static void show_link(const cJSON *p, struct buf *out)
{
	char span[32];
	const char *verdict = json_str(p, "verdict", "?"), *other = json_str(p, "other", "?");
	int64_t last = json_int(p, "last_ms", -1);
	buf_printf(out, "peer      %s, we are %s: ", other,
		   json_bool(p, "primary", false) ? "primary" : "its stand-in");
	if (strcmp(verdict, "alive") == 0)
		buf_puts(out, "it is there");
	else if (strcmp(verdict, "planned") == 0)
		buf_puts(out, "it said that it restarts");
	else if (last < 0)
		buf_puts(out, strcmp(verdict, "silent") == 0 ? "NEVER HEARD" : "not heard yet");
	else
		buf_printf(out, "NOT HEARD for %s (%s)", clock_span(last, span, sizeof span), verdict);
	buf_puts(out, "\n");
	if (!json_bool(p, "pager", true))
		buf_puts(out, "          ITS pagerd IS GONE: it pages nobody\n");
	if (json_bool(p, "same_role", false))
		buf_puts(out, "          BOTH HAVE THE SAME ROLE: see peer.role\n");
	if (*json_str(p, "trouble", ""))
		buf_printf(out, "          %s\n", json_str(p, "trouble", ""));
	if (json_int(p, "forged", 0) || json_int(p, "replayed", 0) || json_int(p, "bad", 0))
		buf_printf(out, "          refused datagrams: %d forged, %d replayed, %d that are none\n",
			   (int)json_int(p, "forged", 0), (int)json_int(p, "replayed", 0),
			   (int)json_int(p, "bad", 0));
}

static void show_problem(const cJSON *o, const struct ctl_style *style, const struct stamp *now,
			 struct buf *out)
{
	char span[32];
	int64_t age = now->wall_ms - json_int(o, "since_wall_ms", now->wall_ms);
	buf_puts(out, "          ");
	ctl_state(out, json_str(o, "state", "?"), style);
	buf_printf(out, " %s  %s", json_str(o, "check", "?"),
		   clock_span(age > 0 ? age : 0, span, sizeof span));
	if (*json_str(o, "incident", ""))
		buf_printf(out, "  #%s", json_str(o, "incident", ""));
	buf_printf(out, "  %s", json_str(o, "text", ""));
	if (json_bool(o, "suppressed", false))
		buf_printf(out, " (no page: %s)", json_str(o, "why", ""));
	buf_puts(out, "\n");
}

void ctl_show_peer(const cJSON *monitord, const struct ctl_style *style, const struct stamp *now,
		   struct buf *out)
{
	const cJSON *p = get(monitord, "peer"), *o;
	if (!cJSON_IsObject(p))
		return;
	show_link(p, out);
	cJSON_ArrayForEach(o, get(p, "problems")) show_problem(o, style, now, out);
	if (json_int(p, "omitted", 0))
		buf_printf(out, "          and %d more there\n", (int)json_int(p, "omitted", 0));
}
