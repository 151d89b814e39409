/*
 * Checks of a domain; see domain.h. Where the outbound addresses were not named those of the mail exchangers
 * are tried in their place, and an SPF record that does not allow them is no fault. Called by propose.c.
 */
#include "domain.h"

#include <stdio.h>
#include <string.h>

#include "lib/json.h"
#include "draft.h"
#include "look.h"
#include "site.h"

/* Lists that are asked by most; named in a suggestion only: whose terms are fine is not ours to say. */
static const char *const known_lists[] = {"zen.spamhaus.org codes=2-11", "bl.spamcop.net codes=2",
					  "psbl.surriel.com codes=2"};

static void draft_mx(struct drafts *d, const struct wish *w)
{
	struct draft *one = draft_add(d, w->subject, "mx", "mx", "5m");
	if (!one)
		return;
	one->untried = true;
	draft_set(one, "domain", w->subject);
	if (w->ports[SERVICE_SMTP] != 25)
		draft_set_int(one, "port", w->ports[SERVICE_SMTP]);
	draft_resolvers(one, "dns_servers", w);
	draft_note(
	    one,
	    "every address of every MX takes an envelope for postmaster@%s, which is reset: no mail is "
	    "sent. Not tried now, when only greetings are exchanged",
	    w->subject);
}

/* The record as it is: whoever changes it shall be noticed. */
static void draft_record(struct drafts *d, const struct site *s, const struct wish *w)
{
	struct draft *one = draft_add(d, w->subject, "mx record", "dns", "5m");
	bool whole = s->mx_left_out == 0;
	if (!one)
		return;
	draft_set(one, "host", w->subject);
	draft_set(one, "querytype", "MX");
	draft_resolvers(one, "resolver", w);
	for (size_t i = 0; i < s->n; i++) {
		char value[WISH_HOST_MAX + 16];
		if (!site_is_mx(&s->hosts[i]))
			continue;
		snprintf(value, sizeof value, "%d %s", s->hosts[i].preference, s->hosts[i].name);
		whole &= s->hosts[i].name[0] != '\0';
		if (s->hosts[i].name[0])
			draft_append(one, "expected_address", value);
	}
	if (whole && s->n && site_is_mx(&s->hosts[0]))
		draft_set(one, "all", "yes");
}

/* The outbound addresses that were named, else the mail exchangers'. */
static void set_outbound(struct draft *one, const struct site *s, const struct wish *w)
{
	if (w->outbound.n)
		draft_set_list(one, "address", w->outbound.v, w->outbound.n);
	for (size_t i = 0; i < s->n && !w->outbound.n; i++)
		if (s->kind == SITE_DOMAIN && site_is_mx(&s->hosts[i]))
			for (size_t k = 0; k < s->hosts[i].n; k++)
				draft_append(one, "address", s->hosts[i].v[k]);
	if (!cJSON_GetObjectItemCaseSensitive(one->variants[0], "address"))
		draft_append(one, "address", s->n && s->hosts[0].n ? s->hosts[0].v[0] : "192.0.2.1");
}

static void draft_spf(struct drafts *d, const struct site *s, const struct wish *w)
{
	struct draft *one = draft_add(d, w->subject, "spf", "spf", "15m");
	if (!one)
		return;
	draft_set(one, "domain", w->subject);
	set_outbound(one, s, w);
	draft_resolvers(one, "resolver", w);
}

static void draft_dnsbl(struct drafts *d, const struct site *s, const struct wish *w)
{
	struct draft *one = draft_add(d, w->subject, "blocklists", "dnsbl", "30m");
	if (!one)
		return;
	set_outbound(one, s, w);
	draft_resolvers(one, "resolver", w);
	draft_set_list(one, "list", w->lists.v, w->lists.n);
	for (size_t i = 0; i < sizeof known_lists / sizeof known_lists[0] && !w->lists.n; i++)
		draft_append(one, "list", known_lists[i]);
	if (w->lists.n && w->outbound.n)
		return;
	one->fate = DRAFT_SUGGESTION;
	one->untried = true;
	draft_note(one,
		   "put in the addresses your mail leaves from and the lists whose terms you accept (or: "
		   "--outbound ADDRESS --dnsbl LIST). Lists refuse large public resolvers: use your own");
}

static void draft_dkim(struct drafts *d, const struct wish *w)
{
	struct draft *one = draft_add(d, w->subject, "dkim", "dkim", "1h");
	if (!one)
		return;
	draft_set(one, "domain", w->subject);
	draft_set_list(one, "selector", w->selectors.v, w->selectors.n);
	draft_resolvers(one, "resolver", w);
	if (w->selectors.n)
		return;
	draft_append(one, "selector", "SELECTOR");
	one->fate = DRAFT_SUGGESTION;
	one->untried = true;
	draft_note(one, "put in the selectors your signer uses: s= in DKIM-Signature (or: --selector NAME)");
}

