/* See simcontrol.h. For simmodem_main.c. */
#include "simcontrol.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

void simcontrol_init(struct simcontrol *p)
{
	p->listener = -1;
	for (int i = 0; i < SIMCONTROL_MAX; i++)
		p->v[i].fd = -1;
}

int simcontrol_listen(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || strlen(path) >= sizeof(a.sun_path))
		return -1;
	memcpy(a.sun_path, path, strlen(path) + 1);
	unlink(path);
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0 && listen(fd, SIMCONTROL_MAX) == 0)
		return fd;
	close(fd);
	return -1;
}

void simcontrol_accept(struct simcontrol *p)
{
	int fd = accept4(p->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	for (int i = 0; fd >= 0 && i < SIMCONTROL_MAX; i++) {
		if (p->v[i].fd < 0) {
			p->v[i].fd = fd;
			p->v[i].len = 0;
			return;
		}
	}
	if (fd >= 0)
		close(fd);
}

static void control_line(struct simclient *c, simcontrol_answer *say, void *arg)
{
	struct buf answer;

	buf_init(&answer, 4096);
	say(arg, c->line, &answer);
	if (write(c->fd, buf_str(&answer), answer.len) < 0)
		fprintf(stderr, "simmodem: a control answer was not read\n");
	buf_fini(&answer);
}

void simcontrol_read(struct simclient *c, simcontrol_answer *say, void *arg)
{
	char b[512];
	ssize_t n = read(c->fd, b, sizeof(b));

	if (n <= 0 && (n == 0 || (errno != EAGAIN && errno != EINTR))) {
		close(c->fd);
		c->fd = -1;
	}
	for (ssize_t i = 0; i < n; i++) {
		if (b[i] == '\n') {
			c->line[c->len] = '\0';
			c->len = 0;
			control_line(c, say, arg);
		} else if (c->len + 1 < sizeof(c->line)) {
			c->line[c->len++] = b[i];
		}
	}
}
