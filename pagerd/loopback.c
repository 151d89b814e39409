/* Loopback pages; see loopback.h. */
#include "loopback.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "lib/log.h"
#include "errands.h"
#include "sender.h"

/* A loopback page of one line. */
struct loop {
	char line[EVENT_NAME_MAX],
	    to[EVENT_NAME_MAX]; /* "": the place is free; to: the line that is to receive it */
	char token[12];
	struct stamp began;
	bool waiting;
	bool late;	  /* it did not come in time */
	bool failing;	  /* that is a problem until one comes in time */
	char detail[160]; /* why it did not leave */
};

struct loopback {
	struct pager *p;
	struct loop loops[LOOPS_MAX];
};

struct loopback *loopback_new(struct pager *p)
{
	struct loopback *b = calloc(1, sizeof *b);
	if (b)
		b->p = p;
	return b;
}

void loopback_free(struct loopback *b)
{
	free(b);
}

/* The prover writes it down. */
static void changed(struct loopback *b)
{
	b->p->proofs.dirty = true;
	b->p->changed = true;
}

static void see_line(struct loopback *b, const struct conf_line *l, struct loop *loop,
		     const struct stamp *now)
{
	const struct conf_line *to = config_line(b->p->conf, l->loop_to);
	if (!to || (b->p->conf->has_last_resort && strcmp(b->p->conf->last_resort.line, l->name) == 0)) {
		loop->line[0] = '\0';
		return;
	}
	struct proof *r = proofs_make(&b->p->proofs, l->name, to->number, now);
	if (r)
		r->seen = true;
	if (strcmp(loop->line, l->name) == 0 && strcmp(loop->to, l->loop_to) == 0)
		return;
	*loop = (struct loop){.waiting = false};
	memcpy(loop->line, l->name, sizeof loop->line);
	memcpy(loop->to, l->loop_to, sizeof loop->to);
}

static const struct loop *loop_of(const struct loopback *b, const char *line)
{
	for (size_t k = 0; k < LOOPS_MAX; k++)
		if (b->loops[k].line[0] && strcmp(b->loops[k].line, line) == 0)
			return &b->loops[k];
	return NULL;
}

bool loopback_is(const struct loopback *b, const char *line, const char *to)
{
	const struct loop *l = loop_of(b, line);
	const struct conf_line *far = l ? config_line(b->p->conf, l->to) : NULL;
	return far && strcmp(far->number, to) == 0;
}

/* --- loopback -------------------------------------------------------------------------------------- */

static void loop_check(const struct loop *l, char out[EVENT_NAME_MAX])
{
	snprintf(out, EVENT_NAME_MAX, "self.loopback %.100s", l->line);
}

static void loop_arrived(struct loopback *b, struct loop *l, const struct stamp *now)
{
	char check[EVENT_NAME_MAX], took[32], text[300];
	clock_span(clock_age_ms(&l->began, now), took, sizeof took);
	log_info("loopback page of line %s received by line %s after %s", l->line, l->to, took);
	l->waiting = false;
	for (size_t k = 0; k < b->p->proofs.n; k++)
		if (strcmp(b->p->proofs.v[k].line, l->line) == 0)
			proof_looped(&b->p->proofs.v[k], now);
	changed(b);
	if (l->late)
		return; /* the next one in time ends the problem */
	l->failing = false;
	loop_check(l, check);
	snprintf(text, sizeof text, "a page from line %.100s to line %.100s took %s", l->line, l->to, took);
	pager_self_over(b->p, check, text);
}

bool loopback_received(struct loopback *b, const char *line, const struct received *m)
{
	struct stamp now = clock_stamp();
	const struct conf_line *from = sender_line(b->p->conf, m->from);
	for (size_t k = 0; k < LOOPS_MAX; k++) {
		struct loop *l = &b->loops[k];
		if (!l->line[0] || !l->waiting || strcmp(l->to, line) != 0 || !strstr(m->text, l->token))
			continue;
		loop_arrived(b, l, &now);
		return true;
	}
	if (from)
		log_info("line %s: a message of line %s that nobody waits for (any more)", line, from->name);
	return from != NULL;
}

