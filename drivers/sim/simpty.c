/* See simpty.h. For simmodem_main.c. */
#include "simpty.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <termios.h>
#include <unistd.h>

#include "lib/clock.h"

static bool point_link(const char *link, const char *path)
{
	char tmp[512];

	if (snprintf(tmp, sizeof(tmp), "%s.new", link) >= (int)sizeof(tmp))
		return false;
	unlink(tmp);
	return symlink(path, tmp) == 0 && rename(tmp, link) == 0;
}

/* A modem does not echo by line discipline: raw from the start, or the first reader's settings would mangle
 * the greeting. */
static bool make_raw(const char *path)
{
	struct termios t;
	int fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	bool ok = fd >= 0 && tcgetattr(fd, &t) == 0;

	if (ok) {
		cfmakeraw(&t);
		ok = tcsetattr(fd, TCSANOW, &t) == 0;
	}
	if (fd >= 0)
		close(fd);
	return ok;
}

static bool open_pty(struct simpty *p)
{
	p->fd = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	return p->fd >= 0 && grantpt(p->fd) == 0 && unlockpt(p->fd) == 0 &&
	       ptsname_r(p->fd, p->path, sizeof(p->path)) == 0;
}

/* Another program opens the port and locks it. */
void simpty_lock(struct simpty *p, bool on)
{
	p->locked = on;
	if (p->lock >= 0)
		close(p->lock);
	p->lock = -1;
	if (!on || p->fd < 0)
		return;
	p->lock = open(p->path, O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (p->lock < 0 || flock(p->lock, LOCK_EX | LOCK_NB) != 0)
		fprintf(stderr, "simmodem: %s cannot be locked: %s\n", p->path, strerror(errno));
}

bool simpty_plug_in(struct simpty *p, bool renamed)
{
	bool ok = open_pty(p);

	if (ok && renamed && strcmp(p->path, p->last) == 0) {
		close(p->placeholder);
		p->placeholder = p->fd;
		ok = open_pty(p);
	}
	if (!ok || !make_raw(p->path) || (p->link != NULL && !point_link(p->link, p->path))) {
		fprintf(stderr, "simmodem: cannot make a pty: %s\n", strerror(errno));
		return false;
	}
	p->back_at = -1;
	simpty_lock(p, p->locked);
	return true;
}

void simpty_unplug(struct simpty *p, int64_t ms)
{
	snprintf(p->last, sizeof(p->last), "%s", p->path);
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
	if (p->lock >= 0)
		close(p->lock);
	p->lock = -1;
	if (p->link != NULL)
		unlink(p->link);
	p->back_at = ms > 0 ? clock_boot_ms() + ms : INT64_MAX;
}
