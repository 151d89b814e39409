/* A child process with three pipes; see child.h. */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

char **child_list(char *const *list)
{
	size_t n = 0;
	while (list[n])
		n++;
	char **out = calloc(n + 1, sizeof *out);
	for (size_t i = 0; out && i < n; i++)
		out[i] = strdup(list[i]);
	return out;
}

void child_list_free(char **list)
{
	for (size_t i = 0; list && list[i]; i++)
		free(list[i]);
	free(list);
}

char **child_env(void)
{
	char tz[128] = "";
	const char *given = getenv("TZ");
	/* sanitizers and tests steer children by these */
	static const char *const passed[] = { "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LD_PRELOAD",
					      "CREDENTIALS_DIRECTORY" };
	if (given)
		snprintf(tz, sizeof tz, "TZ=%s", given);
	char *list[12] = { "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C" };
	char extra[5][512];
	int n = 2;
	if (tz[0])
		list[n++] = tz;
	for (int i = 0; i < 5; i++) {
		const char *v = getenv(passed[i]);
		if (v && snprintf(extra[i], sizeof extra[i], "%s=%s", passed[i], v) < (int)sizeof extra[i])
			list[n++] = extra[i];
	}
	return child_list(list);
}

const char *child_end_text(int status, char *out, size_t size)
{
	if (WIFSIGNALED(status))
		snprintf(out, size, "killed by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		snprintf(out, size, "exited %d", WEXITSTATUS(status));
	return out;
}

/* Killed children that would not go (blocked in the kernel): reaped whenever another one ends. Beyond 64 they stay zombies. */
static pid_t lingering[64];

static void reap_lingering(void)
{
	for (size_t i = 0; i < sizeof lingering / sizeof *lingering; i++)
		if (lingering[i] && waitpid(lingering[i], NULL, WNOHANG) != 0)
			lingering[i] = 0;
}

pid_t child_reap_killed(pid_t pid, int *status)
{
	reap_lingering();
	for (int i = 0; i < 200; i++) {
		pid_t got = waitpid(pid, status, WNOHANG);
		if (got != 0)
			return got;
		usleep(1000);
	}
	for (size_t i = 0; i < sizeof lingering / sizeof *lingering; i++) {
		if (!lingering[i]) {
			lingering[i] = pid;
			break;
		}
	}
	return 0;
}

static void close_pipes(int pipes[3][2])
{
	for (int i = 0; i < 3; i++)
		for (int k = 0; k < 2; k++)
			if (pipes[i][k] >= 0)
				close(pipes[i][k]);
}

/* posix_spawn: safe with threads; every descriptor of ours is close-on-exec. */
static pid_t spawn(char *const *argv, char *const *env, int pipes[3][2])
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none, all;
	pid_t pid;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, pipes[0][0], 0);
	posix_spawn_file_actions_adddup2(&actions, pipes[1][1], 1);
	posix_spawn_file_actions_adddup2(&actions, pipes[2][1], 2);
	posix_spawn_file_actions_addclosefrom_np(&actions, 3);
	posix_spawnattr_init(&attr);
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawnattr_setpgroup(&attr, 0);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	int e = posix_spawn(&pid, argv[0], &actions, &attr, argv, env);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	errno = e;
	return e ? -1 : pid;
}

pid_t child_start(char *const *argv, char *const *env, int ends[3])
{
	int pipes[3][2] = { { -1, -1 }, { -1, -1 }, { -1, -1 } };
	pid_t pid = -1;
	bool piped = true;
	for (int i = 0; i < 3 && piped; i++)
		piped = pipe2(pipes[i], O_CLOEXEC) == 0;
	if (piped)
		pid = spawn(argv, env, pipes);
	if (pid < 0) {
		int e = errno;
		close_pipes(pipes);
		errno = e;
		return -1;
	}
	for (int i = 0; i < 3; i++) {
		int ours = i == 0;
		close(pipes[i][!ours]);
		ends[i] = pipes[i][ours];
	}
	return pid;
}
