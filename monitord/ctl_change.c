/* ack, downtime, reload, test-page; see ctl_change.h. Called by monitorctl.c. */
#include "ctl_change.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/clock.h"
#include "../lib/json.h"
#include "../lib/units.h"
#include "ctl_ask.h"
#include "ctl_time.h"

static const char *who(const struct ctl *ctl)
{
	const struct passwd *pw = getpwuid(getuid());
	const char *sudo = getenv("SUDO_USER");
	return ctl->by ? ctl->by : sudo ? sudo : pw ? pw->pw_name : "somebody";
}

int ctl_do_ack(struct ctl *ctl)
{
	int rc;
	cJSON *q = ctl_request("ack");
	/* as it stands in the page, or without the mark */
	cJSON_AddStringToObject(q, "incident", ctl->name + (*ctl->name == '#'));
	cJSON_AddStringToObject(q, "by", who(ctl));
	ctl_add_text(q, "comment", ctl->comment);
	cJSON *a = ctl_ask(ctl, ctl->pagerd, q, ASK_MS, &rc);
	const cJSON *i = cJSON_GetObjectItemCaseSensitive(a, "incident");
	if (rc == EXIT_DONE && !ctl->json)
		printf("#%s (%s) is acknowledged by %s: no more repeats\n", json_str(i, "id", ctl->name),
		       json_str(i, "check", "?"), json_str(i, "by", "?"));
	if (rc == EXIT_REFUSED)
		ctl_suggest_check(ctl, NULL);
	cJSON_Delete(a);
	return rc;
}

/* Fills from and until from --for or --from and --until. */
static bool downtime_span(const struct ctl *ctl, int64_t *from, int64_t *until)
{
	int64_t length = 0;
	const char *why = NULL;
	*from = clock_wall_ms();
	if (ctl->from && !ctl_time(ctl->from, clock_wall_ms(), from)) {
		fprintf(stderr, "monitorctl: --from \"%s\": write HH:MM or \"YYYY-MM-DD HH:MM\"\n",
			ctl->from);
		return false;
	}
	if (ctl->length && !units_duration(ctl->length, &length, &why)) {
		fprintf(stderr, "monitorctl: --for \"%s\": %s\n", ctl->length, why);
		return false;
	}
	*until = *from + length;
	if (ctl->until && !ctl_time(ctl->until, *from, until)) {
		fprintf(stderr, "monitorctl: --until \"%s\": write HH:MM or \"YYYY-MM-DD HH:MM\"\n",
			ctl->until);
		return false;
	}
	if (*until <= *from) {
		fprintf(stderr,
			"monitorctl: downtime needs --for DURATION or --until TIME after its start\n");
		return false;
	}
	return true;
}

int ctl_do_downtime(struct ctl *ctl)
{
	int rc;
	int64_t from = 0, until = 0;
	cJSON *q = ctl_request("downtime");
	cJSON_AddStringToObject(q, "name", ctl->name);
	if (ctl->cancel) {
		cJSON_AddBoolToObject(q, "cancel", true);
	} else if (!downtime_span(ctl, &from, &until)) {
		cJSON_Delete(q);
		return EXIT_USAGE;
	} else {
		json_add_int(q, "from_wall_ms", from);
		json_add_int(q, "until_wall_ms", until);
		cJSON_AddStringToObject(q, "by", who(ctl));
		ctl_add_text(q, "comment", ctl->comment);
	}
	cJSON *a = ctl_ask(ctl, ctl->monitord, q, ASK_MS, &rc);
	if (rc == EXIT_DONE && !ctl->json) {
		char t[32];
		if (ctl->cancel)
			printf("downtime of %s is cancelled\n", ctl->name);
		else if (ctl->from)
			printf("%s is in downtime from %.16s", ctl->name, clock_text(from, t, sizeof t));
		else
			printf("%s is in downtime", ctl->name);
		if (!ctl->cancel)
			printf(" until %.16s\n", clock_text(until, t, sizeof t));
	}
	if (rc == EXIT_REFUSED)
		ctl_suggest_check(ctl, NULL);
	cJSON_Delete(a);
	return rc;
}

/* But for the one that was said as the error. */
static void print_complaints(const cJSON *a)
{
	const cJSON *v;
	const char *error = json_str(a, "error", "");
	cJSON_ArrayForEach(
	    v, cJSON_GetObjectItemCaseSensitive(a, "complaints")) if (cJSON_IsString(v) &&
								      strcmp(v->valuestring, error) != 0)
	    fprintf(stderr, "%s\n", v->valuestring);
}

/* Asks one daemon to reload and says what it complains of. */
static cJSON *reload_one(const struct ctl *ctl, const char *socket, int *rc)
{
	struct ctl quiet = *ctl; /* both answers are one JSON text, printed at the end */
	quiet.json = false;
	cJSON *a = ctl_ask(&quiet, socket, ctl_request("reload"), SLOW_MS, rc);
	print_complaints(a);
	return a;
}

/* The exit code of pagerd's answer b, after monitord took the digest of a. */
static int compare_reloads(const cJSON *a, const cJSON *b, int rc)
{
	const char *digest = json_str(a, "digest", "?"), *other = json_str(b, "digest", "?");
	if (rc != EXIT_DONE) {
		fprintf(stderr, "monitorctl: monitord took the configuration, pagerd did not\n");
	} else if (strcmp(other, digest) != 0) {
		fprintf(
		    stderr,
		    "monitorctl: the files changed meanwhile: monitord runs %s, pagerd %s; reload again\n",
		    digest, other);
		rc = EXIT_REFUSED;
	}
	return rc;
}

int ctl_do_reload(struct ctl *ctl)
{
	int rc;
	cJSON *a = reload_one(ctl, ctl->monitord, &rc), *b = NULL;
	if (rc == EXIT_REFUSED)
		fprintf(stderr, "monitorctl: the configuration was not taken, the old one stays in force\n");
	if (rc == EXIT_DONE) {
		b = reload_one(ctl, ctl->pagerd, &rc);
		rc = compare_reloads(a, b, rc);
	}
	if (rc == EXIT_DONE && !ctl->json)
		printf("configuration %s is in force\n", json_str(a, "digest", "?"));
	if (ctl->json) {
		cJSON *both = cJSON_CreateObject();
		cJSON_AddItemToObject(both, "monitord", a ? a : cJSON_CreateNull());
		cJSON_AddItemToObject(both, "pagerd", b ? b : cJSON_CreateNull());
		ctl_print_json(both);
		cJSON_Delete(both);
		return rc;
	}
	cJSON_Delete(a);
	cJSON_Delete(b);
	return rc;
}

int ctl_do_test_page(struct ctl *ctl)
{
	int rc;
	cJSON *q = ctl_request("test_page");
	ctl_add_text(q, "contact", ctl->name);
	ctl_add_text(q, "line", ctl->line);
	ctl_add_text(q, "to", ctl->to);
	cJSON *a = ctl_ask(ctl, ctl->pagerd, q, SLOW_MS, &rc);
	if (rc == EXIT_DONE && !ctl->json) {
		printf("test page%s%s: %s", ctl->name ? " to " : "", ctl->name ? ctl->name : "",
		       json_str(a, "result", ""));
		if (*json_str(a, "line", ""))
			printf(" by %s (%s)", json_str(a, "line", ""), json_str(a, "to", ""));
		printf("%s%s\n", *json_str(a, "detail", "") ? ", " : "", json_str(a, "detail", ""));
	}
	cJSON_Delete(a);
	return rc;
}
