/*
 * The words, figures and facts of a visit to a mail store. Called by visit.c; no I/O but the wall clock,
 * which the days of a certificate are counted from.
 */
#include "report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lib/clock.h"
#include "probes/net/cert_days.h"
#include "probes/probe.h"

enum { WHO_MAX = 280 };

/* "store:143"; a socket stands for itself. */
static const char *who(const struct mailbox_visit *v, char out[WHO_MAX])
{
	if (v->o->host[0] == '/')
		snprintf(out, WHO_MAX, "%s", v->o->host);
	else
		snprintf(out, WHO_MAX, "%s:%u", v->o->host, v->port);
	return out;
}

static void perf_seconds(struct result *r, const char *label, double seconds, const struct range *w,
			 const struct range *c)
{
	struct perf *p = isnan(seconds) ? NULL : result_perf(r, label, seconds, "s", w, c);

	if (p)
		p->has_min = true;
}

/* Each phase that happened, and the greeting from the start of the connect. */
static void perf_phases(struct mailbox_visit *v)
{
	static const char *const labels[MAILBOX_PHASES] = {"resolve", "connect", NULL,
							   "tls",     "login",	 "command"};
	const struct mailbox_link *l = v->link;
	double greeting = l->greeted ? (double)(l->greeted_us - v->begun_us) / 1e6 : NAN;
	struct result *r = v->run->result;

	perf_seconds(r, "greeting", greeting, NULL, NULL);
	result_fact(r, "greeting_s", greeting);
	perf_seconds(r, labels[MAILBOX_RESOLVE], v->resolved.ms[MAILBOX_RESOLVE] / 1000, NULL, NULL);
	for (int i = MAILBOX_CONNECT; i < MAILBOX_PHASES; i++)
		if (labels[i])
			perf_seconds(r, labels[i], l->clock.ms[i] / 1000, NULL, NULL);
}

/* A refused connection may be what the administrator wants. */
static enum nag_state state_of(const struct mailbox_visit *v, const char *layer)
{
	if (strcmp(layer, "local") == 0)
		return NAG_UNKNOWN;
	if (strcmp(layer, "refused") == 0)
		return mailbox_judgement(v->o->refuse, NAG_CRITICAL);
	/* it greeted, in a way that ends the session */
	if (v->link->greeted && v->link->clock.phase == MAILBOX_GREETING)
		return mailbox_judgement(v->o->mismatch, NAG_CRITICAL);
	return NAG_CRITICAL;
}

void mailbox_report_failed(struct mailbox_visit *v, const char *layer, const char *why)
{
	struct result *r = v->run->result;
	enum mailbox_phase phase = strcmp(layer, "resolve") == 0 ? MAILBOX_RESOLVE : v->link->clock.phase;
	enum nag_state state = state_of(v, layer);
	char name[WHO_MAX];

	if (v->o->jail && v->link->greeted && strcmp(layer, "timeout") != 0 && strcmp(layer, "tls") != 0)
		why = "broke the session (what it said is not shown)";
	if (state == NAG_OK)
		result_set(r, state, "%s %s, as expected", who(v, name), why);
	else
		result_fail(r, state, layer, "%s %s", who(v, name), why);
	r->measured = strcmp(layer, "local") != 0;
	if (r->measured) {
		perf_seconds(r, "time", (double)(clock_boot_us() - v->start_us) / 1e6, NULL, NULL);
		perf_phases(v);
	}
	result_fact_text(r, "phase", mailbox_phase_name(phase));
	result_fact(r, "refused", strcmp(layer, "refused") == 0);
	result_fact(r, "timed_out", strcmp(layer, "timeout") == 0);
	result_fact(r, "tls_error", strcmp(layer, "tls") == 0);
}

