/* monitorctl diagnose; see diagnose.h. */
#include "diagnose.h"

#include <stdio.h>

#include <string.h>

#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/json.h"
#include "ask.h"

enum { UNNAMED_SHOWN = 8 };

static size_t problems(const cJSON *m)
{
	const cJSON *c;
	size_t n = 0;
	cJSON_ArrayForEach(c, cJSON_GetObjectItemCaseSensitive(m, "checks")) n +=
	    json_bool(c, "problem", false);
	return n;
}

/* "  advice" stands on a line of its own: it is what somebody who was just woken looks for. */
static void show_one(const cJSON *d, int n, int of, struct buf *out)
{
	const char *text = json_str(d, "text", ""), *advice = strstr(text, "; ");
	int64_t since = json_int(d, "since_wall_ms", 0);
	char when[32];
	if (of > 1)
		buf_printf(out, "%s%d. ", n > 1 ? "\n" : "", n);
	buf_printf(out, "%.*s\n", advice ? (int)(advice - text) : (int)strlen(text), text);
	if (advice)
		buf_printf(out, "  do        %s\n", advice + 2);
	buf_printf(out, "  name      %s\n  evidence  %s\n", json_str(d, "name", ""),
		   json_str(d, "because", ""));
	if (since)
		buf_printf(out, "  since     %s\n", clock_text(since, when, sizeof when));
	buf_printf(out, "  why %-5s %s\n", of < 2 ? "" : n == 1 ? "first" : "here", json_str(d, "why", ""));
}

/* Its findings speak for an incident that is recognised now, though it was told before that was. */
static bool is_evidence(const cJSON *m, const char *check)
{
	const cJSON *d, *name;
	cJSON_ArrayForEach(d, cJSON_GetObjectItemCaseSensitive(m, "diagnosis"))
	{
		cJSON_ArrayForEach(name, cJSON_GetObjectItemCaseSensitive(d, "checks"))
		{
			if (cJSON_IsString(name) && strcmp(name->valuestring, check) == 0)
				return true;
		}
	}
	return false;
}

/* Honest about the rest: the problems that were told as nothing. */
static void show_unnamed(const cJSON *m, struct buf *out)
{
	const cJSON *c;
	size_t n = 0;
	cJSON_ArrayForEach(c, cJSON_GetObjectItemCaseSensitive(m, "checks"))
	{
		if (!json_bool(c, "problem", false) || *json_str(c, "diagnosis", "") ||
		    is_evidence(m, json_str(c, "name", "")))
			continue;
		n++;
		if (n <= UNNAMED_SHOWN)
			buf_printf(out, "%s %s", n == 1 ? "\nnot recognised:" : ",",
				   json_str(c, "name", "?"));
	}
	if (n > UNNAMED_SHOWN)
		buf_printf(out, " and %zu more", n - UNNAMED_SHOWN);
	if (n)
		buf_puts(out, "\n");
}

void ctl_show_diagnosis(const cJSON *m, bool full, struct buf *out)
{
	const cJSON *d, *list = cJSON_GetObjectItemCaseSensitive(m, "diagnosis");
	int n = 0, of = cJSON_GetArraySize(list);
	cJSON_ArrayForEach(d, list)
	{
		n++;
		if (full)
			show_one(d, n, of, out);
		else
			buf_printf(out, "incident: %s\n", json_str(d, "text", ""));
	}
	if (n && full)
		show_unnamed(m, out);
	if (n || !full)
		return;
	size_t bad = problems(m);
	if (bad)
		buf_printf(
		    out,
		    "not recognised: %zu check%s a problem, and no known incident fits what they found\n",
		    bad, bad == 1 ? " has" : "s have");
	else
		buf_puts(out, "nothing to name: no check has a problem and no incident is recognised\n");
}

int ctl_do_diagnose(struct ctl *ctl)
{
	char why[512];
	struct buf out;
	cJSON *m = ctl_status(ctl->monitord, why, sizeof why);
	if (!m) {
		fprintf(stderr, "monitorctl: %s\n", why);
		return EXIT_SILENT;
	}
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(m, "diagnosis");
	int rc = cJSON_GetArraySize(list) || problems(m) ? EXIT_REFUSED : EXIT_DONE;
	buf_init(&out, ANSWER_MAX);
	if (ctl->json)
		ctl_print_json(list);
	else
		ctl_show_diagnosis(m, true, &out);
	fputs(buf_str(&out), stdout);
	buf_fini(&out);
	cJSON_Delete(m);
	return rc;
}
