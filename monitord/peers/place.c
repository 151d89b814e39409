/*
 * Places: made from what is configured, handed runs; see prober.h. Called by the core. What comes back is
 * prober.c's, whether they are well prober_watch.c's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/contract/coproc.h"
#include "lib/file.h"
#include "lib/json.h"
#include "prober_internal.h"

/* As remotes are compared: where they are written does not count. */
static void copy_remote(struct conf_remote *to, const struct conf_remote *from)
{
	memcpy(to, from, sizeof *to);
	memset(&to->at, 0, sizeof to->at);
}

struct place *place_new(struct event_base *base, const struct place_spec *spec,
			const struct place_calls *calls, void *arg)
{
	struct place *p = calloc(1, sizeof *p);
	if (!p)
		return NULL;
	*p = (struct place){.base = base,
			    .which = spec->which,
			    .far = spec->remote != NULL,
			    .calls = *calls,
			    .arg = arg,
			    .down_since_ms = clock_boot_ms()};
	if (p->far)
		copy_remote(&p->remote, spec->remote);
	snprintf(p->label, sizeof p->label, "%s %s", p->far ? "remote" : "prober", prober_place_name(p));
	p->prober = file_join(spec->libexec, "prober");
	p->socket = spec->socket ? strdup(spec->socket) : NULL;
	if (p->prober && (!spec->socket || p->socket))
		p->now = prober_worker_new(p);
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

bool place_is_remote(const struct place *p)
{
	return p->far;
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
	snprintf(r->id, sizeof r->id, "%s-%llu", p->far ? "remote" : prober_place_name(p),
		 (unsigned long long)++p->next_id);
	r->check = c;
	r->worker = w;
	r->started = clock_stamp();
	r->deadline_ms = r->started.boot_ms + c->conf->timeout_ms + PROBER_GRACE_MS +
			 (p->far ? p->remote.limit_ms + p->remote.beat_ms : 0);
	cJSON *v = job(r, blob);
	bool sent = v && coproc_send(w->co, v);
	cJSON_Delete(v);
	if (!sent) {
		free(r);
		return NULL;
	}
	prober_run_add(w, r);
	return r;
}

static bool same(const char *a, const char *b)
{
	return (!a && !b) || (a && b && strcmp(a, b) == 0);
}

bool place_differs(const struct place *p, const struct place_spec *spec)
{
	struct conf_remote remote;
	if (spec->remote) {
		copy_remote(&remote, spec->remote);
		return !p->far || memcmp(&remote, &p->remote, sizeof remote) != 0;
	}
	char *prober = file_join(spec->libexec, "prober");
	bool differs = p->far || !same(p->socket, spec->socket) || (!p->socket && !same(p->prober, prober));
	free(prober);
	return differs;
}
