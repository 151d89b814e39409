/*
 * Serves the prober's connections with one poll loop. Called by prober.c. Promises:
 * never blocks on a connection; ends when standard input ended and all is answered, when
 * standard output is gone, at SIGTERM or SIGINT, and (at a socket, where nobody else can replace
 * this process) with exit code 1 after a run got stuck, so that its unit starts it again.
 */
#include "serve.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/sdnotify.h"
#include "runner.h"
#include "session.h"

enum { LOOK_MS = 10000 };

struct server {
	struct runner *runner;
	struct session *sessions;
	size_t nsessions;
	int listener; /* -1: standard input and output */
	int wake, signals;
	const struct serve_conf *conf;
	bool retiring, stop;
	int code;
};

/* Somebody answers at the address: then it is not ours to take. */
static bool answered(const struct sockaddr_un *a)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool yes = fd >= 0 && connect(fd, (const struct sockaddr *)a, sizeof *a) == 0;

	if (fd >= 0)
		close(fd);
	return yes;
}

static int listen_at(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct stat st;

	if (strlen(path) >= sizeof a.sun_path) {
		log_err("%s: the path is too long for a socket", path);
		return -1;
	}
	memcpy(a.sun_path, path, strlen(path) + 1);
	if (answered(&a)) {
		log_err("%s: another prober answers there", path);
		return -1;
	}
	if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode))
		unlink(path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mode_t old = umask(0007);
	bool ok = fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof a) == 0 && listen(fd, 16) == 0;
	umask(old);
	if (ok)
		return fd;
	log_err("%s: cannot listen: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

static bool add_session(struct server *v, int in, int out)
{
	struct session *s = session_new(in, out, v->wake, v->conf->places, v->runner);

	if (!s)
		return false;
	s->without = v->conf->without;
	s->next = v->sessions;
	v->sessions = s;
	v->nsessions++;
	session_hello(s, v->conf->threads);
	return true;
}

static void accept_one(struct server *v)
{
	int fd = accept4(v->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return;
	if (v->nsessions >= SERVE_SESSIONS_MAX || !add_session(v, fd, fd)) {
		log_err("more than %d connections: one refused", SERVE_SESSIONS_MAX);
		close(fd);
	}
}

/* Fills the poll set: signals, wake, listener, then two entries a session. */
static nfds_t fill(struct server *v, struct pollfd *p)
{
	nfds_t n = 0;

	p[n++] = (struct pollfd){ .fd = v->signals, .events = POLLIN };
	p[n++] = (struct pollfd){ .fd = v->wake, .events = POLLIN };
	p[n++] = (struct pollfd){ .fd = v->listener, .events = POLLIN };
	for (struct session *s = v->sessions; s; s = s->next) {
		p[n++] = (struct pollfd){ .fd = s->eof ? -1 : s->in, .events = POLLIN };
		/* without events: still tells that the other side is gone */
		p[n++] = (struct pollfd){ .fd = atomic_load(&s->dead) ? -1 : s->out,
					  .events = session_has_output(s) ? POLLOUT : 0 };
	}
	return n;
}

static void reap_sessions(struct server *v)
{
	struct session **link = &v->sessions, *s;

	while ((s = *link)) {
		if (!session_over(s)) {
			link = &s->next;
			continue;
		}
		*link = s->next;
		v->nsessions--;
		if (v->listener < 0) {
			v->stop = true;
			v->code = atomic_load(&s->dead) ? 1 : 0;
		}
		session_free(s);
	}
}

static void handle(struct server *v, const struct pollfd *p)
{
	uint64_t count;
	struct signalfd_siginfo si;

	if ((p[1].revents & POLLIN) && read(v->wake, &count, sizeof count) < 0)
		log_debug("eventfd: %s", strerror(errno));
	if ((p[0].revents & POLLIN) && read(v->signals, &si, sizeof si) == (ssize_t)sizeof si) {
		log_notice("signal %u: ending", si.ssi_signo);
		v->stop = true;
	}
	/* new sessions come to the front of the list: the others first, while the order is that of the set */
	size_t i = 3;
	for (struct session *s = v->sessions; s; s = s->next, i += 2) {
		if (p[i].revents)
			session_read(s);
		if (p[i + 1].revents & (POLLERR | POLLHUP | POLLNVAL))
			atomic_store(&s->dead, true);
		else if (p[i + 1].revents & POLLOUT)
			session_flush(s);
	}
	if (p[2].revents & POLLIN)
		accept_one(v);
}

/* At a socket nobody else can replace this process: when a run is stuck it ends by itself as soon as all is
 * answered. */
static void retire(struct server *v)
{
	bool busy = false;

	for (struct session *s = v->sessions; s; s = s->next)
		v->retiring = v->retiring || atomic_load(&s->retired);
	if (!v->retiring || v->listener < 0)
		return;
	for (struct session *s = v->sessions; s; s = s->next) {
		session_tell_release(s);
		busy = busy || session_is_held(s) || session_has_output(s);
	}
	if (busy)
		return;
	log_warn("a run is stuck: ending, so that a new prober can be started");
	v->stop = true;
	v->code = 1;
}

/* Nobody listens any more, or nobody has spoken for long: monitord does every few seconds. */
static void leave(struct server *v)
{
	const struct session *s = v->sessions;
	if (!v->conf->leaves || !s)
		return;
	bool silent = clock_boot_ms() - s->heard_ms > SERVE_SILENCE_MS;
	if (silent)
		log_warn("nothing came for %d min: ending", SERVE_SILENCE_MS / 60000);
	v->stop = v->stop || silent || s->eof;
}

static void loop(struct server *v)
{
	struct pollfd p[3 + 2 * SERVE_SESSIONS_MAX];

	while (!v->stop) {
		nfds_t n = fill(v, p);
		if (poll(p, n, v->conf->leaves ? LOOK_MS : -1) > 0)
			handle(v, p);
		leave(v);
		retire(v);
		reap_sessions(v);
	}
}

static int block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL); /* before any thread: all inherit it */
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Each run may need a few descriptors, and a plugin's run three. */
static void raise_files(size_t threads)
{
	struct rlimit files;
	rlim_t want = 256 + threads * 8;

	if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur >= want)
		return;
	files.rlim_cur = files.rlim_max < want ? files.rlim_max : want;
	setrlimit(RLIMIT_NOFILE, &files);
}

