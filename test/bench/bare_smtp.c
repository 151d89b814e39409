/*
 * The least a program can do for an SMTP check: connect, greeting, EHLO, QUIT, in one epoll loop, nothing
 * measured or explained. What the smtp probe's cost is compared with.
 *
 *   bare_smtp PORT SESSIONS AT_ONCE     prints: CPU microseconds a session, sessions that went well
 */
#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { INPUT = 2048, FD_MAX = 4096 };

struct session {
	enum { GREETING, EHLO, QUIT } phase;
	char text[INPUT];
	size_t n;
};

static struct session sessions[FD_MAX];
static struct sockaddr_in server;
static int epoll;
static long started, good, over;

static void start(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};

	if (fd < 0 || fd >= FD_MAX)
		exit(1);
	sessions[fd].phase = GREETING;
	sessions[fd].n = 0;
	(void)!connect(fd, (struct sockaddr *)&server, sizeof(server)); /* a failure shows when it is read */
	epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e);
	started++;
}

/* A whole reply: its last line has a blank behind the code. */
static bool complete(const struct session *s)
{
	const char *last = s->text, *p;

	if (s->n < 4 || s->text[s->n - 1] != '\n')
		return false;
	for (p = s->text; p < s->text + s->n - 1; p++)
		if (*p == '\n')
			last = p + 1;
	return last[3] == ' ';
}

/* False when the session is over. */
static bool turn(int fd)
{
	static const char *const say[] = {"EHLO bench.example\r\n", "QUIT\r\n"};
	struct session *s = &sessions[fd];
	ssize_t n = read(fd, s->text + s->n, INPUT - s->n);

	if (n <= 0)
		return false;
	s->n += (size_t)n;
	if (!complete(s))
		return s->n < INPUT;
	if (s->text[0] != '2')
		return false;
	if (s->phase == QUIT) {
		good++;
		return false;
	}
	if (send(fd, say[s->phase], strlen(say[s->phase]), MSG_NOSIGNAL) < 0)
		return false;
	s->phase++;
	s->n = 0;
	return true;
}

int main(int argc, char **argv)
{
	struct epoll_event e[64];
	struct timespec cpu;
	long count, i;

	if (argc != 4)
		return 2;
	server = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[1]))};
	server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	count = atol(argv[2]);
	epoll = epoll_create1(EPOLL_CLOEXEC);
	for (i = atol(argv[3]); i > 0 && started < count; i--)
		start();
	while (over < count) {
		int k, n = epoll_wait(epoll, e, 64, -1);

		for (k = 0; k < n; k++) {
			if (turn(e[k].data.fd))
				continue;
			close(e[k].data.fd);
			over++;
			if (started < count)
				start();
		}
	}
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
	printf("%.3f %ld\n", ((double)cpu.tv_sec * 1e6 + (double)cpu.tv_nsec / 1e3) / (double)count, good);
	return 0;
}
