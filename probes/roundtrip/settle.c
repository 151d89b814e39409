/*
 * What a message found in the store means for the round trip (see roundtrip.h). Called by the stores.
 * Promises: nothing but a mail whose HMAC proves it ours is ever said to be deletable, and an unknown one of
 * ours only when nobody can wait for it any more.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "roundtrip.h"

struct rt_findings *rt_found(struct rt_run *r, size_t way)
{
	return r->mx.on ? &r->mx.found[way] : &r->found;
}

bool rt_store_failed(struct rt_run *r, const char *layer, const char *fmt, ...)
{
	struct rt_side *side = &r->found.store;
	va_list ap;

	side->failed = true;
	side->state = strcmp(layer, "local") == 0 ? NAG_UNKNOWN : NAG_CRITICAL;
	snprintf(side->layer, sizeof(side->layer), "%s", layer);
	va_start(ap, fmt);
	vsnprintf(side->why, sizeof(side->why), fmt, ap);
	va_end(ap);
	return false;
}

uint32_t rt_id(const char *name, size_t len)
{
	uint32_t h = 2166136261;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)name[i]) * 16777619;
	return h ? h : 1;
}

/* When the store got it; by what the newest Received line claims where the store does not tell. 0: nobody
 * says. */
static int64_t arrived_ms(const struct rt_sighting *mail)
{
	struct received way;

	if (mail->arrived_wall_ms)
		return mail->arrived_wall_ms;
	received_parse(mail->header, mail->header_len, 0, &way);
	return way.n && way.hop[way.n - 1].has_time ? way.hop[way.n - 1].wall_ms : 0;
}

/* Nobody remembers it, and nobody waits for it: perhaps another check with the same key does when it is
 * young. */
static bool is_old(const struct rt_look *look, const struct rt_sighting *mail)
{
	int64_t arrived = arrived_ms(mail);

	return arrived && look->now.wall_ms - arrived > look->r->limits.limits.lost_ms;
}

/* A forged one is told for a while, not for as long as it lies there. */
static bool is_news(const struct rt_look *look, const struct rt_sighting *mail)
{
	return !mail->arrived_wall_ms ||
	       look->now.wall_ms - mail->arrived_wall_ms <= look->r->limits.limits.hold_ms;
}

static void arrival(struct rt_findings *f, const struct rt_mail *m, const struct rt_sighting *mail)
{
	if (f->arrived && m->token.run < f->arrived_run)
		return;
	f->arrived = true;
	f->arrived_run = m->token.run;
	f->delay = m->delay;
	received_parse(mail->header, mail->header_len, m->sent.wall_ms, &f->way);
	received_bound(&f->way, m->delay.max_ms);
}

static void settle(struct rt_look *look, struct rt_mail *m, const struct rt_sighting *mail)
{
	struct rt_findings *f = rt_found(look->r, m->way);
	enum rt_sight sight = rt_seen(&look->r->state, m, mail->id, &look->now, mail->arrived_wall_ms);

	if (sight == RT_AGAIN)
		return;
	look->changed = true;
	if (sight == RT_COPY) {
		f->copies++;
		return;
	}
	f->narrived++;
	if (sight == RT_FOUND) {
		f->found++;
		if (m->delay.ms > f->found_ms)
			f->found_ms = m->delay.ms;
	}
	arrival(f, m, mail);
}

/* The best that any token header of the mail proves (the verdicts stand in that order). */
static enum token_verdict prove(const struct rt_run *r, const struct rt_sighting *mail, struct token *t)
{
	enum token_verdict best = TOKEN_MALFORMED;
	size_t pos = 0, len;
	const char *value;

	while (header_next(mail->header, mail->header_len, TOKEN_HEADER, &pos, &value, &len)) {
		struct token one;
		enum token_verdict v = token_verify(r->key, r->key_len, r->run->check, value, len, &one);

		if (v < best) {
			best = v;
			*t = one;
		}
	}
	return best;
}

bool rt_settle(struct rt_look *look, const struct rt_sighting *mail)
{
	struct token t = {.hex = ""};
	enum token_verdict verdict = prove(look->r, mail, &t);
	struct rt_mail *m;

	if (verdict != TOKEN_OURS) {
		look->r->found.forged += verdict == TOKEN_FORGED && is_news(look, mail);
		return false;
	}
	m = rt_find(&look->r->state, t.hex);
	if (m) {
		settle(look, m, mail);
		return true;
	}
	if (!is_old(look, mail))
		return false;
	look->r->found.orphans++;
	return true;
}

bool rt_may_delete(const struct rt_look *look)
{
	if (!look->changed || rt_keep(look->r))
		return true;
	snprintf(look->r->found.undeleted, sizeof(look->r->found.undeleted),
		 "what arrived could not be stored");
	return false;
}
