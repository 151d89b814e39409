/* The status; see snapshot.h. */
#include "snapshot.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "diagnosis.h"
#include "lib/file.h"
#include "lib/contract/heartbeat.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/contract/spool.h"
#include "hostlists.h"
#include "monitord/peers/opspeer.h"
#include "monitord/peers/pagerwatch.h"
#include "monitord/peers/prober.h"

/* Writing takes milliseconds per hundred checks: at most this share of the time goes into it. */
enum { SNAPSHOT_BYTES_MAX = 16 << 20, SNAPSHOT_SOON_MS = 200, SNAPSHOT_SHARE = 20 };

/* The weekly downtimes, and when each begins or ends. */
static void add_downtimes(cJSON *o, const struct super *s)
{
	cJSON *list = cJSON_AddArrayToObject(o, "downtimes");
	for (size_t i = 0; i < s->checks.nrecurring; i++) {
		struct recurring *r = &s->checks.recurring[i];
		recurring_look(r, clock_wall_ms());
		cJSON *v = cJSON_CreateObject();
		cJSON_AddStringToObject(v, "name", r->conf->name);
		cJSON_AddBoolToObject(v, "active", r->holds);
		json_add_int(v, r->holds ? "until_wall_ms" : "next_wall_ms", r->change_ms);
		cJSON_AddItemToArray(list, v);
	}
}

static void add_spool(cJSON *o, const struct super *s)
{
	cJSON *v = cJSON_AddObjectToObject(o, "spool");
	json_add_int(v, "pending", s->spool ? (int64_t)spool_writer_pending(s->spool) : 0);
	json_add_int(v, "twin", (int64_t)s->spool_twin);
	cJSON_AddStringToObject(v, "trouble", s->spool_trouble[0] ? s->spool_trouble : s->state.trouble);
}

/* One check at a time, so that the memory in use stays small whatever their number. */
static bool add_checks(cJSON *o, const struct super *s, const struct stamp *now)
{
	struct buf text;
	buf_init(&text, SNAPSHOT_BYTES_MAX);
	bool ok = buf_puts(&text, "[");
	for (size_t i = 0; ok && i < s->checks.n; i++) {
		cJSON *c = check_to_json(s->checks.v[i], now);
		ok = (i == 0 || buf_puts(&text, ",")) && json_line(c, &text);
		cJSON_Delete(c);
		if (ok)
			text.data[--text.len] = '\0'; /* json_line's newline */
	}
	ok = ok && buf_puts(&text, "]") && cJSON_AddRawToObject(o, "checks", text.data);
	buf_fini(&text);
	return ok;
}

cJSON *snapshot_json(const struct super *s)
{
	struct stamp now = clock_stamp();
	cJSON *o = cJSON_CreateObject();
	json_add_int(o, "v", 1);
	cJSON_AddStringToObject(o, "daemon", "monitord");
	json_add_int(o, "pid", getpid());
	cJSON_AddStringToObject(o, "version", MONITORD_VERSION);
	json_add_stamp(o, "at", &now);
	json_add_stamp(o, "started", &s->started);
	cJSON_AddStringToObject(o, "digest", s->conf->digest);
	cJSON_AddBoolToObject(o, "from_copy", s->conf->from_copy);
	cJSON_AddStringToObject(o, "config_error", s->config_error ? s->config_error : "");
	json_add_stamp(o, "reload_at", &s->reload_at);
	cJSON_AddItemToObject(o, "pager", pagerwatch_json(s->pagerwatch));
	if (s->opspeer)
		cJSON_AddItemToObject(o, "peer", opspeer_json(s->opspeer));
	if (s->checks.nrecurring)
		add_downtimes(o, s);
	cJSON *lists = s->hostlists ? hostlists_json(s->hostlists, s->conf) : NULL;
	if (lists)
		cJSON_AddItemToObject(o, "lists", lists);
	add_spool(o, s);
	diagnosis_to_json(s, o);
	cJSON *probers = cJSON_AddArrayToObject(o, "probers");
	for (size_t i = 0; i < s->nplaces; i++)
		if (s->places[i])
			cJSON_AddItemToArray(probers, place_to_json(s->places[i]));
	if (!add_checks(o, s, &now)) {
		cJSON_Delete(o);
		return NULL;
	}
	return o;
}

void snapshot_write(struct super *s)
{
	struct buf text;
	cJSON *o = snapshot_json(s);
	int64_t began = clock_boot_us();
	s->snapshot_dirty = s->snapshot_hurried = false;
	buf_init(&text, SNAPSHOT_BYTES_MAX);
	if (!o || !json_line(o, &text))
		log_err("status: cannot be made (out of memory, or larger than 16 MiB)");
	else if (!file_write_volatile(s->snapshot_path, text.data, text.len, 0644))
		log_err("%s: %s", s->snapshot_path, strerror(errno));
	buf_fini(&text);
	cJSON_Delete(o);
	s->snapshot_us = clock_boot_us();
	s->snapshot_cost_us = s->snapshot_us - began;
}

void snapshot_flush(struct super *s)
{
	if (s->snapshot_dirty)
		snapshot_write(s);
}

void snapshot_before_event(struct super *s)
{
	bool calm = clock_boot_us() - s->snapshot_us >= SNAPSHOT_SHARE * s->snapshot_cost_us;
	if (!s->snapshot_dirty || (!calm && s->snapshot_hurried))
		return;
	snapshot_write(s);
	s->snapshot_hurried = !calm;
}

void snapshot_later(struct super *s)
{
	int64_t wait = SNAPSHOT_SHARE * s->snapshot_cost_us / 1000;
	if (!s->snapshot_dirty && s->snapshot_timer)
		loop_timer_in(s->snapshot_timer, wait > SNAPSHOT_SOON_MS ? wait : SNAPSHOT_SOON_MS);
	s->snapshot_dirty = true;
}
