/* The daemons below monitord-run; see daemons.h. Called by run.c. */
#include "daemons.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/file.h"
#include "show.h"

enum {
	STOP_MS = 15000,
	LEFTOVER_MS = 2000,
	PAUSE_MIN_MS = 1000,
	PAUSE_MAX_MS = 30000,
	YOUNG_MS = 10000,
	TAIL_BYTES = 4096
};

char *run_program(const char *name)
{
	char *dir = file_self_dir(), *path = dir ? file_join(dir, name) : NULL;
	free(dir);
	if (path && access(path, X_OK) == 0)
		return path;
	free(path);
	dir = file_libexec(NULL);
	path = dir ? file_join(dir, name) : NULL;
	free(dir);
	return path;
}

bool run_daemons_init(struct run_daemons *d, const char *config, const char *log)
{
	static const char *const names[RUN_DAEMONS] = {"pagerd", "monitord"};
	*d = (struct run_daemons){.config = config, .log = log};
	for (int i = 0; i < RUN_DAEMONS; i++)
		d->v[i] = (struct run_daemon){.name = names[i],
					      .program = run_program(names[i]),
					      .pid = -1,
					      .again_ms = 1,
					      .pause_ms = PAUSE_MIN_MS};
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	return d->v[0].program && d->v[1].program;
}

void run_daemons_fini(struct run_daemons *d)
{
	for (int i = 0; i < RUN_DAEMONS; i++)
		free(d->v[i].program);
}

/* --- one daemon --- */

static _Noreturn void become(const struct run_daemons *d, const struct run_daemon *x, pid_t parent)
{
	sigset_t none;
	/* out of reach of the terminal's Ctrl-C, but not of our own death */
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	if (getppid() != parent)
		_exit(1);
	int fd = d->log ? open(d->log, O_WRONLY | O_CREAT | O_APPEND, 0640) : -1,
	    null = open("/dev/null", O_RDWR);
	if (fd >= 0)
		dup2(fd, 2);
	dup2(null, 0);
	dup2(null, 1);
	close_range(3, ~0U, 0);
	execl(x->program, x->name, "-c", d->config, (char *)NULL);
	fprintf(stderr, "%s: %s\n", x->program, strerror(errno));
	_exit(127);
}

static void start(const struct run_daemons *d, struct run_daemon *x, int64_t now)
{
	pid_t self = getpid(), pid = fork();
	if (pid == 0)
		become(d, x, self);
	if (pid < 0) {
		run_say("%s cannot be started: %s", x->name, strerror(errno));
		x->again_ms = now + PAUSE_MAX_MS;
		return;
	}
	x->pid = pid;
	x->started_ms = now;
	x->again_ms = 0;
}

/* The last line of the daemons' log: mostly why one of them ended. */
static void say_log_tail(const char *log)
{
	char tail[TAIL_BYTES + 1];
	int fd = open(log, O_RDONLY | O_CLOEXEC);
	off_t end = fd >= 0 ? lseek(fd, 0, SEEK_END) : 0;
	ssize_t n = end > 0 ? pread(fd, tail, TAIL_BYTES, end > TAIL_BYTES ? end - TAIL_BYTES : 0) : 0;
	if (fd >= 0)
		close(fd);
	while (n > 0 && tail[n - 1] == '\n')
		n--;
	if (n <= 0)
		return;
	tail[n] = '\0';
	const char *line = strrchr(tail, '\n');
	run_say("         its log ends: %s", line ? line + 1 : tail);
}

static void say_end(const struct run_daemons *d, const struct run_daemon *x, int status)
{
	if (WIFSIGNALED(status))
		run_say("%s was killed by signal %d (%s); starting it again", x->name, WTERMSIG(status),
			strsignal(WTERMSIG(status)));
	else
		run_say("%s exited %d; starting it again", x->name, WEXITSTATUS(status));
	if (WIFEXITED(status) && d->log)
		say_log_tail(d->log);
}

static void reaped(struct run_daemons *d, pid_t pid, int status, int64_t now)
{
	for (int i = 0; i < RUN_DAEMONS; i++) {
		struct run_daemon *x = &d->v[i];
		if (x->pid != pid)
			continue;
		x->pid = -1;
		if (d->stopping)
			return;
		say_end(d, x, status);
		bool young = now - x->started_ms < YOUNG_MS;
		x->again_ms = now + (young ? x->pause_ms : PAUSE_MIN_MS);
		x->pause_ms = !young			       ? PAUSE_MIN_MS
			      : x->pause_ms * 2 > PAUSE_MAX_MS ? PAUSE_MAX_MS
							       : x->pause_ms * 2;
	}
}

void run_daemons_tick(struct run_daemons *d, int64_t now)
{
	int status;
	pid_t pid;
	/* besides the two also what they left to us */
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		reaped(d, pid, status, now);
	for (int i = 0; i < RUN_DAEMONS; i++)
		if (!d->stopping && d->v[i].again_ms && now >= d->v[i].again_ms)
			start(d, &d->v[i], now);
}

/* --- the end --- */

void run_daemons_stop(struct run_daemons *d, int64_t now)
{
	if (d->stopping) {
		d->kill_ms = now;
		return;
	}
	d->stopping = true;
	d->kill_ms = now + STOP_MS;
	for (int i = RUN_DAEMONS - 1; i >= 0; i--)
		if (d->v[i].pid > 0)
			kill(d->v[i].pid, SIGTERM);
}

static pid_t parent_of(pid_t pid)
{
	char path[40], text[512];
	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return -1;
	text[n] = '\0';
	/* the name in brackets may hold anything, brackets too */
	const char *end = strrchr(text, ')');
	int parent = -1;
	return end && sscanf(end + 1, " %*c %d", &parent) == 1 ? parent : -1;
}

/* What was left to us by a daemon that died; it has been told to end by the end of its input. */
static void kill_children(void)
{
	pid_t self = getpid();
	DIR *proc = opendir("/proc");
	for (struct dirent *e; proc && (e = readdir(proc));) {
		pid_t pid = isdigit((unsigned char)e->d_name[0]) ? (pid_t)strtol(e->d_name, NULL, 10) : 0;
		if (pid > 0 && parent_of(pid) == self)
			kill(pid, SIGKILL);
	}
	if (proc)
		closedir(proc);
}

bool run_daemons_gone(struct run_daemons *d, int64_t now)
{
	siginfo_t info;
	bool alive = false,
	     waited = waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 && errno == ECHILD;
	for (int i = 0; i < RUN_DAEMONS; i++)
		alive |= d->v[i].pid > 0;
	if (waited)
		return true;
	if (!alive && d->kill_ms > now + LEFTOVER_MS)
		d->kill_ms = now + LEFTOVER_MS;
	if (now >= d->kill_ms)
		kill_children();
	return false;
}
