/*
 * The store by IMAP (see roundtrip.h). Called by check_roundtrip through rt_imap. Promises:
 * only messages that came since the last look are searched (all before them were), so a
 * mailbox of any size costs the same.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/file.h"
#include "probes/net/resolve.h"
#include "roundtrip.h"

enum { ORPHANS_BACK = 1000 /* messages searched for forgotten mail of ours at the first look */ };

static bool store_failed(struct rt_run *r)
{
	return rt_store_failed(r, r->imap.link.layer, "IMAP %s port %lld: %s", r->conf->imap_host,
			       (long long)r->conf->imap_port, r->imap.link.why);
}

/* --- what was found --- */

struct sightings {
	struct rt_look look;
	uint32_t ours[RT_OURS_MAX];
	size_t n;
};

static void fetched(void *arg, const struct imap_fetched *mail)
{
	struct sightings *x = arg;
	struct rt_sighting one = {mail->uid, mail->arrived_wall_ms, mail->header, mail->header_len};

	if (x->n < RT_OURS_MAX && rt_settle(&x->look, &one))
		x->ours[x->n++] = mail->uid;
}

/* Deletes what is proved ours. A server that refuses to is told of, but spoils nothing else. */
static bool clean(struct rt_run *r, const struct sightings *x)
{
	struct rt_findings *f = &r->found;

	if (!rt_may_delete(&x->look))
		return true;
	if (imap_delete(&r->imap, x->ours, x->n)) {
		if (!r->imap.uidplus)
			f->marked += x->n;
		return true;
	}
	if (strcmp(r->imap.link.layer, "answer") != 0)
		return false;
	snprintf(f->undeleted, sizeof(f->undeleted), "%s", r->imap.link.why);
	r->imap.link.layer[0] = '\0'; /* the session goes on */
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
	struct sightings x = {.look = {.r = r}};
	uint32_t uids[IMAP_UIDS_MAX];
	size_t found, total;

	if (!imap_search(&r->imap, first, texts, n, uids, &found, &total))
		return false;
	if (found == 0)
		return true;
	x.look.now = clock_stamp();
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

static bool look(struct rt_run *r, int64_t deadline)
{
	struct rt_state *s = &r->state;
	struct imap_session *imap = &r->imap;
	struct stamp now = clock_stamp();
	bool fresh = s->uidvalidity == 0, same = s->uidvalidity == imap->uidvalidity, ok;

	imap->link.clock.deadline = deadline;
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

static bool poll(struct rt_run *r, int64_t deadline)
{
	r->imap.link.clock.deadline = deadline;
	if (!imap_noop(&r->imap))
		return store_failed(r);
	return !r->imap.grew || look(r, deadline);
}

/* The addresses of the store, tried in order until one lets us in; a later one is tried only when nobody is there. */
static bool try_addresses(struct rt_run *r, struct mailbox_target *target, const struct net_addresses *to, int64_t deadline)
{
	for (size_t i = 0; i < to->n; i++) {
		int64_t left = deadline - clock_boot_ms(), share = left / (int64_t)(to->n - i);

		target->to = &to->v[i];
		imap_close(&r->imap);
		mailbox_clock_init(&r->imap.link.clock, r->run, clock_boot_ms() + share);
		if (imap_open(&r->imap, target)) {
			r->imap.link.clock.deadline = deadline;
			return true;
		}
		if (strcmp(r->imap.link.layer, "auth") == 0 || strcmp(r->imap.link.layer, "local") == 0)
			break; /* another address would say the same, and count as one more bad login */
	}
	return false;
}

static bool find_store(struct rt_run *r, struct mailbox_target *target, uint16_t port, int64_t deadline)
{
	struct net_addresses to;
	enum resolve_outcome outcome;
	char why[100];

	probe_at(r->run, "resolving the store's name");
	outcome = resolve_host(target->host, port, AF_UNSPEC, NULL, deadline, &to, why, sizeof(why));
	if (outcome == RESOLVE_OK)
		return try_addresses(r, target, &to, deadline);
	snprintf(r->imap.link.layer, sizeof(r->imap.link.layer), "resolve");
	snprintf(r->imap.link.why, sizeof(r->imap.link.why), "%s", why);
	return false;
}

static bool open_mailbox(struct rt_run *r, int64_t deadline)
{
	const struct roundtrip_conf *c = r->conf;
	struct mailbox_target target = {
		.host = c->imap_host, .tls = (enum mailbox_tls)c->imap_tls,
		.verify = c->imap_verify ? TLS_VERIFY_FULL : TLS_VERIFY_OFF, .ca_file = c->imap_ca_file, .user = c->imap_user,
	};
	uint16_t port = (uint16_t)c->imap_port;
	char why[200], *password = file_secret(c->imap_password_file, why, sizeof(why));
	bool ok;

	if (!port)
		port = target.tls == MAILBOX_IMPLICIT ? 993 : 143;
	if (!password) {
		snprintf(r->imap.link.layer, sizeof(r->imap.link.layer), "local");
		snprintf(r->imap.link.why, sizeof(r->imap.link.why), "imap_password_file: %s", why);
		return store_failed(r);
	}
	target.password = password;
	ok = find_store(r, &target, port, deadline) && imap_select(&r->imap, c->mailbox);
	file_secret_free(password);
	return ok || store_failed(r);
}

static void close_mailbox(struct rt_run *r)
{
	imap_close(&r->imap);
}

const struct rt_store rt_imap = {
	.name = "imap",
	.open = open_mailbox,
	.look = look,
	.poll = poll,
	.close = close_mailbox,
	.poll_first_ms = 20,
	.poll_last_ms = 500,
};
