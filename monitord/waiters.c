/* Who waits for an answer; see waiters.h. */
#include "waiters.h"

#include <stdlib.h>

#include "lib/contract/control.h"
#include "lib/json.h"

void waiters_answer(struct control_client *client, const struct check *c, const char *note)
{
	struct stamp now = clock_stamp();
	cJSON *a = cJSON_CreateObject();
	cJSON_AddBoolToObject(a, "ok", true);
	cJSON_AddItemToObject(a, "check", check_to_json(c, &now));
	if (note)
		cJSON_AddStringToObject(a, "note", note);
	control_reply(client, a);
}

/* Takes the waiters out that f says are served, and answers them. */
static void serve(struct check *c, bool (*served)(const struct waiter *w, int64_t value), int64_t value,
		  const char *note)
{
	struct waiter **at = &c->waiters;
	while (*at) {
		struct waiter *w = *at;
		if (!served(w, value)) {
			at = &w->next;
			continue;
		}
		*at = w->next;
		waiters_answer(w->client, c, note);
		free(w);
	}
}

static bool waits_for_run(const struct waiter *w, int64_t started_ms)
{
	return w->after_ms && started_ms >= w->after_ms;
}

static bool waits_for_write(const struct waiter *w, int64_t ticket)
{
	return w->ticket && (int64_t)w->ticket <= ticket;
}

static bool write_took_too_long(const struct waiter *w, int64_t now_ms)
{
	return w->ticket && now_ms >= w->until_ms;
}

static bool run_took_too_long(const struct waiter *w, int64_t now_ms)
{
	return w->after_ms && now_ms >= w->until_ms;
}

void waiters_run_ended(struct check *c, int64_t started_ms)
{
	serve(c, waits_for_run, started_ms, NULL);
}

void waiters_written(struct check *c, uint64_t ticket, const char *why)
{
	serve(c, waits_for_write, (int64_t)ticket,
	      why ? "accepted, but not on disk: a reboot would forget it" : NULL);
}

void waiters_gone(struct check *c, const char *why)
{
	while (c->waiters) {
		struct waiter *w = c->waiters;
		c->waiters = w->next;
		control_error(w->client, "%s: %s", c->name, why);
		free(w);
	}
}

void waiters_tick(struct super *s, int64_t now_ms)
{
	for (size_t i = 0; i < s->checks.n; i++) {
		struct check *c = s->checks.v[i];
		if (!c->waiters)
			continue;
		serve(c, write_took_too_long, now_ms, "accepted, but the disk does not answer");
		serve(c, run_took_too_long, now_ms, "no run could be made in time; this is the last result");
	}
}
