/*
 * What is said to a relay to see whether it carries a stranger's mail. Sessions are short: servers slow down
 * or hang up after some refusals, and each refusal is what we hope for. Every envelope ends with RSET; DATA
 * is never said.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lib/clock.h"
#include "relay.h"

enum { FORMS_PER_SESSION = 4 };

static const char nobody[] = "monitord-no-such-user-7f3a91c2";

/* The reply to a command; 0: the dialogue broke. */
static int ask(struct smtp_session *s, enum smtp_phase phase, const char *line, struct smtp_fault *fault)
{
	return smtp_command(s, phase, line, fault) ? smtp_last_reply(s)->code : 0;
}

/* 0: broken, else the code that decided: of MAIL when that was refused. */
static int envelope(struct smtp_session *s, const char *sender, const char *recipient,
		    struct smtp_fault *fault)
{
	int code;

	if (smtp_mail(s, sender, fault))
		smtp_rcpt(s, recipient, fault);
	if (fault->kind != SMTP_FINE && fault->kind != SMTP_FAULT_ANSWER)
		return 0;
	code = fault->kind == SMTP_FINE ? smtp_last_reply(s)->code : fault->code;
	*fault = (struct smtp_fault){.kind = SMTP_FINE};
	return code;
}

static void put_off(struct relay_seen *seen, struct smtp_session *s)
{
	seen->unclear++;
	if (!seen->put_off[0])
		snprintf(seen->put_off, sizeof(seen->put_off), "%.100s", buf_str(&smtp_last_reply(s)->text));
}

static void taken(struct relay_seen *seen, const struct relay_form *form, const char *recipient)
{
	bool literal = recipient[strlen(recipient) - 1] == ']';

	if (form->local && (literal ? seen->catch_all_literal : seen->catch_all)) {
		seen->unclear++;
		return;
	}
	if (seen->open == 0) {
		snprintf(seen->form, sizeof(seen->form), "%s", form->name);
		snprintf(seen->recipient, sizeof(seen->recipient), "%.100s", recipient);
	}
	if (seen->open < RELAY_HITS_MAX)
		snprintf(seen->hits[seen->open], sizeof(seen->hits[0]), "%s", form->name);
	seen->open++;
}

static bool one_form(struct smtp_session *s, size_t n, const struct relay_names *names,
		     struct relay_seen *seen)
{
	char sender[RELAY_ADDRESS_MAX], recipient[RELAY_ADDRESS_MAX];
	struct relay_form form;
	int code;

	if (!relay_form_fill(n, names, &form, sender, recipient))
		return true;
	code = envelope(s, sender, recipient, &seen->fault);
	if (code == 0)
		return false;
	seen->forms++;
	if (code / 100 == 2)
		taken(seen, &form, recipient);
	else if (code / 100 == 4)
		put_off(seen, s);
	return ask(s, SMTP_MAIL, "RSET", &seen->fault) != 0;
}

/* Does it take anybody at this domain of its own? False: the dialogue broke. */
static bool takes_anybody(struct smtp_session *s, const struct relay_names *names, const char *domain,
			  bool *yes, struct relay_seen *seen)
{
	char address[RELAY_ADDRESS_MAX];
	int code;

	snprintf(address, sizeof(address), "%s@%.300s", nobody, domain);
	code = envelope(s, names->from, address, &seen->fault);
	*yes = code / 100 == 2;
	return code != 0 && ask(s, SMTP_MAIL, "RSET", &seen->fault) != 0;
}

/* A server that takes any user of its own says nothing by taking USER%DOMAIN. */
static bool look_for_catch_all(struct smtp_session *s, const struct relay_names *names,
			       struct relay_seen *seen)
{
	return (!names->own || takes_anybody(s, names, names->own, &seen->catch_all, seen)) &&
	       takes_anybody(s, names, names->literal, &seen->catch_all_literal, seen);
}

/* Does the server tell a user who is there from one who is not? A 252 ("I do not say, but send") beside a
 * refusal tells, too; a complaint about the way we ask (50x) does not. */
static bool told(struct smtp_session *s, const char *at, const char *domain)
{
	char line[RELAY_ADDRESS_MAX];
	struct smtp_fault none;
	int there, not_there;

	snprintf(line, sizeof(line), "VRFY postmaster%s%.300s", at, domain);
	there = ask(s, SMTP_MAIL, line, &none);
	snprintf(line, sizeof(line), "VRFY %s%s%.300s", nobody, at, domain);
	not_there = ask(s, SMTP_MAIL, line, &none);
	return there / 100 == 2 && (there != 252 || not_there / 10 == 55);
}

/* EXPN is on when it tells anything. A server that hangs up on such questions tells nothing, which is as
 * good. */
static void look_for_names(struct smtp_session *s, const struct relay_names *names, struct relay_seen *seen)
{
	struct smtp_fault none;
	int list;

	seen->vrfy = told(s, "", "") || (names->own && told(s, "@", names->own));
	list = ask(s, SMTP_MAIL, "EXPN postmaster", &none);
	seen->expn = list / 100 == 2 && list != 252;
	seen->asked_names = true;
}

/* One session: its part of the forms, the first and last one with what is asked once. False: it broke. */
static bool session(const struct smtp_target *t, const struct relay_names *names, size_t from,
		    struct relay_seen *seen)
{
	struct smtp_session *s = smtp_open(t, &seen->address, NULL, &seen->fault);
	bool ok = s != NULL;
	size_t i = from;

	if (ok && from == 0)
		ok = look_for_catch_all(s, names, seen);
	for (; ok && i < from + FORMS_PER_SESSION && i < RELAY_FORMS; i++)
		ok = one_form(s, i, names, seen);
	if (ok && i == RELAY_FORMS)
		look_for_names(s, names, seen);
	smtp_quit(s, NULL);
	smtp_free(s);
	return ok;
}

void relay_test(const struct relay_conf *o, const struct smtp_target *t, struct relay_seen *seen)
{
	int64_t start = clock_boot_us();
	char literal[96], address[RESOLVE_TEXT_MAX];
	struct relay_names names = {.from = o->from, .to = o->to, .literal = literal};
	bool six = seen->address.sa.any.sa_family == AF_INET6;
	size_t i;

	net_address_text(&seen->address, address, sizeof(address));
	snprintf(literal, sizeof(literal), "[%s%s]", six ? "IPv6:" : "", address);
	names.own = o->domain ? o->domain : resolve_literal(o->host, 0, NULL) ? NULL : o->host;
	for (i = 0; i < RELAY_FORMS; i += FORMS_PER_SESSION)
		if (!session(t, &names, i, seen))
			break;
	seen->ms = (double)(clock_boot_us() - start) / 1000;
}

bool relay_submit(const struct relay_conf *o, const struct smtp_target *t, const char *servers, int family,
		  struct smtp_fault *fault)
{
	struct smtp_session *s = smtp_open_host(t, family, servers, NULL, fault);
	bool ok = s && smtp_mail(s, o->sender, fault) && smtp_rcpt(s, o->to, fault) &&
		  smtp_command(s, SMTP_MAIL, "RSET", fault);

	smtp_quit(s, NULL);
	smtp_free(s);
	return ok;
}
