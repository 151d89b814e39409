/*
 * modem-reset: the one who may switch a modem's USB device or its power off and on, because pagerd and its
 * notifiers may not. A program of its own, started by systemd for its socket (monitord-modem-reset.socket);
 * it takes one line, "usb NAME" or "power NAME", from a process of user or group monitord-pager (or root)
 * only, does what its allow-list has under that name, and answers "ok" or why not. Nothing that comes over
 * the socket reaches a path or an argument: a name only chooses a rule. Ends when nobody asked for a while.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "allow.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/log.h"

#define CONF "/etc/monitord/modem-reset.conf"

enum { LISTEN_FD = 3, REQUEST_MS = 5000, COMMAND_MS = 15000, IDLE_MS = 60000, CONF_MAX = 65536 };

struct helper {
	const char *conf, *sys, *who, *listen;
	int fd;
	int64_t off_ms; /* how long a USB device stays switched off */
	struct reset_allow allow;
};

/* --- doing it ----------------------------------------------------------------------------------------- */

static bool write_flag(const char *path, const char *flag)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	bool ok = fd >= 0 && write(fd, flag, 1) == 1;
	int e = errno;

	if (fd >= 0)
		close(fd);
	errno = e;
	return ok;
}

/* Switched on again whatever happened: a device that is left off is worse than one that hangs. */
static bool reset_usb(const struct helper *h, const struct reset_rule *r, char *why, size_t size)
{
	char path[256];
	bool off;

	snprintf(path, sizeof(path), "%s/bus/usb/devices/%s/authorized", h->sys, r->name);
	off = write_flag(path, "0");
	if (off)
		usleep((useconds_t)h->off_ms * 1000);
	else
		snprintf(why, size, "%s: %s", path, strerror(errno));
	for (int i = 0; off && i < 3; i++) {
		if (write_flag(path, "1"))
			return true;
		snprintf(why, size, "%s stays off: %s", r->name, strerror(errno));
		usleep(200 * 1000);
	}
	return false;
}

/* The whole group ends with it, or at the deadline. */
static bool await_command(pid_t pid, int *status)
{
	int64_t deadline = clock_boot_ms() + COMMAND_MS;

	while (waitpid(pid, status, WNOHANG) == 0) {
		if (clock_boot_ms() >= deadline) {
			kill(-pid, SIGKILL);
			waitpid(pid, status, 0);
			return false;
		}
		usleep(10 * 1000);
	}
	kill(-pid, SIGKILL);
	return true;
}

static int run_command(char *const argv[], pid_t *pid)
{
	static char *env[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C", NULL};
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t at;
	sigset_t none, dflt;
	int rc;

	posix_spawn_file_actions_init(&fa);
	posix_spawnattr_init(&at);
	sigemptyset(&none);
	sigfillset(&dflt);
	posix_spawnattr_setsigmask(&at, &none);
	posix_spawnattr_setsigdefault(&at, &dflt);
	posix_spawnattr_setpgroup(&at, 0);
	posix_spawnattr_setflags(&at, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
	posix_spawn_file_actions_addopen(&fa, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&fa, STDERR_FILENO, STDOUT_FILENO);
	rc = posix_spawn(pid, argv[0], &fa, &at, argv, env);
	posix_spawnattr_destroy(&at);
	posix_spawn_file_actions_destroy(&fa);
	return rc;
}

static bool reset_power(struct reset_rule *r, char *why, size_t size)
{
	int status = 0, rc;
	pid_t pid;

	rc = run_command(r->argv, &pid);
	if (rc != 0) {
		snprintf(why, size, "%s: %s", r->argv[0], strerror(rc));
		return false;
	}
	if (!await_command(pid, &status)) {
		snprintf(why, size, "%s took longer than %d s and was killed", r->argv[0], COMMAND_MS / 1000);
		return false;
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return true;
	if (WIFEXITED(status))
		snprintf(why, size, "%s exited with %d", r->argv[0], WEXITSTATUS(status));
	else
		snprintf(why, size, "%s was killed by signal %d", r->argv[0], WTERMSIG(status));
	return false;
}

/* --- who asks, and for what ---------------------------------------------------------------------------- */

static bool in_group(int fd, gid_t group)
{
	gid_t groups[256];
	socklen_t len = sizeof(groups);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) != 0)
		return false;
	for (size_t i = 0; i < len / sizeof(groups[0]); i++)
		if (groups[i] == group)
			return true;
	return false;
}

/* Root, the user of that name, or whoever is in its group. */
static bool may_ask(const struct helper *h, int fd)
{
	const struct passwd *user = getpwnam(h->who);
	const struct group *group = getgrnam(h->who);
	struct ucred c;
	socklen_t len = sizeof(c);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &c, &len) != 0)
		return false;
	if (c.uid == 0 || (user != NULL && c.uid == user->pw_uid))
		return true;
	if (group != NULL && (c.gid == group->gr_gid || in_group(fd, group->gr_gid)))
		return true;
	log_warn("refused: uid %ld, pid %ld is not %s", (long)c.uid, (long)c.pid, h->who);
	return false;
}

static bool read_request(int fd, char *out, size_t size)
{
	int64_t deadline = clock_boot_ms() + REQUEST_MS;
	size_t n = 0;

	while (n + 1 < size) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		int64_t left = deadline - clock_boot_ms();

		if (left <= 0 || poll(&p, 1, (int)left) <= 0 || read(fd, out + n, 1) != 1)
			return false;
		if (out[n] == '\n') {
			out[n] = '\0';
			return true;
		}
		if ((unsigned char)out[n] < 0x20 || (unsigned char)out[n] > 0x7E)
			return false;
		n++;
	}
	return false;
}

