/*
 * monitord-run: all of monitord in the foreground, without systemd. Starts pagerd and monitord as its children,
 * restarts what dies, prints what is watched, each change of a check and each page as the phone shows it. Ctrl-C stops
 * all of it. Without -c it runs the embedded default (run_default.c) in a directory of its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../lib/clock.h"
#include "../lib/coproc.h"
#include "../lib/file.h"
#include "../lib/json.h"
#include "../lib/log.h"
#include "../lib/loop.h"
#include "../lib/tree.h"
#include "run_default.h"

enum { LINE_MAX_BYTES = 16 << 20, STOP_MS = 15000 };

struct daemon {
	const char *name;
	pid_t pid;
	int64_t again; /* CLOCK_BOOTTIME ms: start again then; 0: runs or must not */
	struct coproc *watch;
};

struct run {
	struct event_base *base;
	struct daemon daemons[2]; /* pagerd first: it must listen when monitord beats */
	struct loop_timer *tick;
	char *dir, *libexec, *config, *log;
	char *phone_file;
	off_t phone_at;
	bool own_dir, verbose, stopping;
	int64_t stop_by;
	int rc;
};

static void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *fmt, ...)
{
	char when[32], text[4096];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	clock_text(clock_wall_ms(), when, sizeof when);
	printf("%s  %s\n", when + (strlen(when) > 11 ? 11 : 0), text);
	fflush(stdout);
}

/* --- the daemons --- */

static void start_daemon(struct run *r, struct daemon *d)
{
	char *program = file_join(r->libexec, d->name);
	pid_t self = getpid(), pid = fork();
	if (pid == 0) {
		/* out of reach of the terminal's Ctrl-C, but not of our own death */
		setpgid(0, 0);
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		sigset_t none;
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		signal(SIGPIPE, SIG_DFL);
		if (getppid() != self)
			_exit(1);
		if (!r->verbose) {
			int fd = open(r->log, O_WRONLY | O_CREAT | O_APPEND, 0640);
			if (fd >= 0)
				dup2(fd, 2);
		}
		int null = open("/dev/null", O_RDWR);
		dup2(null, 0);
		dup2(null, 1);
		close_range(3, ~0U, 0);
		execl(program, d->name, "-c", r->config, (char *)NULL);
		_exit(127);
	}
	d->pid = pid;
	d->again = 0;
	free(program);
}

static void on_child(void *arg, int sig)
{
	struct run *r = arg;
	int status;
	(void)sig;
	for (size_t i = 0; i < 2; i++) {
		struct daemon *d = &r->daemons[i];
		if (d->pid <= 0 || waitpid(d->pid, &status, WNOHANG) != d->pid)
			continue;
		d->pid = -1;
		if (r->stopping)
			continue;
		if (WIFSIGNALED(status))
			say("%s was killed by signal %d; starting it again", d->name, WTERMSIG(status));
		else
			say("%s exited %d; starting it again%s%s", d->name, WEXITSTATUS(status), r->log ? "; its log: " : "",
			    r->log ? r->log : "");
		d->again = clock_boot_ms() + 1000;
	}
}

/* --- what they say --- */

static void on_change(const cJSON *c)
{
	char attempt[40] = "";
	if (!json_bool(c, "hard", true))
		snprintf(attempt, sizeof attempt, " (attempt %d of %d)", (int)json_int(c, "attempt", 0), (int)json_int(c, "max", 0));
	say("%-8s %s%s: %s", json_str(c, "state", "?"), json_str(c, "name", "?"), attempt, json_str(c, "text", ""));
}

static void on_page(const cJSON *p)
{
	say("page     #%s %s to %s: %s%s%s%s%s", json_str(p, "incident", "?"), json_str(p, "kind", "?"), json_str(p, "contact", "?"),
	    json_str(p, "phase", "?"), *json_str(p, "route", "") ? " on " : "", json_str(p, "route", ""),
	    *json_str(p, "detail", "") ? ", " : "", json_str(p, "detail", ""));
}

static void on_line(void *arg, struct coproc *c, cJSON *v)
{
	const cJSON *o;
	(void)arg;
	(void)c;
	if ((o = cJSON_GetObjectItemCaseSensitive(v, "change")))
		on_change(o);
	else if ((o = cJSON_GetObjectItemCaseSensitive(v, "page")))
		on_page(o);
}

static void on_up(void *arg, struct coproc *c)
{
	(void)arg;
	cJSON *q = cJSON_CreateObject();
	json_add_int(q, "v", 1);
	cJSON_AddStringToObject(q, "do", "subscribe");
	coproc_send(c, q);
	cJSON_Delete(q);
}

