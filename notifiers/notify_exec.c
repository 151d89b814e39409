/*
 * exec: an administrator's own script as a line. The page's text goes to its standard input, the fields into
 * its environment (MONITORD_TO and so on; never into its arguments), and its exit says the outcome: 0 sent;
 * 75, 126, 127 retry; ended by a signal or killed at the page's deadline: doubtful, it may have
 * got far enough.
 *
 * The script has a process group of its own, no descriptors but the three, default signals, a chosen
 * environment. Whatever it leaves running in its group is killed when it ends.
 */
#include "notifier.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/clock.h"

enum { TEXT_MAX = 2048, INPUT_MAX = 16384, SAID_MAX = 240, ENV_MAX = 65536, ENV_ITEMS = 64 };

struct exec_conf {
	struct opt_list command, environment;
};

/* One run of the script. */
struct script {
	pid_t pid;
	int pidfd, in, out; /* in, out: -1 once closed */
	struct buf input;
	size_t given;
	struct buf said; /* the start of what it printed, for the detail */
	int64_t deadline;
	bool killed;
};

static const struct opt exec_opts[] = {
    {.name = "command",
     .type = OPT_LIST,
     .offset = offsetof(struct exec_conf, command),
     .flags = OPT_REQUIRED,
     .unit = "WORD",
     .help = "the program (absolute path) and its arguments, run without a shell"},
    {.name = "environment",
     .type = OPT_LIST,
     .offset = offsetof(struct exec_conf, environment),
     .unit = "NAME=VALUE",
     .help = "more for its environment; it has PATH, HOME=/, LANG=C.UTF-8, TZ and MONITORD_*"},
    {0},
};

static void exec_check_conf(const void *arg, struct complaints *c)
{
	const struct exec_conf *conf = arg;

	if (conf->command.n && conf->command.v[0][0] != '/')
		complaint_add(c, NULL, "command", conf->command.v[0], "the program must be an absolute path");
	if (conf->environment.n > ENV_ITEMS - 20)
		complaint_add(c, NULL, "environment", NULL, "more than %d entries", ENV_ITEMS - 20);
	for (size_t i = 0; i < conf->environment.n; i++) {
		const char *e = conf->environment.v[i];

		if (!strchr(e, '=') || e[0] == '=')
			complaint_add(c, NULL, "environment", e, "must be NAME=VALUE");
		else if (!strncmp(e, "MONITORD_", 9))
			complaint_add(c, NULL, "environment", e,
				      "names that start with MONITORD_ are those of the page");
	}
}

static bool exec_start(struct notifier_run *run, char *why, size_t size)
{
	const struct exec_conf *conf = run->conf;

	/* it may come later (a file system not mounted yet): say so, and try at each page */
	if (access(conf->command.v[0], X_OK) < 0)
		notifier_health(false, "cannot run %s: %s", conf->command.v[0], strerror(errno));
	else
		notifier_health(true, "%s", conf->command.v[0]);
	(void)why;
	(void)size;
	return true;
}

/* --- environment: one block of text, and pointers into it --- */

struct env {
	struct buf text;
	size_t at[ENV_ITEMS];
	size_t n;
	char *v[ENV_ITEMS + 1];
};

__attribute__((format(printf, 2, 3))) static void env_add(struct env *e, const char *fmt, ...)
{
	va_list ap;

	if (e->n == ENV_ITEMS)
		return;
	e->at[e->n] = e->text.len;
	va_start(ap, fmt);
	if (buf_vprintf(&e->text, fmt, ap) && buf_add(&e->text, "", 1))
		e->n++;
	else
		e->text.len = e->at[e->n];
	va_end(ap);
}

