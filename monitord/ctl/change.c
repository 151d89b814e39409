/* ack, downtime, reload, test-page; see change.h. Called by monitorctl.c. */
#include "change.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/json.h"
#include "lib/config/units.h"
#include "ask.h"
#include "group.h"
#include "time.h"

static const char *who(const struct ctl *ctl)
{
	const struct passwd *pw = getpwuid(getuid());
	const char *sudo = getenv("SUDO_USER");
	return ctl->by ? ctl->by : sudo ? sudo : pw ? pw->pw_name : "somebody";
}

static int ack_one(struct ctl *ctl, const char *incident)
{
	int rc;
	cJSON *q = ctl_request("ack");
	cJSON_AddStringToObject(q, "incident", incident);
	cJSON_AddStringToObject(q, "by", who(ctl));
	ctl_add_text(q, "comment", ctl->comment);
	cJSON *a = ctl_ask(ctl, ctl->pagerd, q, ASK_MS, &rc);
	const cJSON *i = cJSON_GetObjectItemCaseSensitive(a, "incident");
	if (rc == EXIT_DONE && !ctl->json)
		printf("#%s (%s) is acknowledged by %s: no more repeats\n", json_str(i, "id", incident),
		       json_str(i, "check", "?"), json_str(i, "by", "?"));
	cJSON_Delete(a);
	return rc;
}

/* All problems of checks in the group that nobody acknowledged. */
static int ack_group(struct ctl *ctl)
{
	char why[512];
	int rc, n = 0;
	cJSON *m = ctl_group_checks(ctl, &rc), *p = m ? ctl_status(ctl->pagerd, why, sizeof why) : NULL, *i;
	if (m && !p) {
		fprintf(stderr, "monitorctl: %s\n", why);
		rc = EXIT_SILENT;
	}
	cJSON_ArrayForEach(i, cJSON_GetObjectItemCaseSensitive(p, "incidents"))
	{
		if (strcmp(json_str(i, "phase", ""), "new") != 0 || !ctl_find_check(m, json_str(i, "check", "")))
			continue;
		int one = ack_one(ctl, json_str(i, "id", ""));
		rc = one > rc ? one : rc;
		n++;
	}
	if (p && !n) {
		fprintf(stderr, "monitorctl: nothing in the group \"%s\" waits for an acknowledgement\n", ctl->group);
		rc = EXIT_REFUSED;
	}
	cJSON_Delete(m);
	cJSON_Delete(p);
	return rc;
}

int ctl_do_ack(struct ctl *ctl)
{
	if (ctl->group)
		return ack_group(ctl);
	/* as it stands in the page, or without the mark */
	int rc = ack_one(ctl, ctl->name + (*ctl->name == '#'));
	if (rc == EXIT_REFUSED)
		ctl_suggest_check(ctl, NULL);
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

/* --duration, which only a flexible one has, and which that needs. */
static bool downtime_duration(const struct ctl *ctl, int64_t *duration)
{
	const char *why = "a flexible downtime needs it, such as --duration 1h";
	*duration = 0;
	if (!ctl->flexible && !ctl->duration)
		return true;
	if (!ctl->flexible)
		why = "is for --flexible only";
	else if (ctl->duration && units_duration(ctl->duration, duration, &why) && *duration > 0)
		return true;
	else if (ctl->duration && *duration == 0)
		why = "must be longer than nothing";
	fprintf(stderr, "monitorctl: --duration \"%s\": %s\n", ctl->duration ? ctl->duration : "", why);
	return false;
}

/* The request without the check's name. NULL: the command line is wrong, which was said. */
static cJSON *downtime_request(const struct ctl *ctl, int64_t *from, int64_t *until, int64_t *duration)
{
	cJSON *q = ctl_request("downtime");
	if (ctl->cancel) {
		cJSON_AddBoolToObject(q, "cancel", true);
		return q;
	}
	if (!downtime_span(ctl, from, until) || !downtime_duration(ctl, duration)) {
		cJSON_Delete(q);
		return NULL;
	}
	json_add_int(q, "from_wall_ms", *from);
	json_add_int(q, "until_wall_ms", *until);
	if (*duration)
		json_add_int(q, "duration_ms", *duration);
	cJSON_AddStringToObject(q, "by", who(ctl));
	ctl_add_text(q, "comment", ctl->comment);
	return q;
}

static void say_downtime(const struct ctl *ctl, const char *name, int64_t from, int64_t until, int64_t duration)
{
	char t[32];
	if (duration)
		printf("%s: a problem sets off a downtime of %s,", name, ctl->duration);
	else if (ctl->cancel)
		printf("downtime of %s is cancelled\n", name);
	else if (ctl->from)
		printf("%s is in downtime from %.16s", name, clock_text(from, t, sizeof t));
	else
		printf("%s is in downtime", name);
	if (!ctl->cancel)
		printf(duration ? " if it begins before %.16s\n" : " until %.16s\n", clock_text(until, t, sizeof t));
}

static int downtime_of(struct ctl *ctl, const char *name)
{
	int rc;
	int64_t from = 0, until = 0, duration = 0;
	cJSON *q = downtime_request(ctl, &from, &until, &duration);
	if (!q)
		return EXIT_USAGE;
	cJSON_AddStringToObject(q, "name", name);
	cJSON *a = ctl_ask(ctl, ctl->monitord, q, ASK_MS, &rc);
	if (rc == EXIT_DONE && !ctl->json)
		say_downtime(ctl, name, from, until, duration);
	cJSON_Delete(a);
	return rc;
}

/* Of all checks in the group; those that are refused are said, and the others done. */
static int downtime_of_group(struct ctl *ctl)
{
	int rc;
	cJSON *m = ctl_group_checks(ctl, &rc), *c;
	cJSON_ArrayForEach(c, cJSON_GetObjectItemCaseSensitive(m, "checks"))
	{
		int one = downtime_of(ctl, json_str(c, "name", ""));
		rc = one > rc ? one : rc;
		if (one == EXIT_USAGE || one == EXIT_SILENT)
			break;
	}
	cJSON_Delete(m);
	return rc;
}

int ctl_do_downtime(struct ctl *ctl)
{
	if (ctl->group)
		return downtime_of_group(ctl);
	int rc = downtime_of(ctl, ctl->name);
	if (rc == EXIT_REFUSED)
		ctl_suggest_check(ctl, NULL);
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
