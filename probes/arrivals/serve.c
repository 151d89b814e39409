/*
 * The policy service's loop; see serve.h. One thread, nothing that blocks: an answer is 14 bytes into a
 * socket that takes them or is closed. Whatever a client does, only it is cut off; Postfix then goes on as
 * its default_action says.
 */
#include "serve.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "listen.h"
#include "request.h"
#include "tell.h"

enum { LISTENERS_MAX = 8, TELL_MAX = 131072 };
static const char answer[] = "action=DUNNO\n\n";

struct service;

struct conn {
	struct service *s;
	int fd;
	struct loop_fd *ev;
	struct policy_request request;
	char instance[ORIGIN_NAME_MAX]; /* of the last request: a message's second recipient is no second
					   message */
	int64_t began;			/* CLOCK_BOOTTIME ms */
	uint64_t last;			/* when it said something: turns of the service */
};

struct listener {
	struct service *s;
	int fd;
	bool counts;
	struct loop_fd *ev;
};

struct service {
	const struct policy_conf *conf;
	struct event_base *base;
	struct loop_timer *tick;
	struct listener listeners[LISTENERS_MAX + 1];
	size_t nlisteners;
	struct conn **conns;
	size_t n;
	struct policy_counts counts;
	int64_t minute;
	uint64_t turn;
};

static void drop(struct conn *c)
{
	struct service *s = c->s;

	for (size_t i = 0; i < s->n; i++)
		if (s->conns[i] == c) {
			s->conns[i] = s->conns[--s->n];
			break;
		}
	loop_fd_free(c->ev);
	close(c->fd);
	free(c);
}

static void count(struct conn *c)
{
	struct policy_request *r = &c->request;
	int64_t second = clock_boot_ms() / 1000;
	/* without an instance each is taken for a message of its own */
	bool first = !r->instance[0] || strcmp(r->instance, c->instance) != 0;

	snprintf(c->instance, sizeof c->instance, "%s", r->instance);
	policy_count(&c->s->counts, r, first, second);
}

/* False: it was cut off. */
static bool take(struct conn *c, const char *data, size_t n)
{
	while (n > 0) {
		size_t used;
		if (c->request.bytes == 0)
			c->began = clock_boot_ms();
		enum policy_step step = policy_request_feed(&c->request, data, n, &used);
		data += used;
		n -= used;
		if (step == POLICY_MORE)
			break;
		if (step == POLICY_DONE)
			count(c);
		/* who does not read its answers is no policy client either */
		if (step == POLICY_BAD || send(c->fd, answer, sizeof answer - 1,
					       MSG_DONTWAIT | MSG_NOSIGNAL) != sizeof answer - 1) {
			c->s->counts.cut++;
			drop(c);
			return false;
		}
		policy_request_begin(&c->request);
	}
	return true;
}

static void readable(void *arg)
{
	struct conn *c = arg;
	char data[8192];
	ssize_t n = recv(c->fd, data, sizeof data, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		drop(c);
		return;
	}
	c->last = ++c->s->turn;
	take(c, data, (size_t)n);
}

/* Room for a new client: the one that said nothing for longest goes. Postfix connects again when it has
 * something to ask. */
static void make_room(struct service *s)
{
	struct conn *oldest = s->conns[0];

	for (size_t i = 1; i < s->n; i++)
		if (s->conns[i]->last < oldest->last)
			oldest = s->conns[i];
	drop(oldest);
}

static void tell(struct service *s, int fd)
{
	struct buf out;

	buf_init(&out, TELL_MAX);
	if (policy_tell(&s->counts, clock_boot_ms(), s->n, &out)) {
		int room = TELL_MAX;
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
		if (send(fd, out.data, out.len, MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t)out.len)
			log_warn("the counts did not fit into the socket");
	}
	buf_fini(&out);
	close(fd);
}

static void adopt(struct service *s, int fd)
{
	struct conn *c = calloc(1, sizeof *c);

	if (s->n == (size_t)s->conf->connections)
		make_room(s);
	if (!c || !(c->ev = loop_fd_new(s->base, fd, readable, c))) {
		free(c);
		close(fd);
		return;
	}
	c->s = s;
	c->fd = fd;
	c->last = ++s->turn;
	s->conns[s->n++] = c;
}

static void acceptable(void *arg)
{
	struct listener *l = arg;
	int fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0 && (errno == EMFILE || errno == ENFILE) && l->s->n > 0)
		make_room(l->s);
	if (fd < 0)
		return;
	if (l->counts)
		tell(l->s, fd);
	else
		adopt(l->s, fd);
}

/* Each second: requests that do not end are cut off, each minute the busy make room. */
static void tick(void *arg)
{
	struct service *s = arg;
	int64_t now = clock_boot_ms();

	for (size_t i = s->n; i-- > 0;)
		if (s->conns[i]->request.bytes > 0 && now - s->conns[i]->began > s->conf->request_ms) {
			s->counts.cut++;
			drop(s->conns[i]);
		}
	if (now / 60000 != s->minute)
		for (int k = 0; k < POLICY_KINDS; k++)
			origins_halve(s->counts.kind[k]);
	s->minute = now / 60000;
	loop_timer_in(s->tick, 1000);
}

static void stop(void *arg, int sig)
{
	struct service *s = arg;

	(void)sig;
	loop_stop(s->base);
}

static bool listen_at(struct service *s, const char *where, bool counts)
{
	struct listener *l = &s->listeners[s->nlisteners];
	char why[200];

	*l = (struct listener){
	    .s = s, .counts = counts, .fd = policy_listen(where, counts ? 0660 : 0666, why, sizeof why)};
	if (l->fd < 0 || !(l->ev = loop_fd_new(s->base, l->fd, acceptable, l))) {
		log_err("cannot listen at %s: %s", where, l->fd < 0 ? why : "out of memory");
		return false;
	}
	s->nlisteners++;
	return true;
}

static bool begin(struct service *s)
{
	char counts[200];

	if (!s->base || !s->conns || !policy_counts_init(&s->counts, clock_boot_ms()) ||
	    !(s->tick = loop_timer_new(s->base, tick, s)))
		return false;
	/* before anybody can reach it: who sees it listen may end it */
	if (!loop_signal(s->base, SIGTERM, stop, s) || !loop_signal(s->base, SIGINT, stop, s))
		return false;
	for (size_t i = 0; i < s->conf->listen.n && i < LISTENERS_MAX; i++)
		if (!listen_at(s, s->conf->listen.v[i], false))
			return false;
	snprintf(counts, sizeof counts, "unix:%s", s->conf->counts);
	return listen_at(s, counts, true);
}

int policy_serve(const struct policy_conf *conf)
{
	static struct service s;
	bool ok;

	s = (struct service){
	    .conf = conf, .base = loop_new(), .conns = calloc((size_t)conf->connections, sizeof *s.conns)};
	ok = begin(&s);
	if (ok) {
		tick(&s);
		loop_run(s.base);
	}
	while (s.n > 0)
		drop(s.conns[0]);
	for (size_t i = 0; i < s.nlisteners; i++) {
		loop_fd_free(s.listeners[i].ev);
		close(s.listeners[i].fd);
	}
	loop_timer_free(s.tick);
	policy_counts_fini(&s.counts);
	free(s.conns);
	if (s.base)
		loop_free(s.base);
	return ok ? 0 : 1;
}
