/*
 * What the configuration says about messages that come in and about the proof that lines work: `reply`,
 * `test` and `all_well` of a contact, `number` and `loopback` of a line, the sections replies and proof.
 * Called by lines.c and schema.c, and by refs.c once all lines and contacts are known.
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

/* --- of a contact --- */

enum { DAY_MS = 86400000 };

static const struct conf_setting test_settings[] = {
    {"every", SET_DURATION, offsetof(struct conf_test, every_ms), 0, 31ll * DAY_MS, NULL},
    {"at", SET_CLOCK, offsetof(struct conf_test, at), 0, 0, NULL},
    {NULL, 0, 0, 0, 0, NULL},
};

static const struct conf_setting all_well_setting = {
    "all_well", SET_CLOCK, offsetof(struct conf_contact, all_well), 0, 0, NULL};

void conf_answers_defaults(struct conf_contact *k)
{
	k->reply.may = MAY_ACK | MAY_STATUS;
	k->test = (struct conf_test){.every_ms = -1, .at = CLOCK_NONE};
	k->all_well = CLOCK_NONE;
}

static bool must_be_map(struct conf_loader *l, const struct node *n, const char *item, const char *such)
{
	if (n->kind == NODE_MAP)
		return true;
	complaint_add(l->c, &n->at, item, NULL, "must be a map, such as %s", such);
	return false;
}

static void read_may(struct conf_loader *l, struct conf_reply *r, const struct node *n, const char *item)
{
	static const char *const known[] = {"ack", "status", "downtime"};
	char **v = NULL;
	size_t nv = 0;
	r->may = 0;
	conf_names(l, n, item, true, &v, &nv);
	for (size_t i = 0; i < nv; i++) {
		size_t k = 0;
		while (k < 3 && strcmp(v[i], known[k]) != 0)
			k++;
		if (k < 3)
			r->may |= 1 << k;
		else
			complaint_add(l->c, &n->at, item, v[i], "must be of ack, status, downtime");
		free(v[i]);
	}
	free(v);
}

static void read_reply(struct conf_loader *l, struct conf_contact *k, const struct node *map, const char *at)
{
	static const char *const keys[] = {"from", "may"};
	char prefix[CONF_ITEM_BYTES / 2];
	snprintf(prefix, sizeof(prefix), "%s", at);
	if (map->kind == NODE_SCALAR && strcmp(map->scalar, "no") == 0) {
		k->reply.may = 0;
		return;
	}
	if (!must_be_map(l, map, prefix, "{from: [\"+81...\"], may: [ack, status]}, or no"))
		return;
	for (size_t i = 0; i < map->nkids; i++) {
		const struct node *n = map->kids[i];
		const char *item = conf_item(l, "%s.%s", prefix, n->key);
		if (strcmp(n->key, "from") == 0)
			conf_names(l, n, item, false, &k->reply.from, &k->reply.nfrom);
		else if (strcmp(n->key, "may") == 0)
			read_may(l, &k->reply, n, item);
		else
			conf_unknown(l, n, item, keys, 2);
	}
}

static void read_test(struct conf_loader *l, struct conf_test *t, const struct node *map, const char *at)
{
	static const char *const keys[] = {"every", "at"};
	char prefix[CONF_ITEM_BYTES / 2];
	snprintf(prefix, sizeof(prefix), "%s", at);
	if (map->kind == NODE_SCALAR && strcmp(map->scalar, "no") == 0) {
		t->every_ms = 0;
		return;
	}
	if (!must_be_map(l, map, prefix, "{every: 1d, at: \"10:00\"}, or no"))
		return;
	t->every_ms = DAY_MS;
	for (size_t i = 0; i < map->nkids; i++) {
		const struct node *n = map->kids[i];
		const char *item = conf_item(l, "%s.%s", prefix, n->key);
		const struct conf_setting *s = conf_setting_find(test_settings, n->key);
		if (s)
			conf_setting_read(l, s, t, n, item);
		else
			conf_unknown(l, n, item, keys, 2);
	}
}

bool conf_answers_key(struct conf_loader *l, struct conf_contact *k, const struct node *n, const char *item)
{
	if (strcmp(n->key, "reply") == 0)
		read_reply(l, k, n, item);
	else if (strcmp(n->key, "test") == 0)
		read_test(l, &k->test, n, item);
	else if (strcmp(n->key, "all_well") == 0)
		conf_setting_read(l, &all_well_setting, k, n, item);
	else
		return false;
	return true;
}

/* --- of a line --- */

static const struct conf_setting loop_settings[] = {
    {"every", SET_DURATION, offsetof(struct conf_line, loop_every_ms), 1000, 31ll * DAY_MS, NULL},
    {"limit", SET_DURATION, offsetof(struct conf_line, loop_limit_ms), 1000, DAY_MS, NULL},
    {NULL, 0, 0, 0, 0, NULL},
};

static void read_loopback(struct conf_loader *l, struct conf_line *k, const struct node *map, const char *at)
{
	static const char *const keys[] = {"to", "every", "limit"};
	char prefix[CONF_ITEM_BYTES / 2];
	snprintf(prefix, sizeof(prefix), "%s", at);
	if (!must_be_map(l, map, prefix, "{to: modem2, every: 6h, limit: 5m}"))
		return;
	k->loop_every_ms = 6 * 3600000;
	k->loop_limit_ms = 300000;
	for (size_t i = 0; i < map->nkids; i++) {
		const struct node *n = map->kids[i];
		const char *item = conf_item(l, "%s.%s", prefix, n->key), *text;
		const struct conf_setting *s = conf_setting_find(loop_settings, n->key);
		if (s)
			conf_setting_read(l, s, k, n, item);
		else if (strcmp(n->key, "to") != 0)
			conf_unknown(l, n, item, keys, 3);
		else if ((text = conf_text(l, n, item)))
			conf_copy(l, k->loop_to, sizeof(k->loop_to), text, n, item);
	}
	if (!k->loop_to[0])
		complaint_add(l->c, &map->at, conf_item(l, "%s.to", prefix), NULL,
			      "is missing: say which line is to receive it");
}

