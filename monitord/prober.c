/* Probers, seen from the supervisor; see prober.h. Owned by the core. */
#include "prober.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/coproc.h"
#include "../lib/file.h"
#include "../lib/json.h"
#include "../lib/log.h"
#include "prober_internal.h"

enum { THREADS_DEFAULT = 64 };
/* A state blob of 64 KiB, escaped at worst sixfold, and the rest of the line. */
enum { PROBER_LINE_MAX = 512 * 1024 };

const char *prober_place_name(const struct place *p)
{
	return p->which == PLACE_LOCAL ? "local" : "net";
}

static void run_add(struct worker *w, struct run *r)
{
	r->next = w->runs;
	r->link = &w->runs;
	if (r->next)
		r->next->link = &r->next;
	w->runs = r;
	w->nruns++;
}

static void run_remove(struct run *r)
{
	*r->link = r->next;
	if (r->next)
		r->next->link = r->link;
	r->worker->nruns--;
}

static void run_free(struct run *r)
{
	run_remove(r);
	free(r);
}

void prober_lose_run(struct run *r, const char *why, bool culprit)
{
	struct place *p = r->worker->place;
	if (r->check)
		p->calls.lost(p->arg, r, why, culprit);
	run_free(r);
}

static void lose_all(struct worker *w, const char *why)
{
	while (w->runs)
		prober_lose_run(w->runs, why, false);
}

static struct run *run_find(const struct worker *w, const char *id)
{
	for (struct run *r = w->runs; r; r = r->next)
		if (strcmp(r->id, id) == 0)
			return r;
	return NULL;
}

static void take_hello(struct worker *w, const cJSON *v)
{
	struct place *p = w->place;
	if (strcmp(json_str(v, "hello", ""), "prober") != 0 || json_int(v, "v", 0) != 1) {
		log_err("prober %s: its first line is no hello of version 1", prober_place_name(p));
		snprintf(p->why, sizeof p->why, "its first line is no hello of version 1");
		coproc_kill(w->co);
		return;
	}
	int64_t threads = json_int(v, "threads", THREADS_DEFAULT);
	w->threads = threads < 1 || threads > 100000 ? THREADS_DEFAULT : (int)threads;
	w->pid = json_int(v, "pid", coproc_pid(w->co));
	w->hello = true;
	if (p->ever_up)
		p->restarts++;
	p->ever_up = true;
	p->down_since_ms = 0;
	log_info("prober %s: up, pid %lld, %d at once", prober_place_name(p), (long long)w->pid, w->threads);
	p->calls.room(p->arg);
}

static void take_done(struct worker *w, const cJSON *v, const char *id)
{
	struct place *p = w->place;
	struct run *r = run_find(w, id);
	if (!r)
		return; /* cancelled meanwhile */
	struct result res;
	const char *why = "";
	result_init(&res);
	if (!result_from_json(&res, v, &why)) {
		result_fini(&res);
		result_init(&res);
		result_set(&res, NAG_UNKNOWN, "the prober's answer is no result: %s", why);
		res.measured = false;
	}
	const char *blob = json_str(v, "state_blob", NULL);
	const cJSON *ms = cJSON_GetObjectItemCaseSensitive(v, "run_ms");
	if (r->check)
		p->calls.done(p->arg, r, &res, blob, cJSON_IsNumber(ms) ? ms->valuedouble : 0);
	result_fini(&res);
	run_free(r);
	p->calls.room(p->arg);
}

static struct worker *worker_new(struct place *p);

/* The prober has a stuck run (already answered): another takes its place, it finishes what it has. */
static void retire(struct worker *w, const char *why)
{
	struct place *p = w->place;
	if (w != p->now)
		return;
	log_warn("prober %s (pid %lld): retires: %s", prober_place_name(p), (long long)w->pid, why);
	snprintf(p->why, sizeof p->why, "retired: %.180s", why);
	struct worker *fresh = worker_new(p);
	if (!fresh)
		return; /* better a prober with a stuck thread than none */
	p->now = fresh;
	p->down_since_ms = clock_boot_ms();
	w->linger_ms = clock_boot_ms();
	for (struct run *r = w->runs; r; r = r->next)
		if (r->deadline_ms > w->linger_ms)
			w->linger_ms = r->deadline_ms;
	w->next = p->old;
	p->old = w;
	p->nold++;
	p->calls.room(p->arg);
}

static void on_line(void *arg, struct coproc *co, cJSON *v)
{
	struct worker *w = arg;
	(void)co;
	const char *id;
	if (!w->hello) {
		take_hello(w, v);
	} else if ((id = json_str(v, "done", NULL))) {
		take_done(w, v, id);
	} else if ((id = json_str(v, "store", NULL))) {
		struct run *r = run_find(w, id);
		const char *state = json_str(v, "state", NULL);
		if (r && r->check && state)
			w->place->calls.store(w->place->arg, r, state);
		else if (r)
			place_stored(r, false);
	} else if (json_bool(v, "retire", false)) {
		retire(w, json_str(v, "why", "no reason given"));
	} else if (!json_str(v, "hello", NULL)) {
		log_warn("prober %s: a line that means nothing to us", prober_place_name(w->place));
	}
}

static void on_up(void *arg, struct coproc *co)
{
	struct worker *w = arg;
	(void)co;
	w->hello = false;
	w->up_ms = clock_boot_ms();
}

void prober_worker_free(struct worker *w)
{
	lose_all(w, "prober stopped");
	coproc_free(w->co);
	free(w);
}

