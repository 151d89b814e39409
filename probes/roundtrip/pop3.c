/*
 * The store by POP3 (see roundtrip.h). Called by check_roundtrip through rt_pop3. Promises: the headers of
 * what came since the last look are read, the newest first and at most look_at_most of them, and nothing
 * else; only what its header proves ours is deleted.
 *
 * A POP3 session sees the mailbox as it was when it began, and deletes when it ends. So each look is a
 * session of its own, which ends with a QUIT that is waited for.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/file.h"
#include "probes/net/resolve.h"
#include "probes/pop3/fetch.h"
#include "roundtrip.h"

enum { CLOSING_MS = 500 /* before the deadline no further message is looked at */ };

struct pop3_look {
	struct rt_look look;
	struct pop3_session *s;
	uint64_t ours[RT_OURS_MAX];
	size_t n;
	char mark[POP3_UIDL_MAX + 1]; /* the newest message that is not to be deleted */
	char header[RT_HEADER_MAX];
};

static bool store_failed(struct rt_run *r, const struct mailbox_link *l)
{
	return rt_store_failed(r, l->layer, "POP3 %s port %lld: %s", r->conf->pop3_host,
			       (long long)r->conf->pop3_port, l->why);
}

/* --- what came --- */

/* True: it was taken. False: the session is over. */
static bool look_at(struct pop3_look *x, uint64_t number, const char *uid)
{
	struct rt_sighting mail = {.id = rt_id(uid, strlen(uid)), .header = x->header};

	if (!pop3_ask_top(x->s, number, x->header, sizeof(x->header), &mail.header_len))
		return false;
	if (rt_settle(&x->look, &mail))
		x->ours[x->n++] = number;
	else if (!x->mark[0])
		snprintf(x->mark, sizeof(x->mark), "%s", uid);
	return true;
}

/* From the newest down to where the last look began. False: the session is over. With as many of ours as can
 * be deleted at once it stops, and the next look begins anew. */
static bool look_through(struct pop3_look *x)
{
	struct rt_run *r = x->look.r;
	uint64_t number, left = (uint64_t)r->conf->look_at_most;
	char uid[POP3_UIDL_MAX + 1];

	for (number = x->s->messages; number > 0; number--) {
		if (left-- == 0 || clock_boot_ms() > x->s->link.clock.deadline - CLOSING_MS)
			break;
		if (!pop3_ask_uid(x->s, number, uid))
			return false;
		if (r->state.mark[0] && strcmp(uid, r->state.mark) == 0) {
			if (!x->mark[0])
				snprintf(x->mark, sizeof(x->mark), "%s", uid);
			return true;
		}
		if (!look_at(x, number, uid))
			return false;
		if (x->n == RT_OURS_MAX) {
			x->mark[0] = '\0';
			number--;
			break;
		}
	}
	r->found.unseen = number;
	return true;
}

/* A server that refuses to delete is told of, but spoils nothing else. */
static bool clean(struct pop3_look *x)
{
	struct rt_findings *f = &x->look.r->found;
	bool ok = true;

	if (x->n > 0 && !rt_may_delete(&x->look))
		return true;
	for (size_t i = 0; ok && i < x->n; i++)
		ok = pop3_delete(x->s, x->ours[i]);
	ok = (ok || strcmp(x->s->link.layer, "answer") == 0) && (pop3_quit(x->s) && ok);
	if (ok || strcmp(x->s->link.layer, "answer") != 0)
		return ok;
	snprintf(f->undeleted, sizeof(f->undeleted), "%s", x->s->link.why);
	return true;
}

/* Looks through the mailbox of a session that is logged in, and ends it. */
static bool look_and_quit(struct rt_run *r, struct pop3_session *s)
{
	struct pop3_look *x = calloc(1, sizeof(*x));
	struct stamp now = clock_stamp();
	bool ok;

	if (!x)
		return rt_store_failed(r, "local", "out of memory");
	x->look = (struct rt_look){.r = r, .now = now};
	x->s = s;
	ok = (pop3_ask_stat(s) && look_through(x) && clean(x)) || store_failed(r, &s->link);
	if (ok && !r->found.undeleted[0]) /* else it is found again by the next look */
		snprintf(r->state.mark, sizeof(r->state.mark), "%s", x->mark);
	free(x);
	if (ok)
		rt_looked(&r->state, &now, &r->limits.limits);
	return ok;
}

