/*
 * LD_PRELOAD: makes one program of the product die at its Nth write, rename or fsync, or makes its files fail with
 * ENOSPC or EIO. Settings are in faultshim.conf beside this object (so that children need no environment), a
 * KEY=VALUE a line:
 *
 *   prog=pagerd         the program's name; others are left alone
 *   armed=FILE          nothing happens before this file exists
 *   mode=kill n=7 fired=FILE   SIGKILL before the 7th call since it was armed; fired is made first, and ends it for good
 *   when=after          behind that call instead of before it
 *   also=FILE           the process whose number is in there dies with it
 *   mode=enospc path=DIR       every write, rename and fsync below DIR fails; so with eio
 *   mode=hang path=DIR         fsync below DIR never returns while armed exists
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static struct {
	char prog[64], armed[256], mode[16], fired[256], path[256], when[16], also[256];
	long n;
} conf;
static atomic_long calls;
static int active;

static void take(const char *line)
{
	sscanf(line, "prog=%63s", conf.prog);
	sscanf(line, "armed=%255s", conf.armed);
	sscanf(line, "mode=%15s", conf.mode);
	sscanf(line, "fired=%255s", conf.fired);
	sscanf(line, "path=%255s", conf.path);
	sscanf(line, "when=%15s", conf.when);
	sscanf(line, "also=%255s", conf.also);
	sscanf(line, "n=%ld", &conf.n);
}

__attribute__((constructor)) static void load(void)
{
	Dl_info info;
	char path[512], line[400];
	if (!dladdr((void *)load, &info) || !info.dli_fname)
		return;
	snprintf(path, sizeof path, "%s", info.dli_fname);
	char *slash = strrchr(path, '/');
	if (!slash || slash - path > 400)
		return;
	strcpy(slash, "/faultshim.conf");
	FILE *f = fopen(path, "re");
	if (!f)
		return;
	while (fgets(line, sizeof line, f))
		take(line);
	fclose(f);
	active = strcmp(program_invocation_short_name, conf.prog) == 0;
}

static int armed(void)
{
	return active && access(conf.armed, F_OK) == 0;
}

/* The kill: once in all processes' lives. */
static void die(void)
{
	int fd = open(conf.fired, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	close(fd);
	int other = 0;
	FILE *f = conf.also[0] ? fopen(conf.also, "re") : NULL;
	if (f && fscanf(f, "%d", &other) == 1 && other > 1)
		kill(other, SIGKILL);
	kill(getpid(), SIGKILL);
}

/* 1: this is the call after which to die; dies here when it is the one before which to. */
static int count(void)
{
	if (!armed() || strcmp(conf.mode, "kill") != 0 || access(conf.fired, F_OK) == 0)
		return 0;
	if (atomic_fetch_add(&calls, 1) + 1 != conf.n)
		return 0;
	if (strcmp(conf.when, "after") == 0)
		return 1;
	die();
	return 0;
}

/* Nonzero: the errno that a call on this path must fail with. */
static int fault(const char *path)
{
	if (!armed() || !conf.path[0] || strncmp(path, conf.path, strlen(conf.path)) != 0)
		return 0;
	return strcmp(conf.mode, "enospc") == 0 ? ENOSPC : strcmp(conf.mode, "eio") == 0 ? EIO : 0;
}

static int fd_path(int fd, char *out, size_t size)
{
	char link[64];
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, out, size - 1);
	if (n <= 0)
		return 0;
	out[n] = '\0';
	return 1;
}

static int fd_fault(int fd)
{
	char path[512];
	if (!armed() || !fd_path(fd, path, sizeof path))
		return 0;
	while (strcmp(conf.mode, "hang") == 0 && strncmp(path, conf.path, strlen(conf.path)) == 0 && armed())
		usleep(20000);
	int e = fault(path);
	if (e)
		errno = e;
	return e;
}

static ssize_t finish(int last, ssize_t result)
{
	if (last)
		die();
	return result;
}

#define REAL(name) \
	static typeof(name) *real; \
	if (!real) \
		real = (typeof(name) *)dlsym(RTLD_NEXT, #name)

ssize_t write(int fd, const void *p, size_t n)
{
	REAL(write);
	int last = count();
	char path[512];
	/* writes only fail on files: a full disk does not close a pipe */
	if (armed() && conf.path[0] && fd_path(fd, path, sizeof path) && path[0] == '/' && fault(path)) {
		errno = fault(path);
		return -1;
	}
	return finish(last, real(fd, p, n));
}

ssize_t writev(int fd, const struct iovec *v, int n)
{
	REAL(writev);
	int last = count();
	return finish(last, real(fd, v, n));
}

int rename(const char *a, const char *b)
{
	REAL(rename);
	int last = count();
	if ((errno = fault(b)))
		return -1;
	return (int)finish(last, real(a, b));
}

int renameat(int da, const char *a, int db, const char *b)
{
	REAL(renameat);
	int last = count();
	return (int)finish(last, real(da, a, db, b));
}

int fsync(int fd)
{
	REAL(fsync);
	int last = count();
	return (int)finish(last, fd_fault(fd) ? -1 : real(fd));
}

int fdatasync(int fd)
{
	REAL(fdatasync);
	int last = count();
	return (int)finish(last, fd_fault(fd) ? -1 : real(fd));
}
