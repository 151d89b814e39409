/*
 * LD_PRELOAD: the wall clock of one program is off by as many seconds as the file clockshim.offset beside this object
 * says; CLOCK_BOOTTIME and CLOCK_MONOTONIC stay true, as when somebody sets a host's clock.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static char offset_path[600];
static int (*real_clock_gettime)(clockid_t, struct timespec *);

__attribute__((constructor)) static void load(void)
{
	Dl_info info;
	real_clock_gettime = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
	if (!dladdr((void *)load, &info) || !info.dli_fname || strlen(info.dli_fname) > 500)
		return;
	snprintf(offset_path, sizeof offset_path, "%s", info.dli_fname);
	char *slash = strrchr(offset_path, '/');
	if (slash)
		strcpy(slash, "/clockshim.offset");
}

static long offset(void)
{
	char text[32] = "";
	int fd = open(offset_path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	ssize_t n = read(fd, text, sizeof text - 1);
	close(fd);
	return n > 0 ? atol(text) : 0;
}

int clock_gettime(clockid_t id, struct timespec *t)
{
	int rc = real_clock_gettime(id, t);
	if (rc == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
		t->tv_sec += offset();
	return rc;
}

time_t time(time_t *out)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	if (out)
		*out = t.tv_sec;
	return t.tv_sec;
}

int gettimeofday(struct timeval *restrict tv, void *restrict tz)
{
	struct timespec t;
	(void)tz;
	clock_gettime(CLOCK_REALTIME, &t);
	tv->tv_sec = t.tv_sec;
	tv->tv_usec = t.tv_nsec / 1000;
	return 0;
}
