/* The built-in checks; see self.h. */
#include "self.h"

#include <stdio.h>

#include "lib/contract/spool.h"
#include "core.h"
#include "hostlists.h"
#include "monitord/peers/ownlink.h"
#include "monitord/peers/prober.h"

void self_look(struct super *s, int64_t now_ms)
{
	if (s->self_ms && now_ms - s->self_ms < SELF_AGAIN_MS)
		return;
	s->self_ms = now_ms;
	struct ownlink_route routes[OWNLINK_ROUTES_MAX];
	char text[256];
	int n = ownlink_read(routes, OWNLINK_ROUTES_MAX);
	bool ok = n < 0 || ownlink_judge(routes, (size_t)n, text, sizeof text);
	/* not being able to ask the kernel proves nothing about the link */
	if (n < 0)
		snprintf(text, sizeof text, "the kernel's routes cannot be read");
	core_self(s, "self", ok ? NAG_OK : NAG_CRITICAL, ok ? "" : "link", text);
}

void self_config(struct super *s)
{
	char text[1024];
	char lists[300];
	bool listed = !s->hostlists || !*hostlists_trouble(s->hostlists, lists, sizeof lists);
	if (!s->config_error && !listed) {
		core_self(s, "self.config", NAG_WARNING, "lists", lists);
		return;
	}
	if (s->config_error)
		snprintf(text, sizeof text, "the configuration is not the newest one: %s", s->config_error);
	else
		snprintf(text, sizeof text, "configuration %s is in force", s->conf->digest);
	core_self(s, "self.config", s->config_error ? NAG_CRITICAL : NAG_OK, s->config_error ? "config" : "",
		  text);
}

static void self_spool(struct super *s)
{
	char text[512];
	size_t pending = spool_writer_pending(s->spool);
	if (s->spool_trouble[0])
		snprintf(text, sizeof text,
			 "the event spool does not take events: %s (%zu in its twin, %zu in memory)",
			 s->spool_trouble, s->spool_twin, pending);
	else if (s->state.trouble[0])
		snprintf(text, sizeof text, "states of checks cannot be stored: %s", s->state.trouble);
	else
		snprintf(text, sizeof text, "events and states reach the disk");
	bool ok = !s->spool_trouble[0] && !s->state.trouble[0];
	core_self(s, "self.spool", ok ? NAG_OK : NAG_CRITICAL, ok ? "" : "disk", text);
}

void self_prober(struct super *s, int64_t now_ms)
{
	char text[400] = "";
	for (int i = 0; i < SUPER_REMOTES && !text[0]; i++)
		if (s->places[i])
			place_trouble(s->places[i], now_ms, text, sizeof text);
	bool ok = !text[0];
	core_self(s, "self.prober", ok ? NAG_OK : NAG_CRITICAL, ok ? "" : "prober",
		  ok ? "the probers run" : text);
}

void self_remotes(struct super *s, int64_t now_ms)
{
	char name[EVENT_NAME_MAX], text[600];
	enum nag_state state;
	for (size_t i = 0; SUPER_REMOTES + i < s->nplaces && i < s->conf->nremotes; i++) {
		const struct place *p = s->places[SUPER_REMOTES + i];
		conf_remote_check(&s->conf->remotes[i], name, sizeof name);
		if (!p || !place_judge_remote(p, now_ms, &state, text, sizeof text))
			continue;
		/* what is lost again while its loss is a problem is no better for having been there a moment */
		if (state == NAG_CRITICAL || !place_is_down(p) || !judge_down(&checks_find(&s->checks, name)->judge))
			core_self(s, name, state, state == NAG_OK ? "" : "remote", text);
	}
}

void self_tick(struct super *s, int64_t now_ms)
{
	self_spool(s);
	self_prober(s, now_ms);
	self_remotes(s, now_ms);
	if (now_ms - s->self_ms >= SELF_EVERY_MS || !s->self_ms)
		self_look(s, now_ms);
}