static bool init(struct server *v, const char *path)
{
	char why[200] = "";

	raise_files(v->conf->threads);
	v->signals = block_signals();
	v->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	for (size_t i = 0; probes_all[i]; i++)
		if (request_place_ok(probes_all[i], v->conf->places) && probes_all[i]->global_init)
			probes_all[i]->global_init();
	v->runner = runner_new(v->conf->threads, &session_calls, why, sizeof why);
	if (v->signals < 0 || v->wake < 0 || !v->runner) {
		log_err("cannot start: %s", *why ? why : strerror(errno));
		return false;
	}
	if (path)
		v->listener = listen_at(path);
	return path ? v->listener >= 0 : add_session(v, STDIN_FILENO, STDOUT_FILENO);
}

int serve(const struct serve_conf *conf)
{
	const char *path = conf->path;
	struct server v = { .listener = -1, .conf = conf };

	if (!init(&v, path))
		return 1;
	sdnotify("READY=1");
	loop(&v);
	if (path)
		unlink(path);
	/* whatever runs on is nobody's business any more; plugins are killed when this process is gone */
	int code = v.code;
	for (struct session *s = v.sessions; s; s = s->next)
		atomic_store(&s->dead, true);
	reap_sessions(&v);
	if (v.sessions || !runner_free(v.runner, 500))
		_exit(code);
	close(v.wake);
	close(v.signals);
	if (v.listener >= 0)
		close(v.listener);
	return code;
}
