/*
 * connect(2) with a deadline, for the probes that speak TCP. Blocks only in poll.
 */
#include "connect.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "lib/clock.h"

bool net_wait(int fd, short events, int64_t deadline_us)
{
	struct pollfd p = {.fd = fd, .events = events};
	int64_t left;
	int rc;

	do {
		left = deadline_us - clock_boot_us();
		if (left < 0)
			left = 0;
		/* rounded up: a poll that ends early would only be asked again */
		rc = poll(&p, 1, left > INT32_MAX * INT64_C(1000) ? INT32_MAX : (int)((left + 999) / 1000));
	} while (rc < 0 && errno == EINTR);
	return rc != 0;
}

static int finish(int fd, int err_in, int *err)
{
	*err = err_in;
	if (fd >= 0)
		close(fd);
	return -1;
}

int net_connect(const struct net_address *to, int64_t deadline_us, int *err)
{
	int fd = socket(to->sa.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(*err);

	if (fd < 0)
		return finish(-1, errno, err);
	if (connect(fd, &to->sa.any, to->len) == 0)
		return fd;
	if (errno != EINPROGRESS)
		return finish(fd, errno, err);
	if (!net_wait(fd, POLLOUT, deadline_us))
		return finish(fd, 0, err);
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, err, &len) != 0)
		*err = errno;
	return *err ? finish(fd, *err, err) : fd;
}
