/* Glue over libevent; see loop.h. Timers run on CLOCK_MONOTONIC inside libevent; deadlines are kept by callers. */
#include "loop.h"

#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>

enum { LOOP_SIGNALS = 16 };

struct loop_signal {
	struct event *ev;
	void (*f)(void *arg, int sig);
	void *arg;
};

static struct loop_signal signals[LOOP_SIGNALS];
static int nsignals;

struct event_base *loop_new(void)
{
	signal(SIGPIPE, SIG_IGN);
	return event_base_new();
}

void loop_run(struct event_base *base)
{
	event_base_dispatch(base);
}

void loop_stop(struct event_base *base)
{
	event_base_loopbreak(base);
}

void loop_free(struct event_base *base)
{
	for (int i = 0; i < nsignals; i++)
		event_free(signals[i].ev);
	nsignals = 0;
	event_base_free(base);
}

static void on_signal(evutil_socket_t sig, short what, void *arg)
{
	struct loop_signal *s = arg;
	(void)what;
	s->f(s->arg, (int)sig);
}

bool loop_signal(struct event_base *base, int sig, void (*f)(void *arg, int sig), void *arg)
{
	if (nsignals == LOOP_SIGNALS)
		return false;
	struct loop_signal *s = &signals[nsignals];
	*s = (struct loop_signal){ .f = f, .arg = arg };
	s->ev = evsignal_new(base, sig, on_signal, s);
	if (!s->ev || event_add(s->ev, NULL) != 0)
		return false;
	nsignals++;
	return true;
}

struct loop_timer {
	struct event *ev;
	void (*f)(void *arg);
	void *arg;
};

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct loop_timer *t = arg;
	(void)fd;
	(void)what;
	t->f(t->arg);
}

struct loop_timer *loop_timer_new(struct event_base *base, void (*f)(void *arg), void *arg)
{
	struct loop_timer *t = malloc(sizeof *t);
	if (!t)
		return NULL;
	*t = (struct loop_timer){ .f = f, .arg = arg };
	t->ev = evtimer_new(base, on_timer, t);
	if (!t->ev) {
		free(t);
		return NULL;
	}
	return t;
}

void loop_timer_in(struct loop_timer *t, int64_t ms)
{
	if (ms < 0)
		ms = 0;
	struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };
	evtimer_add(t->ev, &tv);
}

void loop_timer_off(struct loop_timer *t)
{
	evtimer_del(t->ev);
}

void loop_timer_free(struct loop_timer *t)
{
	if (!t)
		return;
	event_free(t->ev);
	free(t);
}

struct loop_fd {
	struct event *ev;
	void (*f)(void *arg);
	void *arg;
};

static void on_fd(evutil_socket_t fd, short what, void *arg)
{
	struct loop_fd *f = arg;
	(void)fd;
	(void)what;
	f->f(f->arg);
}

struct loop_fd *loop_fd_new(struct event_base *base, int fd, void (*f)(void *arg), void *arg)
{
	struct loop_fd *l = malloc(sizeof *l);
	if (!l)
		return NULL;
	*l = (struct loop_fd){ .f = f, .arg = arg };
	l->ev = event_new(base, fd, EV_READ | EV_PERSIST, on_fd, l);
	if (!l->ev || event_add(l->ev, NULL) != 0) {
		if (l->ev)
			event_free(l->ev);
		free(l);
		return NULL;
	}
	return l;
}

void loop_fd_free(struct loop_fd *f)
{
	if (!f)
		return;
	event_free(f->ev);
	free(f);
}
