/*
 * The byte line under every modem: see serial.h. Called by at.c and by the other line drivers. The only file
 * that includes libserialport.h. Its blocking reads are never used: after an unplug they spin and look like a
 * time-out.
 */
#include "serial.h"

#include <errno.h>
#include <fcntl.h>
#include <libserialport.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "lib/clock.h"
#include "usbtty.h"

struct serial {
	int fd;               /* what is read, written and polled */
	int lock_fd;          /* the first open, which holds the flock; may be fd itself */
	struct sp_port *port; /* NULL: the termios back end */
	bool gone;
	char path[PATH_MAX];
};

static bool resolve(const char *device, char *path, char *why, size_t size)
{
	char by_usb[128];

	if (usbtty_is_spec(device)) {
		if (!usbtty_find("/sys", device, by_usb, sizeof(by_usb), why, size))
			return false;
		device = by_usb;
	}
	if (realpath(device, path) != NULL)
		return true;
	snprintf(why, size, "%.200s: %s", device, strerror(errno));
	return false;
}

/* Opens and locks, before anything about the line is touched that another program may be using. */
static int open_locked(const char *path, char *why, size_t size)
{
	int fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd < 0) {
		snprintf(why, size, "%.200s: %s", path, strerror(errno));
		return -1;
	}
	if (fstat(fd, &st) != 0 || !S_ISCHR(st.st_mode) || !isatty(fd)) {
		snprintf(why, size, "%.200s is not a terminal device", path);
		close(fd);
		return -1;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		snprintf(why, size, "%.200s is in use by another program", path);
		close(fd);
		errno = EWOULDBLOCK;
		return -1;
	}
	return fd;
}

static bool speed_of(int baud, speed_t *out)
{
	static const struct {
		int baud;
		speed_t speed;
	} table[] = {{300, B300},      {600, B600},	  {1200, B1200},     {2400, B2400},
		     {4800, B4800},    {9600, B9600},	  {19200, B19200},   {38400, B38400},
		     {57600, B57600},  {115200, B115200}, {230400, B230400}, {460800, B460800},
		     {921600, B921600}};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (table[i].baud == baud) {
			*out = table[i].speed;
			return true;
		}
	}
	return false;
}

static bool setup_termios(struct serial *s, const struct serial_settings *set, char *why, size_t size)
{
	struct termios t;
	speed_t speed;

	if (!speed_of(set->baud, &speed)) {
		snprintf(why, size, "%d baud is no usual speed", set->baud);
		return false;
	}
	if (tcgetattr(s->fd, &t) != 0) {
		snprintf(why, size, "%.200s: %s", s->path, strerror(errno));
		return false;
	}
	cfmakeraw(&t);
	t.c_cflag |= CLOCAL | CREAD;
	t.c_cflag &= ~(tcflag_t)(CSTOPB | (set->rtscts ? 0 : CRTSCTS));
	t.c_cflag |= set->rtscts ? CRTSCTS : 0;
	t.c_iflag |= set->xonxoff ? IXON | IXOFF : 0;
	t.c_cc[VMIN] = 1;
	t.c_cc[VTIME] = 0;
	cfsetispeed(&t, speed);
	cfsetospeed(&t, speed);
	if (tcsetattr(s->fd, TCSANOW, &t) == 0)
		return true;
	snprintf(why, size, "%.200s: %s", s->path, strerror(errno));
	return false;
}

static bool sp_failed(const struct serial *s, const char *what, enum sp_return r, char *why, size_t size)
{
	char *text = r == SP_ERR_FAIL ? sp_last_error_message() : NULL;

	snprintf(why, size, "%.200s: %s: %s", s->path, what,
		 text != NULL	   ? text
		 : r == SP_ERR_ARG ? "not possible"
				   : "refused");
	sp_free_error_message(text);
	return false;
}

static bool setup_libserialport(struct serial *s, const struct serial_settings *set, char *why, size_t size)
{
	enum sp_return r = sp_open(s->port, SP_MODE_READ_WRITE);
	enum sp_flowcontrol flow = set->rtscts ? SP_FLOWCONTROL_RTSCTS : set->xonxoff ? SP_FLOWCONTROL_XONXOFF
										      : SP_FLOWCONTROL_NONE;

	if (r != SP_OK) {
		sp_failed(s, "cannot open", r, why, size);
		sp_free_port(s->port);
		s->port = NULL;
		return false;
	}
	if ((r = sp_set_baudrate(s->port, set->baud)) != SP_OK || (r = sp_set_bits(s->port, 8)) != SP_OK ||
	    (r = sp_set_parity(s->port, SP_PARITY_NONE)) != SP_OK ||
	    (r = sp_set_stopbits(s->port, 1)) != SP_OK || (r = sp_set_flowcontrol(s->port, flow)) != SP_OK)
		return sp_failed(s, "cannot set speed or flow control", r, why, size);
	if ((r = sp_get_port_handle(s->port, &s->fd)) != SP_OK)
		return sp_failed(s, "no descriptor", r, why, size);
	return true;
}

