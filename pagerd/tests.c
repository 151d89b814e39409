/* Test pages; see tests.h. Started by control_cmds.c, watched by pager_turn. */
#include "tests.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/contract/control.h"
#include "lib/json.h"
#include "contacts.h"

struct test {
	struct control_client *client; /* NULL: the place is free */
	struct incident *i;
	struct call *c;
	size_t routes; /* to be tried */
	int64_t until;
};

struct tests {
	struct pager *p;
	struct test v[TESTS_MAX];
	uint64_t made;
};

struct tests *tests_new(struct pager *p)
{
	struct tests *t = calloc(1, sizeof *t);
	if (t)
		t->p = p;
	return t;
}

static void finish(struct tests *t, struct test *x, const char *late)
{
	const struct attempt *a = x->c->nattempts ? &x->c->attempts[x->c->nattempts - 1] : NULL;
	bool sent = x->c->phase == CALL_SENT;
	const char *result = sent ? "sent" : a && a->ended ? outcome_name(a->outcome) : "none";
	const char *detail = a && a->ended && a->detail ? a->detail : "";
	cJSON *o = cJSON_CreateObject();
	cJSON_AddBoolToObject(o, "ok", sent);
	cJSON_AddStringToObject(o, "result", result);
	cJSON_AddStringToObject(o, "line", a ? a->line : "");
	cJSON_AddStringToObject(o, "to", a ? a->to : "");
	cJSON_AddStringToObject(o, "detail", detail);
	json_add_int(o, "attempts", x->c->tried);
	if (!sent) {
		char text[512];
		bool unknown = a && a->ended && (a->outcome == OUTCOME_UNKNOWN || a->outcome == OUTCOME_DOUBTFUL);
		snprintf(text, sizeof text, "the test page %s: %s%s%s",
			 unknown ? "may have been sent, or not" : "was not sent",
			 late ? late
			 : a  ? a->line
			      : "no route could be tried",
			 *detail ? ": " : "", detail);
		cJSON_AddStringToObject(o, "error", text);
	}
	struct control_client *client = x->client;
	struct incident *i = x->i;
	*x = (struct test){0};
	pager_drop(t->p, i);
	control_reply(client, o);
}

void tests_free(struct tests *t)
{
	for (size_t k = 0; t && k < TESTS_MAX; k++)
		if (t->v[k].client)
			finish(t, &t->v[k], "the pager is stopping");
	free(t);
}

static struct call *make_call(struct tests *t, const char *contact, const char *line, const char *to,
			      struct incident **out)
{
	char check[64];
	struct stamp now = clock_stamp();
	snprintf(check, sizeof check, "self.test-%llu", (unsigned long long)++t->made);
	struct incident *i = pager_incident(t->p, check, (uint64_t)now.wall_ms, true);
	if (!i)
		return NULL;
	i->ephemeral = true;
	i->phase = INC_NOTICE;
	i->since = i->opened_at = i->changed_at = now;
	struct call *c = incident_call(i, contact ? contact : "", PAGE_TEST,
				       "this is a test page of the mail monitor: nothing "
				       "is wrong",
				       &now);
	if (c && line) {
		c->only_line = strdup(line);
		c->only_to = strdup(to);
	}
	if (c && (!line || (c->only_line && c->only_to))) {
		*out = i;
		return c;
	}
	pager_drop(t->p, i);
	return NULL;
}

static void refuse_contact(const struct config *conf, struct control_client *client, const char *contact)
{
	char known[1024] = "";
	size_t used = 0;
	for (size_t i = 0; i < conf->ncontacts && used + EVENT_NAME_MAX + 3 < sizeof known; i++)
		used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "",
					 conf->contacts[i].name);
	control_error(client, "there is no contact \"%.128s\"; there are: %s", contact, known);
}

/* True when this can be asked for; else the client was told why not. */
static bool acceptable(struct tests *t, struct control_client *client, const char *contact, const char *line,
		       const char *to)
{
	const struct config *conf = t->p->conf;
	if (line && !config_line(conf, line))
		control_error(client, "there is no line \"%s\"", line);
	else if (line && conf->has_last_resort && strcmp(conf->last_resort.line, line) == 0)
		control_error(client, "line \"%s\" is the last resort: monitord alone uses it", line);
	else if (contact && !config_contact(conf, contact))
		refuse_contact(conf, client, contact);
	else if (!contact && !(line && to))
		control_error(client, "a contact is needed, or a line and an address");
	else if (to && !line)
		control_error(client, "an address needs its line");
	else
		return true;
	return false;
}

/* A contact and a line: the contact's address on that line. */
static const char *address_on(const struct config *conf, const char *contact, const char *line)
{
	const struct conf_contact *c = config_contact(conf, contact);
	for (size_t i = 0; c && i < c->nroutes; i++)
		if (strcmp(c->routes[i].line, line) == 0)
			return c->routes[i].to;
	return NULL;
}

void tests_start(struct tests *t, struct control_client *client, const char *contact, const char *line,
		 const char *to)
{
	if (!acceptable(t, client, contact, line, to))
		return;
	if (line && !to && !(to = address_on(t->p->conf, contact, line))) {
		control_error(client, "contact \"%s\" has no route over line \"%s\"", contact, line);
		return;
	}
	size_t k = 0;
	while (k < TESTS_MAX && t->v[k].client)
		k++;
	struct test *x = &t->v[k];
	struct incident *i = NULL;
	struct call *c = k < TESTS_MAX ? make_call(t, contact, line, to, &i) : NULL;
	if (!c) {
		control_error(client, "too many test pages at once");
		return;
	}
	const struct conf_contact *who = line ? NULL : config_contact(t->p->conf, contact);
	*x = (struct test){.client = client,
			   .i = i,
			   .c = c,
			   .routes = who ? who->nroutes : 1,
			   .until = clock_boot_ms() + 3 * t->p->deadline_ms};
	pager_soon(t->p, 0);
}

int64_t tests_watch(struct tests *t, int64_t now)
{
	int64_t next = INT64_MAX;
	for (size_t k = 0; k < TESTS_MAX; k++) {
		struct test *x = &t->v[k];
		if (!x->client)
			continue;
		bool failed =
		    x->c->phase == CALL_UNSURE || (x->c->phase == CALL_WAITING && x->c->tried >= x->routes);
		if (x->c->phase == CALL_SENT || failed)
			finish(t, x, NULL);
		else if (now >= x->until)
			finish(t, x, "no route could take it in time");
		else
			next = x->until - now < next ? x->until - now : next;
	}
	return next;
}
