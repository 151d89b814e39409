/*
 * The look into the mailbox (see roundtrip.h). Called by check_roundtrip. Promises:
 * only messages that came since the last look are searched (all before them were), so a
 * mailbox of any size costs the same; only a mail whose HMAC proves it ours is
 * deleted; and what was seen is stored before it is deleted, so that a crash between
 * cannot turn an arrived mail into a lost one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/clock.h"
#include "../lib/file.h"
#include "resolve.h"
#include "roundtrip.h"

enum { ORPHANS_BACK = 1000 /* messages searched for forgotten mail of ours at the first look */ };

static bool store_failed(struct rt_run *r)
{
	struct rt_side *side = &r->found.imap;

	side->failed = true;
	side->state = strcmp(r->imap.layer, "local") == 0 ? NAG_UNKNOWN : NAG_CRITICAL;
	snprintf(side->layer, sizeof(side->layer), "%s", r->imap.layer);
	snprintf(side->why, sizeof(side->why), "IMAP %s port %lld: %s", r->conf->imap_host,
		 (long long)r->conf->imap_port, r->imap.why);
	return false;
}

/* --- what was found --- */

struct sightings {
	struct rt_run *r;
	struct stamp now;
	uint32_t ours[IMAP_UIDS_MAX];
	size_t n;
	bool changed; /* the state is other than what is stored */
};

/* Nobody remembers it, and nobody waits for it: perhaps another check with the same key does when it is young. */
static bool is_old(const struct sightings *x, const struct imap_fetched *mail)
{
	return mail->arrived_wall_ms && x->now.wall_ms - mail->arrived_wall_ms > x->r->limits.limits.lost_ms;
}

static void settle(struct sightings *x, struct rt_mail *m, const struct imap_fetched *mail)
{
	struct rt_findings *f = &x->r->found;
	enum rt_sight sight = rt_seen(&x->r->state, m, mail->uid, &x->now, mail->arrived_wall_ms);

	if (sight == RT_AGAIN)
		return;
	x->changed = true;
	if (sight == RT_COPY) {
		f->copies++;
		return;
	}
	f->narrived++;
	if (sight == RT_FOUND) {
		f->found++;
		if (m->delay.ms > f->found_ms)
			f->found_ms = m->delay.ms;
	}
	if (f->arrived && m->token.run < f->arrived_run)
		return;
	f->arrived = true;
	f->arrived_run = m->token.run;
	f->delay = m->delay;
	received_parse(mail->header, mail->header_len, m->sent.wall_ms, &f->way);
	received_bound(&f->way, m->delay.max_ms);
}

/* The best that any token header of the mail proves (the verdicts stand in that order). */
static enum token_verdict prove(const struct rt_run *r, const struct imap_fetched *mail, struct token *t)
{
	enum token_verdict best = TOKEN_MALFORMED;
	size_t pos = 0, len;
	const char *value;

	while (header_next(mail->header, mail->header_len, TOKEN_HEADER, &pos, &value, &len)) {
		struct token one;
		enum token_verdict v = token_verify(r->key, r->key_len, r->run->check, value, len, &one);

		if (v < best) {
			best = v;
			*t = one;
		}
	}
	return best;
}

static void fetched(void *arg, const struct imap_fetched *mail)
{
	struct sightings *x = arg;
	struct token t = {.hex = ""};
	enum token_verdict verdict = prove(x->r, mail, &t);
	struct rt_mail *m;

	if (verdict != TOKEN_OURS) {
		x->r->found.forged += verdict == TOKEN_FORGED;
		return;
	}
	if (x->n == IMAP_UIDS_MAX)
		return;
	m = rt_find(&x->r->state, t.hex);
	if (!m && !is_old(x, mail))
		return;
	x->ours[x->n++] = mail->uid;
	if (m)
		settle(x, m, mail);
	else
		x->r->found.orphans++;
}

/* Deletes what is proved ours. A server that refuses to is told of, but spoils nothing else. */
static bool clean(struct rt_run *r, const struct sightings *x)
{
	struct rt_findings *f = &r->found;

	if (x->changed && !rt_keep(r)) {
		snprintf(f->undeleted, sizeof(f->undeleted), "what arrived could not be stored");
		return true;
	}
	if (imap_delete(&r->imap, x->ours, x->n)) {
		if (!r->imap.uidplus)
			f->marked += x->n;
		return true;
	}
	if (strcmp(r->imap.layer, "answer") != 0)
		return false;
	snprintf(f->undeleted, sizeof(f->undeleted), "%s", r->imap.why);
	r->imap.layer[0] = '\0'; /* the session goes on */
	return true;
}

/* Numbers only grow, so what lies below the last one taken is done with; what was not taken is left for the next look. */
static void advance(struct rt_run *r, const uint32_t *uids, size_t found, size_t total)
{
	uint32_t last = uids[found - 1];

	r->found.too_many += total - found;
	if (total > found && last < r->searched)
		r->searched = last + 1;
	else if (total == found && last >= r->searched && last < UINT32_MAX)
		r->searched = last + 1;
}