/* What neither back end does by itself. */
static void harden(int fd, const char *path, bool drop_dtr)
{
	struct termios t;

	fcntl(fd, F_SETFD, FD_CLOEXEC);
	/* A pty keeps this flag when its owner was killed, because its other side stays open: the next open
	 * by an ordinary user would fail for ever. There the flock alone must do. */
	if (strncmp(path, "/dev/pts/", 9) != 0)
		ioctl(fd, TIOCEXCL);
	/* else closing must not drop DTR: many modems reset on that, and a restart of the daemon is no reason */
	if (tcgetattr(fd, &t) == 0) {
		t.c_cflag = drop_dtr ? t.c_cflag | HUPCL : t.c_cflag & ~(tcflag_t)HUPCL;
		tcsetattr(fd, TCSANOW, &t);
	}
}

struct serial *serial_open(const char *device, const struct serial_settings *set, char *why, size_t size)
{
	struct serial *s = calloc(1, sizeof(*s));
	bool ok;

	if (s == NULL) {
		snprintf(why, size, "out of memory");
		return NULL;
	}
	s->fd = s->lock_fd = -1;
	if (!resolve(device, s->path, why, size) || (s->lock_fd = open_locked(s->path, why, size)) < 0) {
		free(s); /* which keeps errno */
		return NULL;
	}
	if (sp_get_port_by_name(s->path, &s->port) == SP_OK) {
		ok = setup_libserialport(s, set, why, size);
	} else {
		s->port = NULL;
		s->fd = s->lock_fd;
		ok = setup_termios(s, set, why, size);
	}
	if (!ok) {
		serial_close(s);
		return NULL;
	}
	harden(s->fd, s->path, set->drop_dtr);
	return s;
}

void serial_close(struct serial *s)
{
	if (s == NULL)
		return;
	if (s->fd >= 0)
		ioctl(s->fd, TIOCNXCL);
	if (s->port != NULL) {
		sp_close(s->port);
		sp_free_port(s->port);
	}
	if (s->lock_fd >= 0)
		close(s->lock_fd);
	free(s);
}

int serial_fd(const struct serial *s)
{
	return s->fd;
}

const char *serial_path(const struct serial *s)
{
	return s->path;
}

const char *serial_backend(const struct serial *s)
{
	return s->port != NULL ? "libserialport" : "termios";
}

bool serial_gone(const struct serial *s)
{
	return s->gone;
}

/* poll() on the descriptor until the deadline; the events that came, 0 at the deadline. */
static short wait_for(const struct serial *s, short events, int64_t deadline)
{
	for (;;) {
		struct pollfd p = {.fd = s->fd, .events = events};
		int64_t left = deadline - clock_boot_ms();
		int n = poll(&p, 1, left <= 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left);

		if (n > 0)
			return p.revents;
		if (n < 0 && errno != EINTR)
			return POLLERR;
		if (n == 0 && left <= 0)
			return 0;
	}
}

int serial_wait(struct serial *s, int64_t deadline)
{
	short r;

	if (s->gone)
		return -1;
	r = wait_for(s, POLLIN, deadline);
	if ((r & POLLIN) != 0)
		return 1;
	if (r != 0)
		s->gone = true;
	return r == 0 ? 0 : -1;
}

ssize_t serial_read(struct serial *s, void *buf, size_t size)
{
	short r = s->gone ? POLLHUP : wait_for(s, POLLIN, 0);
	ssize_t n;

	if (r == 0)
		return 0;
	if ((r & POLLIN) != 0 && !s->gone) {
		n = s->port != NULL ? (ssize_t)sp_nonblocking_read(s->port, buf, size)
				    : read(s->fd, buf, size);
		if (n > 0)
			return n;
		/* readable and yet nothing: the end, which libserialport reports as 0 too */
		if (n < 0 && s->port == NULL && (errno == EINTR || errno == EAGAIN))
			return 0;
	}
	s->gone = true;
	return -1;
}

static ssize_t write_some(struct serial *s, const char *data, size_t len)
{
	ssize_t n;

	if (s->port != NULL)
		return (ssize_t)sp_nonblocking_write(s->port, data, len);
	n = write(s->fd, data, len);
	return n < 0 && (errno == EINTR || errno == EAGAIN) ? 0 : n;
}

bool serial_write(struct serial *s, const void *data, size_t len, int64_t deadline, size_t *done, char *why,
		  size_t size)
{
	size_t at = 0;
	short r = POLLOUT;

	while (at < len && !s->gone) {
		ssize_t n;

		r = wait_for(s, POLLOUT, deadline);
		if (r == 0)
			break;
		n = (r & (POLLHUP | POLLERR | POLLNVAL)) != 0
			? -1
			: write_some(s, (const char *)data + at, len - at);
		if (n < 0)
			s->gone = true;
		else
			at += (size_t)n;
	}
	if (done != NULL)
		*done = at;
	if (at == len)
		return true;
	snprintf(why, size, "%.200s: %s after %zu of %zu bytes", s->path,
		 s->gone ? "went away" : "takes no more bytes", at, len);
	return false;
}

void serial_discard_input(struct serial *s)
{
	if (s->port != NULL)
		sp_flush(s->port, SP_BUF_INPUT);
	else
		tcflush(s->fd, TCIFLUSH);
}

bool serial_dtr(struct serial *s, bool on)
{
	int bit = TIOCM_DTR;

	if (s->port != NULL)
		return sp_set_dtr(s->port, on ? SP_DTR_ON : SP_DTR_OFF) == SP_OK;
	return ioctl(s->fd, on ? TIOCMBIS : TIOCMBIC, &bit) == 0;
}
