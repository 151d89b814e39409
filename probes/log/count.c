/* See count.h. */
#include "count.h"
#include "print.h"

#include <stdlib.h>

struct log_counts *log_counts_new(const struct opt_list *leave_out)
{
	struct log_counts *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->leave_out = leave_out;
	for (size_t i = 0; i < LOG_TOPS; i++) {
		c->top[i] = top_new(LOG_TOP_ROOM);
		if (!c->top[i]) {
			log_counts_free(c);
			return NULL;
		}
	}
	return c;
}

void log_counts_free(struct log_counts *c)
{
	for (size_t i = 0; c && i < LOG_TOPS; i++)
		top_free(c->top[i]);
	free(c);
}

static void times(struct log_counts *c, enum log_top which, struct log_span name, unsigned n)
{
	if (!name.s)
		return;
	if (name.n == 0)
		name = (struct log_span){"<>", 2};
	if (name.n > LOG_NAME_BYTES - 1)
		name.n = LOG_NAME_BYTES - 1;
	top_add_times(c->top[which], name.s, name.n, n);
}

static void top(struct log_counts *c, enum log_top which, struct log_span name)
{
	times(c, which, name, 1);
}

static bool among(const struct opt_list *l, struct log_span s)
{
	for (size_t i = 0; s.n && i < l->n; i++) {
		if (strlen(l->v[i]) == s.n && memcmp(l->v[i], s.s, s.n) == 0)
			return true;
	}
	return false;
}

static bool ours(const struct log_counts *c, const struct log_event *e)
{
	return c->leave_out && c->leave_out->n &&
	       (among(c->leave_out, e->client) || among(c->leave_out, e->sender) ||
		among(c->leave_out, e->rcpt));
}

static void received(struct log_counts *c, const struct log_event *e)
{
	top(c, LOG_TOP_CLIENT, e->client);
	top(c, LOG_TOP_SASL, e->sasl);
	top(c, LOG_TOP_UID, e->uid);
	if (e->format != LOG_POSTFIX)
		top(c, LOG_TOP_SENDER, e->sender);
	if (e->sasl.s && e->client.s)
		log_pairs_add(&c->sasl_clients, e->sasl, e->client);
}

static void undelivered(struct log_counts *c, const struct log_event *e)
{
	bool defer = e->kind == LOG_DEFERRED;
	struct log_span domain = log_domain(e->rcpt);

	if (!domain.s)
		return;
	top(c, defer ? LOG_TOP_DEFER : LOG_TOP_BOUNCE, domain);
	log_pairs_add(defer ? &c->deferred : &c->bounced, (struct log_span){"", 0}, domain);
}

/* A content filter, a store: a stage of this host that nobody answers in. */
static void stage(struct log_counts *c, const struct log_event *e)
{
	char name[LOG_NAME_BYTES];

	if (e->kind != LOG_DEFERRED || !*log_own_hop(e->text.s, e->text.n, name, sizeof(name)))
		return;
	if (e->reason != LOG_WHY_REFUSED && e->reason != LOG_WHY_TIMEOUT &&
	    !log_behind(e->text.s, e->text.s + e->text.n, "connect to "))
		return;
	memcpy(c->stage, name, sizeof(name));
	c->stage_down++;
}

static void why(struct log_counts *c, const struct log_event *e)
{
	switch (e->reason) {
	case LOG_WHY_USER_UNKNOWN:
		top(c, LOG_TOP_UNKNOWN, e->client);
		if (e->client.s)
			log_pairs_add(&c->unknown_clients, (struct log_span){"", 0}, e->client);
		break;
	case LOG_WHY_HOPS:
		top(c, LOG_TOP_HOPS, e->rcpt);
		break;
	case LOG_WHY_LISTED:
		if (e->kind != LOG_REJECTED) /* else it is who asks us that is listed */
			top(c, LOG_TOP_LIST, log_listed_by(e->text.s, e->text.n));
		break;
	case LOG_WHY_SPF:
		if (e->kind != LOG_REJECTED) {
			size_t n = e->text.n < LOG_NAME_BYTES ? e->text.n : LOG_NAME_BYTES - 1;

			memcpy(c->spf, e->text.s, n);
			c->spf[n] = '\0';
		}
		break;
	default:
		break;
	}
}

static void tally(struct log_counts *c, enum log_kind kind, enum log_reason reason, unsigned times)
{
	c->kind[kind] += times;
	c->why[kind][reason] += times;
	if (kind != LOG_NOTHING || reason != LOG_WHY_OTHER)
		c->reason[reason] += times;
}

static void untally(struct log_counts *c, enum log_kind kind, enum log_reason reason)
{
	c->kind[kind]--;
	c->why[kind][reason]--;
	c->reason[reason]--;
}

/* Postfix says for each header of a message handed in locally that it has too many hops, and then bounces it:
 * counted once, as what it came to. False: this line adds nothing. */
static bool hops_once(struct log_counts *c, const struct log_event *e)
{
	uint64_t id = log_print(e->id.s, e->id.n);
	bool known = id == c->hops_id;

	c->hops_id = id;
	if (known && e->kind == LOG_BOUNCED && c->why[LOG_REJECTED][LOG_WHY_HOPS] > 0) {
		untally(c, LOG_REJECTED, LOG_WHY_HOPS);
		return true;
	}
	return !known;
}

/* Exim writes what it refuses to its main and its reject log; through syslog both come, one after the other.
 */
static bool exim_copy(struct log_counts *c, const struct log_event *e)
{
	uint64_t line = log_print(e->id.s, e->id.n);
	bool copy = line == c->exim_line;

	c->exim_line = copy ? 0 : line;
	return copy;
}

/* False: it was counted before. */
static bool first_time(struct log_counts *c, const struct log_event *e)
{
	if (!e->id.s)
		return true;
	if (e->format == LOG_POSTFIX && e->reason == LOG_WHY_HOPS &&
	    (e->kind == LOG_REJECTED || e->kind == LOG_BOUNCED))
		return hops_once(c, e);
	if (e->format == LOG_EXIM && (e->kind == LOG_REJECTED || e->kind == LOG_AUTH_FAILED))
		return !exim_copy(c, e);
	return true;
}

static void event(struct log_counts *c, const struct log_event *e)
{
	tally(c, e->kind, e->reason, e->times);
	if (e->kind == LOG_RECEIVED)
		received(c, e);
	else if (e->kind == LOG_QUEUED)
		top(c, LOG_TOP_SENDER, e->sender);
	else if (e->kind == LOG_REJECTED)
		top(c, LOG_TOP_REJECTED, e->client);
	else if (e->kind == LOG_AUTH_FAILED)
		times(c, LOG_TOP_AUTH, e->client, e->times);
	if (e->kind == LOG_SENT || e->kind == LOG_DEFERRED || e->kind == LOG_BOUNCED)
		top(c, LOG_TOP_RCPT, e->rcpt);
	if (e->kind == LOG_DEFERRED || e->kind == LOG_BOUNCED)
		undelivered(c, e);
	if (!e->text.s)
		return;
	why(c, e);
	stage(c, e);
}

void log_counts_line(void *counts, const char *s, size_t n)
{
	struct log_counts *c = counts;
	struct log_event e;

	if (!log_line_parse(s, n, &e)) {
		c->strange++;
		return;
	}
	c->format[e.format]++;
	if (e.format == LOG_OPENSMTPD && e.id.s)
		log_sessions_fill(&c->sessions, &e);
	if (ours(c, &e))
		c->ours++;
	else if (first_time(c, &e))
		event(c, &e);
}
