/* A line's modem out of pagerd's status.json (doc/contracts.md); see modem.h. */
#include <stdio.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/json.h"
#include "modem.h"

enum { STATUS_MAX = 16 << 20 };

static const cJSON *find_line(const cJSON *status, const char *name)
{
	const cJSON *l;

	cJSON_ArrayForEach(l, cJSON_GetObjectItemCaseSensitive(
				  status, "lines")) if (strcmp(json_str(l, "name", ""), name) == 0) return l;
	return NULL;
}

static bool number(const cJSON *v, const char *key, double *out)
{
	const cJSON *n = cJSON_GetObjectItemCaseSensitive(v, key);

	if (!cJSON_IsNumber(n))
		return false;
	*out = n->valuedouble;
	return true;
}

static void copy(char *out, size_t size, const cJSON *v, const char *key)
{
	snprintf(out, size, "%s", json_str(v, key, ""));
}

static void read_values(struct modem_facts *f, const cJSON *v)
{
	double n;

	f->registered = json_bool(v, "registered", false);
	copy(f->registration, sizeof(f->registration), v, "registration");
	copy(f->operator, sizeof(f->operator), v, "operator");
	copy(f->ussd_error, sizeof(f->ussd_error), v, "ussd_error");
	f->has_signal = number(v, "dbm", &n);
	f->dbm = (int)json_int(v, "dbm", 0);
	f->csq = (int)json_int(v, "csq", 0);
	f->has_storage = number(v, "storage_total", &n);
	f->used = json_int(v, "storage_used", 0);
	f->total = json_int(v, "storage_total", 0);
	f->has_balance = number(v, "balance", &f->balance);
	f->has_validity = number(v, "valid_until_wall_ms", &n);
	f->valid_until_wall_ms = json_int(v, "valid_until_wall_ms", 0);
	f->ussd_wall_ms = json_int(v, "ussd_wall_ms", 0);
	f->proven_wall_ms = json_int(v, "delivered_wall_ms", 0);
	if (f->proven_wall_ms == 0)
		f->proven_wall_ms = json_int(v, "accepted_wall_ms", 0);
}

/* What pagerd remembers of the line's routes, beyond its own restarts. */
static void read_routes(struct modem_facts *f, const cJSON *status, const char *line)
{
	const cJSON *r;
	struct stamp proved;

	cJSON_ArrayForEach(r, cJSON_GetObjectItemCaseSensitive(
				  status, "routes")) if (strcmp(json_str(r, "line", ""), line) == 0 &&
							 json_get_stamp(r, "proved", &proved) &&
							 proved.wall_ms > f->proven_wall_ms)
	    f->proven_wall_ms = proved.wall_ms;
}

static bool read_line(struct modem_facts *f, const cJSON *line, char *why, size_t size)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(line, "values");
	struct stamp sent;

	copy(f->said, sizeof(f->said), line, "text");
	f->ok = json_bool(line, "ok", false);
	if (!json_bool(line, "up", false)) {
		snprintf(f->why, sizeof(f->why), "the line's notifier does not run: %.200s", f->said);
		return true;
	}
	if (v == NULL && f->ok) {
		snprintf(why, size, "line \"%.100s\" tells nothing of a modem (yet)",
			 json_str(line, "name", ""));
		return false;
	}
	f->up = json_bool(v, "up", false);
	if (!f->up)
		snprintf(f->why, sizeof(f->why), "%s", f->said);
	read_values(f, v);
	/* a page of an earlier life of the notifier */
	if (f->proven_wall_ms == 0 && json_get_stamp(line, "sent_at", &sent))
		f->proven_wall_ms = sent.wall_ms;
	return true;
}

bool modem_from_status(struct modem_facts *f, const char *text, size_t len, const char *name,
		       int64_t stale_ms, int64_t now, char *why, size_t size)
{
	const char *reason = "not an object";
	cJSON *status = json_parse(text, len, STATUS_MAX, &reason);
	const cJSON *line = find_line(status, name);
	struct stamp at;
	char span[40];
	bool ok = false;

	memset(f, 0, sizeof(*f));
	if (!cJSON_IsObject(status) || !json_get_stamp(status, "at", &at))
		snprintf(why, size, "pagerd's status cannot be read: %s", reason);
	else if (now - at.wall_ms > stale_ms)
		snprintf(why, size, "pagerd's status is %s old: does pagerd run?",
			 clock_span(now - at.wall_ms, span, sizeof(span)));
	else if (line == NULL)
		snprintf(why, size, "pagerd has no line \"%.100s\"", name);
	else
		ok = read_line(f, line, why, size);
	if (ok)
		read_routes(f, status, name);
	cJSON_Delete(status);
	return ok;
}
