/*
 * monitord-run: all of monitord in the foreground, without systemd. Starts pagerd and monitord as its
 * children (daemons.c), starts again what dies, prints what is watched, each change of a check and each
 * page as the phone shows it (show.c). Ctrl-C stops all of it and leaves nothing behind. Without -c it
 * runs the embedded default (default.c) in a directory of its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/contract/coproc.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "monitord/ctl/paths.h"
#include "daemons.h"
#include "default.h"
#include "show.h"

enum { LINE_MAX_BYTES = 16 << 20, ASK_EVERY_MS = 2000 };

struct run {
	struct event_base *base;
	struct run_daemons daemons;
	struct run_show show;
	struct coproc *monitord, *pagerd; /* their control sockets */
	struct loop_timer *tick;
	char *dir, *config, *log, *phone_file;
	bool own_dir; /* made by us: removed at the end */
	bool verbose;
	int64_t asked_ms;
	int rc;
};

/* --- what they say --- */

static void on_line(void *arg, struct coproc *c, cJSON *v)
{
	struct run *r = arg;
	(void)c;
	run_show_phone(&r->show); /* what arrived before what is said of it */
	run_show_line(&r->show, v);
}

static void ask(struct coproc *c, const char *what)
{
	cJSON *q = cJSON_CreateObject();
	json_add_int(q, "v", 1);
	cJSON_AddStringToObject(q, "do", what);
	coproc_send(c, q);
	cJSON_Delete(q);
}

static void on_up(void *arg, struct coproc *c)
{
	struct run *r = arg;
	if (c == r->monitord && r->show.list_checks)
		ask(c, "status");
	ask(c, "subscribe");
}

static void on_down(void *arg, struct coproc *c, const char *why)
{
	(void)arg;
	(void)c;
	(void)why; /* coproc connects again by itself */
}

/* --- the loop --- */

static void stop(struct run *r, const char *why)
{
	run_say("%s", why);
	run_daemons_stop(&r->daemons, clock_boot_ms());
	loop_timer_in(r->tick, 10);
}

static void on_signal(void *arg, int sig)
{
	struct run *r = arg;
	(void)sig;
	stop(r, r->daemons.stopping ? "stopping at once" : "stopping");
}

static void on_child(void *arg, int sig)
{
	struct run *r = arg;
	(void)sig;
	run_daemons_tick(&r->daemons, clock_boot_ms());
}

static void on_tick(void *arg)
{
	struct run *r = arg;
	int64_t now = clock_boot_ms();
	run_daemons_tick(&r->daemons, now);
	run_show_phone(&r->show);
	if (!r->daemons.stopping && now - r->asked_ms >= ASK_EVERY_MS && coproc_is_up(r->pagerd)) {
		r->asked_ms = now;
		ask(r->pagerd, "status"); /* the lines' health */
	}
	/* the directory itself may be made again by a daemon that writes into it, its configuration is not */
	if (!r->daemons.stopping && r->dir && access(r->config, F_OK) != 0 && errno == ENOENT) {
		r->rc = 1;
		stop(r, "the directory of all state was removed; stopping");
	}
	if (r->daemons.stopping && run_daemons_gone(&r->daemons, now))
		loop_stop(r->base);
	else
		loop_timer_in(r->tick, r->daemons.stopping ? 20 : 100);
}

static struct coproc *watch(struct run *r, const char *name, char *path)
{
	static const struct coproc_calls calls = {.line = on_line, .up = on_up, .down = on_down};
	struct coproc *c = coproc_connect(r->base, name, path, LINE_MAX_BYTES, &calls, r);
	free(path);
	return c;
}

static void run_all(struct run *r)
{
	r->base = loop_new();
	r->tick = loop_timer_new(r->base, on_tick, r);
	loop_signal(r->base, SIGINT, on_signal, r);
	loop_signal(r->base, SIGTERM, on_signal, r);
	loop_signal(r->base, SIGHUP, on_signal, r);
	loop_signal(r->base, SIGCHLD, on_child, r);
	run_show_init(&r->show, r->phone_file);
	r->show.list_checks = !r->dir;
	if (!run_daemons_init(&r->daemons, r->config, r->verbose ? NULL : r->log)) {
		fprintf(stderr, "monitord-run: out of memory\n");
		r->rc = 1;
		return;
	}
	run_daemons_tick(&r->daemons, clock_boot_ms());
	r->pagerd = watch(r, "pagerd", ctl_pagerd_socket(r->config));
	r->monitord = watch(r, "monitord", ctl_monitord_socket(r->config));
	loop_timer_in(r->tick, 0);
	loop_run(r->base);
	run_show_phone(&r->show);
	run_say("all stopped");
	coproc_free(r->pagerd);
	coproc_free(r->monitord);
	loop_timer_free(r->tick);
	loop_free(r->base);
	run_daemons_fini(&r->daemons);
	run_show_fini(&r->show);
}

/* --- the beginning --- */

static const char *given(const char *name)
{
	const char *v = getenv(name);
	return v && *v ? v : NULL;
}

