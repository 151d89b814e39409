/*
 * What the queue probe says below line 1: first aid for the signatures that past incidents had, the
 * instances, the oldest, the shape. Pure. Called by report.c.
 */
#include "more.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/contract/result.h"
#include "reservoir.h"

struct lines {
	const struct queue_seen *s;
	const struct queue_conf *conf;
	struct result *r;
};

double queue_percent(uint64_t hits, uint64_t of)
{
	return of ? 100.0 * (double)hits / (double)of : 0;
}

int64_t queue_age_ms(const struct queue_seen *s, const struct queue_stage *st)
{
	int64_t at = st->age.oldest_ms;

	return at && at < s->now_ms ? s->now_ms - at : 0;
}

bool queue_leads(const struct queue_shape *sh, const struct top *t, uint64_t of, double least,
		 struct top_item *it)
{
	return t && sh->read >= QUEUE_NOTE_READ && sh->of >= QUEUE_NOTE_QUEUED && top_best(t, it, 1) &&
	       queue_percent(it->count, of) >= least;
}

size_t queue_account_clients(const struct queue_shape *sh, const char *account)
{
	static const size_t look = 512;
	struct top_item all[512];
	size_t n = top_best(sh->account_clients, all, look), len = strlen(account), hits = 0;

	for (size_t i = 0; i < n; i++)
		hits += !strncmp(all[i].name, account, len) && all[i].name[len] == '\n';
	return hits;
}

bool queue_stuck(const struct queue_seen *s)
{
	const struct queue_stage *in, *out;

	if (s->before < 0 || s->behind < 0 || !s->growth_known)
		return false;
	in = &s->stage[s->before];
	out = &s->stage[s->behind];
	return in->n >= QUEUE_STUCK_LEAST && in->growth >= QUEUE_STUCK_GROWTH && (out->growth < 0 || !out->n);
}

static bool loopback(const char *client)
{
	return !strncmp(client, "127.", 4) || !strcmp(client, "::1");
}

/* First aid for what these signatures have meant. */
static void hints(struct lines *l)
{
	const struct queue_shape *sh = &l->s->shape;
	struct result *r = l->r;
	struct top_item it;

	if (queue_stuck(l->s))
		result_more(
		    r,
		    "first aid: mail comes into %s and none goes on to %s: look at the scanner (filter) that "
		    "moves it",
		    l->s->stage[l->s->before].name, l->s->stage[l->s->behind].name);
	if (sh->read >= QUEUE_NOTE_READ && sh->of >= QUEUE_NOTE_QUEUED &&
	    queue_percent(sh->null_senders, sh->read) >= 50)
		result_more(r, "first aid: mostly bounces: backscatter or a directory harvest; reject "
			       "unknown users at RCPT "
			       "instead of queueing their mail");
	if (queue_leads(sh, sh->accounts, sh->read, 30, &it))
		result_more(r,
			    "first aid: login %s brought %.0f %% (client addresses: %zu): disable it, then "
			    "hold its mail",
			    it.name, queue_percent(it.count, sh->read), queue_account_clients(sh, it.name));
	if (queue_leads(sh, sh->clients, sh->read, 50, &it) && !loopback(it.name))
		result_more(r, "first aid: client %s brought %.0f %%: block it, then hold its mail", it.name,
			    queue_percent(it.count, sh->read));
	if (queue_leads(sh, sh->rcpts, top_total(sh->rcpts), 40, &it))
		result_more(r,
			    "first aid: recipient %s is in %.0f %%: a loop or a dead mailbox; look at its "
			    "forward and "
			    "vacation setting",
			    it.name, queue_percent(it.count, top_total(sh->rcpts)));
	else if (queue_leads(sh, sh->domains, top_total(sh->domains), 60, &it))
		result_more(
		    r,
		    "first aid: %.0f %% is for %s: is it down, or does it throttle us? Do not resend blindly",
		    queue_percent(it.count, top_total(sh->domains)), it.name);
}

static void table(struct lines *l, const char *title, const struct top *t, uint64_t of)
{
	const struct queue_shape *sh = &l->s->shape;
	struct top_item it[QUEUE_TOP_MAX];
	size_t n = t ? top_best(t, it, (size_t)l->conf->top) : 0;
	struct buf line;

	if (!n)
		return;
	buf_init(&line, 900);
	/* a share that rounds to 0 is no leader of anything */
	for (size_t i = 0; i < n && queue_percent(it[i].count, of) >= 0.5; i++)
		buf_printf(&line, "%s%.0f %% %.120s", i ? ", " : "", queue_percent(it[i].count, of),
			   it[i].name);
	if (!line.len)
		buf_puts(&line, "none has 1 %");
	/* the margin is that of messages; recipients of one message come together, so theirs would be wider
	 */
	if (of == sh->read && sample_margin(it[0].count, sh->read, sh->of) > 0)
		buf_printf(&line, " (±%.0f)", ceil(sample_margin(it[0].count, sh->read, sh->of)));
	if (top_short(t))
		buf_printf(&line, " (more than %d different names: shares may be up to %.0f points higher)",
			   QUEUE_TOP_ROOM, ceil(queue_percent(top_short(t), of)));
	result_more(l->r, "%s: %s", title, buf_str(&line));
	buf_fini(&line);
}

