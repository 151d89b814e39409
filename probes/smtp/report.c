/*
 * What check_smtp says. Line 1 goes into a text message, so it holds the one thing that matters most and
 * stays near 80 characters; each address, the certificate and the dialogue have further lines.
 */
#include "report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "probes/net/cert_days.h"

enum { WHO_MAX = 160 };

struct smtp_tour *smtp_tour_new(void)
{
	struct smtp_tour *tour = calloc(1, sizeof(*tour));

	if (tour)
		smtp_seen_init(&tour->resolved);
	return tour;
}

void smtp_tour_free(struct smtp_tour *tour)
{
	size_t i;

	if (!tour)
		return;
	for (i = 0; i < tour->n; i++) {
		buf_fini(&tour->v[i].said);
		buf_fini(&tour->v[i].rcpts);
		if (tour->v[i].tried)
			smtp_seen_fini(&tour->v[i].seen);
	}
	smtp_seen_fini(&tour->resolved);
	free(tour);
}

/* "mx1", "mx1:587", "mx1 [192.0.2.1]"; a literal stands for itself. */
static const char *who(const struct smtp_conf *o, const struct smtp_visit *v, char out[WHO_MAX])
{
	char port[8] = "";

	if (o->host[0] == '/') {
		snprintf(out, WHO_MAX, "%s", o->host);
		return out;
	}
	if (smtp_conf_port(o) != (o->lmtp ? 24 : 25))
		snprintf(port, sizeof(port), ":%u", smtp_conf_port(o));
	if (resolve_literal(o->host, 0, NULL))
		snprintf(out, WHO_MAX, "%s%s%s%s", strchr(o->host, ':') && o->host[0] != '[' ? "[" : "",
			 o->host, strchr(o->host, ':') && o->host[0] != '[' ? "]" : "", port);
	else if (v)
		snprintf(out, WHO_MAX, "%.80s%s [%s]", o->host, port, v->address.text);
	else
		snprintf(out, WHO_MAX, "%.80s%s", o->host, port);
	return out;
}

/* --- figures --- */

/* Of several sessions the slowest counts, phase by phase. */
static double slowest(const struct smtp_tour *tour, enum smtp_phase phase)
{
	double most = phase == SMTP_RESOLVE ? tour->resolved.ms[SMTP_RESOLVE] : NAN;
	size_t i;

	for (i = 0; i < tour->n; i++)
		if (tour->v[i].tried && (isnan(most) || tour->v[i].seen.ms[phase] > most))
			most = tour->v[i].seen.ms[phase];
	return most;
}

static double total_ms(const struct smtp_tour *tour)
{
	double most = 0;
	size_t i;

	for (i = 0; i < tour->n; i++)
		if (tour->v[i].tried && tour->v[i].ms > most)
			most = tour->v[i].ms;
	return most + (isnan(tour->resolved.ms[SMTP_RESOLVE]) ? 0 : tour->resolved.ms[SMTP_RESOLVE]);
}

static void perf_phase(const struct smtp_conf *o, const struct smtp_tour *tour, enum smtp_phase phase,
		       const char *label, int64_t limit_ms, struct result *r)
{
	struct range crit = {.set = true, .start = 0, .end = (double)limit_ms / 1000};
	double ms = slowest(tour, phase);
	struct perf *p;

	(void)o;
	if (isnan(ms))
		return;
	p = result_perf(r, label, ms / 1000, "s", NULL, &crit);
	if (p) {
		p->has_min = true;
		p->min = 0;
	}
}

static void perf_all(const struct smtp_conf *o, const struct smtp_tour *tour, struct result *r)
{
	struct perf *p = result_perf(r, "time", total_ms(tour) / 1000, "s", &o->warning, &o->critical);

	if (p) {
		p->has_min = true;
		p->min = 0;
	}
	perf_phase(o, tour, SMTP_RESOLVE, "resolve", o->resolve_ms, r);
	perf_phase(o, tour, SMTP_CONNECT, "connect", o->connect_ms, r);
	perf_phase(o, tour, SMTP_GREETING, "greeting", o->greeting_ms, r);
	perf_phase(o, tour, SMTP_EHLO, "ehlo", o->ehlo_ms, r);
	perf_phase(o, tour, SMTP_STARTTLS, o->tls ? "tls" : "starttls", o->starttls_ms, r);
	perf_phase(o, tour, SMTP_AUTH, "auth", o->auth_ms, r);
	perf_phase(o, tour, SMTP_MAIL, "mail", o->command_ms, r);
	perf_phase(o, tour, SMTP_RCPT, "rcpt", o->command_ms, r);
	perf_phase(o, tour, SMTP_QUIT, "quit", o->quit_ms, r);
}

