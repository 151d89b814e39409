/*
 * The nursery; see nursery.h. Called by the exec probe. The request is one message of
 * NUL-terminated texts with three descriptors beside it. The nursery's own process calls
 * only what is allowed after a fork, because it may have to be forked again later, when
 * there are threads.
 */
#include "nursery.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guard.h"

enum { TEXTS_MAX = 1024 };

static pthread_mutex_t nursery_lock = PTHREAD_MUTEX_INITIALIZER;
static int nursery_socket = -1;

/* --- in the nursery's process ------------------------------------------------------------------------ */

struct request_head {
	uint32_t nargv, nenv;
};

/* Splits the texts behind the head; false when they are not what the head says. */
static bool unpack(char *bytes, size_t len, char **texts, struct guard_job *job)
{
	struct request_head head;
	size_t n = 0, at = sizeof head;

	if (len < sizeof head || bytes[len - 1] != '\0')
		return false;
	memcpy(&head, bytes, sizeof head);
	if (head.nargv < 1 || head.nargv + head.nenv + 3 > TEXTS_MAX)
		return false;
	job->argv = texts;
	job->env = texts + head.nargv + 1;
	while (at < len && n < TEXTS_MAX - 2) {
		while (n == head.nargv || n == head.nargv + 1 + head.nenv)
			texts[n++] = NULL;
		texts[n++] = bytes + at;
		at += strlen(bytes + at) + 1;
	}
	if (n != head.nargv + head.nenv + 3)
		return false;
	job->directory = texts[n - 1];
	return true;
}

static bool take_descriptors(struct msghdr *msg, struct guard_job *job)
{
	int fds[3];
	struct cmsghdr *c = CMSG_FIRSTHDR(msg);

	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS ||
	    c->cmsg_len != CMSG_LEN(sizeof fds))
		return false;
	memcpy(fds, CMSG_DATA(c), sizeof fds);
	job->control = fds[0];
	job->out = fds[1];
	job->err = fds[2];
	return true;
}

static void start_guard(int sock, struct guard_job *job)
{
	pid_t pid = fork();

	if (pid == 0) {
		close(sock);
		guard_run(job);
	}
	if (pid < 0) {
		struct guard_message m = { .kind = GUARD_NOT_STARTED, .value = errno, .step = "fork" };
		send(job->control, &m, sizeof m, MSG_NOSIGNAL);
	}
	close(job->control);
	close(job->out);
	close(job->err);
}

static _Noreturn void nursery_run(int sock)
{
	static char bytes[NURSERY_MESSAGE_MAX];
	static char *texts[TEXTS_MAX];
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(3 * sizeof(int))];
	} control;

	for (;;) {
		struct iovec iov = { bytes, sizeof bytes };
		struct msghdr msg = { .msg_iov = &iov,
				      .msg_iovlen = 1,
				      .msg_control = &control,
				      .msg_controllen = sizeof control };
		struct guard_job job;
		ssize_t n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			_exit(0); /* the prober is gone */
		if (!take_descriptors(&msg, &job))
			continue;
		if (unpack(bytes, (size_t)n, texts, &job)) {
			start_guard(sock, &job);
		} else {
			close(job.control);
			close(job.out);
			close(job.err);
		}
	}
}

/* Own session: the prober's group may be killed while plugins must still be cleaned up. */
static _Noreturn void nursery_begin(int sock)
{
	sigset_t none;

	setsid();
	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	signal(SIGCHLD, SIG_IGN); /* guards are reaped by the kernel */
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_NAME, "prober-nursery");
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = 0; fd <= 2 && null >= 0; fd++)
		dup2(null, fd);
	sock = dup2(sock, 3) == 3 ? 3 : sock;
	if (sock == 3)
		close_range(4, ~0U, 0);
	fcntl(sock, F_SETFD, FD_CLOEXEC);
	if (chdir("/") != 0)
		_exit(1);
	nursery_run(sock);
}

/* --- in the prober ----------------------------------------------------------------------------------- */

