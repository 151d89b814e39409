/*
 * What the queue probe says below line 1: first aid for the signatures that past incidents had, the
 * instances, the oldest, the shape. Pure. Called by queue_report.c.
 */
#include "queue_more.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "../lib/clock.h"
#include "../lib/result.h"
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

int64_t queue_age_ms(const struct queue_seen *s, enum postfix_queue q)
{
	int64_t at = s->age[q].oldest_ms;

	return at && at < s->now_ms ? s->now_ms - at : 0;
}

bool queue_leads(const struct queue_shape *sh, const struct top *t, uint64_t of, double least,
		 struct top_item *it)
{
	return t && sh->read >= QUEUE_NOTE_READ && sh->of >= QUEUE_NOTE_QUEUED && top_best(t, it, 1) &&
	       queue_percent(it->count, of) >= least;
}

static size_t clients_of(const struct queue_shape *sh, const char *account)
{
	static const size_t look = 512;
	struct top_item all[512];
	size_t n = top_best(sh->account_clients, all, look), len = strlen(account), hits = 0;

	for (size_t i = 0; i < n; i++)
		hits += !strncmp(all[i].name, account, len) && all[i].name[len] == '\n';
	return hits;
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

	if (sh->read >= QUEUE_NOTE_READ && sh->of >= QUEUE_NOTE_QUEUED &&
	    queue_percent(sh->null_senders, sh->read) >= 50)
		result_more(r, "first aid: mostly bounces: backscatter or a directory harvest; reject "
			       "unknown users at RCPT "
			       "instead of queueing their mail");
	if (queue_leads(sh, sh->accounts, sh->read, 30, &it))
		result_more(r,
			    "first aid: login %s brought %.0f %% (client addresses: %zu): disable it, then "
			    "hold its mail",
			    it.name, queue_percent(it.count, sh->read), clients_of(sh, it.name));
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
	if (sh->local)
		result_more(l->r, "made on this host: %.0f %%", queue_percent(sh->local, sh->read));
	ages_line(l);
}

static void instance_lines(struct lines *l)
{
	const struct queue_seen *s = l->s;

	for (size_t i = 0; i < s->n; i++) {
		const struct queue_instance *in = &s->inst[i];

		if (in->trouble[0])
			result_more(l->r, "%s", in->trouble);
		else if (s->n > 1)
			result_more(l->r,
				    "%s: maildrop %llu, incoming %llu, active %llu, deferred %llu, hold "
				    "%llu, corrupt %llu",
				    in->dir, (unsigned long long)in->count[PQ_MAILDROP].n,
				    (unsigned long long)in->count[PQ_INCOMING].n,
				    (unsigned long long)in->count[PQ_ACTIVE].n,
				    (unsigned long long)in->count[PQ_DEFERRED].n,
				    (unsigned long long)in->count[PQ_HOLD].n,
				    (unsigned long long)in->count[PQ_CORRUPT].n);
	}
	if (s->dropped)
		result_more(l->r, "%zu more instances are not watched: at most %d", s->dropped,
			    QUEUE_INSTANCES_MAX);
	if (s->total[PQ_CORRUPT])
		result_more(l->r, "first aid: corrupt/ holds damaged queue files that Postfix set aside: "
				  "look at them and at "
				  "the disk");
}

static void oldest_line(struct lines *l)
{
	const struct queue_seen *s = l->s;
	char span[32];
	struct buf line;

	buf_init(&line, 500);
	for (int q = 0; q < PQ_CORRUPT; q++) {
		if (s->age[q].oldest_ms)
			buf_printf(&line, "%s%s %s%s", line.len ? ", " : "",
				   postfix_queue_name((enum postfix_queue)q),
				   s->age[q].exact ? "" : "at least ",
				   clock_span(queue_age_ms(s, (enum postfix_queue)q), span, sizeof(span)));
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