/* For the diagnosis. */
static void facts(const struct smtp_tour *tour, const char *layer, struct result *r)
{
	static const char *const name[SMTP_PHASES] = {
	    [SMTP_RESOLVE] = "resolve", [SMTP_CONNECT] = "connect", [SMTP_GREETING] = "greeting",
	    [SMTP_EHLO] = "EHLO",	[SMTP_STARTTLS] = "TLS",    [SMTP_AUTH] = "AUTH",
	    [SMTP_MAIL] = "MAIL",	[SMTP_RCPT] = "RCPT",	    [SMTP_QUIT] = "QUIT"};
	double greeting = slowest(tour, SMTP_GREETING), most = -1;
	size_t worst = 0;

	for (size_t i = 0; i < SMTP_PHASES; i++) {
		double ms = name[i] ? slowest(tour, (enum smtp_phase)i) : NAN;

		if (!isnan(ms) && ms > most) {
			most = ms;
			worst = i;
		}
	}
	result_fact(r, "time_s", total_ms(tour) / 1000);
	if (!isnan(greeting))
		result_fact(r, "greeting_s", greeting / 1000);
	if (most >= 0)
		result_fact_text(r, "slow_phase", name[worst]);
	result_fact(r, "refused", strcmp(layer, "refused") == 0);
	result_fact(r, "timed_out", strcmp(layer, "timeout") == 0);
}

/* --- the certificate --- */

/* The one that ends first of all that were shown; NULL when none was. */
static const struct smtp_visit *first_to_end(const struct smtp_tour *tour)
{
	const struct smtp_visit *first = NULL;
	size_t i;

	for (i = 0; i < tour->n; i++)
		if (tour->v[i].tried && tour->v[i].seen.tls.seen &&
		    (!first || tour->v[i].seen.tls.not_after < first->seen.tls.not_after))
			first = &tour->v[i];
	return first;
}

static const char *date_of(int64_t seconds, char out[32])
{
	clock_iso(seconds * 1000, out, 32);
	out[10] = '\0';
	return out;
}

static void more_certificate(const struct smtp_conf *o, const struct tls_report *t, int64_t days,
			     struct result *r)
{
	char date[32], when[40];

	cert_days_say(days, when, sizeof(when));
	result_more(r, "certificate %s by %s %s (%s UTC), %s%s%s", t->subject, t->issuer, when,
		    date_of(t->not_after, date), t->protocol[0] ? t->protocol : "no handshake",
		    t->why[0] ? "; " : "", t->why);
	if (smtp_conf_verify(o) == TLS_VERIFY_OFF && t->why[0])
		result_more(r, "(not judged: verify is off)");
}

/* --- addresses --- */

/* An address of a family that this host has no way out for says nothing about the relay. */
static bool counts(const struct smtp_conf *o, const struct smtp_visit *v)
{
	if (!v->tried || v->fault.kind == SMTP_FINE)
		return false;
	return o->all_addresses || v->fault.kind != SMTP_FAULT_UNREACHABLE ||
	       v->address.sa.any.sa_family != AF_INET6;
}

struct tally {
	size_t tried, good, bad;
	const struct smtp_visit *worst; /* a failure that counts; the first of the worst state */
	const struct smtp_visit *last;	/* any failure */
};

static struct tally count(const struct smtp_conf *o, const struct smtp_tour *tour)
{
	struct tally t = {0};
	const struct smtp_visit *v;
	size_t i;

	for (i = 0; i < tour->n; i++) {
		v = &tour->v[i];
		t.tried += v->tried;
		t.good += v->tried && v->fault.kind == SMTP_FINE;
		if (v->tried && v->fault.kind != SMTP_FINE)
			t.last = v;
		if (!counts(o, v))
			continue;
		t.bad++;
		if (!t.worst || (smtp_fault_state(&v->fault) != smtp_fault_state(&t.worst->fault) &&
				 nag_worse(smtp_fault_state(&v->fault), smtp_fault_state(&t.worst->fault)) ==
				     smtp_fault_state(&v->fault)))
			t.worst = v;
	}
	return t;
}

static void more_addresses(const struct smtp_tour *tour, struct result *r)
{
	const struct smtp_visit *v;
	size_t i;

	for (i = 0; i < tour->n && tour->n > 1; i++) {
		v = &tour->v[i];
		if (!v->tried)
			result_more(r, "%s: not tried, another one works", v->address.text);
		else if (v->fault.kind == SMTP_FINE)
			result_more(r, "%s: answers in %.3f s", v->address.text, v->ms / 1000);
		else
			result_more(r, "%s: %s", v->address.text, v->fault.text);
	}
}

/* When several were asked for: what became of each. */
static void more_recipients(const struct smtp_tour *tour, struct result *r)
{
	for (size_t i = 0; i < tour->n; i++) {
		const struct smtp_visit *v = &tour->v[i];
		size_t n;

		for (const char *p = v->asked > 1 ? buf_str(&v->rcpts) : ""; *p; p += n + (p[n] == '\n')) {
			n = strcspn(p, "\n");
			result_more(r, "%.*s", (int)n, p);
		}
	}
}

