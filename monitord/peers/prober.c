/* Probers, seen from the supervisor; see prober.h. Owned by the core. */
#include "prober.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/contract/coproc.h"
#include "lib/json.h"
#include "lib/log.h"
#include "prober_internal.h"

enum { THREADS_DEFAULT = 64 };
/* A state blob of 64 KiB, escaped at worst sixfold, and the rest of the line. */
enum { PROBER_LINE_MAX = 512 * 1024 };

const char *prober_place_name(const struct place *p)
{
	return p->far ? p->remote.name : p->which == PLACE_LOCAL ? "local" : "net";
}

void prober_run_add(struct worker *w, struct run *r)
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
		prober_lose_run(w->runs, why, w->runs->culprit);
}

static struct run *run_find(const struct worker *w, const char *id)
{
	for (struct run *r = w->runs; r; r = r->next)
		if (strcmp(r->id, id) == 0)
			return r;
	return NULL;
}

static bool good_hello(struct worker *w, const cJSON *v, char *why, size_t size)
{
	if (w->place->far)
		return remote_hello(w, v, why, size);
	snprintf(why, size, "its first line is no hello of version 1");
	return strcmp(json_str(v, "hello", ""), "prober") == 0 && json_int(v, "v", 0) == 1;
}

static void take_hello(struct worker *w, const cJSON *v)
{
	struct place *p = w->place;
	char why[sizeof w->given_up];
	if (!good_hello(w, v, why, sizeof why)) {
		log_err("%s: %s", p->label, why);
		snprintf(p->why, sizeof p->why, "%s", why);
		snprintf(w->given_up, sizeof w->given_up, "%s", why);
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
	log_info("%s: up, pid %lld, %d at once", p->label, (long long)w->pid, w->threads);
	p->calls.room(p->arg);
}

static void take_done(struct worker *w, const cJSON *v, const char *id)
{
	struct place *p = w->place;
	struct run *r = run_find(w, id);
	if (!r) { /* cancelled meanwhile */
		if (p->far)
			remote_stray(w);
		return;
	}
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

/* The prober has a stuck run (already answered): another takes its place, it finishes what it has. */
static void retire(struct worker *w, const char *why)
{
	struct place *p = w->place;
	if (w != p->now)
		return;
	log_warn("%s (pid %lld): retires: %.180s", p->label, (long long)w->pid, why);
	if (p->far && clock_boot_ms() - w->up_ms < REMOTE_STEADY_MS) {
		snprintf(w->given_up, sizeof w->given_up, "retired: %.80s", why);
		coproc_kill(w->co); /* not at once again, but with growing pauses */
		return;
	}
	snprintf(p->why, sizeof p->why, "retired: %.180s", why);
	struct worker *fresh = prober_worker_new(p);
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

static void take_store(struct worker *w, const cJSON *v, const char *id)
{
	struct run *r = run_find(w, id);
	const char *state = json_str(v, "state", NULL);
	if (r && r->check && state && !r->store_ticket && r->stores < REMOTE_STORES_MAX) {
		r->stores++;
		w->place->calls.store(w->place->arg, r, state);
	} else if (r) {
		place_stored(r, false);
	}
	if (w->place->far && (!r || r->stores == REMOTE_STORES_MAX))
		remote_stray(w);
}

static void take_culprit(struct worker *w, const char *id)
{
	struct run *r = run_find(w, id);
	if (r)
		r->culprit = true;
}

static void on_line(void *arg, struct coproc *co, cJSON *v)
{
	struct worker *w = arg;
	(void)co;
	const char *id;
	if (w->given_up[0])
		return; /* it is being killed */
	if (!w->hello)
		take_hello(w, v);
	else if ((id = json_str(v, "done", NULL)))
		take_done(w, v, id);
	else if ((id = json_str(v, "store", NULL)))
		take_store(w, v, id);
	else if ((id = json_str(v, "culprit", NULL)))
		take_culprit(w, id);
	else if (json_bool(v, "retire", false))
		retire(w, json_str(v, "why", "no reason given"));
	else if (w->place->far && json_int(v, "beat", 0))
		remote_beat_came(w, v);
	else if (w->place->far)
		remote_stray(w);
	else if (!json_str(v, "hello", NULL))
		log_warn("%s: a line that means nothing to us", w->place->label);
}

static void on_complaint(void *arg, struct coproc *co, const char *line)
{
	(void)co;
	remote_complained(arg, line);
}

static void on_up(void *arg, struct coproc *co)
{
	struct worker *w = arg;
	(void)co;
	w->hello = false;
	w->up_ms = clock_boot_ms();
	w->strays = w->nsaid = 0;
	w->said[0] = w->given_up[0] = '\0';
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

/* Why it ended, as far as anybody said. */
static void end_text(const struct worker *w, const char *why, char *out, size_t size)
{
	if (!w->place->far)
		snprintf(out, size, "died: %.180s", why);
	else if (w->given_up[0])
		snprintf(out, size, "%s", w->given_up);
	else
		snprintf(out, size, "%.120s%s%.120s", why, w->said[0] ? ": " : "", w->said);
}

/* Of a remote only who had been there can be lost: else it is one outage that goes on. */
static void count_death(struct place *p, bool had_been_there)
{
	int64_t now = clock_boot_ms();
	if (!p->far || had_been_there) {
		memmove(&p->deaths[1], &p->deaths[0], (DEATHS - 1) * sizeof p->deaths[0]);
		p->deaths[0] = now;
	}
	if (!p->down_since_ms)
		p->down_since_ms = now;
}

static void on_down(void *arg, struct coproc *co, const char *why)
{
	struct worker *w = arg;
	struct place *p = w->place;
	char end[260], text[300];
	bool was_there = w->hello || w->nruns;
	(void)co;
	end_text(w, why, end, sizeof end);
	snprintf(text, sizeof text, "%s%s", p->far ? "connection lost: " : "prober ", end);
	w->hello = false;
	w->up_ms = 0;
	if (w != p->now) { /* it had retired */
		lose_all(w, text);
		prober_old_remove(p, w);
		prober_worker_free(w);
		return;
	}
	log_err("%s: %s; %d runs were in it", p->label, end, w->nruns);
	snprintf(p->why, sizeof p->why, "%.199s", end);
	count_death(p, was_there);
	lose_all(w, text);
	p->calls.room(p->arg);
}

/* ssh to a prober on another host, with what bounds it. */
static struct coproc *dial(struct place *p, struct worker *w)
{
	static const struct coproc_calls calls = {
	    .line = on_line, .up = on_up, .down = on_down, .complained = on_complaint};
	char **argv = remote_argv(&p->remote, p->why, sizeof p->why);
	struct coproc *co = argv ? coproc_new(p->base, p->label, argv, NULL, PROBER_LINE_MAX, &calls, w) : NULL;
	if (co)
		coproc_is_far(co, REMOTE_STEADY_MS);
	remote_argv_free(argv);
	return co;
}

struct worker *prober_worker_new(struct place *p)
{
	static const struct coproc_calls calls = {.line = on_line, .up = on_up, .down = on_down};
	struct worker *w = calloc(1, sizeof *w);
	if (!w)
		return NULL;
	w->place = p;
	if (p->far) {
		w->co = dial(p, w);
	} else if (p->socket) {
		w->co = coproc_connect(p->base, p->label, p->socket, PROBER_LINE_MAX, &calls, w);
	} else {
		char *argv[] = {p->prober, (char *)"--place", (char *)prober_place_name(p), NULL};
		w->co = coproc_new(p->base, p->label, argv, NULL, PROBER_LINE_MAX, &calls, w);
	}
	if (!w->co) {
		free(w);
		return NULL;
	}
	return w;
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
