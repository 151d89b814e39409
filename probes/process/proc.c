/* The processes of this host; see proc.h. */
#include "proc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"
#include "probes/probe.h"

/* Places in /proc/PID/stat, counted as proc(5) does. */
enum {
	S_PPID = 4,
	S_PGRP = 5,
	S_SESSION = 6,
	S_TPGID = 8,
	S_FLAGS = 9,
	S_UTIME = 14,
	S_STIME = 15,
	S_NICE = 19,
	S_THREADS = 20,
	S_START = 22,
	S_VSIZE = 23,
	S_RSS = 24,
	S_FIELDS = 25
};
enum { KERNEL_THREAD = 0x00200000 };

static void printable(char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			*s = '?';
}

/* What ps shows behind the letter. */
static void state_flags(const int64_t v[S_FIELDS], int64_t pid, char letter, char *out)
{
	*out++ = letter;
	if (v[S_NICE])
		*out++ = v[S_NICE] < 0 ? '<' : 'N';
	if (v[S_SESSION] == pid)
		*out++ = 's';
	if (v[S_THREADS] > 1)
		*out++ = 'l';
	if (v[S_TPGID] > 0 && v[S_TPGID] == v[S_PGRP])
		*out++ = '+';
	*out = '\0';
}

static bool fields(const char *p, int64_t v[S_FIELDS])
{
	char *end;

	for (int i = S_PPID; i < S_FIELDS; i++, p = end) {
		v[i] = strtoll(p, &end, 10);
		if (end == p)
			return false;
	}
	return true;
}

bool proc_parse_stat(const char *text, const struct proc_units *u, struct proc *out)
{
	const char *open = strchr(text, '('), *close = strrchr(text, ')'); /* the name may hold either */
	int64_t v[S_FIELDS] = {0};

	memset(out, 0, sizeof *out);
	out->uid = -1;
	out->pid = strtoll(text, NULL, 10);
	if (out->pid <= 0 || !open || !close || close < open || close[1] != ' ' || close[2] < 'A' ||
	    close[2] > 'z' || !fields(close + 3, v))
		return false;
	snprintf(out->comm, sizeof out->comm, "%.*s", (int)(close - open - 1), open + 1);
	printable(out->comm);
	state_flags(v, out->pid, close[2], out->state);
	out->ppid = v[S_PPID];
	out->kernel = (v[S_FLAGS] & KERNEL_THREAD) != 0;
	out->vsz = (double)v[S_VSIZE];
	out->rss = (double)v[S_RSS] * u->page;
	out->age_s = u->uptime_s - (double)v[S_START] / u->ticks;
	if (out->age_s < 0)
		out->age_s = 0;
	if (out->age_s > 0)
		out->cpu = ((double)v[S_UTIME] + (double)v[S_STIME]) / u->ticks / out->age_s * 100;
	return true;
}

void proc_parse_status(const char *text, struct proc *out)
{
	const char *uid = strstr(text, "\nUid:"), *locked = strstr(text, "\nVmLck:");
	long long real, effective;

	if (uid && sscanf(uid + 5, "%19lld %19lld", &real, &effective) == 2 && effective >= 0)
		out->uid = effective;
	if (locked && strtoll(locked + 7, NULL, 10) > 0 && strlen(out->state) + 1 < sizeof out->state) {
		size_t at = out->state[1] == '<' || out->state[1] == 'N' ? 2 : 1;
		memmove(out->state + at + 1, out->state + at, strlen(out->state + at) + 1);
		out->state[at] = 'L';
	}
}

void proc_parse_cmdline(const char *bytes, size_t len, struct proc *out)
{
	while (len > 0 && !bytes[len - 1])
		len--;
	if (len >= sizeof out->args)
		len = sizeof out->args - 1;
	for (size_t i = 0; i < len; i++)
		out->args[i] = bytes[i] ? bytes[i] : ' ';
	out->args[len] = '\0';
	if (len == 0)
		snprintf(out->args, sizeof out->args, "[%s]", out->comm);
	printable(out->args);
}

/* A file of a process; its length, -1 when it is gone. */
static ssize_t read_text(int dir, const char *pid, const char *file, char *out, size_t size)
{
	char path[64];

	snprintf(path, sizeof path, "%.20s/%s", pid, file);
	int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	size_t n = 0;
	ssize_t got = 0;
	while (n + 1 < size && (got = read(fd, out + n, size - 1 - n)) > 0)
		n += (size_t)got;
	close(fd);
	out[n] = '\0';
	return got < 0 ? -1 : (ssize_t)n;
}

static bool read_one(int dir, const char *pid, const struct proc_units *u, struct proc *p)
{
	char text[PROC_ARGS_MAX + 1];

	if (read_text(dir, pid, "stat", text, sizeof text) <= 0 || !proc_parse_stat(text, u, p))
		return false;
	if (read_text(dir, pid, "status", text, sizeof text) > 0)
		proc_parse_status(text, p);
	ssize_t n = read_text(dir, pid, "cmdline", text, sizeof text);
	proc_parse_cmdline(text, n > 0 ? (size_t)n : 0, p);
	return true;
}

bool proc_each(struct probe_run *run, void (*f)(void *arg, const struct proc *p), void *arg)
{
	struct proc_units u = {(double)sysconf(_SC_CLK_TCK), (double)sysconf(_SC_PAGESIZE),
			       (double)clock_boot_ms() / 1e3};
	struct dirent *e;
	bool in_time = true;
	struct proc p;

	probe_at(run, "read /proc");
	DIR *d = opendir("/proc");
	if (!d)
		return false;
	while (in_time && (e = readdir(d))) {
		if (e->d_name[0] < '0' || e->d_name[0] > '9')
			continue;
		probe_at_name(run, "read /proc/", e->d_name);
		if (read_one(dirfd(d), e->d_name, &u, &p))
			f(arg, &p);
		in_time = clock_boot_ms() < run->deadline;
	}
	closedir(d);
	errno = ETIMEDOUT;
	return in_time;
}
