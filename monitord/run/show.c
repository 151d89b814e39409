/* The voice of monitord-run; see show.h. */
#include "show.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/clock.h"
#include "lib/json.h"
#include "monitord/ctl/check.h"
#include "monitord/ctl/pages.h"

static const cJSON *get(const cJSON *o, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(o, key);
}

void run_say(const char *fmt, ...)
{
	char when[32], text[4096];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	clock_text(clock_wall_ms(), when, sizeof when);
	printf("%s  %s\n", when + (strlen(when) > 11 ? 11 : 0), text);
	fflush(stdout);
}

void run_show_init(struct run_show *s, const char *phone_file)
{
	struct stat st;
	*s = (struct run_show){.phone_file = phone_file ? strdup(phone_file) : NULL};
	if (phone_file && stat(phone_file, &st) == 0)
		s->phone_at = st.st_size;
}

void run_show_fini(struct run_show *s)
{
	free(s->phone_file);
}

/* --- checks --- */

/* True when nobody needs to hear of it: an internal check that is fine and always was. */
static bool is_boring(struct run_show *s, const char *name, bool ok)
{
	int room = -1;
	if (strncmp(name, "self", 4) != 0)
		return false;
	for (int i = 0; i < RUN_SELF_MAX; i++) {
		if (strcmp(s->troubled[i], name) == 0) {
			if (ok)
				s->troubled[i][0] = '\0';
			return false;
		}
		room = s->troubled[i][0] ? room : i;
	}
	if (!ok && room >= 0)
		snprintf(s->troubled[room], RUN_NAME_MAX, "%s", name);
	return ok;
}

static void show_change(struct run_show *s, const cJSON *c)
{
	char attempt[64] = "";
	const char *name = json_str(c, "name", "?"), *state = json_str(c, "state", "?");
	if (is_boring(s, name, strcmp(state, "OK") == 0))
		return;
	if (!json_bool(c, "hard", true))
		snprintf(attempt, sizeof attempt, " (attempt %d of %d)", (int)json_int(c, "attempt", 0),
			 (int)json_int(c, "max", 0));
	run_say("%-8s %s%s: %s%s%s", state, name, attempt, ctl_says(c),
		json_bool(c, "suppressed", false) ? "; no page: " : "",
		json_bool(c, "suppressed", false) ? json_str(c, "why", "") : "");
}

static void show_checks(struct run_show *s, const cJSON *checks)
{
	const cJSON *c;
	struct buf names;
	s->list_checks = false;
	buf_init(&names, 4096);
	cJSON_ArrayForEach(c, checks) if (*json_str(c, "probe", "") &&
					  !buf_printf(&names, "%s%s", names.len ? ", " : "",
						      json_str(c, "name", "?"))) break;
	run_say("watching %s%s", names.len ? buf_str(&names) : "nothing but itself",
		names.full ? ", ..." : "");
	buf_fini(&names);
}

/* --- pages and lines --- */

static void show_page(struct run_show *s, const cJSON *p)
{
	struct buf words;
	char page[sizeof s->page];
	if (strcmp(json_str(p, "phase", ""), "trying") == 0)
		return; /* what comes of it is said in a moment */
	buf_init(&words, 4096);
	ctl_page_words(p, NULL, &words);
	snprintf(page, sizeof page, "#%s %s", json_str(p, "incident", "?"), buf_str(&words));
	buf_fini(&words);
	if (strcmp(page, s->page) != 0)
		run_say("page     %s", page);
	snprintf(s->page, sizeof s->page, "%s", page);
}

/* Said when it becomes good or bad, and when the reason of the bad changes; a signal's strength changes all
 * the time. */
static void show_health(struct run_show *s, const cJSON *l)
{
	const char *name = json_str(l, "name", "?"), *text = json_str(l, "text", "");
	bool ok = json_bool(l, "up", false) && json_bool(l, "ok", false);
	int i = 0;
	while (i < RUN_LINES_MAX && s->lines[i].name[0] && strcmp(s->lines[i].name, name) != 0)
		i++;
	if (i == RUN_LINES_MAX)
		return;
	bool known = s->lines[i].name[0];
	if (known && ok == s->lines[i].ok && (ok || strcmp(text, s->lines[i].text) == 0))
		return;
	if (!known && !ok && !*text)
		return; /* it starts */
	snprintf(s->lines[i].name, RUN_NAME_MAX, "%s", name);
	snprintf(s->lines[i].text, sizeof s->lines[i].text, "%s", text);
	s->lines[i].ok = ok;
	run_say("line     %s %s%s%s", name, ok ? "ok" : "NOT OK", *text ? ": " : "", text);
}

void run_show_line(struct run_show *s, const cJSON *v)
{
	const cJSON *o;
	if ((o = get(v, "change")))
		show_change(s, o);
	else if ((o = get(v, "page")))
		show_page(s, o);
	else if ((o = get(v, "received")))
		run_say("received on %s from %s: %s", json_str(o, "line", "?"), json_str(o, "from", "?"),
			json_str(o, "text", ""));
	if (s->list_checks && cJSON_IsArray(get(v, "checks")))
		show_checks(s, get(v, "checks"));
	cJSON_ArrayForEach(o, get(v, "lines")) show_health(s, o);
}

/* --- the phone --- */

void run_show_phone(struct run_show *s)
{
	char line[2048];
	FILE *f = s->phone_file ? fopen(s->phone_file, "re") : NULL;
	if (!f)
		return;
	fseeko(f, s->phone_at, SEEK_SET);
	while (fgets(line, sizeof line, f)) {
		size_t n = strlen(line);
		if (line[n - 1] != '\n' && n + 1 < sizeof line)
			break; /* it is still being written */
		s->phone_at += (off_t)n;
		line[n - (line[n - 1] == '\n')] = '\0';
		/* the file says "PHONE NUMBER: text" */
		run_say("PHONE    %s", strncmp(line, "PHONE ", 6) == 0 ? line + 6 : line);
	}
	fclose(f);
}