static void draft_policies(struct drafts *d, const struct site *s, const struct wish *w)
{
	struct draft *one = draft_add(d, w->subject, "dmarc", "dmarc", "1h");
	if (one) {
		draft_set(one, "domain", w->subject);
		draft_resolvers(one, "resolver", w);
	}
	one = s->kind == SITE_DOMAIN ? draft_add(d, w->subject, "mta-sts", "mta_sts", "1h") : NULL;
	if (one) {
		draft_set(one, "domain", w->subject);
		if (w->ca_file)
			draft_set(one, "ca_file", w->ca_file);
		draft_resolvers(one, "resolver", w);
	}
}

static void draft_tlsa(struct drafts *d, const struct wish *w)
{
	struct draft *one = draft_add(d, w->subject, "tlsa", "tlsa", "1h");
	if (!one)
		return;
	draft_set(one, "domain", w->subject);
	if (w->ports[SERVICE_SMTP] != 25)
		draft_set_int(one, "port", w->ports[SERVICE_SMTP]);
	draft_resolvers(one, "resolver", w);
}

static struct draft *suggest(struct drafts *d, const char *domain, const char *what, const char *probe,
			     const char *interval)
{
	struct draft *one = draft_add(d, domain, what, probe, interval);
	if (one) {
		one->fate = DRAFT_SUGGESTION;
		one->untried = true;
	}
	return one;
}

static void suggest_more(struct drafts *d, const struct site *s, const struct wish *w)
{
	char probe[WISH_HOST_MAX + 16];
	const char *host = s->n ? s->hosts[0].name : w->subject;
	struct draft *one = suggest(d, w->subject, "relays nothing", "relay", "6h");
	if (one) {
		draft_set(one, "host", host);
		draft_set(one, "domain", w->subject);
		draft_note(one,
			   "strangers' mail must be refused: 21 envelopes, from a host that this relay does "
			   "not trust");
	}
	one = suggest(d, w->subject, "round trip", "roundtrip", "5m");
	if (!one)
		return;
	snprintf(probe, sizeof probe, "probe@%s", w->subject);
	draft_set(one, "smtp_host", host);
	draft_set(one, "imap_host", host);
	draft_set(one, "imap_user", probe);
	draft_set(one, "imap_password_file", "/etc/monitord/secrets/roundtrip-imap");
	draft_set(one, "key_file", "/etc/monitord/secrets/roundtrip-key");
	draft_set(one, "from", probe);
	draft_set(one, "to", probe);
	draft_note(one,
		   "the only check that proves that mail is delivered. It needs a mailbox of its own, its "
		   "password in a file, and a key (head -c 32 /dev/urandom | base64), both readable by "
		   "monitord only");
}

void domain_draft(struct drafts *d, const struct site *s, const struct wish *w)
{
	bool mail = s->kind != SITE_HOST || w->outbound.n || w->selectors.n;
	if (w->address || !mail)
		return;
	if (s->kind == SITE_DOMAIN)
		draft_mx(d, w);
	if (s->kind == SITE_DOMAIN)
		draft_record(d, s, w);
	draft_spf(d, s, w);
	draft_dkim(d, w);
	draft_policies(d, s, w);
	if (s->kind == SITE_NULL_MX)
		return;
	if (s->kind == SITE_DOMAIN)
		draft_tlsa(d, w);
	draft_dnsbl(d, s, w);
	if (s->kind == SITE_DOMAIN)
		suggest_more(d, s, w);
}

/* --- after they were tried --- */

static void choose_spf(struct draft *one, const struct wish *w)
{
	const char *said = look_fact(draft_result(one), "result");
	if (w->outbound.n || strcmp(said, "none") == 0 || strcmp(said, "permerror") == 0 || !*said)
		return;
	if (look_ok(draft_result(one))) {
		draft_note(one,
			   "the addresses are those of the MX; put in yours, if mail leaves from elsewhere");
		return;
	}
	one->fate = DRAFT_SUGGESTION;
	draft_note(
	    one,
	    "put in the addresses your mail leaves from (or: --outbound ADDRESS). Those of the MX are not "
	    "allowed to send, which is right if they only receive");
}

/* What a domain need not have is no fault where it is not. "job": the prober has no such probe. */
static void choose_published(struct draft *one, const char *what)
{
	const char *layer = look_layer(draft_result(one));
	if (strcmp(layer, "job") == 0) {
		one->fate = DRAFT_GONE;
	} else if (strcmp(layer, "missing") == 0) {
		one->fate = DRAFT_NOTE;
		draft_note(one, "%s is not published: %s", what, look_text(draft_result(one)));
	}
}

void domain_choose(struct drafts *d, const struct wish *w)
{
	for (size_t i = 0; i < d->n; i++) {
		struct draft *one = &d->v[i];
		if (strcmp(one->probe, "spf") == 0)
			choose_spf(one, w);
		else if (strcmp(one->probe, "mta_sts") == 0)
			choose_published(one, "MTA-STS");
		else if (strcmp(one->probe, "tlsa") == 0)
			choose_published(one, "DANE");
	}
}
