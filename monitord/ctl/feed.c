/* monitorctl result, monitorctl feed; see feed.h. Called by monitorctl.c. */
#include "feed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/contract/control.h"
#include "lib/contract/plugin_out.h"
#include "lib/json.h"
#include "ask.h"

/* The request with the result in it; whose it is, is added by the caller. */
static cJSON *result_request(int state, const char *output)
{
	struct result r;
	cJSON *q = ctl_request("result");
	result_init(&r);
	plugin_out_parse(output, strlen(output), &r);
	r.state = (enum nag_state)state;
	r.measured = true;
	result_to_json(&r, q);
	result_fini(&r);
	return q;
}

int ctl_do_result(struct ctl *ctl)
{
	enum nag_state state;
	int rc;
	if (!ctl->state || !nag_from_name(ctl->state, &state)) {
		fprintf(stderr, "monitorctl: --state \"%s\": OK, WARNING, CRITICAL or UNKNOWN is needed\n",
			ctl->state ? ctl->state : "");
		return EXIT_USAGE;
	}
	cJSON *q = result_request((int)state, ctl->text ? ctl->text : "");
	cJSON_AddStringToObject(q, "name", ctl->name);
	cJSON *a = ctl_ask(ctl, ctl->monitord, q, ASK_MS, &rc);
	if (rc == EXIT_DONE && !ctl->json)
		printf("%s is %s\n", ctl->name, ctl->state);
	if (rc == EXIT_REFUSED)
		ctl_suggest_check(ctl, NULL);
	cJSON_Delete(a);
	return rc;
}

/* Hands one line on. EXIT_SILENT: monitord is not there, more lines are of no use. */
static int feed_one(const struct ctl *ctl, char *text, long number)
{
	struct feed_line l;
	char no[512] = "";
	const char *why = no;
	bool good = feed_parse(text, &l, &why), answered = false;
	if (good) {
		cJSON *q = result_request(l.state, l.output);
		cJSON_AddStringToObject(q, "host", l.host);
		cJSON_AddStringToObject(q, "service", l.service);
		cJSON *a = control_ask(ctl->monitord, q, ASK_MS, no, sizeof no);
		answered = a != NULL;
		good = json_bool(a, "ok", false);
		if (answered && !good)
			snprintf(no, sizeof no, "%s", json_str(a, "error", "refused"));
		cJSON_Delete(a);
		cJSON_Delete(q);
		if (!answered) {
			fprintf(stderr, "monitorctl: %s\n", no);
			return EXIT_SILENT;
		}
	}
	if (!good)
		fprintf(stderr, "monitorctl: line %ld: %s\n", number, why);
	return good ? EXIT_DONE : EXIT_REFUSED;
}

/* One line without its end; false at the end of input. Of one that is too long the rest is left out. */
static bool read_line(char *line, size_t size, bool *too_long)
{
	size_t n = 0;
	int c;
	*too_long = false;
	while ((c = getchar()) != EOF && c != '\n') {
		if (n + 1 < size)
			line[n++] = (char)(c ? c : '?');
		else
			*too_long = true;
	}
	line[n] = '\0';
	return c != EOF || n > 0;
}

int ctl_do_feed(struct ctl *ctl)
{
	char *line = malloc(FEED_LINE_MAX);
	int rc = EXIT_DONE;
	bool too_long;
	if (!line)
		return EXIT_REFUSED;
	for (long number = 1; rc != EXIT_SILENT && read_line(line, FEED_LINE_MAX, &too_long); number++) {
		if (line[0] == '\0' || line[0] == '#')
			continue;
		if (too_long)
			fprintf(stderr, "monitorctl: line %ld: longer than %d bytes, it is cut\n", number,
				FEED_LINE_MAX - 1);
		int one = feed_one(ctl, line, number);
		rc = one != EXIT_DONE ? one : rc;
	}
	free(line);
	return rc;
}
