/* sd_notify(3) as a datagram; see sdnotify.h. */
#include "sdnotify.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static struct sockaddr_un address;
static socklen_t address_len;
static int64_t watchdog_ms;

void sdnotify_init(void)
{
	const char *path = getenv("NOTIFY_SOCKET"), *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	if (path && (path[0] == '/' || path[0] == '@') && strlen(path) < sizeof address.sun_path) {
		address.sun_family = AF_UNIX;
		memcpy(address.sun_path, path, strlen(path));
		address_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
		if (path[0] == '@')
			address.sun_path[0] = '\0';
	}
	if (usec && (!pid || atol(pid) == (long)getpid()))
		watchdog_ms = strtoll(usec, NULL, 10) / 2000;
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}

void sdnotify(const char *fmt, ...)
{
	char text[512];
	va_list ap;
	if (!address_len)
		return;
	va_start(ap, fmt);
	int n = vsnprintf(text, sizeof text - 48, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	size_t len = strlen(text);
	if (strstr(text, "RELOADING=1")) {
		struct timespec t;
		clock_gettime(CLOCK_MONOTONIC, &t);
		len += (size_t)snprintf(text + len, sizeof text - len, "\nMONOTONIC_USEC=%lld",
					(long long)t.tv_sec * 1000000 + t.tv_nsec / 1000);
	}
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	/* a full or missing manager must not stop us */
	ssize_t done = sendto(fd, text, len, MSG_NOSIGNAL | MSG_DONTWAIT, (struct sockaddr *)&address, address_len);
	(void)done;
	close(fd);
}

int64_t sdnotify_watchdog_ms(void)
{
	return watchdog_ms;
}
