/* What the probe log says of its counts: text, figures, facts; see log.h. Pure. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "log.h"

enum { GUESS_AMONG = 64 };

static const struct {
	const char *label, *fact, *words;
} figures[LOG_FIGURES] = {
    {"received", "received_per_min", "received"},
    {"sent", "sent_per_min", "sent"},
    {"deferred", "deferred_per_min", "deferred"},
    {"bounced", "bounced_per_min", "bounced"},
    {"rejected", "rejected_per_min", "rejected"},
    {"auth_failed", "auth_failed_per_min", "failed logins"},
    {"user_unknown", "user_unknown_per_min", "for unknown users"},
    {"too_many_hops", "too_many_hops_per_min", "looping"},
    {"bytes", "bytes_per_min", "bytes of log"},
};

/* ours: only of what we could not deliver. That we refuse who is on a list, or has no name, is daily life. */
static const struct {
	enum log_reason why;
	bool ours;
	const char *fact;
} reasons[] = {
    {LOG_WHY_RELAY, false, "relay_denied_per_min"},
    {LOG_WHY_DNS, true, "dns_failed_per_min"},
    {LOG_WHY_LISTED, true, "listed_per_min"},
    {LOG_WHY_DISK, false, "disk_full_per_min"},
};

static const struct {
	enum log_top top;
	const char *name, *share, *rate, *words;
} tops[] = {
    {LOG_TOP_CLIENT, "top_client", "top_client_share", "top_client_per_min", "clients"},
    {LOG_TOP_SASL, "top_sasl", NULL, "top_sasl_per_min", "logins"},
    {LOG_TOP_UID, NULL, NULL, NULL, "local users"},
    {LOG_TOP_SENDER, "top_sender", "top_sender_share", NULL, "senders"},
    {LOG_TOP_RCPT, "top_rcpt", "top_rcpt_share", NULL, "recipients"},
    {LOG_TOP_DEFER, "defer_domain", "defer_domain_share", NULL, "deferred for"},
    {LOG_TOP_BOUNCE, "bounce_domain", "bounce_domain_share", NULL, "bounced for"},
    {LOG_TOP_REJECTED, NULL, NULL, NULL, "rejected from"},
    {LOG_TOP_UNKNOWN, "user_unknown_client", "user_unknown_client_share", NULL, "unknown users asked by"},
    {LOG_TOP_AUTH, NULL, NULL, NULL, "failed logins from"},
    {LOG_TOP_HOPS, "hops_rcpt", NULL, NULL, "looping to"},
    {LOG_TOP_LIST, "listed_text", NULL, NULL, "listed by"},
};

struct say {
	struct result *r;
	const struct log_conf *conf;
	const struct log_counts *c;
	const struct log_tail *t;
	double minutes; /* NaN: not known */
	uint64_t n[LOG_FIGURES];
};

static void gather(struct say *s)
{
	for (size_t i = LOG_FIG_RECEIVED; i <= LOG_FIG_AUTH_FAILED; i++)
		s->n[i] = s->c->kind[LOG_RECEIVED + i];
	s->n[LOG_FIG_USER_UNKNOWN] = s->c->reason[LOG_WHY_USER_UNKNOWN];
	s->n[LOG_FIG_HOPS] = s->c->reason[LOG_WHY_HOPS];
	s->n[LOG_FIG_BYTES] = s->t->bytes;
}

/* The worst figure's state; its words are added to why. */
static enum nag_state judge(struct say *s, char *why, size_t size)
{
	enum nag_state worst = NAG_OK, one;
	size_t len = 0;

	*why = '\0';
	for (size_t i = 0; i < LOG_FIGURES && !isnan(s->minutes); i++) {
		double rate = (double)s->n[i] / s->minutes;
		const struct range *limit;
		char text[80];

		one = nag_judge(rate, &s->conf->warn[i], &s->conf->crit[i]);
		if (one == NAG_OK)
			continue;
		worst = nag_worse(worst, one);
		limit = one == NAG_CRITICAL ? &s->conf->crit[i] : &s->conf->warn[i];
		if (len < size)
			len += (size_t)snprintf(why + len, size - len, "%.1f %s a minute (limit %s); ", rate,
						figures[i].words, range_text(limit, text, sizeof(text)));
	}
	return worst;
}

static uint64_t because_of(const struct log_counts *c, size_t i)
{
	enum log_reason why = reasons[i].why;

	return reasons[i].ours ? c->why[LOG_DEFERRED][why] + c->why[LOG_BOUNCED][why] : c->reason[why];
}