/* With the lock held (or before there are threads). */
static bool start_nursery(void)
{
	int pair[2], big = 4 * NURSERY_MESSAGE_MAX;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return false;
	setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &big, sizeof big);
	pid_t pid = fork();
	if (pid == 0) {
		/* a child of a child: the prober has nothing to reap but this one */
		if (fork() == 0)
			nursery_begin(pair[1]);
		_exit(0);
	}
	close(pair[1]);
	if (pid < 0) {
		close(pair[0]);
		return false;
	}
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (nursery_socket >= 0)
		close(nursery_socket);
	nursery_socket = pair[0];
	return true;
}

void nursery_init(void)
{
	pthread_mutex_lock(&nursery_lock);
	if (nursery_socket < 0)
		start_nursery();
	pthread_mutex_unlock(&nursery_lock);
}

static bool put_text(char *bytes, size_t *len, const char *text)
{
	size_t n = strlen(text) + 1;

	if (*len + n > NURSERY_MESSAGE_MAX)
		return false;
	memcpy(bytes + *len, text, n);
	*len += n;
	return true;
}

/* The message's length, 0 when it is too long. */
static size_t pack(char *const *argv, char *const *env, const char *directory, char *bytes)
{
	struct request_head head = { 0 };
	size_t len = sizeof head;

	for (; argv[head.nargv]; head.nargv++)
		if (!put_text(bytes, &len, argv[head.nargv]))
			return 0;
	for (; env[head.nenv]; head.nenv++)
		if (!put_text(bytes, &len, env[head.nenv]))
			return 0;
	if (head.nargv + head.nenv + 3 > TEXTS_MAX || !put_text(bytes, &len, directory))
		return 0;
	memcpy(bytes, &head, sizeof head);
	return len;
}

static bool send_request(char *bytes, size_t len, const int fds[3])
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(3 * sizeof(int))];
	} control;
	struct iovec iov = { bytes, len };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control
	};
	ssize_t n;

	memset(&control, 0, sizeof control);
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(3 * sizeof(int));
	memcpy(CMSG_DATA(c), fds, 3 * sizeof(int));
	do
		n = sendmsg(nursery_socket, &msg, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)len;
}

static bool deliver(char *bytes, size_t len, const int fds[3], char *why, size_t size)
{
	pthread_mutex_lock(&nursery_lock);
	bool ok = (nursery_socket >= 0 && send_request(bytes, len, fds)) ||
		  (start_nursery() && send_request(bytes, len, fds));
	if (!ok)
		snprintf(why, size, "cannot reach the process that starts plugins: %s", strerror(errno));
	pthread_mutex_unlock(&nursery_lock);
	return ok;
}

/* control, out, err: ours in mine, the guard's in theirs. */
static bool make_pipes(int mine[3], int theirs[3])
{
	int p[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, p) != 0)
		return false;
	mine[0] = p[0], theirs[0] = p[1];
	for (int i = 1; i < 3; i++) {
		if (pipe2(p, O_CLOEXEC) != 0)
			return false;
		mine[i] = p[0], theirs[i] = p[1];
		fcntl(mine[i], F_SETFL, O_NONBLOCK);
	}
	return true;
}

static void close_all(int fds[3])
{
	for (int i = 0; i < 3; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

bool nursery_spawn(char *const *argv, char *const *env, const char *directory, struct nursery_child *child,
		   char *why, size_t size)
{
	int mine[3] = { -1, -1, -1 }, theirs[3] = { -1, -1, -1 };
	char *bytes = malloc(NURSERY_MESSAGE_MAX);
	size_t len = bytes ? pack(argv, env, directory, bytes) : 0;
	bool ok = false;

	if (len == 0)
		snprintf(why, size,
			 bytes ? "the command and its environment are longer than 64 KiB" : "out of memory");
	else if (!make_pipes(mine, theirs))
		snprintf(why, size, "cannot make a pipe: %s", strerror(errno));
	else
		ok = deliver(bytes, len, theirs, why, size);
	close_all(theirs);
	if (ok)
		*child = (struct nursery_child){ mine[0], mine[1], mine[2] };
	else
		close_all(mine);
	free(bytes);
	return ok;
}

void nursery_child_close(struct nursery_child *child)
{
	close_all((int[]){ child->control, child->out, child->err });
}
