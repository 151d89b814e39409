/* Requests on the control socket; see control_cmds.h. */
#include "control_cmds.h"

#include <stdlib.h>
#include <string.h>

#include "lib/contract/control.h"
#include "lib/json.h"
#include "lib/log.h"
#include "confswap.h"
#include "core.h"
#include "due.h"
#include "monitord/store/evlog.h"
#include "monitord/peers/prober.h"
#include "passive.h"
#include "self.h"
#include "snapshot.h"
#include "waiters.h"

enum { HISTORY_DEFAULT = 20, HISTORY_MAX = 1000, WRITE_PATIENCE_MS = 2000, RUN_PATIENCE_MS = 30000 };

static cJSON *answer_ok(void)
{
	cJSON *a = cJSON_CreateObject();
	cJSON_AddBoolToObject(a, "ok", true);
	return a;
}

/* The check the request names, or NULL when that was answered. */
static struct check *named(struct super *s, struct control_client *client, const cJSON *request)
{
	const char *name = json_str(request, "name", NULL);
	struct check *c = name ? checks_find(&s->checks, name) : NULL;
	if (!name)
		control_error(client, "\"name\" is missing: which check?");
	else if (!c)
		control_error(client, "there is no check \"%.128s\"", name);
	return c;
}

static void do_status(struct super *s, struct control_client *client)
{
	cJSON *a = snapshot_json(s);
	if (!a) {
		control_error(client, "the status cannot be made (out of memory, or larger than 16 MiB)");
		return;
	}
	cJSON_AddBoolToObject(a, "ok", true);
	control_reply(client, a);
}

static void do_check(struct super *s, struct control_client *client, const cJSON *request)
{
	struct check *c = named(s, client, request);
	if (!c)
		return;
	if (!c->conf) { /* built-in: looked at once a second anyway */
		self_look(s, clock_boot_ms());
		waiters_answer(client, c, NULL);
		return;
	}
	if (c->kind == CHECK_PASSIVE) {
		control_error(client, "%s is passive: its results come from outside (monitorctl result)", c->name);
		return;
	}
	int64_t now = clock_boot_ms();
	struct waiter w = {
	    .client = client, .after_ms = now, .until_ms = now + 2 * c->conf->timeout_ms + RUN_PATIENCE_MS};
	if (!check_waiter_add(c, &w)) {
		control_error(client, "out of memory");
		return;
	}
	due_run_now(s, c);
}

static void do_release(struct super *s, struct control_client *client, const cJSON *request)
{
	struct check *c = named(s, client, request);
	if (!c)
		return;
	if (!c->quarantined) {
		control_error(client, "%s is not quarantined", c->name);
		return;
	}
	core_release(s, c);
	control_reply(client, answer_ok());
}

static void do_result(struct super *s, struct control_client *client, const cJSON *request)
{
	char why[256];
	struct check *c = passive_find(&s->checks, request, why, sizeof why);
	struct result res;
	const char *bad = NULL;
	result_init(&res);
	if (!c) {
		control_error(client, "%s", why);
	} else if (!result_from_json(&res, request, &bad)) {
		control_error(client, "%s: the result has %s", c->name, bad);
	} else {
		core_passive(s, c, &res);
		cJSON *a = answer_ok();
		cJSON_AddStringToObject(a, "name", c->name);
		control_reply(client, a);
	}
	result_fini(&res);
}

static void do_downtime(struct super *s, struct control_client *client, const cJSON *request)
{
	struct check *c = named(s, client, request);
	char why[160];
	if (!c)
		return;
	if (json_bool(request, "cancel", false)) {
		if (!downtime_given(&c->downtime)) {
			control_error(client, "%s is in no downtime", c->name);
			return;
		}
		downtime_clear(&c->downtime);
		log_notice("%s: downtime cancelled by %s", c->name, json_str(request, "by", "somebody"));
	} else {
		if (!downtime_set(&c->downtime, json_int(request, "from_wall_ms", 0),
				  json_int(request, "until_wall_ms", 0),
				  json_int(request, "duration_ms", 0), json_str(request, "by", ""),
				  json_str(request, "comment", ""), clock_wall_ms(), why, sizeof why)) {
			control_error(client, "downtime of %s: %s", c->name, why);
			return;
		}
		char text[400];
		log_notice("%s: %s", c->name, downtime_text(&c->downtime, text, sizeof text));
	}
	core_downtime_changed(s, c);
	struct waiter w = {
	    .client = client, .ticket = c->ticket, .until_ms = clock_boot_ms() + WRITE_PATIENCE_MS};
	if (!check_waiter_add(c, &w))
		waiters_answer(client, c, "accepted; it is not known whether it is on disk");
}

static void answer_history(void *client, cJSON *events)
{
	cJSON *a = answer_ok();
	cJSON_AddItemToObject(a, "events", events);
	control_reply(client, a);
}

static void do_history(struct super *s, struct control_client *client, const cJSON *request)
{
	int64_t limit = json_int(request, "limit", HISTORY_DEFAULT);
	if (limit < 1 || limit > HISTORY_MAX) {
		control_error(client, "\"limit\" must be 1 to %d", HISTORY_MAX);
		return;
	}
	if (!evlog_ask(s->history, json_str(request, "name", NULL), (size_t)limit, answer_history, client))
		control_error(client, "too much waits for the disk");
}

void commands_handle(void *arg, struct control_client *client, const cJSON *request)
{
	struct super *s = arg;
	const char *what = json_str(request, "do", "");
	if (s->stopping)
		control_error(client, "monitord is stopping");
	else if (strcmp(what, "status") == 0)
		do_status(s, client);
	else if (strcmp(what, "check") == 0)
		do_check(s, client, request);
	else if (strcmp(what, "release") == 0)
		do_release(s, client, request);
	else if (strcmp(what, "result") == 0)
		do_result(s, client, request);
	else if (strcmp(what, "downtime") == 0)
		do_downtime(s, client, request);
	else if (strcmp(what, "history") == 0)
		do_history(s, client, request);
	else if (strcmp(what, "reload") == 0)
		confswap_ask(s->confswap, client);
	else if (strcmp(what, "subscribe") == 0) {
		control_subscribe(client);
		control_reply(client, answer_ok());
	} else
		control_error(client,
			      "monitord does not know \"%.64s\"; it knows status, check, release, result, downtime, "
			      "history, reload, subscribe",
			      what);
}