/* Read anew for each request: who edits it need not restart anything. How often was what is remembered. */
static bool load_rules(struct helper *h, char *why, size_t size)
{
	struct reset_allow fresh;
	struct buf text;
	char bad[200];
	bool ok;

	buf_init(&text, CONF_MAX);
	ok = file_read(h->conf, &text);
	if (!ok)
		snprintf(why, size, "%s: %s", h->conf, strerror(errno));
	else if (!(ok = reset_allow_read(&fresh, buf_str(&text), bad, sizeof(bad))))
		snprintf(why, size, "%s: %s", h->conf, bad);
	buf_fini(&text);
	if (!ok)
		return false;
	reset_allow_keep_times(&fresh, &h->allow);
	reset_allow_free(&h->allow);
	h->allow = fresh;
	return true;
}

static bool serve(struct helper *h, const char *request, char *why, size_t size)
{
	struct reset_rule *r;

	if (!load_rules(h, why, size))
		return false;
	r = reset_allow_find(&h->allow, request, clock_boot_ms(), why, size);
	if (r == NULL)
		return false;
	r->last_ms = clock_boot_ms();
	return r->power ? reset_power(r, why, size) : reset_usb(h, r, why, size);
}

static void answer(struct helper *h, int fd)
{
	char request[RESET_LINE_MAX], why[400] = "";
	bool ok;

	if (!may_ask(h, fd)) {
		/* it may not be read to its end, and yet the answer shall arrive */
		read_request(fd, request, sizeof(request));
		dprintf(fd, "not for you\n");
		return;
	}
	if (!read_request(fd, request, sizeof(request))) {
		while (recv(fd, request, sizeof(request), MSG_DONTWAIT) > 0)
			;
		dprintf(fd, "not understood\n");
		return;
	}
	ok = serve(h, request, why, sizeof(why));
	log_notice("%s: %s", request, ok ? "done" : why);
	dprintf(fd, "%s\n", ok ? "ok" : why);
}

/* --- the program --------------------------------------------------------------------------------------- */

/* The socket that systemd made, or one of our own for a test. */
static int listen_fd(const struct helper *h)
{
	const char *pid = getenv("LISTEN_PID"), *n = getenv("LISTEN_FDS");
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd;

	if (h->listen == NULL)
		return pid != NULL && n != NULL && atol(pid) == (long)getpid() && atoi(n) == 1 ? LISTEN_FD
											       : -1;
	if (strlen(h->listen) >= sizeof(a.sun_path))
		return -1;
	memcpy(a.sun_path, h->listen, strlen(h->listen) + 1);
	unlink(h->listen);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0 && listen(fd, 8) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

static const char usage[] =
    "usage: modem-reset [options]\n"
    "Switches a modem's USB device or its power off and on, for who may ask and what may be asked for.\n\n"
    "  --conf FILE      what is allowed (" CONF ")\n"
    "  --listen PATH    make a socket there; else systemd gives one\n"
    "  --who NAME       the user or group that may ask, beside root (monitord-pager)\n"
    "  --sys DIR        in place of /sys\n"
    "  --off MS         how long a USB device stays switched off (2000)\n"
    "  -h, -V\n";

static int take_options(struct helper *h, int argc, char **argv)
{
	static const struct option options[] = {
	    {"conf", 1, 0, 'c'}, {"listen", 1, 0, 'l'}, {"who", 1, 0, 'w'},	{"sys", 1, 0, 's'},
	    {"off", 1, 0, 'o'},	 {"help", 0, 0, 'h'},	{"version", 0, 0, 'V'}, {0}};
	int c;

	while ((c = getopt_long(argc, argv, "hV", options, NULL)) != -1) {
		switch (c) {
		case 'c':
			h->conf = optarg;
			break;
		case 'l':
			h->listen = optarg;
			break;
		case 'w':
			h->who = optarg;
			break;
		case 's':
			h->sys = optarg;
			break;
		case 'o':
			h->off_ms = atol(optarg);
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		case 'V':
			printf("modem-reset (monitord) %s\n", MONITORD_VERSION);
			return 0;
		default:
			fputs(usage, stderr);
			return 2;
		}
	}
	return optind == argc && h->off_ms >= 0 && h->off_ms <= 60000 ? -1 : 2;
}

static void loop(struct helper *h, int fd)
{
	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		/* started again by its socket when somebody asks; what it remembers is only how often, for so
		 * long */
		int n = poll(&p, 1, h->listen != NULL ? -1 : IDLE_MS);
		int client;

		if (n == 0 && !reset_allow_recent(&h->allow, clock_boot_ms()))
			return;
		if (n <= 0)
			continue;
		client = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
		if (client < 0)
			continue;
		answer(h, client);
		close(client);
	}
}

int main(int argc, char **argv)
{
	struct helper h = {.conf = CONF, .sys = "/sys", .who = "monitord-pager", .off_ms = 2000};
	int rc = take_options(&h, argc, argv);

	if (rc >= 0)
		return rc;
	log_init("modem-reset", LOG_L_INFO);
	signal(SIGPIPE, SIG_IGN);
	h.fd = listen_fd(&h);
	if (h.fd < 0) {
		log_err("no socket: systemd starts this program, or give --listen");
		return 1;
	}
	loop(&h, h.fd);
	reset_allow_free(&h.allow);
	return 0;
}