/* For the diagnosis: of the visit that failed, else of the last one tried. */
static void tell_facts(const struct smtp_tour *tour, const struct tally *t, struct result *r)
{
	const struct smtp_visit *v = t->worst;

	for (size_t i = 0; !t->worst && i < tour->n; i++)
		if (tour->v[i].tried)
			v = &tour->v[i];
	result_fact(r, "time_s", total_ms(tour) / 1000);
	if (!v)
		return;
	result_fact(r, "greeting_s", v->seen.ms[SMTP_GREETING] / 1000);
	if (v->refused)
		result_fact(r, "recipients_refused", (double)v->refused);
	if (!t->worst)
		return;
	result_fact_text(r, "phase", smtp_phase_name(v->fault.phase));
	result_fact(r, "refused", v->fault.kind == SMTP_FAULT_REFUSED);
	result_fact(r, "timed_out", v->fault.kind == SMTP_FAULT_TIMEOUT);
	result_fact(r, "tls_error", v->fault.kind == SMTP_FAULT_TLS);
}

static void more_dialogue(const struct smtp_tour *tour, struct result *r)
{
	const char *texts[2], *p;
	size_t i, k, n;

	for (i = 0; i < tour->n; i++) {
		if (!tour->v[i].tried)
			continue;
		texts[0] = buf_str(&tour->v[i].seen.greeting.text);
		texts[1] = buf_str(&tour->v[i].said);
		for (k = 0; k < 2; k++)
			for (p = texts[k]; *p; p += n + (p[n] == '\n')) {
				n = strcspn(p, "\n");
				result_more(r, "< %.*s", (int)n, p);
			}
	}
}

/* --- all of it --- */

static void report_failures(const struct smtp_conf *o, const struct smtp_tour *tour, const struct tally *t,
			    struct result *r)
{
	const struct smtp_fault *f = &t->worst->fault;
	enum nag_state state = smtp_fault_state(f);
	char name[WHO_MAX];

	if (tour->n == 1) {
		smtp_fault_report(f, who(o, NULL, name), r);
		return;
	}
	/* one member of a group is dead, the others carry the mail; that each must work was not asked for */
	if (t->good > 0 && !o->all_addresses && state != NAG_UNKNOWN)
		state = NAG_WARNING;
	if (t->bad == 1 && t->good > 0)
		result_fail(r, state, smtp_fault_layer(f), "%s %s", who(o, t->worst, name), f->text);
	else
		result_fail(r, state, smtp_fault_layer(f), "%s %s (%zu of %zu addresses fail)",
			    who(o, t->worst, name), f->text, t->bad, tour->n);
	r->measured = f->kind != SMTP_FAULT_LOCAL || t->good > 0;
}

/* Slowness and the certificate, when nothing failed. */
static void report_success(const struct smtp_conf *o, const struct smtp_tour *tour, const struct tally *t,
			   enum nag_state cert, int64_t days, struct result *r)
{
	double seconds = total_ms(tour) / 1000;
	enum nag_state slow = nag_judge(seconds, &o->warning, &o->critical);
	char name[WHO_MAX], when[40], of[40] = "", shown[60] = "";

	cert_days_say(days, when, sizeof(when));
	if (t->tried > 1)
		snprintf(of, sizeof(of), ", %zu of %zu addresses", t->good, tour->n);
	if (first_to_end(tour))
		snprintf(shown, sizeof(shown), ", certificate %s", when);
	if (cert != NAG_OK && nag_worse(cert, slow) == cert)
		result_fail(r, cert, "certificate", "%s certificate %s", who(o, NULL, name), when);
	else if (slow != NAG_OK)
		result_fail(r, slow, "slow", "%s answers slowly, in %.3f s%s", who(o, NULL, name), seconds,
			    of);
	else
		result_set(r, NAG_OK, "%s answers in %.3f s%s%s", who(o, NULL, name), seconds, of, shown);
}

void smtp_report(const struct smtp_conf *o, const struct smtp_tour *tour, int verbose, struct result *r)
{
	struct tally t = count(o, tour);
	const struct smtp_visit *shown = first_to_end(tour);
	int64_t days = shown ? cert_days_left(shown->seen.tls.not_after, clock_wall_ms() / 1000) : 0;
	enum nag_state cert = NAG_OK;
	struct perf *p;

	perf_all(o, tour, r);
	facts(tour, t.worst ? smtp_fault_layer(&t.worst->fault) : "", r);
	if (shown) {
		p = result_perf(r, "cert_days", (double)days, "", NULL, NULL);
		cert = cert_days_judge(o->certificate, days, p);
	}
	if (t.good == 0 && !t.worst)
		t.worst = t.last;
	if (t.worst)
		report_failures(o, tour, &t, r);
	else
		report_success(o, tour, &t, cert, days, r);
	if (r->state == NAG_OK || r->state == NAG_WARNING)
		r->state = nag_worse(r->state, cert);
	tell_facts(tour, &t, r);
	more_addresses(tour, r);
	more_recipients(tour, r);
	if (shown)
		more_certificate(o, &shown->seen.tls, days, r);
	if (verbose > 0)
		more_dialogue(tour, r);
}
