/*
 * Runs one of our own programs for the configuration loader: OPTION as its only
 * argument, text in, text out. It promises to come back within the deadline (and a little), with the
 * child's whole process group killed and the child reaped, and never to take more than the output's
 * maximum. Between fork and exec only async-signal-safe calls are made: daemons with threads call this.
 */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/clock.h"

enum { STDERR_MAX = 4096, ENV_MAX = 6, POLL_BLIND_MS = 20 };

struct child {
	pid_t pid;
	int pidfd;        /* -1: the kernel has none; then it is asked every 20 ms */
	int in, out, err; /* our ends; -1 once closed */
	const struct buf *input;
	size_t sent;
	struct buf *output;
	struct buf errors; /* the start of what it said on stderr */
	bool ended;
	int status; /* of wait; -1: somebody else reaped it */
};

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Chosen, not inherited; what is in it was made before the fork. */
struct environment {
	char *v[ENV_MAX + 1];
	char tz[64], credentials[256];
};

static void make_environment(struct environment *e)
{
	const char *tz = getenv("TZ"), *credentials = getenv("CREDENTIALS_DIRECTORY");
	size_t n = 0;
	e->v[n++] = (char *)"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	e->v[n++] = (char *)"LANG=C";
	if (tz && snprintf(e->tz, sizeof(e->tz), "TZ=%s", tz) < (int)sizeof(e->tz))
		e->v[n++] = e->tz;
	if (credentials && snprintf(e->credentials, sizeof(e->credentials), "CREDENTIALS_DIRECTORY=%s",
				    credentials) < (int)sizeof(e->credentials))
		e->v[n++] = e->credentials;
	e->v[n] = NULL;
}

/* In the child. fds are above 2 and close on exec. */
static void become(const char *path, char *const *argv, char *const *env, const int *fds)
{
	struct sigaction dfl = {.sa_handler = SIG_DFL};
	sigset_t none;
	setpgid(0, 0);
	for (int sig = 1; sig < NSIG; sig++)
		sigaction(sig, &dfl, NULL);
	for (int i = 0; i < 3; i++)
		if (dup2(fds[i], i) < 0)
			_exit(127);
	close_range(3, ~0U, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execve(path, argv, env);
	_exit(127);
}

/* A pair whose ends are above 2 even in a process without stdin or stdout. ours: non-blocking. */
static bool make_pair(int *ours, int *theirs)
{
	int sv[2];
	*ours = *theirs = -1;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv) != 0)
		return false;
	*ours = fcntl(sv[0], F_DUPFD_CLOEXEC, 3);
	*theirs = fcntl(sv[1], F_DUPFD_CLOEXEC, 3);
	close(sv[0]);
	close(sv[1]);
	return *ours >= 0 && *theirs >= 0 && fcntl(*ours, F_SETFL, O_NONBLOCK) == 0;
}

static bool start(struct child *c, const char *path, const char *option)
{
	char *argv[] = {(char *)path, (char *)option, NULL};
	struct environment env;
	int fds[3] = {-1, -1, -1};
	sigset_t all, before;
	bool ok = make_pair(&c->in, &fds[0]);

	ok = make_pair(&c->out, &fds[1]) && ok;
	ok = make_pair(&c->err, &fds[2]) && ok;
	make_environment(&env);
	if (ok) {
		/* no handler of the daemon may run in the child */
		sigfillset(&all);
		pthread_sigmask(SIG_SETMASK, &all, &before);
		c->pid = fork();
		if (c->pid == 0)
			become(path, argv, env.v, fds);
		pthread_sigmask(SIG_SETMASK, &before, NULL);
		ok = c->pid > 0;
	}
	int saved = errno;
	for (int i = 0; i < 3; i++)
		close_fd(&fds[i]);
	if (ok) {
		setpgid(c->pid, c->pid); /* whoever of the two is first */
		c->pidfd = pidfd_open(c->pid, 0);
	}
	errno = saved;
	return ok;
}

static void feed(struct child *c)
{
	while (c->in >= 0) {
		size_t left = c->input ? c->input->len - c->sent : 0;
		ssize_t n = left ? send(c->in, c->input->data + c->sent, left, MSG_NOSIGNAL) : 0;
		if (n > 0) {
			c->sent += (size_t)n;
			continue;
		}
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		close_fd(&c->in); /* all sent, or nobody reads */
	}
}