static void on_down(void *arg, struct coproc *c, const char *why)
{
	(void)arg;
	(void)c;
	(void)why; /* coproc connects again by itself */
}

/* What the phone shows since the last look. */
static void show_phone(struct run *r)
{
	char line[2048];
	FILE *f = r->phone_file ? fopen(r->phone_file, "re") : NULL;
	if (!f)
		return;
	fseeko(f, r->phone_at, SEEK_SET);
	while (fgets(line, sizeof line, f)) {
		size_t n = strlen(line);
		if (line[n - 1] != '\n')
			break;
		line[n - 1] = '\0';
		r->phone_at += (off_t)n;
		say("PHONE    %s", line);
	}
	fclose(f);
}

/* --- the end --- */

static void stop(struct run *r)
{
	if (r->stopping)
		return;
	r->stopping = true;
	r->stop_by = clock_boot_ms() + STOP_MS;
	say("stopping");
	for (int i = 1; i >= 0; i--)
		if (r->daemons[i].pid > 0)
			kill(r->daemons[i].pid, SIGTERM);
	loop_timer_in(r->tick, 10);
}

static void on_signal(void *arg, int sig)
{
	(void)sig;
	stop(arg);
}

static void on_tick(void *arg)
{
	struct run *r = arg;
	bool alive = false;
	on_child(r, 0);
	show_phone(r);
	for (size_t i = 0; i < 2; i++) {
		struct daemon *d = &r->daemons[i];
		if (!r->stopping && d->again && clock_boot_ms() >= d->again)
			start_daemon(r, d);
		if (r->stopping && d->pid > 0 && clock_boot_ms() > r->stop_by)
			kill(-d->pid, SIGKILL);
		alive |= d->pid > 0;
	}
	if (r->stopping && !alive)
		loop_stop(r->base);
	else
		loop_timer_in(r->tick, r->stopping ? 20 : 100);
}

/* --- the beginning --- */

static bool make_default(struct run *r)
{
	struct run_default d = { .device = getenv("DEVICE"), .phone = getenv("PHONE") };
	struct buf yaml, said;
	char template[] = "/tmp/monitord-run.XXXXXX";
	if (!r->dir) {
		r->own_dir = true;
		if (!mkdtemp(template)) {
			fprintf(stderr, "monitord-run: %s: %s\n", template, strerror(errno));
			return false;
		}
		r->dir = strdup(template);
	}
	if (d.device && !*d.device)
		d.device = NULL;
	if (d.phone && !*d.phone)
		d.phone = NULL;
	if (d.device && !d.phone) {
		fprintf(stderr, "monitord-run: DEVICE is given, PHONE is not: whom to page? (PHONE=+81...)\n");
		return false;
	}
	d.dir = r->dir;
	r->config = file_join(r->dir, "monitord.yaml");
	if (!d.device)
		r->phone_file = file_join(r->dir, "phone");
	buf_init(&yaml, 65536);
	buf_init(&said, 65536);
	run_default_config(&d, &yaml, &said);
	bool ok = file_mkdirs(r->dir, 0700) && file_write_volatile(r->config, buf_str(&yaml), yaml.len, 0600);
	if (ok)
		printf("watching:\n%s  configuration: %s\n", buf_str(&said), r->config);
	else
		fprintf(stderr, "monitord-run: %s: %s\n", r->config, strerror(errno));
	buf_fini(&yaml);
	buf_fini(&said);
	return ok;
}

/* A directory of the configuration's paths section. */
static char *run_path(const char *config, const char *key, const char *dflt)
{
	struct buf b;
	struct complaints c;
	buf_init(&b, 4 << 20);
	complaints_init(&c);
	struct node *root = file_read(config, &b) ? tree_parse(config, buf_str(&b), b.len, &c) : NULL;
	struct node *paths = root ? tree_get(root, "paths") : NULL, *v = paths ? tree_get(paths, key) : NULL;
	char *out = strdup(v && v->kind == NODE_SCALAR ? v->scalar : dflt);
	if (root)
		tree_free(root);
	complaints_fini(&c);
	buf_fini(&b);
	return out;
}

static struct coproc *subscribe(struct run *r, const char *key, const char *dflt, const char *socket)
{
	static const struct coproc_calls calls = { on_line, on_up, on_down };
	char *dir = run_path(r->config, key, dflt), *path = file_join(dir, socket);
	struct coproc *c = coproc_connect(r->base, socket, path, LINE_MAX_BYTES, &calls, r);
	free(dir);
	free(path);
	return c;
}