static void loop_ended(void *arg, uint64_t tag, bool sent, const struct attempt *last)
{
	struct loopback *b = arg;
	struct loop *l = tag < LOOPS_MAX ? &b->loops[tag] : NULL;
	if (l && l->line[0] && !sent)
		snprintf(l->detail, sizeof l->detail, "%s",
			 last && last->detail ? last->detail : "the line took nothing");
}

/* Letters and digits that no page's text holds by chance. */
static bool make_token(char out[12])
{
	static const char set[] = "ABCDEFGHJKMNPQRSTUVWXYZ23456789";
	unsigned char r[8];
	if (getrandom(r, sizeof r, 0) != sizeof r)
		return false;
	for (int k = 0; k < 8; k++)
		out[k] = set[r[k] % (sizeof set - 1)];
	out[8] = '\0';
	return true;
}

static void loop_begin(struct loopback *b, size_t k, struct proof *r, const struct conf_line *line,
		       const struct stamp *now)
{
	char text[200];
	struct loop *l = &b->loops[k];
	struct errand e = {.contact = "",
			   .line = l->line,
			   .to = r->to,
			   .kind = PAGE_TEST,
			   .text = text,
			   .until_ms = line->loop_limit_ms,
			   .tag = k,
			   .done = loop_ended,
			   .arg = b};
	if (!make_token(l->token))
		return;
	snprintf(text, sizeof text, "loopback %s from %.60s to %.60s", l->token, l->line, l->to);
	l->detail[0] = '\0';
	if (!errands_start(b->p->errands, &e))
		return;
	l->began = r->tested = *now;
	l->waiting = true;
	l->late = false;
	changed(b);
}

static void loop_late(struct loopback *b, struct loop *l, const struct conf_line *line)
{
	char check[EVENT_NAME_MAX], limit[32], text[500];
	l->late = l->failing = true;
	loop_check(l, check);
	clock_span(line->loop_limit_ms, limit, sizeof limit);
	if (l->detail[0])
		snprintf(text, sizeof text,
			 "a page from line %.100s to line %.100s could not be sent within %s: %.150s",
			 l->line, l->to, limit, l->detail);
	else
		snprintf(text, sizeof text,
			 "a page from line %.100s to line %.100s has not arrived within %s", l->line, l->to,
			 limit);
	pager_self_problem(b->p, check, NAG_CRITICAL, text);
}

static void watch_loop(struct loopback *b, size_t k, const struct stamp *now)
{
	struct loop *l = &b->loops[k];
	const struct conf_line *line = config_line(b->p->conf, l->line), *to = config_line(b->p->conf, l->to);
	struct proof *r = line && to ? proofs_find(&b->p->proofs, l->line, to->number) : NULL;
	if (!r)
		return;
	if (l->waiting && !l->late && clock_age_ms(&l->began, now) >= line->loop_limit_ms)
		loop_late(b, l, line);
	if ((!l->waiting || l->late) &&
	    clock_age_ms(r->tested.wall_ms ? &r->tested : &r->first, now) >= line->loop_every_ms)
		loop_begin(b, k, r, line, now);
}

/* --- for the prover -------------------------------------------------------------------------------- */

void loopback_use_conf(struct loopback *b, const struct stamp *now)
{
	const struct config *conf = b->p->conf;
	for (size_t k = 0; k < conf->nlines && k < LOOPS_MAX; k++)
		see_line(b, &conf->lines[k], &b->loops[k], now);
	for (size_t k = conf->nlines; k < LOOPS_MAX; k++)
		b->loops[k].line[0] = '\0';
}

void loopback_watch(struct loopback *b, const struct stamp *now)
{
	for (size_t k = 0; k < LOOPS_MAX; k++)
		if (b->loops[k].line[0])
			watch_loop(b, k, now);
}

bool loopback_failing(const struct loopback *b, const char *line)
{
	const struct loop *l = loop_of(b, line);
	return l && l->failing;
}

const char *loopback_route(const struct loopback *b, size_t n, const char **line)
{
	const struct loop *l = n < LOOPS_MAX && b->loops[n].line[0] ? &b->loops[n] : NULL;
	const struct conf_line *to = l ? config_line(b->p->conf, l->to) : NULL;
	*line = l ? l->line : "";
	return to ? to->number : NULL;
}
