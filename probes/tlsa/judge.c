/*
 * One address beside the TLSA records of its host. Pure. Called by check_tlsa.
 */
#include <stdio.h>
#include <string.h>

#include "chain.h"
#include "probes/net/cert_days.h"
#include "tlsa.h"

struct tally {
	size_t usable, broken, spare; /* spare: usable, of another certificate */
	const struct tlsa_record *match, *wrong;
};

static struct tally hold_all(struct tlsa_run *t, struct tlsa_host *h, const struct tls_shown *shown,
			     int64_t now)
{
	const char *names[] = {h->name, t->o->domain};
	struct tally sum = {0};

	for (size_t i = 0; i < h->n; i++) {
		struct tlsa_record *one = &h->v[i];

		tlsa_hold(one, shown, names, t->o->domain ? 2 : 1, now);
		sum.usable += one->verdict != TLSA_UNUSABLE;
		sum.spare += one->verdict == TLSA_NO_MATCH;
		sum.broken += one->verdict == TLSA_BROKEN;
		if (one->verdict == TLSA_BROKEN || (!sum.wrong && one->verdict == TLSA_UNUSABLE))
			sum.wrong = one;
		if (one->verdict == TLSA_MATCH && !sum.match)
			sum.match = one;
	}
	return sum;
}

static void list(struct tlsa_run *t, const struct tlsa_host *h, const char *who)
{
	static const char *const says[] = {"cannot be used", "is of another certificate", "matches, but",
					   "matches"};

	for (size_t i = 0; i < h->n; i++)
		result_more(t->look.result, "%s: TLSA %s %s%s%s", who, h->v[i].text, says[h->v[i].verdict],
			    h->v[i].why[0] ? ": " : "", h->v[i].why);
}

static void fails(struct tlsa_run *t, const struct tlsa_host *h)
{
	t->failing++;
	if (!t->bad[0])
		snprintf(t->bad, sizeof(t->bad), "%s", h->name);
}

/* It matches today. Will it when the certificate is renewed? One of the whole certificate surely does not,
 * and another record must be there before. */
static void look_ahead(struct tlsa_run *t, const struct tally *s, const char *who,
		       const struct tls_shown *shown, int64_t now)
{
	int64_t days = cert_days_left(tlsa_not_after(shown), now);
	bool soon = t->o->rollover_days > 0 && days <= t->o->rollover_days && s->match->usage == TLSA_EE;
	char left[40];

	cert_days_say(days, left, sizeof(left));
	if (soon && s->match->selector == 0 && s->spare == 0)
		zone_note(&t->look, NAG_WARNING, "rollover",
			  "%s: the certificate %s and no TLSA record is there for the next one", who, left);
	else
		zone_note(&t->look, NAG_OK, "", "%s matches TLSA %s%s", who, s->match->text,
			  soon && s->spare == 0 ? "; the next certificate must keep this key" : "");
}

void tlsa_judge(struct tlsa_run *t, struct tlsa_host *h, const char *who, const struct cert_look *l,
		const struct tls_shown *shown, int64_t now)
{
	struct tally s;

	if (shown->n == 0) {
		bool ours = strcmp(l->layer, "local") == 0;

		zone_note(&t->look, ours ? NAG_UNKNOWN : NAG_CRITICAL, l->layer[0] ? l->layer : "tls",
			  "%s shows no certificate: %s", who, l->why[0] ? l->why : "no TLS");
		fails(t, h);
		return;
	}
	s = hold_all(t, h, shown, now);
	list(t, h, who);
	if (s.match) {
		look_ahead(t, &s, who, shown, now);
		return;
	}
	fails(t, h);
	if (s.broken)
		zone_note(&t->look, NAG_CRITICAL, "mismatch", "%s: TLSA %s is of its chain, but: %s", who,
			  s.wrong->text, s.wrong->why);
	else if (s.usable)
		zone_note(&t->look, NAG_CRITICAL, "mismatch",
			  "%s: none of %zu TLSA record%s matches its certificate: senders with DANE defer "
			  "their mail",
			  who, s.usable, s.usable == 1 ? "" : "s");
	else
		zone_note(&t->look, NAG_WARNING, "record",
			  "%s: no TLSA record can be used, so nothing is proved: %s: %s", who,
			  s.wrong ? s.wrong->text : "", s.wrong ? s.wrong->why : "unreadable");
}