/* One search for at most IMAP_SEARCH_TOKENS texts among the messages from first up. */
static bool search_and_settle(struct rt_run *r, uint32_t first, const char *const *texts, size_t n)
{
	struct sightings x = {.r = r, .now = clock_stamp()};
	uint32_t uids[IMAP_UIDS_MAX];
	size_t found, total;

	if (!imap_search(&r->imap, first, texts, n, uids, &found, &total))
		return false;
	if (found == 0)
		return true;
	x.now = clock_stamp();
	advance(r, uids, found, total);
	return imap_fetch(&r->imap, uids, found, fetched, &x) && clean(r, &x);
}

/* All remembered tokens, a batch a search. */
static bool search_tokens(struct rt_run *r, uint32_t first)
{
	char hex[RT_MAILS_MAX][sizeof(((struct token *)0)->hex)];
	const char *texts[RT_MAILS_MAX];
	size_t n = r->state.n;

	for (size_t i = 0; i < n; i++) {
		memcpy(hex[i], r->state.mail[i].token.hex, sizeof(hex[i]));
		texts[i] = hex[i];
	}
	for (size_t i = 0; i < n; i += IMAP_SEARCH_TOKENS) {
		size_t some = n - i < IMAP_SEARCH_TOKENS ? n - i : IMAP_SEARCH_TOKENS;

		if (!search_and_settle(r, first, texts + i, some))
			return false;
	}
	return true;
}

/* At the first look nothing is remembered: mail of a lost state would stay for ever. */
static bool search_orphans(struct rt_run *r, uint32_t uidnext)
{
	char name[TOKEN_CHECK_MAX + 1], text[TOKEN_CHECK_MAX + 8];
	const char *texts[] = {text};

	token_check_name(r->run->check, name, sizeof(name));
	snprintf(text, sizeof(text), "v1 %s ", name);
	return search_and_settle(r, uidnext > ORPHANS_BACK ? uidnext - ORPHANS_BACK : 1, texts, 1);
}

bool rt_look(struct rt_run *r)
{
	struct rt_state *s = &r->state;
	struct imap_session *imap = &r->imap;
	struct stamp now = clock_stamp();
	bool fresh = s->uidvalidity == 0, same = s->uidvalidity == imap->uidvalidity, ok;

	imap->grew = false;
	r->searched = same && s->uidnext > imap->uidnext ? s->uidnext : imap->uidnext;
	ok = search_tokens(r, same ? s->uidnext : 1);
	ok = ok && (!fresh || search_orphans(r, imap->uidnext));
	if (!ok)
		return store_failed(r);
	if (!r->found.undeleted[0]) { /* else what could not be deleted is found again by the next run */
		s->uidvalidity = imap->uidvalidity;
		s->uidnext = r->searched;
	}
	rt_looked(s, &now, &r->limits.limits);
	return true;
}

bool rt_poll(struct rt_run *r)
{
	if (!imap_noop(&r->imap))
		return store_failed(r);
	return !r->imap.grew || rt_look(r);
}

/* The addresses of the store, tried in order until one lets us in; a later one is tried only when nobody is there. */
static bool try_addresses(struct rt_run *r, struct imap_target *target, const struct net_addresses *to, int64_t deadline)
{
	for (size_t i = 0; i < to->n; i++) {
		int64_t left = deadline - clock_boot_ms(), share = left / (int64_t)(to->n - i);

		target->address = to->v[i].text;
		imap_close(&r->imap);
		if (imap_open(&r->imap, target, r->run, clock_boot_ms() + share)) {
			r->imap.deadline = deadline;
			return true;
		}
		if (strcmp(r->imap.layer, "auth") == 0 || strcmp(r->imap.layer, "local") == 0)
			break; /* another address would say the same, and count as one more bad login */
	}
	return false;
}

static bool find_store(struct rt_run *r, struct imap_target *target, int64_t deadline)
{
	struct net_addresses to;
	enum resolve_outcome outcome;
	char why[100];

	probe_at(r->run, "resolving the store's name");
	outcome = resolve_host(target->host, (uint16_t)target->port, AF_UNSPEC, NULL, deadline, &to, why, sizeof(why));
	if (outcome == RESOLVE_OK)
		return try_addresses(r, target, &to, deadline);
	snprintf(r->imap.layer, sizeof(r->imap.layer), "resolve");
	snprintf(r->imap.why, sizeof(r->imap.why), "%s", why);
	return false;
}

bool rt_open_mailbox(struct rt_run *r, int64_t deadline)
{
	const struct roundtrip_conf *c = r->conf;
	struct imap_target target = {
		.host = c->imap_host, .port = (int)c->imap_port, .tls = (enum imap_tls)c->imap_tls,
		.verify = c->imap_verify, .ca_file = c->imap_ca_file, .user = c->imap_user,
	};
	char why[200], *password = file_secret(c->imap_password_file, why, sizeof(why));
	bool ok;

	if (!target.port)
		target.port = target.tls == IMAP_TLS_IMPLICIT ? 993 : 143;
	if (!password) {
		snprintf(r->imap.layer, sizeof(r->imap.layer), "local");
		snprintf(r->imap.why, sizeof(r->imap.why), "imap_password_file: %s", why);
		return store_failed(r);
	}
	target.password = password;
	ok = find_store(r, &target, deadline) && imap_select(&r->imap, c->mailbox);
	explicit_bzero(password, strlen(password));
	free(password);
	return ok || store_failed(r);
}