static void env_fill(struct env *e, const struct exec_conf *conf, const struct page *p)
{
	char since[40], at[40];

	buf_init(&e->text, ENV_MAX);
	e->n = 0;
	env_add(e, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	env_add(e, "HOME=/");
	env_add(e, "LANG=C.UTF-8");
	if (getenv("TZ"))
		env_add(e, "TZ=%s", getenv("TZ"));
	env_add(e, "MONITORD_ID=%s", p->id);
	env_add(e, "MONITORD_TO=%s", p->to);
	env_add(e, "MONITORD_KIND=%s", page_kind_name(p->kind));
	env_add(e, "MONITORD_RESEND=%d", p->resend ? 1 : 0);
	env_add(e, "MONITORD_INCIDENT=%s", p->incident);
	env_add(e, "MONITORD_CHECK=%s", p->check);
	env_add(e, "MONITORD_HOST=%s", p->host);
	env_add(e, "MONITORD_STATE=%s", p->state);
	env_add(e, "MONITORD_TEXT=%s", p->text);
	env_add(e, "MONITORD_SINCE=%s",
		p->since_wall_ms > 0 ? clock_iso(p->since_wall_ms, since, sizeof(since)) : "");
	env_add(e, "MONITORD_AT=%s", p->at_wall_ms > 0 ? clock_iso(p->at_wall_ms, at, sizeof(at)) : "");
	for (size_t i = 0; i < conf->environment.n; i++)
		env_add(e, "%s", conf->environment.v[i]);
	for (size_t i = 0; i < e->n; i++)
		e->v[i] = e->text.data + e->at[i];
	e->v[e->n] = NULL;
}

/* --- starting it --- */

static bool make_pipe(int fd[2])
{
	fd[0] = fd[1] = -1;
	return pipe2(fd, O_CLOEXEC) == 0;
}

static void close_pipe(int fd[2])
{
	for (int i = 0; i < 2; i++) {
		if (fd[i] >= 0)
			close(fd[i]);
	}
}

/* 0 or an error number. */
static int spawn(const struct exec_conf *conf, char *const *env, int in, int out, pid_t *pid)
{
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t attr;
	sigset_t none, all;
	int rc;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr,
				 POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setpgroup(&attr, 0);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_adddup2(&fa, in, 0);
	posix_spawn_file_actions_adddup2(&fa, out, 1);
	posix_spawn_file_actions_adddup2(&fa, out, 2);
	posix_spawn_file_actions_addclosefrom_np(&fa, 3);
	posix_spawn_file_actions_addchdir_np(&fa, "/");
	rc = posix_spawn(pid, conf->command.v[0], &fa, &attr, conf->command.v, env);
	posix_spawn_file_actions_destroy(&fa);
	posix_spawnattr_destroy(&attr);
	return rc;
}

static int script_start(struct script *s, const struct exec_conf *conf, const struct page *p)
{
	struct env e;
	char *argv[260];
	struct exec_conf terminated = {.command = {.v = argv, .n = conf->command.n}};
	int in[2], out[2] = {-1, -1}, rc = EMFILE;

	for (size_t i = 0; i < conf->command.n && i < 259; i++)
		argv[i] = conf->command.v[i];
	argv[conf->command.n < 259 ? conf->command.n : 259] = NULL;
	env_fill(&e, conf, p);
	if (make_pipe(in) && make_pipe(out))
		rc = spawn(&terminated, e.v, in[0], out[1], &s->pid);
	buf_fini(&e.text);
	if (rc) {
		close_pipe(in);
		close_pipe(out);
		return rc;
	}
	close(in[0]);
	close(out[1]);
	s->in = in[1];
	s->out = out[0];
	fcntl(s->in, F_SETFL, O_NONBLOCK);
	fcntl(s->out, F_SETFL, O_NONBLOCK);
	s->pidfd = pidfd_open(s->pid, 0);
	return 0;
}

/* --- while it runs --- */

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void give(struct script *s)
{
	ssize_t n =
	    s->given < s->input.len ? write(s->in, s->input.data + s->given, s->input.len - s->given) : 0;

	if (n > 0)
		s->given += (size_t)n;
	/* a script that does not want its input is not wrong */
	if (s->given == s->input.len || (n < 0 && errno != EAGAIN && errno != EINTR))
		close_fd(&s->in);
}

static void listen_to(struct script *s)
{
	char chunk[4096];
	ssize_t n;

	/* beyond the maximum it is read and forgotten, so that the script never hangs on a full pipe */
	while ((n = read(s->out, chunk, sizeof(chunk))) > 0)
		buf_add_cut(&s->said, chunk, (size_t)n);
	if (n == 0 || (errno != EAGAIN && errno != EINTR))
		close_fd(&s->out);
}

/* True when it has ended by itself before its deadline. */
static bool serve(struct script *s)
{
	for (;;) {
		int64_t left = s->deadline - clock_boot_ms();
		struct pollfd p[3] = {{.fd = s->pidfd, .events = POLLIN},
				      {.fd = s->in, .events = POLLOUT},
				      {.fd = s->out, .events = POLLIN}};

		if (left <= 0)
			return false;
		/* without a pidfd (an old kernel): look again ten times a second */
		if (poll(p, 3, s->pidfd < 0 && left > 100 ? 100 : (int)left) < 0 && errno != EINTR)
			return false;
		if (s->in >= 0 && p[1].revents)
			give(s);
		if (s->out >= 0 && p[2].revents)
			listen_to(s);
		if (p[0].revents || s->pidfd < 0) {
			siginfo_t si = {0};

			if (waitid(P_PID, (id_t)s->pid, &si, WEXITED | WNOHANG | WNOWAIT) == 0 && si.si_pid)
				return true;
		}
	}
}

/* Kills what is left of the group, then reaps: the pid is ours until then, so no other group can be meant. */
static int script_end(struct script *s)
{
	int status = 0;

	if (s->out >= 0)
		listen_to(s);
	kill(-s->pid, SIGKILL);
	while (waitpid(s->pid, &status, 0) < 0 && errno == EINTR)
		;
	close_fd(&s->in);
	close_fd(&s->out);
	close_fd(&s->pidfd);
	return status;
}

/* --- its outcome --- */

/* The first line it printed, harmless. */
static void first_said(const struct script *s, char *out, size_t size)
{
	const char *text = buf_str(&s->said);
	size_t n = strcspn(text, "\r\n");

	if (n >= size)
		n = size - 1;
	for (size_t i = 0; i < n; i++)
		out[i] = (unsigned char)text[i] < 0x20 || text[i] == 0x7f ? ' ' : text[i];
	out[n] = '\0';
}

static enum outcome judge(const struct script *s, int status, char *detail, size_t size)
{
	char said[SAID_MAX];
	const char *colon;
	int code;

	first_said(s, said, sizeof(said));
	colon = said[0] ? ": " : "";
	if (s->killed) {
		snprintf(detail, size, "killed at the deadline%s%s", colon, said);
		return OUTCOME_DOUBTFUL;
	}
	if (WIFSIGNALED(status)) {
		snprintf(detail, size, "killed by signal %d%s%s", WTERMSIG(status), colon, said);
		return OUTCOME_DOUBTFUL;
	}
	code = WEXITSTATUS(status);
	if (code == 0) {
		snprintf(detail, size, "%s", said[0] ? said : "exit 0");
		return OUTCOME_SENT;
	}
	snprintf(detail, size, "exit %d%s%s", code, colon, said);
	return code == 75 || code == 126 || code == 127 ? OUTCOME_RETRY : OUTCOME_REFUSED;
}

static void fill_input(struct buf *input, const struct page *p)
{
	char *text = page_text(p, TEXT_MAX, NULL);

	buf_add_cut(input, text ? text : p->text, strlen(text ? text : p->text));
	buf_puts(input, "\n");
	if (p->more && p->more[0]) {
		buf_add_cut(input, p->more, strlen(p->more));
		if (input->data[input->len - 1] != '\n')
			buf_puts(input, "\n");
	}
	free(text);
}

static enum outcome exec_send(struct notifier_run *run, const struct page *p, char *detail, size_t size)
{
	const struct exec_conf *conf = run->conf;
	struct script s = {.pidfd = -1, .in = -1, .out = -1, .deadline = clock_boot_ms() + p->deadline_ms};
	enum outcome o = OUTCOME_RETRY;
	int rc, status;

	buf_init(&s.input, INPUT_MAX);
	buf_init(&s.said, 1024);
	fill_input(&s.input, p);
	rc = script_start(&s, conf, p);
	if (rc) {
		snprintf(detail, size, "cannot run %s: %s", conf->command.v[0], strerror(rc));
		notifier_health(false, "%s", detail);
	} else {
		s.killed = !serve(&s);
		status = script_end(&s);
		o = judge(&s, status, detail, size);
		/* refused is about that page, not about the line */
		if (o != OUTCOME_REFUSED)
			notifier_health(o == OUTCOME_SENT, "%s", detail);
	}
	buf_fini(&s.input);
	buf_fini(&s.said);
	return o;
}

const struct notifier notifier_exec = {
    .name = "exec",
    .help = "runs an administrator's script for each page",
    .opts = exec_opts,
    .conf_size = sizeof(struct exec_conf),
    .check_conf = exec_check_conf,
    .start = exec_start,
    .send = exec_send,
};