static void ages_line(struct lines *l)
{
	const struct queue_shape *sh = &l->s->shape;

	result_more(
	    l->r,
	    "age: %.0f %% under 10 min, %.0f %% to 1 h, %.0f %% to 1 day, %.0f %% to 3 days, %.0f %% older",
	    queue_percent(sh->age[0], sh->read), queue_percent(sh->age[1], sh->read),
	    queue_percent(sh->age[2], sh->read), queue_percent(sh->age[3], sh->read),
	    queue_percent(sh->age[4], sh->read));
}

static void shape_lines(struct lines *l)
{
	const struct queue_shape *sh = &l->s->shape;
	struct buf line;

	if (!sh->want)
		return;
	buf_init(&line, 900);
	buf_printf(&line, "shape: read %llu of %llu messages in %.3f s", (unsigned long long)sh->read,
		   (unsigned long long)sh->of, (double)l->s->shape_us / 1e6);
	if (sh->late)
		buf_printf(&line, ", %llu were drawn but the time was up", (unsigned long long)sh->want);
	if (sh->vanished)
		buf_printf(&line, ", %llu went on meanwhile", (unsigned long long)sh->vanished);
	if (sh->incomplete)
		buf_printf(&line, ", %llu still being written", (unsigned long long)sh->incomplete);
	if (sh->broken)
		buf_printf(&line, ", %llu not readable as queue files", (unsigned long long)sh->broken);
	if (sh->foreign)
		buf_printf(&line, ", %llu of a version or packing that is not known here",
			   (unsigned long long)sh->foreign);
	if (sh->denied)
		buf_printf(&line, ", %llu not permitted (%s): " QUEUE_GRANT, (unsigned long long)sh->denied,
			   strerror(sh->denied_error));
	result_more(l->r, "%s", buf_str(&line));
	buf_fini(&line);
	if (!sh->read)
		return;
	table(l, "senders", sh->senders, sh->read);
	table(l, "recipients", sh->rcpts, top_total(sh->rcpts));
	table(l, "recipient domains", sh->domains, top_total(sh->domains));
	table(l, "clients", sh->clients, sh->read);
	table(l, "logins", sh->accounts, sh->read);
	if (sh->local && l->s->mta->clients && sh->asked < sh->read)
		result_more(l->r, "made on this host: %.0f %%", queue_percent(sh->local, sh->read));
	ages_line(l);
}

static void instance_line(struct lines *l, const struct queue_instance *in)
{
	struct buf line;

	buf_init(&line, 900);
	for (size_t k = 0; k < l->s->stages; k++) {
		/* a queue directory of sendmail holds one stage */
		if (in->count[k].n || l->s->mta != &queue_sendmail)
			buf_printf(&line, "%s%s %llu", line.len ? ", " : "", l->s->stage[k].name,
				   (unsigned long long)in->count[k].n);
	}
	result_more(
	    l->r, "%s: %s%s", in->dir, line.len ? buf_str(&line) : "empty",
	    in->asked ? ", told by showq: the spool may not be read, so neither clients nor logins are known"
		      : "");
	buf_fini(&line);
}

static void instance_lines(struct lines *l)
{
	const struct queue_seen *s = l->s;

	for (size_t i = 0; i < s->n; i++) {
		if (s->inst[i].trouble[0])
			result_more(l->r, "%s", s->inst[i].trouble);
		else if (s->n > 1 || s->inst[i].asked)
			instance_line(l, &s->inst[i]);
	}
	if (s->dropped)
		result_more(l->r, "%zu more spools are not watched: at most %d", s->dropped,
			    QUEUE_INSTANCES_MAX);
	if (s->also[0])
		result_more(l->r, "this host seems to have %s, too: option mta chooses", s->also);
	for (size_t k = 0; k < s->stages; k++) {
		if (s->stage[k].kind == QUEUE_DAMAGES && s->stage[k].n)
			result_more(l->r,
				    "first aid: %s: damaged queue files that %s set aside: look at them and "
				    "at the disk",
				    s->stage[k].name, s->mta->title);
	}
}

static void oldest_line(struct lines *l)
{
	const struct queue_seen *s = l->s;
	char span[32];
	struct buf line;

	buf_init(&line, 500);
	for (size_t k = 0; k < s->stages; k++) {
		const struct queue_stage *st = &s->stage[k];

		if (st->age.oldest_ms && st->kind != QUEUE_DAMAGES)
			buf_printf(&line, "%s%s %s%s", line.len ? ", " : "", st->name,
				   st->age.exact ? "" : "at least ",
				   clock_span(queue_age_ms(s, st), span, sizeof(span)));
	}
	if (line.len)
		result_more(l->r, "oldest: %s", buf_str(&line));
	buf_fini(&line);
}

void queue_more(const struct queue_seen *s, const struct queue_conf *conf, struct result *r)
{
	struct lines l = {.s = s, .conf = conf, .r = r};

	hints(&l);
	instance_lines(&l);
	oldest_line(&l);
	shape_lines(&l);
}
