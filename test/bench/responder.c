/*
 * An SMTP server that costs next to nothing, for load: one epoll loop, no DNS, no log. Prints its port, then obeys
 * lines on standard input and ends with it.
 *
 *   responder talk|silent|tls-silent      silent: accepts and says nothing; tls-silent: up to "220" to STARTTLS
 *
 *   count            -> accepted N finished M open K
 *   refuse           -> after the next session that ends with QUIT the port refuses: "refusing MONOTONIC_NS"
 *   listen           -> listens on the same port again: "listening"
 *
 * It listens on all of 127.0.0.0/8, so that a thousand hosts can be had.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CLIENTS_MAX = 65536, INPUT = 512, EVENTS = 256, BACKLOG = 4096 };

struct client {
	char line[INPUT];
	size_t n;
	bool open, deaf;
};

static struct client *clients; /* by descriptor */
static enum { TALK, SILENT, TLS_SILENT } mode;
static int epoll, listener = -1;
static uint16_t port;
static long accepted, finished, open_now;
static bool refuse_next;

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void watch(int fd)
{
	struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e) != 0)
		fail("epoll_ctl");
}

static void start_listening(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
	socklen_t len = sizeof(a);
	int one = 1;

	listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	a.sin_addr.s_addr = htonl(INADDR_ANY);
	if (bind(listener, (struct sockaddr *)&a, sizeof(a)) != 0 || listen(listener, BACKLOG) != 0)
		fail("listen");
	getsockname(listener, (struct sockaddr *)&a, &len);
	port = ntohs(a.sin_port);
	watch(listener);
}

static void stop_listening(void)
{
	struct timespec t;

	close(listener);
	listener = -1;
	refuse_next = false;
	clock_gettime(CLOCK_MONOTONIC, &t);
	printf("refusing %lld\n", (long long)t.tv_sec * 1000000000 + t.tv_nsec);
}

static void say(int fd, const char *text)
{
	if (send(fd, text, strlen(text), MSG_NOSIGNAL) < 0 && errno != EPIPE && errno != ECONNRESET)
		fail("send");
}

static void accept_all(void)
{
	int fd, one = 1;

	while (listener >= 0 && (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		if (fd >= CLIENTS_MAX)
			exit(1);
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		clients[fd] = (struct client){.open = true, .deaf = mode == SILENT};
		accepted++;
		open_now++;
		watch(fd);
		if (mode != SILENT)
			say(fd, "220 bench.example ESMTP ready\r\n");
	}
}

static void hang_up(int fd)
{
	clients[fd].open = false;
	open_now--;
	close(fd);
}

/* False when the session is over. */
static bool obey(int fd, const char *line)
{
	if (strncasecmp(line, "QUIT", 4) == 0) {
		/* first the port, then the answer: whoever has the answer finds the port closed */
		if (refuse_next)
			stop_listening();
		say(fd, "221 2.0.0 Bye\r\n");
		finished++;
		return false;
	}
	if (strncasecmp(line, "EHLO", 4) == 0) {
		say(fd, mode == TLS_SILENT
				? "250-bench.example\r\n250-PIPELINING\r\n250-SIZE 10240000\r\n250-STARTTLS\r\n250 8BITMIME\r\n"
				: "250-bench.example\r\n250-PIPELINING\r\n250-SIZE 10240000\r\n250-ENHANCEDSTATUSCODES\r\n250 8BITMIME\r\n");
	} else if (strncasecmp(line, "STARTTLS", 8) == 0 && mode == TLS_SILENT) {
		say(fd, "220 2.0.0 Ready to start TLS\r\n");
		clients[fd].deaf = true;
	} else {
		say(fd, "250 2.0.0 Ok\r\n");
	}
	return true;
}

static void hear(int fd)
{
	struct client *c = &clients[fd];
	ssize_t n = read(fd, c->line + c->n, sizeof(c->line) - 1 - c->n);
	char *end;

	if (n <= 0) {
		if (n == 0 || errno != EAGAIN)
			hang_up(fd);
		return;
	}
	if (c->deaf)
		return;
	c->n += (size_t)n;
	c->line[c->n] = '\0';
	while (!c->deaf && (end = strchr(c->line, '\n'))) {
		if (!obey(fd, c->line)) {
			hang_up(fd);
			return;
		}
		c->n -= (size_t)(end + 1 - c->line);
		memmove(c->line, end + 1, c->n + 1);
	}
	if (c->deaf || c->n == sizeof(c->line) - 1)
		c->n = 0;
}

static void order(void)
{
	char line[64];
	ssize_t n = read(STDIN_FILENO, line, sizeof(line) - 1);

	if (n <= 0)
		exit(0);
	line[n] = '\0';
	if (strncmp(line, "count", 5) == 0) {
		printf("accepted %ld finished %ld open %ld\n", accepted, finished, open_now);
	} else if (strncmp(line, "refuse", 6) == 0) {
		refuse_next = true;
	} else if (strncmp(line, "listen", 6) == 0 && listener < 0) {
		start_listening();
		puts("listening");
	}
}

int main(int argc, char **argv)
{
	struct rlimit files;
	struct epoll_event e[EVENTS];
	int i, n;

	if (argc != 2)
		return 2;
	mode = strcmp(argv[1], "silent") == 0 ? SILENT : strcmp(argv[1], "tls-silent") == 0 ? TLS_SILENT : TALK;
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	setvbuf(stdout, NULL, _IOLBF, 0);
	clients = calloc(CLIENTS_MAX, sizeof(*clients));
	epoll = epoll_create1(EPOLL_CLOEXEC);
	if (!clients || epoll < 0)
		fail("start");
	start_listening();
	watch(STDIN_FILENO);
	printf("%u\n", port);
	for (;;) {
		n = epoll_wait(epoll, e, EVENTS, -1);
		for (i = 0; i < n; i++) {
			if (e[i].data.fd == listener)
				accept_all();
			else if (e[i].data.fd == STDIN_FILENO)
				order();
			else if (clients[e[i].data.fd].open)
				hear(e[i].data.fd);
		}
	}
}
