/*
 * The run of check_smtp and check_lmtp (see tour.h): one session per address: connect, greeting, EHLO,
 * STARTTLS, AUTH, what the options ask for besides, QUIT. The dialogue is session.c's; here it is decided
 * what is asked and what the answers mean.
 */
#include "tour.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/file.h"
#include "lib/pattern.h"
#include "probes/probe.h"
#include "report.h"
#include "session.h"

enum { RCPTS_MAX = 8192 /* bytes of what became of the recipients */ };

static bool expected_greeting(const struct smtp_conf *o, const struct smtp_seen *seen,
			      struct smtp_fault *fault)
{
	const char *got = buf_str(&seen->greeting.text);

	if (!o->expect || strstr(got, o->expect))
		return true;
	return smtp_fault_set(fault, SMTP_FAULT_UNEXPECTED, SMTP_GREETING, "greets without \"%.40s\": %.60s",
			      o->expect, got);
}

static bool expected_extensions(const struct smtp_conf *o, const struct smtp_session *s,
				struct smtp_fault *fault)
{
	char missing[100] = "";
	size_t i, n = 0;

	for (i = 0; i < o->extensions.n; i++) {
		if (smtp_reply_offers(smtp_ehlo_reply(s), o->extensions.v[i]))
			continue;
		if (n < sizeof(missing))
			n += (size_t)snprintf(missing + n, sizeof(missing) - n, "%s%s", n ? ", " : "",
					      o->extensions.v[i]);
	}
	return n == 0 ||
	       smtp_fault_set(fault, SMTP_FAULT_UNEXPECTED, SMTP_EHLO, "does not offer %s", missing);
}

/* Addresses may be written with or without <>. */
static const char *bare(const char *address, char *out, size_t size)
{
	size_t n;

	address += address[0] == '<';
	n = strcspn(address, ">");
	snprintf(out, size, "%.*s", (int)n, address);
	return out;
}

/* One line of what became of a recipient; the first of the worst is the fault. False: the session is over. */
static bool recipient(struct smtp_visit *v, struct smtp_session *s, const char *to, struct smtp_fault *worst)
{
	struct smtp_fault one = {.kind = SMTP_FINE};
	bool taken = smtp_rcpt(s, to, &one);

	one.lmtp = v->lmtp;
	v->asked++;
	v->refused += !taken;
	buf_printf(&v->rcpts, "%.100s: %s\n", to, taken ? "taken" : one.text);
	if (!taken && (worst->kind == SMTP_FINE ||
		       nag_worse(smtp_fault_state(&one), smtp_fault_state(worst)) != smtp_fault_state(worst)))
		*worst = one;
	return taken || one.kind == SMTP_FAULT_ANSWER;
}

static void say_how_many(const struct smtp_visit *v, struct smtp_fault *fault)
{
	size_t n = strlen(fault->text);

	snprintf(fault->text + n, sizeof(fault->text) - n, " (%zu of %zu recipients)", v->refused, v->asked);
}

static bool envelope(const struct smtp_conf *o, struct smtp_visit *v, struct smtp_session *s,
		     struct smtp_fault *fault)
{
	struct smtp_fault worst = {.kind = SMTP_FINE};
	char address[512];
	bool goes_on = true;

	if (!o->from && o->to.n == 0)
		return true;
	if (!smtp_mail(s, bare(o->from ? o->from : "", address, sizeof(address)), fault))
		return false;
	for (size_t i = 0; i < o->to.n && goes_on; i++)
		goes_on = recipient(v, s, bare(o->to.v[i], address, sizeof(address)), &worst);
	if (goes_on && o->lmtp && !smtp_command(s, SMTP_MAIL, "RSET", fault))
		return false;
	if (worst.kind == SMTP_FINE)
		return true;
	*fault = worst;
	if (v->asked > 1 && v->refused < v->asked)
		say_how_many(v, fault);
	return false;
}

/* A wrong pattern was a complaint of smtp_conf_check, so one that does not compile here is lack of memory. */
static bool matches(const char *pattern, const char *text)
{
	struct pattern *p = pattern_new(pattern, PATTERN_LINES, NULL, 0);
	bool ok = p && pattern_finds(p, text, NULL, 0);

	pattern_free(p);
	return ok;
}

static bool commands(const struct smtp_conf *o, struct smtp_session *s, struct smtp_fault *fault)
{
	const struct smtp_reply *r;
	size_t i;

	for (i = 0; i < o->commands.n; i++) {
		if (!smtp_command(s, SMTP_MAIL, o->commands.v[i], fault))
			return false;
		r = smtp_last_reply(s);
		if (r->code == 421)
			return smtp_fault_reply(fault, SMTP_MAIL, r->code, buf_str(&r->text));
		if (i < o->responses.n && !matches(o->responses.v[i], buf_str(&r->text)))
			return smtp_fault_set(fault, SMTP_FAULT_UNEXPECTED, SMTP_MAIL,
					      "answers %.40s with %.80s", o->commands.v[i],
					      buf_str(&r->text));
	}
	return true;
}

/* A greeting that refuses us is what an administrator may expect: -e 554. */
static void forgive_greeting(const struct smtp_conf *o, const struct smtp_visit *v, struct smtp_fault *fault)
{
	if ((fault->kind == SMTP_FAULT_ANSWER || fault->kind == SMTP_FAULT_LIMITED) &&
	    fault->phase == SMTP_GREETING && o->expect && strstr(buf_str(&v->seen.greeting.text), o->expect))
		fault->kind = SMTP_FINE;
}