void conf_loopback_key(struct conf_loader *l, struct conf_line *k, const struct node *n, const char *item)
{
	const char *text;
	if (strcmp(n->key, "loopback") == 0)
		read_loopback(l, k, n, item);
	else if (strcmp(n->key, "number") == 0 && (text = conf_text(l, n, item)))
		conf_copy(l, k->number, sizeof(k->number), text, n, item);
}

/* --- the sections --- */

static const struct conf_setting reply_limit = {"limit", SET_INT, offsetof(struct config, reply_limit),
						0,	 1000,	  "20"};

static void read_country(struct conf_loader *l, const struct node *n, const char *item)
{
	const char *s = conf_text(l, n, item), *digits = s && *s == '+' ? s + 1 : s;
	if (!s)
		return;
	if (!*digits || strlen(digits) > 4 || strspn(digits, "0123456789") != strlen(digits) ||
	    *digits == '0')
		complaint_add(l->c, &n->at, item, s, "is no country's code; write +81");
	else
		l->conf->country = strdup(digits);
}

static void read_replies(struct conf_loader *l)
{
	static const char *const keys[] = {"country", "limit"};
	const struct conf_section *sec = &l->sections[SEC_REPLIES];
	for (size_t i = 0; i < sec->n; i++) {
		const struct node *n = sec->v[i];
		const char *item = conf_item(l, "replies.%s", n->key);
		if (strcmp(n->key, "country") == 0)
			read_country(l, n, item);
		else if (strcmp(n->key, "limit") == 0)
			conf_setting_read(l, &reply_limit, l->conf, n, item);
		else
			conf_unknown(l, n, item, keys, 2);
	}
}

static void read_proof(struct conf_loader *l)
{
	static const struct conf_setting unproven = {
	    "unproven_after", SET_DURATION, offsetof(struct config, unproven_ms), 0, 366ll * DAY_MS, NULL};
	static const char *const keys[] = {"every", "at", "unproven_after"};
	const struct conf_section *sec = &l->sections[SEC_PROOF];
	l->conf->test.at = 10 * 60;
	l->conf->unproven_ms = -1;
	for (size_t i = 0; i < sec->n; i++) {
		const struct node *n = sec->v[i];
		const char *item = conf_item(l, "proof.%s", n->key);
		const struct conf_setting *s = conf_setting_find(test_settings, n->key);
		if (s)
			conf_setting_read(l, s, &l->conf->test, n, item);
		else if (strcmp(n->key, "unproven_after") == 0)
			conf_setting_read(l, &unproven, l->conf, n, item);
		else
			conf_unknown(l, n, item, keys, 3);
	}
	/* a test that is missed once may have its reasons, a week of them has not */
	if (l->conf->unproven_ms < 0)
		l->conf->unproven_ms = l->conf->test.every_ms ? 7 * DAY_MS + l->conf->test.every_ms : 0;
}

void conf_read_answers(struct conf_loader *l)
{
	l->conf->reply_limit = 20;
	read_replies(l);
	read_proof(l);
}

/* --- once all is read --- */

bool config_route_answers(const struct config *conf, const struct conf_route *r)
{
	const struct conf_line *line = config_line(conf, r->line);
	return line && strcmp(line->notifier, "sms") == 0;
}

bool config_can_ack(const struct config *conf, const struct conf_contact *c)
{
	bool any = c->reply.nfrom > 0;
	for (size_t i = 0; !any && i < c->nroutes; i++)
		any = config_route_answers(conf, &c->routes[i]);
	return any && (c->reply.may & MAY_ACK);
}

static void check_loopback(struct conf_loader *l, const struct conf_line *k)
{
	const char *item = conf_item(l, "lines.%s.loopback.to", k->name);
	const struct conf_line *to = NULL;
	for (size_t i = 0; i < l->conf->nlines; i++)
		if (strcmp(l->conf->lines[i].name, k->loop_to) == 0)
			to = &l->conf->lines[i];
	if (!to)
		complaint_add(l->c, &k->at, item, k->loop_to, "there is no such line");
	else if (to == k)
		complaint_add(l->c, &k->at, item, k->loop_to,
			      "is the line itself; another modem must receive it");
	else if (!to->number[0])
		complaint_add(l->c, &k->at, item, k->loop_to, "has no number: say `number:` of that modem");
}

/* What is wrong with it, the reader of `oncall` has said. */
static void take_zone(struct conf_loader *l)
{
	char why[160];
	if (l->zone && l->zone->kind == NODE_SCALAR && !l->zone->null)
		l->conf->zone = tz_load(l->zone->scalar, why, sizeof(why));
}

void conf_check_answers(struct conf_loader *l)
{
	struct config *conf = l->conf;
	take_zone(l);
	for (size_t i = 0; i < conf->nlines; i++)
		if (conf->lines[i].loop_to[0])
			check_loopback(l, &conf->lines[i]);
	for (size_t i = 0; i < conf->ncontacts; i++) {
		struct conf_test *t = &conf->contacts[i].test;
		if (t->every_ms < 0)
			t->every_ms = conf->test.every_ms;
		if (t->at == CLOCK_NONE)
			t->at = conf->test.at;
	}
}