void prober_old_remove(struct place *p, struct worker *w)
{
	for (struct worker **o = &p->old; *o; o = &(*o)->next) {
		if (*o != w)
			continue;
		*o = w->next;
		p->nold--;
		break;
	}
}

static void on_down(void *arg, struct coproc *co, const char *why)
{
	struct worker *w = arg;
	struct place *p = w->place;
	char text[256];
	(void)co;
	w->hello = false;
	w->up_ms = 0;
	if (w != p->now) { /* it had retired */
		snprintf(text, sizeof text, "prober died: %s", why);
		lose_all(w, text);
		prober_old_remove(p, w);
		prober_worker_free(w);
		return;
	}
	log_err("prober %s: died: %s; %d runs were in it", prober_place_name(p), why, w->nruns);
	snprintf(p->why, sizeof p->why, "died: %.180s", why);
	memmove(&p->deaths[1], &p->deaths[0], (DEATHS - 1) * sizeof p->deaths[0]);
	p->deaths[0] = clock_boot_ms();
	if (!p->down_since_ms)
		p->down_since_ms = p->deaths[0];
	snprintf(text, sizeof text, "prober died: %s", why);
	lose_all(w, text);
	p->calls.room(p->arg);
}

static struct worker *worker_new(struct place *p)
{
	static const struct coproc_calls calls = {.line = on_line, .up = on_up, .down = on_down};
	struct worker *w = calloc(1, sizeof *w);
	char name[32];
	if (!w)
		return NULL;
	w->place = p;
	snprintf(name, sizeof name, "prober %s", prober_place_name(p));
	if (p->socket) {
		w->co = coproc_connect(p->base, name, p->socket, PROBER_LINE_MAX, &calls, w);
	} else {
		char *argv[] = {p->prober, (char *)"--place", (char *)prober_place_name(p), NULL};
		w->co = coproc_new(p->base, name, argv, NULL, PROBER_LINE_MAX, &calls, w);
	}
	if (!w->co) {
		free(w);
		return NULL;
	}
	return w;
}

struct place *place_new(struct event_base *base, enum check_place which, const char *libexec,
			const char *socket, const struct place_calls *calls, void *arg)
{
	struct place *p = calloc(1, sizeof *p);
	if (!p)
		return NULL;
	*p = (struct place){
	    .base = base, .which = which, .calls = *calls, .arg = arg, .down_since_ms = clock_boot_ms()};
	p->prober = file_join(libexec, "prober");
	p->socket = socket ? strdup(socket) : NULL;
	if (p->prober && (!socket || p->socket))
		p->now = worker_new(p);
	if (!p->now) {
		place_free(p);
		return NULL;
	}
	return p;
}

void place_free(struct place *p)
{
	if (!p)
		return;
	if (p->now)
		prober_worker_free(p->now);
	while (p->old) {
		struct worker *w = p->old;
		p->old = w->next;
		prober_worker_free(w);
	}
	free(p->prober);
	free(p->socket);
	free(p);
}

bool place_has_room(const struct place *p)
{
	return p->now->hello && coproc_is_up(p->now->co) && p->now->nruns < p->now->threads;
}

static cJSON *job(const struct run *r, const char *blob)
{
	const struct conf_check *k = r->check->conf;
	cJSON *o = cJSON_CreateObject();
	json_add_int(o, "v", 1);
	cJSON_AddStringToObject(o, "run", r->id);
	cJSON_AddStringToObject(o, "check", k->name);
	cJSON_AddStringToObject(o, "probe", k->probe);
	if (k->options)
		cJSON_AddItemReferenceToObject(o, "options", k->options);
	else
		cJSON_AddObjectToObject(o, "options");
	cJSON_AddStringToObject(o, "state", blob ? blob : "");
	json_add_int(o, "timeout_ms", k->timeout_ms);
	return o;
}

struct run *place_run(struct place *p, struct check *c, const char *blob)
{
	struct worker *w = p->now;
	struct run *r = calloc(1, sizeof *r);
	if (!r)
		return NULL;
	snprintf(r->id, sizeof r->id, "%s-%llu", prober_place_name(p), (unsigned long long)++p->next_id);
	r->check = c;
	r->worker = w;
	r->started = clock_stamp();
	r->deadline_ms = r->started.boot_ms + c->conf->timeout_ms + PROBER_GRACE_MS;
	cJSON *v = job(r, blob);
	bool sent = v && coproc_send(w->co, v);
	cJSON_Delete(v);
	if (!sent) {
		free(r);
		return NULL;
	}
	run_add(w, r);
	return r;
}

static void send_small(struct worker *w, const char *key, const char *id, const bool *ok)
{
	cJSON *v = cJSON_CreateObject();
	cJSON_AddStringToObject(v, key, id);
	if (ok)
		cJSON_AddBoolToObject(v, "ok", *ok);
	coproc_send(w->co, v);
	cJSON_Delete(v);
}

void place_stored(struct run *r, bool ok)
{
	r->store_ticket = 0;
	send_small(r->worker, "stored", r->id, &ok);
}

void place_cancel(struct run *r)
{
	send_small(r->worker, "cancel", r->id, NULL);
	run_free(r);
}

struct place *run_place(const struct run *r)
{
	return r->worker->place;
}

static bool same(const char *a, const char *b)
{
	return (!a && !b) || (a && b && strcmp(a, b) == 0);
}

bool place_differs(const struct place *p, const char *libexec, const char *socket)
{
	char *prober = file_join(libexec, "prober");
	bool differs = !same(p->socket, socket) || (!p->socket && !same(p->prober, prober));
	free(prober);
	return differs;
}