static void perf(struct say *s)
{
	for (size_t i = 0; i < LOG_FIGURES && !isnan(s->minutes); i++) {
		double rate = (double)s->n[i] / s->minutes;
		struct perf *p;

		p = result_perf(s->r, figures[i].fact, rate, i == LOG_FIG_BYTES ? "B" : "", &s->conf->warn[i],
				&s->conf->crit[i]);
		if (p) {
			p->has_min = true;
			p->min = 0;
		}
		result_fact(s->r, figures[i].fact, rate);
	}
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]) && !isnan(s->minutes); i++)
		result_fact(s->r, reasons[i].fact, (double)because_of(s->c, i) / s->minutes);
}

/* Nobody is there, or nobody answers. */
static void unreachable(struct say *s)
{
	const uint64_t *why = s->c->why[LOG_DEFERRED];

	if (!isnan(s->minutes))
		result_fact(s->r, "unreachable_per_min",
			    (double)(why[LOG_WHY_REFUSED] + why[LOG_WHY_TIMEOUT]) / s->minutes);
}

static void stage(struct say *s)
{
	if (!isnan(s->minutes))
		result_fact(s->r, "stage_down_per_min", (double)s->c->stage_down / s->minutes);
	if (!s->c->stage_down)
		return;
	result_more(s->r, "a stage of this host takes no mail: %s", s->c->stage);
	result_fact_text(s->r, "stage_down", s->c->stage);
}

/* "clients: 192.0.2.7 812 (67 %), ..."; counts may be short when there were more names than room. */
static void top_line(struct say *s, size_t k)
{
	const struct top *t = s->c->top[tops[k].top];
	struct top_item best[10];
	size_t n = top_best(t, best, (size_t)s->conf->top);
	double all = (double)top_total(t);
	char line[800];
	size_t len;

	if (n == 0)
		return;
	len = (size_t)snprintf(line, sizeof(line), "%s:", tops[k].words);
	for (size_t i = 0; i < n && len < sizeof(line); i++)
		len += (size_t)snprintf(line + len, sizeof(line) - len, "%s %s %" PRIu64 " (%.0f %%)",
					i ? "," : "", best[i].name, best[i].count,
					100 * (double)best[i].count / all);
	if (top_short(t) && len < sizeof(line))
		snprintf(line + len, sizeof(line) - len, "; each may be up to %" PRIu64 " more",
			 top_short(t));
	result_more(s->r, "%s", line);
	if (tops[k].name)
		result_fact_text(s->r, tops[k].name, best[0].name);
	if (tops[k].share)
		result_fact(s->r, tops[k].share, (double)best[0].count / all);
	if (tops[k].rate && !isnan(s->minutes))
		result_fact(s->r, tops[k].rate, (double)best[0].count / s->minutes);
	if (tops[k].top == LOG_TOP_SASL) {
		result_fact(s->r, "top_sasl_clients",
			    (double)log_pairs_count(&s->c->sasl_clients, best[0].name));
		if (s->n[LOG_FIG_RECEIVED])
			result_fact(s->r, "top_sasl_share",
				    (double)best[0].count / (double)s->n[LOG_FIG_RECEIVED]);
	}
}

/* The fewest domains that make nearly all of what is not delivered: one with 60 %, two with 80 %, three with
 * 90 %. */
static void few(struct say *s, enum log_top which, const char *names_fact, const char *share_fact)
{
	const struct top *t = s->c->top[which];
	struct top_item best[3];
	size_t n = top_best(t, best, 3), len = 0;
	char names[160] = "";
	double sum = 0, all = (double)top_total(t);

	for (size_t i = 0; i < n; i++) {
		sum += (double)best[i].count / all;
		len +=
		    (size_t)snprintf(names + len, sizeof(names) - len, "%s%s", i ? ", " : "", best[i].name);
		if (len >= sizeof(names))
			return;
		if (sum >= 0.6 + (i ? 0.1 + 0.1 * (double)i : 0)) {
			result_fact_text(s->r, names_fact, names);
			result_fact(s->r, share_fact, sum);
			return;
		}
	}
}

static void why_line(struct say *s, enum log_kind kind, const char *words)
{
	char line[800];
	size_t len = (size_t)snprintf(line, sizeof(line), "%s because of:", words);
	bool any = false;

	for (size_t i = LOG_REASONS; i-- > 0;) {
		if (!s->c->why[kind][i] || len >= sizeof(line))
			continue;
		len += (size_t)snprintf(line + len, sizeof(line) - len, "%s %s %" PRIu64, any ? "," : "",
					log_reason_name((enum log_reason)i), s->c->why[kind][i]);
		any = true;
	}
	if (any)
		result_more(s->r, "%s", line);
}

