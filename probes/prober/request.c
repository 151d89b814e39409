/*
 * The prober's half of contract 1: what comes in. Called by the prober's session
 * for each line, and by --validate. Holds nothing, prints nothing.
 */
#include "request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json.h"

enum { TIMEOUT_MS_DEFAULT = 30000, TIMEOUT_MS_MAX = 3600 * 1000 };

bool request_place_ok(const struct probe *p, unsigned places)
{
	return (places & (p->place == PROBE_NET ? PLACES_NET : PLACES_LOCAL)) != 0;
}

void *request_conf(const struct probe *p, const struct cJSON *options, struct complaints *c)
{
	size_t before = c->n + c->dropped;
	void *conf = calloc(1, p->conf_size ? p->conf_size : 1);

	if (!conf) {
		complaint_add(c, NULL, NULL, NULL, "out of memory");
		return NULL;
	}
	opts_defaults(p->opts, conf, p->conf_size);
	bool ok = opts_from_json(p->opts, conf, options, c);
	if (ok && p->check_conf)
		p->check_conf(conf, c);
	if (ok && c->n + c->dropped == before)
		return conf;
	request_conf_free(p, conf);
	return NULL;
}

void request_conf_free(const struct probe *p, void *conf)
{
	if (!conf)
		return;
	opts_fini(p->opts, conf);
	free(conf);
}

static bool fail(char *why, size_t size, const char *text)
{
	snprintf(why, size, "%s", text);
	return false;
}

/* Complaints on one line, as many as fit. */
static void join(const struct complaints *c, char *why, size_t size)
{
	struct buf one;
	size_t used = 0;

	for (size_t i = 0; i < c->n && used + 1 < size; i++) {
		buf_init(&one, 1024);
		complaint_format(&c->v[i], &one);
		int n = snprintf(why + used, size - used, "%s%s", i ? "; " : "", buf_str(&one));
		used += n > 0 ? (size_t)n : 0;
		buf_fini(&one);
	}
}

static bool parse_run(struct request *q, const cJSON *obj, unsigned places, char *why, size_t size)
{
	const char *name = json_str(obj, "probe", NULL), *state = json_str(obj, "state", "");
	const char *check = json_str(obj, "check", "");

	if (!name)
		return fail(why, size, "the job names no probe");
	q->probe = probe_find(name);
	if (!q->probe) {
		snprintf(why, size, "there is no probe \"%.64s\"", name);
		return false;
	}
	if (!request_place_ok(q->probe, places)) {
		snprintf(why, size, "the probe %s does not run in this place", q->probe->name);
		return false;
	}
	if (strlen(check) >= sizeof q->check)
		return fail(why, size, "the check's name is too long");
	if (strlen(state) > PROBE_STATE_MAX)
		return fail(why, size, "the state is larger than 64 KiB");
	q->timeout_ms = json_int(obj, "timeout_ms", TIMEOUT_MS_DEFAULT);
	if (q->timeout_ms < 1 || q->timeout_ms > TIMEOUT_MS_MAX)
		return fail(why, size, "timeout_ms must be 1 to 3600000");
	memcpy(q->check, check, strlen(check) + 1);

	struct complaints c;
	complaints_init(&c);
	q->conf = request_conf(q->probe, cJSON_GetObjectItemCaseSensitive(obj, "options"), &c);
	if (!q->conf)
		join(&c, why, size);
	complaints_fini(&c);
	if (!q->conf)
		return false;
	q->state = strdup(state);
	q->state_len = strlen(state);
	if (q->state)
		return true;
	request_conf_free(q->probe, q->conf);
	q->conf = NULL;
	return fail(why, size, "out of memory");
}

static bool take_id(struct request *q, const cJSON *obj, const char *key)
{
	const char *id = json_str(obj, key, NULL);

	if (!id || !*id || strlen(id) >= sizeof q->id)
		return false;
	memcpy(q->id, id, strlen(id) + 1);
	return true;
}

bool request_parse(struct request *q, const char *line, size_t len, unsigned places, char *why, size_t size)
{
	const char *reason = "";
	bool ok = false;

	memset(q, 0, sizeof *q);
	cJSON *obj = json_parse(line, len, REQUEST_LINE_MAX, &reason);
	if (!cJSON_IsObject(obj)) {
		snprintf(why, size, "not a JSON object%s%s", *reason ? ": " : "", reason);
	} else if (take_id(q, obj, "run")) {
		q->kind = REQUEST_RUN;
		ok = parse_run(q, obj, places, why, size);
	} else if (take_id(q, obj, "stored")) {
		q->kind = REQUEST_STORED;
		q->ok = json_bool(obj, "ok", false);
		ok = true;
	} else if (take_id(q, obj, "cancel")) {
		q->kind = REQUEST_CANCEL;
		ok = true;
	} else if ((q->beat = json_int(obj, "beat", 0)) > 0) {
		q->kind = REQUEST_BEAT;
		ok = true;
	} else {
		snprintf(why, size, "neither run, stored nor cancel with an id of 1 to %d bytes",
			 REQUEST_ID_MAX - 1);
	}
	cJSON_Delete(obj);
	return ok;
}

void request_fini(struct request *q)
{
	request_conf_free(q->probe, q->conf);
	free(q->state);
	q->conf = NULL;
	q->state = NULL;
}