/* --- the way in --- */

/* The addresses of the store in order until one lets us in; a later one is tried only when nobody is there.
 */
static bool try_addresses(struct rt_run *r, struct pop3_session *s, struct mailbox_target *t,
			  const struct net_addresses *to, int64_t deadline)
{
	for (size_t i = 0; i < to->n; i++) {
		int64_t share = (deadline - clock_boot_ms()) / (int64_t)(to->n - i);

		t->to = &to->v[i];
		pop3_close(s);
		memset(s, 0, sizeof(*s));
		mailbox_clock_init(&s->link.clock, r->run, clock_boot_ms() + share);
		if (pop3_open(s, t, POP3_LOGIN_BEST)) {
			s->link.clock.deadline = deadline;
			return true;
		}
		if (strcmp(s->link.layer, "auth") == 0 || strcmp(s->link.layer, "answer") == 0 ||
		    strcmp(s->link.layer, "local") == 0)
			break; /* another address would say the same, and count as one more bad login */
	}
	return false;
}

static bool find_store(struct rt_run *r, struct pop3_session *s, struct mailbox_target *t, int64_t deadline)
{
	int64_t port = r->conf->pop3_port ? r->conf->pop3_port : t->tls == MAILBOX_IMPLICIT ? 995 : 110;
	struct net_addresses to;
	char why[100];

	probe_at(r->run, "resolving the store's name");
	if (resolve_host(t->host, (uint16_t)port, AF_UNSPEC, NULL, deadline, &to, why, sizeof(why)) !=
	    RESOLVE_OK)
		return mailbox_fail(&s->link, "resolve", "%s", why);
	return try_addresses(r, s, t, &to, deadline);
}

/* A whole session. busy: the mailbox is in use, or we come too soon; NULL: that is a failure, too. */
static bool session(struct rt_run *r, int64_t deadline, bool *busy)
{
	const struct roundtrip_conf *c = r->conf;
	char why[200], *password = file_secret(c->pop3_password_file, why, sizeof(why));
	struct mailbox_target t = {.host = c->pop3_host,
				   .tls = (enum mailbox_tls)c->pop3_tls,
				   .ca_file = c->pop3_ca_file,
				   .verify = c->pop3_verify ? TLS_VERIFY_FULL : TLS_VERIFY_OFF,
				   .user = c->pop3_user,
				   .password = password};
	struct pop3_session s = {0};
	bool ok;

	if (!password)
		return rt_store_failed(r, "local", "POP3 %s: pop3_password_file: %s", c->pop3_host, why);
	ok = find_store(r, &s, &t, deadline);
	file_secret_free(password);
	if (ok)
		ok = look_and_quit(r, &s);
	else if (busy && (strstr(s.link.why, "[IN-USE]") || strstr(s.link.why, "[LOGIN-DELAY]")))
		ok = *busy = true;
	else
		store_failed(r, &s.link);
	pop3_close(&s);
	return ok;
}

/* --- the store --- */

static bool open_nothing(struct rt_run *r, int64_t deadline)
{
	(void)r;
	(void)deadline;
	return true;
}

static bool look(struct rt_run *r, int64_t deadline)
{
	return session(r, deadline, NULL);
}

static bool poll(struct rt_run *r, int64_t deadline)
{
	bool busy = false;

	return session(r, deadline, &busy);
}

static void close_nothing(struct rt_run *r)
{
	(void)r;
}

const struct rt_store rt_pop3 = {
    .name = "pop3",
    .open = open_nothing,
    .look = look,
    .poll = poll,
    .close = close_nothing,
    .poll_first_ms = 100,
    .poll_last_ms = 2000,
};