/* Reads what is there. What does not fit ends the reading, or is thrown away. */
static void drain(int *fd, struct buf *to, bool throw_away)
{
	char chunk[16384];
	while (*fd >= 0) {
		ssize_t n = read(*fd, chunk, sizeof(chunk));
		if (n > 0) {
			buf_add_cut(to, chunk, (size_t)n);
			if (to->full && !throw_away)
				return;
		} else if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
			return;
		} else {
			close_fd(fd);
		}
	}
}

/* Looks whether it ended; kills its group while its id is still its own, then reaps. */
static void look(struct child *c)
{
	siginfo_t info = {.si_pid = 0};
	if (waitid(P_PID, (id_t)c->pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0) {
		c->ended = errno == ECHILD;
		c->status = -1;
		return;
	}
	if (info.si_pid != c->pid)
		return;
	kill(-c->pid, SIGKILL);
	if (waitpid(c->pid, &c->status, 0) < 0)
		c->status = -1;
	c->ended = true;
}

static void put_down(struct child *c)
{
	if (!c->ended) {
		kill(-c->pid, SIGKILL);
		kill(c->pid, SIGKILL);
		while (waitpid(c->pid, &c->status, 0) < 0 && errno == EINTR)
			;
		c->ended = true;
	}
}

/* One wait for anything to happen. */
static void wait_some(struct child *c, int64_t left_ms)
{
	struct pollfd p[] = {
		{.fd = c->in, .events = POLLOUT},
		{.fd = c->out, .events = POLLIN},
		{.fd = c->err, .events = POLLIN},
		{.fd = c->pidfd, .events = POLLIN},
	};
	if (c->pidfd < 0 && left_ms > POLL_BLIND_MS)
		left_ms = POLL_BLIND_MS;
	poll(p, sizeof(p) / sizeof(p[0]), (int)left_ms);
}

/* False: it was late or said too much. */
static bool talk(struct child *c, int64_t deadline)
{
	for (;;) {
		look(c); /* before reading: what it said before its end is then there to be read */
		feed(c);
		drain(&c->out, c->output, false);
		drain(&c->err, &c->errors, true);
		if (c->ended || c->output->full)
			return !c->output->full;
		int64_t left = deadline - clock_boot_ms();
		if (left <= 0)
			return false;
		wait_some(c, left);
	}
}

/* How it ended, for people, with the first line of its stderr. */
static bool judge(struct child *c, bool talked, int timeout_ms, char *why, size_t size)
{
	char how[80];
	if (!talked && c->output->full)
		snprintf(how, sizeof(how), "said more than %zu KiB", c->output->max / 1024);
	else if (!talked)
		snprintf(how, sizeof(how), "did not end within %g s", timeout_ms / 1000.0);
	else if (c->status == -1 || (WIFEXITED(c->status) && WEXITSTATUS(c->status) == 0))
		return true;
	else if (WIFSIGNALED(c->status))
		snprintf(how, sizeof(how), "was killed by signal %d", WTERMSIG(c->status));
	else if (WEXITSTATUS(c->status) == 127)
		snprintf(how, sizeof(how), "could not be started");
	else
		snprintf(how, sizeof(how), "exited %d", WEXITSTATUS(c->status));
	const char *said = buf_str(&c->errors);
	int len = (int)strcspn(said, "\n");
	snprintf(why, size, "%s%s%.*s", how, len ? ": " : "", len > 200 ? 200 : len, said);
	return false;
}

bool config_run(const char *path, const char *option, const struct buf *input, int timeout_ms,
		struct buf *out, char *why, size_t size)
{
	struct child c = {.in = -1, .out = -1, .err = -1, .pidfd = -1, .input = input, .output = out};
	int64_t deadline = clock_boot_ms() + timeout_ms;
	bool ok = false;

	buf_init(&c.errors, STDERR_MAX);
	if (access(path, X_OK) != 0) {
		snprintf(why, size, "cannot be run: %s", strerror(errno));
	} else if (!start(&c, path, option)) {
		snprintf(why, size, "cannot be started: %s", strerror(errno));
	} else {
		bool talked = talk(&c, deadline);
		put_down(&c);
		ok = judge(&c, talked, timeout_ms, why, size);
	}
	close_fd(&c.in);
	close_fd(&c.out);
	close_fd(&c.err);
	close_fd(&c.pidfd);
	buf_fini(&c.errors);
	return ok;
}
