/*
 * Asking a running Postfix for its queue over the socket public/showq, where the spool may not be read (group
 * postdrop is enough for that). It reads every queue file before it answers, so this is slow: some 3 s for
 * 100,000 messages.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/clock.h"
#include "showq.h"

struct asked {
	struct queue_instance *in;
	const struct queue_asking *a;
};

static void message(void *arg, const char *queue, const struct queue_message *m)
{
	const struct asked *as = arg;

	for (int q = 0; q < PQ_N; q++) {
		if (strcmp(queue, postfix_queue_name((enum postfix_queue)q)) != 0)
			continue;
		as->in->count[q].n++;
		as->a->message(as->a->arg, (size_t)q, m);
	}
}

/* Adds what showq said to the reason why the spool could not be read. */
static bool no(struct queue_instance *in, const char *why)
{
	size_t n = strlen(in->trouble);

	snprintf(in->trouble + n, sizeof(in->trouble) - n, "; nor does %s/public/showq tell: %s", in->dir,
		 why);
	return false;
}

static int open_socket(struct queue_instance *in)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	/* by its descriptor: the path of a spool may be longer than a socket's may */
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	snprintf(to.sun_path, sizeof(to.sun_path), "/proc/self/fd/%d/public/showq", in->fd);
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
		int error = errno;

		close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

/* At most `size` bytes: how many, 0 at the end, -1 with a reason. */
static ssize_t take(int fd, char *to, size_t size, int64_t deadline, const char **why)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	ssize_t n;

	do {
		int64_t left = deadline - clock_boot_ms();

		if (left <= 0) {
			*why = "the time was up before the list was whole";
			return -1;
		}
		if (poll(&p, 1, left > 1000 ? 1000 : (int)left) < 0 && errno != EINTR)
			break;
		n = recv(fd, to, size, 0);
		if (n >= 0)
			return n;
	} while (errno == EAGAIN || errno == EINTR);
	*why = strerror(errno);
	return -1;
}

static bool listen_to(int fd, struct showq *q, struct queue_instance *in, int64_t deadline, char *text)
{
	for (;;) {
		const char *why = "it closed before the list was whole";
		ssize_t n = take(fd, text, QUEUE_TEXT_MAX, deadline, &why);

		if (n <= 0)
			return no(in, why);
		switch (showq_feed(q, text, (size_t)n)) {
		case SHOWQ_GOES_ON:
			break;
		case SHOWQ_DONE:
			return true;
		case SHOWQ_FOREIGN:
			return no(in, "it sends no list that we know");
		}
	}
}

bool showq_ask(struct queue_instance *in, const struct queue_asking *a, char *text)
{
	struct asked as = {.in = in, .a = a};
	struct showq q = {.message = message, .sink = a->sink, .arg = &as};
	int fd = open_socket(in);
	bool ok;

	if (fd < 0)
		return no(in, strerror(errno));
	ok = listen_to(fd, &q, in, a->deadline, text);
	close(fd);
	return ok;
}
