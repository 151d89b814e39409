/*
 * Starts and ends the simulated modem for modem.c. It ends by itself too: when its input ends or its
 * parent dies.
 */
#include "sim.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/file.h"

extern char **environ;

enum { READY_MS = 10000 };

struct sms_sim {
	pid_t pid;
	int input; /* it ends when this is closed */
	char path[64];
};

static char *program(void)
{
	char *dir = file_libexec(NULL), *path = dir != NULL ? file_join(dir, "simmodem") : NULL;

	free(dir);
	if (path != NULL && access(path, X_OK) != 0) {
		/* built but not yet installed: beside this program */
		free(path);
		dir = file_self_dir();
		path = dir != NULL ? file_join(dir, "simmodem") : NULL;
		free(dir);
	}
	return path;
}

static bool read_path(int fd, char *out, size_t size)
{
	int64_t deadline = clock_boot_ms() + READY_MS;
	size_t n = 0;

	while (n + 1 < size) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		int64_t left = deadline - clock_boot_ms();

		if (left <= 0 || (poll(&p, 1, (int)left) < 0 && errno != EINTR))
			return false;
		if (p.revents == 0)
			continue;
		if (read(fd, out + n, 1) != 1)
			return false;
		if (out[n] == '\n') {
			out[n] = '\0';
			return true;
		}
		n++;
	}
	return false;
}

static int launch(const char *path, const char *phone_file, int input, int ready, pid_t *pid)
{
	char *argv[] = {
	    (char *)path,	"--parent", "--ready-fd", "3", phone_file != NULL ? "--phone" : NULL,
	    (char *)phone_file, NULL};
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t at;
	sigset_t none;
	int rc;

	posix_spawn_file_actions_init(&fa);
	posix_spawnattr_init(&at);
	sigemptyset(&none);
	posix_spawnattr_setsigmask(&at, &none);
	posix_spawnattr_setflags(&at, POSIX_SPAWN_SETSIGMASK);
	posix_spawn_file_actions_adddup2(&fa, input, STDIN_FILENO);
	/* with a phone file that shows all of it, nothing is said twice */
	if (phone_file != NULL)
		posix_spawn_file_actions_addopen(&fa, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	else
		posix_spawn_file_actions_adddup2(&fa, STDERR_FILENO, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&fa, ready, 3);
	rc = posix_spawn(pid, path, &fa, &at, argv, environ);
	posix_spawnattr_destroy(&at);
	posix_spawn_file_actions_destroy(&fa);
	return rc;
}

/* A descriptor of at least 10, so that the child's 3 never collides with it. */
static bool high_pipe(int fd[2])
{
	int low[2];

	if (pipe2(low, O_CLOEXEC) != 0)
		return false;
	fd[0] = fcntl(low[0], F_DUPFD_CLOEXEC, 10);
	fd[1] = fcntl(low[1], F_DUPFD_CLOEXEC, 10);
	close(low[0]);
	close(low[1]);
	if (fd[0] >= 0 && fd[1] >= 0)
		return true;
	close(fd[0]);
	close(fd[1]);
	return false;
}

static bool start(struct sms_sim *s, const char *phone_file, char *why, size_t size)
{
	int input[2], ready[2], rc;
	char *path = program();
	bool ok;

	s->pid = -1;
	s->input = -1;
	if (path == NULL || !high_pipe(input)) {
		snprintf(why, size, "simulated modem: %s",
			 path == NULL ? "cannot tell where it is" : strerror(errno));
		free(path);
		return false;
	}
	if (!high_pipe(ready)) {
		snprintf(why, size, "simulated modem: %s", strerror(errno));
		close(input[0]);
		close(input[1]);
		free(path);
		return false;
	}
	rc = launch(path, phone_file, input[0], ready[1], &s->pid);
	close(input[0]);
	close(ready[1]);
	s->input = input[1];
	ok = rc == 0 && read_path(ready[0], s->path, sizeof(s->path));
	close(ready[0]);
	if (!ok)
		snprintf(why, size, "simulated modem %s: %s", path,
			 rc != 0 ? strerror(rc) : "did not come up");
	free(path);
	return ok;
}

void sms_sim_stop(struct sms_sim *sim)
{
	if (sim == NULL)
		return;
	if (sim->input >= 0)
		close(sim->input);
	if (sim->pid > 0) {
		kill(sim->pid, SIGTERM);
		waitpid(sim->pid, NULL, 0);
	}
	free(sim);
}

static bool alive(struct sms_sim *s)
{
	if (waitpid(s->pid, NULL, WNOHANG) == 0)
		return true;
	s->pid = -1;
	return false;
}

bool sms_sim_start(struct sms_sim **sim, const char *phone_file, char *path, size_t pathsize, char *why,
		   size_t size)
{
	if (*sim != NULL && !alive(*sim)) {
		sms_sim_stop(*sim);
		*sim = NULL;
	}
	if (*sim == NULL) {
		struct sms_sim *s = calloc(1, sizeof(*s));

		if (s == NULL || !start(s, phone_file, why, size)) {
			sms_sim_stop(s);
			return false;
		}
		*sim = s;
	}
	snprintf(path, pathsize, "%s", (*sim)->path);
	return true;
}