/* Sets the result when it is worse than what is there. */
static void judge(struct mailbox_visit *v, enum nag_state state, const char *layer, const char *what)
{
	struct result *r = v->run->result;
	char name[WHO_MAX];

	if (state != NAG_OK && state != r->state && nag_worse(state, r->state) == state)
		result_fail(r, state, layer, "%s %s", who(v, name), what);
}

static void judge_certificate(struct mailbox_visit *v)
{
	const struct tls_report *t = &v->link->trust.report;
	int64_t days = cert_days_left(t->not_after, clock_wall_ms() / 1000);
	char text[80], when[40];

	if (!t->seen)
		return;
	result_perf(v->run->result, "cert_days", (double)days, "", NULL, NULL);
	result_more(v->run->result, "certificate %s by %s ends in %lld d, %s%s%s", t->subject, t->issuer,
		    (long long)days, t->protocol, t->why[0] ? "; " : "", t->why);
	snprintf(text, sizeof(text), "certificate %s", cert_days_say(days, when, sizeof(when)));
	judge(v, cert_days_judge(v->o->certificate, days, NULL), "certificate", text);
}

static void judge_match(struct mailbox_visit *v, bool matched)
{
	const struct mailbox_conf *o = v->o;
	const char *want = o->expect.n ? o->expect.v[0] : v->kind->words.expect;
	char text[200];

	if (matched)
		return;
	snprintf(text, sizeof(text), "%s without \"%.40s\"%s%.100s", o->send ? "answers" : "greets", want,
		 o->jail ? "" : ": ", o->jail ? "" : v->link->greeting);
	judge(v, mailbox_judgement(o->mismatch, NAG_WARNING), "answer", text);
}

static void judge_messages(struct mailbox_visit *v)
{
	const struct mailbox_conf *o = v->o;
	struct result *r = v->run->result;
	char text[160];

	if (v->sized)
		result_perf(r, "size", (double)v->bytes, "B", NULL, NULL);
	if (!v->counted)
		return;
	result_perf(r, "messages", (double)v->messages, "", &o->messages_warning, &o->messages_critical);
	result_fact(r, "messages", (double)v->messages);
	snprintf(text, sizeof(text), "mailbox %.80s holds %llu messages", v->mailbox,
		 (unsigned long long)v->messages);
	judge(v, nag_judge((double)v->messages, &o->messages_warning, &o->messages_critical), "messages",
	      text);
}

static void judge_quota(struct mailbox_visit *v)
{
	struct result *r = v->run->result;
	double percent = v->quota.share * 100;
	char text[160];

	if (!v->limited)
		return;
	result_perf(r, "quota", percent, "%", &v->quota_warning, &v->quota_critical);
	result_fact(r, "quota_used_share", v->quota.share);
	snprintf(text, sizeof(text), "%.3g %% of the quota are used (%s %llu of %llu)", percent, v->quota.of,
		 (unsigned long long)v->quota.used, (unsigned long long)v->quota.limit);
	result_more(r, "%s", text);
	judge(v, nag_judge(percent, &v->quota_warning, &v->quota_critical), "quota", text);
}

void mailbox_report(struct mailbox_visit *v, bool matched)
{
	const struct mailbox_conf *o = v->o;
	struct result *r = v->run->result;
	double seconds = (double)(clock_boot_us() - v->start_us) / 1e6;
	char text[80], held[60] = "", name[WHO_MAX];

	if (v->counted)
		snprintf(held, sizeof(held), ", %llu messages", (unsigned long long)v->messages);
	result_set(r, NAG_OK, "%s answers in %.3f s%s", who(v, name), seconds, held);
	perf_seconds(r, "time", seconds, &o->warning, &o->critical);
	perf_phases(v);
	result_fact(r, "time_s", seconds);
	judge_match(v, matched);
	judge_messages(v);
	judge_quota(v);
	judge_certificate(v);
	snprintf(text, sizeof(text), "answers slowly, in %.3f s", seconds);
	judge(v, nag_judge(seconds, &o->warning, &o->critical), "slow", text);
}
