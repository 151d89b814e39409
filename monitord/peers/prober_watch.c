/* Whether the probers are well, and how people see them; see prober.h. */
#include <stdio.h>

#include "lib/contract/coproc.h"
#include "lib/json.h"
#include "lib/log.h"
#include "prober_internal.h"

/* A run without an answer long past its deadline: the prober as a whole is stuck. */
static void judge_worker(struct worker *w, int64_t now_ms)
{
	struct place *p = w->place;
	struct run *late = NULL;
	for (struct run *r = w->runs; r; r = r->next)
		if (now_ms > r->deadline_ms && (!late || r->deadline_ms < late->deadline_ms))
			late = r;
	if (late) {
		log_err("%s (pid %lld): does not answer; it is killed", p->label,
			(long long)w->pid);
		prober_lose_run(late, "prober does not answer", true);
		w->hello = false; /* nothing more is sent there */
		coproc_kill(w->co);
	} else if (!p->far && w->up_ms && !w->hello && now_ms - w->up_ms > PROBER_HELLO_MS) {
		log_err("%s: said no hello for %d s; it is killed", p->label,
			PROBER_HELLO_MS / 1000);
		w->up_ms = now_ms;
		coproc_kill(w->co);
	}
}

static void judge_old(struct place *p, int64_t now_ms)
{
	struct worker *next;
	for (struct worker *w = p->old; w; w = next) {
		next = w->next;
		if (w->nruns > 0 && now_ms <= w->linger_ms && p->nold <= PROBER_LINGERING_MAX)
			continue;
		prober_old_remove(p, w);
		prober_worker_free(w);
	}
}

void place_tick(struct place *p, int64_t now_ms)
{
	judge_worker(p->now, now_ms);
	if (p->far)
		remote_tick(p->now, now_ms);
	judge_old(p, now_ms);
}

void place_forgive(struct place *p, int64_t ms)
{
	for (struct worker *w = p->now; w; w = w == p->now ? p->old : w->next) {
		if (w->up_ms)
			w->up_ms += ms;
		w->linger_ms += ms;
		w->hello_ms += ms;
		w->beat_sent_ms += ms;
		w->beat_heard_ms += ms;
		for (struct run *r = w->runs; r; r = r->next)
			r->deadline_ms += ms;
	}
}

bool place_is_down(const struct place *p)
{
	return p->down_since_ms != 0;
}

const char *place_trouble(const struct place *p, int64_t now_ms, char *out, size_t size)
{
	out[0] = '\0';
	if (p->down_since_ms && now_ms - p->down_since_ms > DOWN_TROUBLE_MS) {
		char span[32];
		clock_span(now_ms - p->down_since_ms, span, sizeof span);
		snprintf(out, size, "%s is down for %s%s%s", p->label, span,
			 p->why[0] ? ": " : "", p->why);
	} else if (p->deaths[DEATHS - 1] && now_ms - p->deaths[DEATHS - 1] < DEATHS_WITHIN_MS) {
		snprintf(out, size, "%s died %d times within %d min; the last time it %s",
			 p->label, DEATHS, DEATHS_WITHIN_MS / 60000, p->why);
	}
	return out;
}

cJSON *place_to_json(const struct place *p)
{
	cJSON *o = cJSON_CreateObject();
	const struct worker *w = p->now;
	cJSON_AddStringToObject(o, "place", prober_place_name(p));
	cJSON_AddBoolToObject(o, "up", w->hello);
	json_add_int(o, "pid", w->hello ? w->pid : -1);
	json_add_int(o, "running", w->nruns);
	json_add_int(o, "lingering", p->nold);
	json_add_int(o, "restarts", p->restarts);
	cJSON_AddStringToObject(o, "why", p->why);
	if (p->far) {
		cJSON_AddBoolToObject(o, "remote", true);
		cJSON_AddStringToObject(o, "host", p->remote.host);
		cJSON_AddStringToObject(o, "version", p->version);
	}
	return o;
}