/* The daemons say themselves what is wrong with a configuration; nothing is started with a bad one. */
static bool config_is_good(struct run *r)
{
	char *program = file_join(r->libexec, "monitord");
	pid_t pid = fork();
	if (pid == 0) {
		int null = open("/dev/null", O_WRONLY);
		if (!r->verbose && r->own_dir)
			dup2(null, 1);
		execl(program, "monitord", "-t", "-q", "-c", r->config, (char *)NULL);
		_exit(127);
	}
	int status = -1;
	waitpid(pid, &status, 0);
	free(program);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static int remove_tree(const char *dir)
{
	pid_t pid = fork();
	if (pid == 0) {
		execl("/bin/rm", "rm", "-rf", "--", dir, (char *)NULL);
		_exit(127);
	}
	return waitpid(pid, NULL, 0) == pid ? 0 : -1;
}

static void run_all(struct run *r)
{
	r->base = loop_new();
	r->tick = loop_timer_new(r->base, on_tick, r);
	loop_signal(r->base, SIGINT, on_signal, r);
	loop_signal(r->base, SIGTERM, on_signal, r);
	loop_signal(r->base, SIGHUP, on_signal, r);
	loop_signal(r->base, SIGCHLD, on_child, r);
	r->daemons[0].name = "pagerd";
	r->daemons[1].name = "monitord";
	start_daemon(r, &r->daemons[0]);
	start_daemon(r, &r->daemons[1]);
	r->daemons[0].watch = subscribe(r, "pagerd_run", "/run/monitord-pagerd", "pagerd.sock");
	r->daemons[1].watch = subscribe(r, "monitord_run", "/run/monitord", "monitord.sock");
	loop_timer_in(r->tick, 0);
	loop_run(r->base);
	show_phone(r);
	coproc_free(r->daemons[0].watch);
	coproc_free(r->daemons[1].watch);
	loop_timer_free(r->tick);
	loop_free(r->base);
}

static const char usage_text[] =
	"usage: monitord-run [-v] [-c FILE [--phone-file FILE]] [--dir DIR]\n"
	"Runs pagerd and monitord in the foreground; Ctrl-C stops them.\n"
	"  -c FILE           this configuration instead of the embedded default\n"
	"  --phone-file FILE print what is appended there (a simulated modem's phone_file)\n"
	"  --dir DIR         keep the default's state in DIR (default: a new directory, removed at the end)\n"
	"  -v                the daemons' logs on standard error (always so with -c)\n"
	"DEVICE and PHONE in the environment: a real modem and whom to page.\n";

static int parse(struct run *r, int argc, char **argv)
{
	static const struct option options[] = { { "phone-file", 1, NULL, 'p' }, { "dir", 1, NULL, 'd' },
						 { "help", 0, NULL, 'h' },	 { NULL, 0, NULL, 0 } };
	int o;
	while ((o = getopt_long(argc, argv, "c:vhV", options, NULL)) != -1) {
		switch (o) {
		case 'c': r->config = realpath(optarg, NULL); if (!r->config) { perror(optarg); return 2; } break;
		case 'p': r->phone_file = strdup(optarg); break;
		case 'd': r->dir = strdup(optarg); break;
		case 'v': r->verbose = true; break;
		case 'h': fputs(usage_text, stdout); return 0;
		case 'V': puts("monitord-run " MONITORD_VERSION); return 0;
		default: fputs(usage_text, stderr); return 2;
		}
	}
	if (optind < argc) {
		fputs(usage_text, stderr);
		return 2;
	}
	return -1;
}

int main(int argc, char **argv)
{
	struct run r = { 0 };
	int rc = parse(&r, argc, argv);
	log_init("monitord-run", LOG_L_ERR);
	if (rc >= 0)
		return rc;
	r.libexec = file_libexec(NULL);
	if (!r.config && !make_default(&r))
		rc = 1;
	char *dir = r.dir ? strdup(r.dir) : NULL;
	if (dir)
		r.log = file_join(dir, "daemons.log");
	else
		r.verbose = true; /* an own configuration: no directory of ours to keep a log in */
	if (rc < 0 && !config_is_good(&r))
		rc = 1;
	if (rc < 0) {
		if (!r.verbose)
			printf("  log of the daemons: %s\nCtrl-C stops.\n", r.log);
		fflush(stdout);
		run_all(&r);
		say("all stopped");
		rc = 0;
	}
	if (r.own_dir && dir)
		remove_tree(dir);
	free(dir);
	free(r.dir);
	free(r.libexec);
	free(r.config);
	free(r.log);
	free(r.phone_file);
	return rc;
}
