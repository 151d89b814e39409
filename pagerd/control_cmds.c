/* What can be asked of pagerd; see control_cmds.h. */
#include "control_cmds.h"

#include <stdlib.h>
#include <string.h>

#include "lib/contract/control.h"
#include "lib/json.h"
#include "lib/log.h"
#include "batch.h"
#include "pager.h"
#include "pagerd/store/record.h"
#include "reload.h"
#include "snapshot.h"
#include "tests.h"

enum { HISTORY_DEFAULT = 100 };

static cJSON *good(void)
{
	cJSON *o = cJSON_CreateObject();
	cJSON_AddBoolToObject(o, "ok", true);
	return o;
}

static void do_status(struct pager *p, struct control_client *client, const cJSON *request)
{
	(void)request;
	cJSON *o = snapshot_make(p);
	cJSON_AddBoolToObject(o, "ok", true);
	control_reply(client, o);
}

static bool ack_one(struct pager *p, struct incident *i, const cJSON *request, char *why, size_t size)
{
	struct stamp now = clock_stamp();
	if (!incident_ack(i, json_str(request, "by", ""), json_str(request, "comment", ""), p->views,
			  p->nviews, &now, why, size))
		return false;
	log_notice("incident %s (%s) acknowledged by %s%s%s", i->id, i->check, i->by[0] ? i->by : "somebody",
		   i->comment[0] ? ": " : "", i->comment);
	p->changed = true;
	return true;
}

/* All that a digest told of and that lasts; false when name is no digest's id. */
static bool ack_digest(struct pager *p, struct control_client *client, const char *name, const cJSON *request)
{
	char why[256] = "";
	struct incident **v = calloc(p->ninc + 1, sizeof(struct incident *)), *last = NULL;
	size_t n = v ? batch_incidents(p, name, v, p->ninc) : 0, done = 0;
	for (size_t k = 0; k < n; k++) {
		if (!ack_one(p, v[k], request, why, sizeof why))
			continue;
		last = v[k];
		done++;
	}
	free(v);
	if (n && !last)
		control_error(client, "%s", why);
	if (last) {
		pager_turn(p); /* written down before it is confirmed, as far as one turn writes */
		cJSON *o = good();
		json_add_int(o, "incidents", (int64_t)done);
		cJSON_AddItemToObject(o, "incident", record_show(last));
		control_reply(client, o);
	}
	return n > 0;
}

static void do_ack(struct pager *p, struct control_client *client, const cJSON *request)
{
	char why[256];
	const char *name = json_str(request, "incident", "");
	struct incident *i = *name ? pager_find(p, name) : NULL;
	if (!i && *name && ack_digest(p, client, name, request))
		return;
	if (!i) {
		control_error(client,
			      *name ? "there is no incident \"%.128s\", and none of a check of that name"
				    : "which incident? Its id or the check's name is needed%s",
			      name);
		return;
	}
	if (!ack_one(p, i, request, why, sizeof why)) {
		control_error(client, "%s", why);
		return;
	}
	pager_turn(p); /* written down before it is confirmed */
	cJSON *o = good();
	cJSON_AddItemToObject(o, "incident", record_show(i));
	control_reply(client, o);
}

static void do_test_page(struct pager *p, struct control_client *client, const cJSON *request)
{
	tests_start(p->tests, client, json_str(request, "contact", NULL), json_str(request, "line", NULL),
		    json_str(request, "to", NULL));
}

static void do_reload(struct pager *p, struct control_client *client, const cJSON *request)
{
	(void)request;
	control_reply(client, reload_again(p));
}

static void do_history(struct pager *p, struct control_client *client, const cJSON *request)
{
	int64_t limit = json_int(request, "limit", HISTORY_DEFAULT);
	const char *name = json_str(request, "name", NULL);
	cJSON *o = good(), *v = cJSON_AddArrayToObject(o, "incidents");
	for (size_t k = p->ninc; k-- > 0 && limit > 0;) {
		const struct incident *i = p->inc[k];
		if (i->ephemeral || i->phase == INC_NONE ||
		    (name && strcmp(name, i->check) != 0 && strcmp(name, i->id) != 0))
			continue;
		cJSON_AddItemToArray(v, record_show(i));
		limit--;
	}
	control_reply(client, o);
}

static void do_subscribe(struct pager *p, struct control_client *client, const cJSON *request)
{
	(void)p;
	(void)request;
	control_subscribe(client);
	control_reply(client, good());
}

void control_cmds(void *arg, struct control_client *client, const cJSON *request)
{
	static const struct {
		const char *name;
		void (*f)(struct pager *p, struct control_client *client, const cJSON *request);
	} commands[] = {
	    {"status", do_status}, {"ack", do_ack},	    {"test_page", do_test_page},
	    {"reload", do_reload}, {"history", do_history}, {"subscribe", do_subscribe},
	};
	const char *name = json_str(request, "do", "");
	for (size_t k = 0; k < sizeof commands / sizeof *commands; k++) {
		if (strcmp(name, commands[k].name) == 0) {
			commands[k].f(arg, client, request);
			return;
		}
	}
	control_error(
	    client,
	    "pagerd does not know \"%.40s\"; it knows status, ack, test_page, reload, history, subscribe",
	    name);
}
