/*
 * Asks the helper that has the right to cut a modem's USB or power (drivers/reset/) to do so. For modem.c.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/clock.h"
#include "modem.h"

enum { HELPER_MS = 20000 };

static int connect_to(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd;

	if (strlen(path) >= sizeof(a.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(a.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof(a)) != 0) {
		int e = errno;

		close(fd);
		errno = e;
		return -1;
	}
	return fd;
}

static bool read_line(int fd, char *out, size_t size)
{
	int64_t deadline = clock_boot_ms() + HELPER_MS;
	size_t n = 0;

	while (n + 1 < size) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		int64_t left = deadline - clock_boot_ms();
		ssize_t got;

		if (left <= 0 || poll(&p, 1, (int)left) <= 0)
			break;
		got = read(fd, out + n, 1);
		if (got != 1 || out[n] == '\n')
			break;
		n++;
	}
	out[n] = '\0';
	return n > 0;
}

bool modem_ask_reset(const char *path, const char *what, const char *name, char *why, size_t size)
{
	char request[160], answer[200];
	int fd = connect_to(path), n = snprintf(request, sizeof(request), "%s %s\n", what, name);
	bool ok = false;

	if (fd < 0)
		snprintf(why, size, "%s: %s", path, strerror(errno));
	else if (send(fd, request, (size_t)n, MSG_NOSIGNAL) != n)
		snprintf(why, size, "%s: %s", path, strerror(errno));
	else if (!read_line(fd, answer, sizeof(answer)))
		snprintf(why, size, "%s: no answer", path);
	else if (strcmp(answer, "ok") != 0)
		snprintf(why, size, "%s", answer);
	else
		ok = true;
	if (fd >= 0)
		close(fd);
	return ok;
}