/* The phase is called EHLO; by LMTP the word is another. */
static void say_lhlo(struct smtp_fault *fault)
{
	char *word =
	    fault->kind != SMTP_FINE && fault->phase == SMTP_EHLO ? strstr(fault->text, "EHLO") : NULL;

	fault->lmtp = true;
	if (word)
		memcpy(word, "LHLO", 4);
}

/* One whole session with one address. */
static void visit(const struct smtp_conf *o, const struct smtp_target *t, struct smtp_visit *v)
{
	int64_t start = clock_boot_us();
	struct smtp_fault quit;
	struct smtp_session *s;

	smtp_seen_init(&v->seen);
	v->tried = true;
	s = smtp_open(t, &v->address, &v->seen, &v->fault);
	if (s) {
		if (t->run->verbose > 0 && buf_puts(&v->said, buf_str(&smtp_ehlo_reply(s)->text)))
			buf_puts(&v->said, "\n");
		if (expected_greeting(o, &v->seen, &v->fault) && expected_extensions(o, s, &v->fault) &&
		    envelope(o, v, s, &v->fault))
			commands(o, s, &v->fault);
		if (!smtp_quit(s, &quit) && v->fault.kind == SMTP_FINE && !o->ignore_quit_failure)
			v->fault = quit;
		smtp_free(s);
	} else {
		forgive_greeting(o, v, &v->fault);
	}
	if (o->lmtp)
		say_lhlo(&v->fault);
	v->ms = (double)(clock_boot_us() - start) / 1000;
}

/* All addresses, or as many as it takes until one works. */
static void visit_all(const struct smtp_conf *o, const struct smtp_target *t, struct smtp_tour *tour,
		      const struct net_addresses *found)
{
	struct smtp_target one = *t;
	size_t i;

	tour->n = found->n;
	for (i = 0; i < found->n; i++) {
		tour->v[i].address = found->v[i];
		tour->v[i].lmtp = o->lmtp;
		buf_init(&tour->v[i].said, SMTP_REPLY_MAX);
		buf_init(&tour->v[i].rcpts, RCPTS_MAX);
	}
	for (i = 0; i < found->n; i++) {
		one.deadline = smtp_share(t->deadline, found->n - i);
		visit(o, &one, &tour->v[i]);
		if (!o->all_addresses && tour->v[i].fault.kind == SMTP_FINE)
			break;
	}
}

static bool read_password(const struct smtp_conf *o, char **password, struct smtp_fault *fault)
{
	char why[160];

	*password = file_secret(o->password_file, why, sizeof(why));
	return *password ||
	       smtp_fault_set(fault, SMTP_FAULT_LOCAL, SMTP_AUTH, "cannot be logged in to: %s", why);
}

static void fill_target(const struct smtp_conf *o, struct probe_run *run, struct smtp_target *t, bool *login)
{
	*t = (struct smtp_target){
	    .host = o->host,
	    .port = smtp_conf_port(o),
	    .helo = o->fqdn,
	    .lmtp = o->lmtp,
	    .tls = smtp_conf_tls(o),
	    .verify = smtp_conf_verify(o),
	    .ca_file = o->ca_file,
	    .deadline = run->deadline,
	    .run = run,
	    .limit_ms =
		{
		    [SMTP_RESOLVE] = o->resolve_ms,
		    [SMTP_CONNECT] = o->connect_ms,
		    [SMTP_GREETING] = o->greeting_ms,
		    [SMTP_EHLO] = o->ehlo_ms,
		    [SMTP_STARTTLS] = o->starttls_ms,
		    [SMTP_AUTH] = o->auth_ms,
		    [SMTP_MAIL] = o->command_ms,
		    [SMTP_RCPT] = o->command_ms,
		    [SMTP_QUIT] = o->quit_ms,
		},
	};
	t->mechanism = smtp_conf_mechanism(o, login);
}

static void join(const struct opt_list *list, char *out, size_t size)
{
	size_t i, n = 0;

	out[0] = '\0';
	for (i = 0; i < list->n && n < size; i++)
		n += (size_t)snprintf(out + n, size - n, "%s%s", i ? "," : "", list->v[i]);
}

/* Finds the addresses and visits them. False: it did not come to a visit, and fault says why. */
static bool tour_relay(const struct smtp_conf *o, struct smtp_target *t, bool login, struct smtp_tour *tour,
		       struct smtp_fault *fault)
{
	struct net_addresses found;
	char servers[1024], *password = NULL;

	join(&o->dns_servers, servers, sizeof(servers));
	if (login && !read_password(o, &password, fault))
		return false;
	t->user = login ? o->authuser : NULL;
	t->password = password;
	if (smtp_resolve(t, smtp_conf_family(o), servers[0] ? servers : NULL, &tour->resolved, &found,
			 fault)) {
		if (o->certificate_name)
			t->host = o->certificate_name;
		visit_all(o, t, tour, &found);
	}
	file_secret_free(password);
	t->password = NULL;
	return fault->kind == SMTP_FINE;
}

void smtp_tour(const struct smtp_conf *o, struct probe_run *run)
{
	struct smtp_fault fault = {.kind = SMTP_FINE};
	struct smtp_target t;
	struct smtp_tour *tour = smtp_tour_new();
	bool login;

	if (!tour) {
		result_fail(run->result, NAG_UNKNOWN, "local", "out of memory");
		run->result->measured = false;
		return;
	}
	fill_target(o, run, &t, &login);
	if (tour_relay(o, &t, login, tour, &fault))
		smtp_report(o, tour, run->verbose, run->result);
	else
		smtp_fault_report(&fault, o->host, run->result);
	smtp_tour_free(tour);
}
