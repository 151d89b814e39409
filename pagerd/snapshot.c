/* pagerd's snapshot; see snapshot.h. Also the answer to `status`. */
#include "snapshot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "deadman.h"
#include "intake.h"
#include "lines.h"
#include "pagerd/store/record.h"
#include "prover.h"

enum { SNAPSHOT_MAX = 16 << 20 };

struct snapshot {
	struct pager *p;
	struct loop_timer *timer;
	char *path;
	bool asked, complained;
	int64_t not_before; /* with thousands of incidents it takes its time, and pages go first */
};

static cJSON *show_incidents(const struct pager *p)
{
	cJSON *v = cJSON_CreateArray();
	size_t closed = 0;
	for (size_t k = p->ninc; k-- > 0;) {
		const struct incident *i = p->inc[k];
		if (i->ephemeral || i->phase == INC_NONE ||
		    (incident_is_over(i) && closed++ >= SNAPSHOT_CLOSED))
			continue;
		cJSON_AddItemToArray(v, record_show(i));
	}
	return v;
}

/* Good while one of its lines is. */
static cJSON *show_pool(const struct conf_pool *pool, const cJSON *lines)
{
	cJSON *o = cJSON_CreateObject(), *names = cJSON_CreateArray();
	const cJSON *l;
	int64_t good = 0;
	cJSON_AddStringToObject(o, "name", pool->name);
	for (size_t i = 0; i < pool->nlines; i++) {
		cJSON_AddItemToArray(names, cJSON_CreateString(pool->lines[i]));
		cJSON_ArrayForEach(l, lines)
			good += strcmp(json_str(l, "name", ""), pool->lines[i]) == 0 && json_bool(l, "ok", false);
	}
	cJSON_AddItemToObject(o, "lines", names);
	json_add_int(o, "good", good);
	return o;
}

static cJSON *show_pools(const struct config *conf, const cJSON *lines)
{
	cJSON *v = cJSON_CreateArray();
	for (size_t i = 0; i < conf->npools; i++)
		cJSON_AddItemToArray(v, show_pool(&conf->pools[i], lines));
	return v;
}

cJSON *snapshot_make(struct pager *p)
{
	struct stamp now = clock_stamp();
	cJSON *o = cJSON_CreateObject(), *spool;
	json_add_int(o, "v", 1);
	cJSON_AddStringToObject(o, "daemon", "pagerd");
	json_add_int(o, "pid", getpid());
	cJSON_AddStringToObject(o, "version", MONITORD_VERSION);
	json_add_stamp(o, "at", &now);
	json_add_stamp(o, "started", &p->started);
	cJSON_AddStringToObject(o, "digest", p->conf->digest);
	cJSON_AddBoolToObject(o, "from_copy", p->conf->from_copy);
	cJSON_AddStringToObject(o, "config_error", p->config_error);
	json_add_stamp(o, "reload_at", &p->reload_at);
	cJSON_AddItemToObject(o, "supervisor", deadman_show(p->deadman));
	cJSON *lines = lines_show(p->lines);
	cJSON_AddItemToObject(o, "lines", lines);
	if (p->conf->npools)
		cJSON_AddItemToObject(o, "pools", show_pools(p->conf, lines));
	cJSON_AddItemToObject(o, "routes", prover_show(p->prover));
	cJSON_AddItemToObject(o, "incidents", show_incidents(p));
	spool = cJSON_AddObjectToObject(o, "spool");
	json_add_int(spool, "new", (int64_t)intake_new_count(p->intake));
	json_add_int(spool, "bad", (int64_t)intake_bad_count(p->intake));
	cJSON_AddBoolToObject(o, "state_trouble", p->store_trouble);
	return o;
}

static void write_snapshot(void *arg)
{
	struct snapshot *s = arg;
	struct buf b;
	int64_t begin = clock_boot_ms();
	s->asked = false;
	loop_timer_in(s->timer, s->p->conf->beat_ms);
	buf_init(&b, SNAPSHOT_MAX);
	cJSON *v = snapshot_make(s->p);
	bool ok = json_line(v, &b) && file_write_volatile(s->path, b.data, b.len, 0640);
	if (!ok && !s->complained)
		log_warn("%s: %s", s->path, strerror(errno));
	s->complained = !ok;
	s->not_before = clock_boot_ms() + SNAPSHOT_SHARE * (clock_boot_ms() - begin);
	cJSON_Delete(v);
	buf_fini(&b);
}

void snapshot_now(struct snapshot *s)
{
	write_snapshot(s);
}

struct snapshot *snapshot_new(struct pager *p)
{
	struct snapshot *s = calloc(1, sizeof *s);
	if (!s)
		return NULL;
	s->p = p;
	s->path = file_join(p->conf->pagerd_run, "status.json");
	s->timer = loop_timer_new(p->base, write_snapshot, s);
	if (s->path && s->timer)
		return s;
	snapshot_free(s);
	return NULL;
}

void snapshot_free(struct snapshot *s)
{
	if (!s)
		return;
	loop_timer_free(s->timer);
	free(s->path);
	free(s);
}

void snapshot_soon(struct snapshot *s)
{
	if (!s || s->asked)
		return;
	s->asked = true;
	int64_t wait = s->not_before - clock_boot_ms();
	loop_timer_in(s->timer, wait > SNAPSHOT_DELAY_MS ? wait : SNAPSHOT_DELAY_MS);
}