static void details(struct say *s)
{
	why_line(s, LOG_DEFERRED, "deferred");
	why_line(s, LOG_BOUNCED, "bounced");
	why_line(s, LOG_REJECTED, "rejected");
	for (size_t k = 0; k < sizeof(tops) / sizeof(tops[0]); k++)
		top_line(s, k);
	result_fact(s->r, "user_unknown_clients", (double)log_pairs_count(&s->c->unknown_clients, ""));
	result_fact(s->r, "deferred_domains", (double)log_pairs_count(&s->c->deferred, ""));
	result_fact(s->r, "bounce_domains", (double)log_pairs_count(&s->c->bounced, ""));
	few(s, LOG_TOP_DEFER, "defer_few", "defer_few_share");
	few(s, LOG_TOP_BOUNCE, "bounce_few", "bounce_few_share");
	if (s->c->ours)
		result_more(s->r, "%" PRIu64 " lines of our own traffic left out", s->c->ours);
	if (s->t->cut)
		result_more(s->r, "%" PRIu64 " lines were longer than %d bytes and were cut", s->t->cut,
			    LOG_LINE_MAX);
	if (s->t->rotated)
		result_more(s->r, "rotated: %u older files were read on", s->t->rotated);
	if (s->c->strange)
		result_more(s->r, "%" PRIu64 " lines of no mail program that is known", s->c->strange);
}

static void spf(struct say *s)
{
	uint64_t n = s->c->why[LOG_DEFERRED][LOG_WHY_SPF] + s->c->why[LOG_BOUNCED][LOG_WHY_SPF];
	struct log_span a;

	if (!isnan(s->minutes))
		result_fact(s->r, "spf_rejected_per_min", (double)n / s->minutes);
	if (!n)
		return;
	result_more(s->r, "refused because of SPF: %s", s->c->spf);
	a = log_spf_address(s->c->spf, strlen(s->c->spf));
	if (a.n) {
		char text[64];

		snprintf(text, sizeof(text), "%.*s", (int)a.n, a.s);
		result_fact_text(s->r, "spf_rejected_client", text);
	}
}

/* No line says whose mail loops: it is most likely the one who gets most of it, and before others one who
 * sends much too. */
static void guess_hops(struct say *s)
{
	struct top_item rcpt[GUESS_AMONG], sender[GUESS_AMONG], best[1];
	size_t n = top_best(s->c->top[LOG_TOP_RCPT], rcpt, GUESS_AMONG);
	size_t m = top_best(s->c->top[LOG_TOP_SENDER], sender, GUESS_AMONG), who = 0;

	if (!s->n[LOG_FIG_HOPS] || !n || top_best(s->c->top[LOG_TOP_HOPS], best, 1))
		return;
	for (size_t i = n; i-- > 0;)
		for (size_t k = 0; k < m; k++)
			if (strcmp(rcpt[i].name, sender[k].name) == 0 && rcpt[i].count >= rcpt[0].count / 2)
				who = i;
	result_more(s->r, "looping, most likely: %s", rcpt[who].name);
	result_fact_text(s->r, "hops_rcpt", rcpt[who].name);
}

static const char *lost(const struct log_tail *t, char *text, size_t size)
{
	if (!t->missing)
		return "; the log was rotated or cut, what stood between is lost";
	snprintf(text, size,
		 "; %" PRIu64
		 " entries of the journal are gone unread, how many of them of mail is not known",
		 t->missing);
	return text;
}

static void headline(struct say *s, enum nag_state state, const char *why, int64_t over_ms)
{
	char span[40], over[64] = "so far";
	const char *gap = "";
	char text[120];

	if (over_ms)
		snprintf(over, sizeof(over), "in %s", clock_span(over_ms, span, sizeof(span)));
	if (s->t->absent)
		gap = "; there is no log now";
	else if (s->t->lost)
		gap = lost(s->t, text, sizeof(text));
	else if (s->t->late)
		gap = "; not read to its end in time, the next run carries on";
	result_set(s->r, state,
		   "%s%s: %" PRIu64 " received, %" PRIu64 " sent, %" PRIu64 " deferred, %" PRIu64
		   " bounced, %" PRIu64 " rejected, %" PRIu64 " failed logins%s",
		   why, over, s->n[0], s->n[1], s->n[2], s->n[3], s->n[4], s->n[5], gap);
}

void log_report(struct result *r, const struct log_conf *conf, const struct log_counts *c,
		const struct log_tail *t, int64_t over_ms)
{
	struct say s = {r, conf, c, t, over_ms >= 1000 ? (double)over_ms / 60000 : NAN, {0}};
	char why[512];
	enum nag_state state;

	gather(&s);
	state = judge(&s, why, sizeof(why));
	if (c->reason[LOG_WHY_DISK]) {
		state = NAG_CRITICAL;
		snprintf(why, sizeof(why), "no space left on device, %" PRIu64 " times; ",
			 c->reason[LOG_WHY_DISK]);
	}
	headline(&s, state, why, over_ms);
	perf(&s);
	unreachable(&s);
	stage(&s);
	details(&s);
	guess_hops(&s);
	spf(&s);
}
