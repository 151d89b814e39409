/* Listening sockets; see listen.h. */
#include "listen.h"

#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 256 };

static int finish(int fd, const struct sockaddr *sa, socklen_t len, char *why, size_t size)
{
	if (fd >= 0 && bind(fd, sa, len) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	snprintf(why, size, "%s", strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

static bool in_use(const struct sockaddr_un *sa)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool yes = fd >= 0 && (connect(fd, (const struct sockaddr *)sa, sizeof *sa) == 0 || errno == EAGAIN);

	if (fd >= 0)
		close(fd);
	return yes;
}

static int listen_unix(const char *path, mode_t mode, char *why, size_t size)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	struct stat st;

	if (path[0] != '/' || strlen(path) >= sizeof sa.sun_path) {
		snprintf(why, size, "must be an absolute path of at most %zu bytes", sizeof sa.sun_path - 1);
		return -1;
	}
	snprintf(sa.sun_path, sizeof sa.sun_path, "%s", path);
	if (in_use(&sa)) {
		snprintf(why, size, "another process listens there");
		return -1;
	}
	if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode))
		unlink(path);
	int fd = finish(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0),
			(struct sockaddr *)&sa, sizeof sa, why, size);
	if (fd >= 0 && chmod(path, mode) != 0) {
		snprintf(why, size, "chmod: %s", strerror(errno));
		close(fd);
		return -1;
	}
	return fd;
}

static int listen_inet(const char *text, char *why, size_t size)
{
	struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
				 .ai_socktype = SOCK_STREAM},
			*ai;
	const char *colon = strrchr(text, ':');
	char host[64];
	int one = 1;

	if (!colon || colon == text || (size_t)(colon - text) >= sizeof host) {
		snprintf(why, size, "must be inet:ADDRESS:PORT");
		return -1;
	}
	bool bracket = *text == '[' && colon[-1] == ']';
	snprintf(host, sizeof host, "%.*s", (int)(colon - text) - 2 * bracket, text + bracket);
	int err = getaddrinfo(host, colon + 1, &hints, &ai);
	if (err) {
		snprintf(why, size, "%s", gai_strerror(err));
		return -1;
	}
	int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	fd = finish(fd, ai->ai_addr, ai->ai_addrlen, why, size);
	freeaddrinfo(ai);
	return fd;
}

int policy_listen(const char *where, mode_t mode, char *why, size_t size)
{
	if (strncmp(where, "unix:", 5) == 0)
		return listen_unix(where + 5, mode, why, size);
	if (strncmp(where, "inet:", 5) == 0)
		return listen_inet(where + 5, why, size);
	snprintf(why, size, "must begin with unix: or inet:");
	return -1;
}