static bool make_dir(struct run *r)
{
	char template[] = "/tmp/monitord-run.XXXXXX";
	if (r->dir) {
		bool ok = file_mkdirs(r->dir, 0700);
		char *real = ok ? realpath(r->dir, NULL) : NULL;
		if (!real) {
			fprintf(stderr, "monitord-run: %s: %s\n", r->dir, strerror(errno));
			return false;
		}
		free(r->dir);
		r->dir = real;
		return true;
	}
	if (!mkdtemp(template)) {
		fprintf(stderr, "monitord-run: %s: %s\n", template, strerror(errno));
		return false;
	}
	r->dir = strdup(template);
	r->own_dir = true;
	return r->dir != NULL;
}

static bool make_default(struct run *r)
{
	struct run_default d = {.device = given("DEVICE"), .phone = given("PHONE")};
	struct buf yaml, said;
	char why[512];
	if (!run_default_modem(&d, why, sizeof why)) {
		fprintf(stderr, "monitord-run: %s\n", why);
		return false;
	}
	if (!make_dir(r))
		return false;
	d.dir = r->dir;
	r->config = file_join(r->dir, "monitord.yaml");
	r->log = file_join(r->dir, "daemons.log");
	if (!d.device)
		r->phone_file = file_join(r->dir, "phone");
	buf_init(&yaml, 65536);
	buf_init(&said, 65536);
	run_default_config(&d, &yaml, &said);
	bool ok = file_write_volatile(r->config, buf_str(&yaml), yaml.len, 0600);
	if (ok)
		printf("watching this host:\n%s", buf_str(&said));
	else
		fprintf(stderr, "monitord-run: %s: %s\n", r->config, strerror(errno));
	buf_fini(&yaml);
	buf_fini(&said);
	return ok;
}

/* The daemons say themselves what is wrong with a configuration; nothing is started with a bad one. */
static bool config_is_good(struct run *r)
{
	char *program = run_program("monitord");
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

static void remove_tree(const char *dir)
{
	pid_t pid = fork();
	if (pid == 0) {
		execl("/bin/rm", "rm", "-rf", "--", dir, (char *)NULL);
		_exit(127);
	}
	waitpid(pid, NULL, 0);
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
	static const struct option options[] = {
	    {"phone-file", 1, NULL, 'p'}, {"dir", 1, NULL, 'd'}, {"help", 0, NULL, 'h'}, {NULL, 0, NULL, 0}};
	int o;
	while ((o = getopt_long(argc, argv, "c:vhV", options, NULL)) != -1) {
		switch (o) {
		case 'c':
			r->config = realpath(optarg, NULL);
			if (!r->config) {
				fprintf(stderr, "monitord-run: %s: %s\n", optarg, strerror(errno));
				return 2;
			}
			break;
		case 'p':
			r->phone_file = strdup(optarg);
			break;
		case 'd':
			r->dir = strdup(optarg);
			break;
		case 'v':
			r->verbose = true;
			break;
		case 'h':
			fputs(usage_text, stdout);
			return 0;
		case 'V':
			puts("monitord-run " MONITORD_VERSION);
			return 0;
		default:
			fputs(usage_text, stderr);
			return 2;
		}
	}
	if (optind < argc) {
		fputs(usage_text, stderr);
		return 2;
	}
	return -1;
}

/* The path as one would type it here: without the working directory, whole anywhere else. */
static char *from_here(char *path)
{
	char here[4096];
	size_t n = path && getcwd(here, sizeof here) ? strlen(here) : 0;
	if (n > 1 && strncmp(path, here, n) == 0 && path[n] == '/')
		memmove(path, path + n + 1, strlen(path + n));
	return path;
}

/* How to ask, with the programs of the same folder. */
static void say_how_to_ask(const struct run *r)
{
	char *ctl = from_here(run_program("monitorctl"));
	printf("  ask it:       %s -c %s status\n", ctl ? ctl : "monitorctl", r->config);
	printf("  a test page:  %s -c %s test-page you\n", ctl ? ctl : "monitorctl", r->config);
	if (!r->verbose)
		printf("  its log:      %s\n", r->log);
	printf("Ctrl-C stops%s.\n", r->own_dir ? " and removes all of it" : "");
	free(ctl);
}

int main(int argc, char **argv)
{
	struct run r = {0};
	int rc = parse(&r, argc, argv);
	if (rc >= 0)
		return rc;
	log_init("monitord-run", LOG_L_ERR);
	bool own_config = r.config != NULL;
	if (own_config)
		r.verbose = true; /* no directory of ours to keep a log in */
	bool ok = (own_config || make_default(&r)) && config_is_good(&r);
	if (ok && !own_config)
		say_how_to_ask(&r);
	fflush(stdout);
	if (ok)
		run_all(&r);
	if (r.own_dir)
		remove_tree(r.dir);
	free(r.dir);
	free(r.config);
	free(r.log);
	free(r.phone_file);
	return ok ? r.rc : 1;
}
