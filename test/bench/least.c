/*
 * least TIMES PROGRAM ARG...: runs a program so often and prints the least wall time in ms and the largest
 * resident set in KiB. Small itself, because a child's largest resident set starts with that of whoever
 * forked it.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void child(char **argv)
{
	int null = open("/dev/null", O_WRONLY);

	dup2(null, 1);
	dup2(null, 2);
	execv(argv[0], argv);
	_exit(127);
}

int main(int argc, char **argv)
{
	double least = 1e9;
	long rss = 0;

	for (int i = argc > 2 ? atoi(argv[1]) : 0; i > 0; i--) {
		double start = now_ms();
		struct rusage u;
		int status;
		pid_t pid = fork();

		if (pid == 0)
			child(argv + 2);
		if (pid < 0 || wait4(pid, &status, 0, &u) < 0 || !WIFEXITED(status) ||
		    WEXITSTATUS(status) > 2)
			return 1;
		if (now_ms() - start < least)
			least = now_ms() - start;
		rss = u.ru_maxrss > rss ? u.ru_maxrss : rss;
	}
	printf("%.3f %ld\n", least, rss);
	return 0;
}
