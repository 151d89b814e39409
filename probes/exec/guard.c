/*
 * The guard; see guard.h. Called by the nursery in a freshly forked process. A program
 * may fork twice, make sessions of its own and outlive its parent: being the reaper
 * (PR_SET_CHILD_SUBREAPER), the guard becomes the parent of every orphan, so killing its
 * own children until there are none left reaches all of them. A child that was not waited
 * for yet keeps its number, so nobody else's process can be hit.
 */
#include "guard.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { KILL_ROUNDS = 400, KILL_PAUSE_MS = 10, PLUGIN_FILES = 1024 };

static void tell(int control, const struct guard_message *m)
{
	while (send(control, m, sizeof *m, MSG_NOSIGNAL) < 0 && errno == EINTR)
		;
}

/* --- the child that becomes the program -------------------------------------------------------------- */

static void reset_signals(void)
{
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void set_limits(void)
{
	struct rlimit core = { 0, 0 }, files;

	setrlimit(RLIMIT_CORE, &core);
	/* old plugins use select() and close all they might have open */
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		if (files.rlim_cur > PLUGIN_FILES)
			files.rlim_cur = PLUGIN_FILES;
		setrlimit(RLIMIT_NOFILE, &files);
	}
}

static _Noreturn void fail(int control, const char *step)
{
	struct guard_message m = { .kind = GUARD_NOT_STARTED, .value = errno };

	strncpy(m.step, step, sizeof m.step - 1);
	tell(control, &m);
	_exit(127);
}

static _Noreturn void become(const struct guard_job *job)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* should the guard itself be killed */
	setsid();
	reset_signals();
	set_limits();
	umask(022);
	int null = open("/dev/null", O_RDWR);
	if (null < 0)
		fail(job->control, "open /dev/null");
	if (dup2(null, STDIN_FILENO) < 0 || dup2(job->out, STDOUT_FILENO) < 0 ||
	    dup2(job->err, STDERR_FILENO) < 0)
		fail(job->control, "dup2");
	if (null > STDERR_FILENO)
		close(null);
	if (chdir(job->directory) != 0)
		fail(job->control, "chdir");
	/* all else was opened close-on-exec, the control socket too */
	execve(job->argv[0], job->argv, job->env);
	fail(job->control, "exec");
}

/* --- killing ----------------------------------------------------------------------------------------- */

/* Sends SIGKILL to each child. False when they cannot be listed. */
static bool kill_children(void)
{
	char text[4096];
	ssize_t n;
	pid_t pid = 0;
	int fd = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	while ((n = read(fd, text, sizeof text)) > 0)
		for (ssize_t i = 0; i < n; i++) {
			if (text[i] >= '0' && text[i] <= '9') {
				pid = pid * 10 + (text[i] - '0');
			} else if (pid > 0) {
				kill(pid, SIGKILL);
				pid = 0;
			}
		}
	close(fd);
	return true;
}

/* Kills and reaps until nothing is left. Returns 0, or 1 when something did not die in time. */
static int kill_all(pid_t program, int *status, bool *have_status, int *killed)
{
	kill(-program, SIGKILL); /* not reaped yet, so the group is still its own */
	for (int round = 0; round < KILL_ROUNDS; round++) {
		int st;
		pid_t pid;
		kill_children();
		while ((pid = waitpid(-1, &st, WNOHANG)) > 0) {
			if (pid == program) {
				*status = st;
				*have_status = true;
			} else {
				++*killed;
			}
		}
		if (pid < 0 && errno == ECHILD)
			return 0;
		nanosleep(&(struct timespec){ .tv_nsec = (round < 10 ? 1 : KILL_PAUSE_MS) * 1000000L }, NULL);
	}
	return 1;
}

/* --- the guard --------------------------------------------------------------------------------------- */

/* Until the program ended (it is not reaped) or the other end of control spoke or went away. */
static void wait_for_end(pid_t program, int control, int signals)
{
	for (;;) {
		struct pollfd p[2] = { { .fd = control, .events = POLLIN },
				       { .fd = signals, .events = POLLIN } };
		struct signalfd_siginfo si;
		siginfo_t info = { 0 };
		if (poll(p, 2, -1) < 0 && errno != EINTR)
			return;
		if (p[0].revents)
			return;
		if (p[1].revents && read(signals, &si, sizeof si) < 0 && errno != EAGAIN)
			return;
		if (waitid(P_PID, (id_t)program, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
		    info.si_pid == program)
			return;
		/* an orphan that ended by itself: without this they would pile up while the program runs */
		while (waitid(P_ALL, 0, memset(&info, 0, sizeof info), WEXITED | WNOHANG | WNOWAIT) == 0 &&
		       info.si_pid > 0 && info.si_pid != program)
			waitpid(info.si_pid, NULL, WNOHANG);
	}
}

static double children_cpu_ms(void)
{
	struct rusage u;

	if (getrusage(RUSAGE_CHILDREN, &u) != 0)
		return 0;
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e3 +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e3;
}

void guard_run(const struct guard_job *job)
{
	struct guard_message m = { .kind = GUARD_BEGAN };
	int status = 0;
	bool have_status = false;
	sigset_t set;

	tell(job->control, &m);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	signal(SIGCHLD, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	int signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	pid_t program = signals < 0 ? -1 : fork();
	if (program == 0)
		become(job);
	if (program < 0)
		fail(job->control, "fork");
	close(job->out);
	close(job->err);
	wait_for_end(program, job->control, signals);
	m.left = kill_all(program, &status, &have_status, &m.killed);
	m.kind = have_status && WIFEXITED(status) ? GUARD_EXITED : GUARD_SIGNALLED;
	m.value = !have_status ? SIGKILL : WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status);
	m.cpu_ms = children_cpu_ms();
	tell(job->control, &m);
	_exit(0);
}
