/*
 * LD_PRELOAD for tests: lets libserialport itself run on a pty. It demands /sys/class/tty/NAME, which no pty
 * has, and modem control lines, which a pty answers with ENOTTY: the first is answered from another tty's
 * entry, the second from a variable (CTS, DSR and DCD up). Nothing else is touched. Build:
 * cc -shared -fPIC -o ptyshim.so test/fake/ptyshim.c -ldl
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define PTS "/sys/class/tty/pts/"
#define OTHER "/sys/class/tty/tty"

int __lxstat(int version, const char *path, struct stat *st);

static const char *instead(const char *path)
{
	return path != NULL && strncmp(path, PTS, sizeof(PTS) - 1) == 0 ? OTHER : path;
}

int lstat(const char *path, struct stat *st)
{
	int (*real)(const char *, struct stat *) =
	    (int (*)(const char *, struct stat *))dlsym(RTLD_NEXT, "lstat");

	return real(instead(path), st);
}

/* what Debian's libserialport was linked against */
int __lxstat(int version, const char *path, struct stat *st)
{
	int (*real)(int, const char *, struct stat *) =
	    (int (*)(int, const char *, struct stat *))dlsym(RTLD_NEXT, "__lxstat");

	return real(version, instead(path), st);
}

ssize_t readlink(const char *path, char *buf, size_t size)
{
	ssize_t (*real)(const char *, char *, size_t) =
	    (ssize_t(*)(const char *, char *, size_t))dlsym(RTLD_NEXT, "readlink");
	char target[64];
	size_t n;

	if (instead(path) == path)
		return real(path, buf, size);
	n = (size_t)snprintf(target, sizeof(target), "../../devices/virtual/tty/pts%s",
			     path + sizeof(PTS) - 1);
	n = n > size ? size : n;
	memcpy(buf, target, n);
	return (ssize_t)n;
}

int ioctl(int fd, unsigned long request, ...)
{
	static _Atomic int lines = TIOCM_CTS | TIOCM_DSR | TIOCM_CAR;
	int (*real)(int, unsigned long, void *) =
	    (int (*)(int, unsigned long, void *))dlsym(RTLD_NEXT, "ioctl");
	va_list ap;
	void *arg;
	int rc, e;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	rc = real(fd, request, arg);
	e = errno;
	if (rc == 0 || e != ENOTTY || !isatty(fd)) {
		errno = e;
		return rc;
	}
	switch (request) {
	case TIOCMGET: *(int *)arg = lines; return 0;
	case TIOCMSET: lines = *(int *)arg; return 0;
	case TIOCMBIS: lines |= *(int *)arg; return 0;
	case TIOCMBIC: lines &= ~*(int *)arg; return 0;
	default: break;
	}
	errno = e;
	return rc;
}
