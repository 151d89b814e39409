/*
 * What a program costs when it is started for each check: execs TIMES PROGRAM ARG... prints the CPU microseconds of
 * one run, with what its start costs the parent, and how many runs exited with 0.
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static double microseconds(int who)
{
	struct rusage u;

	getrusage(who, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

int main(int argc, char **argv)
{
	long times = argc > 2 ? atol(argv[1]) : 0, good = 0, i;
	posix_spawn_file_actions_t quiet;
	double before = microseconds(RUSAGE_SELF);

	if (times < 1)
		return 2;
	posix_spawn_file_actions_init(&quiet);
	posix_spawn_file_actions_addopen(&quiet, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&quiet, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	for (i = 0; i < times; i++) {
		int status;
		pid_t pid;

		if (posix_spawn(&pid, argv[2], &quiet, NULL, argv + 2, environ) != 0 || waitpid(pid, &status, 0) != pid)
			return 1;
		good += WIFEXITED(status) && WEXITSTATUS(status) == 0;
	}
	printf("%.1f %ld\n", (microseconds(RUSAGE_SELF) - before + microseconds(RUSAGE_CHILDREN)) / (double)times, good);
	return 0;
}
