/*
 * pagerd: decides who must know, and sees to it that they do. Reads the event spool, keeps
 * incidents, speaks to one notifier per line, watches monitord's heartbeat. This file starts and ends
 * it; what it does is in pager.c.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/contract/control.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/sdnotify.h"
#include "lib/config/listwatch.h"
#include "lib/config/units.h"
#include "answers.h"
#include "control_cmds.h"
#include "deadman.h"
#include "errands.h"
#include "inputs.h"
#include "intake.h"
#include "lines.h"
#include "needs.h"
#include "pager.h"
#include "prover.h"
#include "reload.h"
#include "snapshot.h"
#include "sources.h"
#include "tests.h"

enum { DEADLINE_MS = 60000, STOP_MS = 12000, STOP_LOOK_MS = 50, LISTS_MS = 1000 };

static void usage(FILE *out)
{
	fputs("usage: pagerd [-c FILE] [-d DURATION] [-t] [-v] [-V] [-h]\n"
	      "  -c, --config FILE        the configuration (" MONITORD_CONF ")\n"
	      "  -d, --deadline DURATION  what a notifier has for one page (60s); half of it later it is "
	      "killed\n"
	      "  -t, --test               check the configuration and exit 0 (good) or 1\n"
	      "  -v, --verbose            more in the log\n"
	      "  -V, --version, -h, --help\n"
	      "\n"
	      "Pages people about incidents: event spool in, notifiers out. SIGHUP reloads, SIGTERM ends.\n",
	      out);
}

struct options {
	const char *conf;
	int64_t deadline_ms;
	bool test, verbose;
};

/* -1: go on; else the exit status. */
static int read_options(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
	    {"config", required_argument, NULL, 'c'},
	    {"deadline", required_argument, NULL, 'd'},
	    {"test", no_argument, NULL, 't'},
	    {"verbose", no_argument, NULL, 'v'},
	    {"version", no_argument, NULL, 'V'},
	    {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0},
	};
	const char *why = "";
	int c;
	while ((c = getopt_long(argc, argv, "c:d:tvVh", longs, NULL)) != -1) {
		switch (c) {
		case 'c':
			o->conf = optarg;
			break;
		case 'd':
			if (units_duration(optarg, &o->deadline_ms, &why) && o->deadline_ms >= 100)
				break;
			fprintf(stderr, "pagerd: --deadline %s: %s\n", optarg,
				*why ? why : "less than 100 ms");
			return 2;
		case 't':
			o->test = true;
			break;
		case 'v':
			o->verbose = true;
			break;
		case 'V':
			puts("pagerd " MONITORD_VERSION);
			return 0;
		case 'h':
			usage(stdout);
			return 0;
		default:
			usage(stderr);
			return 2;
		}
	}
	if (optind == argc)
		return -1;
	fprintf(stderr, "pagerd: \"%s\" is too much\n", argv[optind]);
	usage(stderr);
	return 2;
}

static int test_config(const char *path)
{
	struct complaints c;
	complaints_init(&c);
	struct config *conf = config_load_lists(path, NULL, LISTS_ASK, &c);
	if (conf)
		printf("%s: the configuration is good\n", path);
	complaints_print(conf ? &conf->warnings : &c, stderr);
	complaints_fini(&c);
	config_free(conf);
	return conf ? 0 : 1;
}

/* --- running --------------------------------------------------------------------------------------- */

struct daemon {
	struct pager p;
	struct loop_timer *watchdog, *ending, *lists;
	struct listwatch *watch;
	char watched[20]; /* digest of the configuration whose lists are looked at */
	int64_t end_by;
};

static void on_reload(void *arg, int sig)
{
	struct daemon *d = arg;
	(void)sig;
	if (!d->p.stopping)
		cJSON_Delete(reload_again(&d->p));
}

/* monitord keeps the lists of hosts; each daemon sees for itself that one changed. */
static void look_at_lists(void *arg)
{
	struct daemon *d = arg;
	loop_timer_in(d->lists, LISTS_MS);
	if (strcmp(d->watched, d->p.conf->digest) != 0) {
		listwatch_use(d->watch, d->p.conf);
		snprintf(d->watched, sizeof d->watched, "%s", d->p.conf->digest);
	}
	if (!d->p.stopping && listwatch_look(d->watch))
		cJSON_Delete(reload_again(&d->p));
}

static void look_at_end(void *arg)
{
	struct daemon *d = arg;
	pager_turn(&d->p); /* writes down what came in */
	if (lines_busy(d->p.lines) && clock_boot_ms() < d->end_by)
		loop_timer_in(d->ending, STOP_LOOK_MS);
	else
		loop_stop(d->p.base);
}

static void on_end(void *arg, int sig)
{
	struct daemon *d = arg;
	if (d->p.stopping) {
		loop_stop(d->p.base);
		return;
	}
	log_notice("ending on signal %d: pages in flight get %d s", sig, STOP_MS / 1000);
	sdnotify("STOPPING=1\nSTATUS=waiting for pages in flight");
	d->p.stopping = true;
	d->end_by = clock_boot_ms() + STOP_MS;
	deadman_say_goodbye(d->p.deadman);
	lines_stop(d->p.lines);
	look_at_end(d);
}

static void on_watchdog(void *arg)
{
	struct daemon *d = arg;
	sdnotify("WATCHDOG=1");
	loop_timer_in(d->watchdog, sdnotify_watchdog_ms());
}

static bool start_io(struct pager *p, char *why, size_t size)
{
	char *path = file_join(p->conf->pagerd_run, "pagerd.sock");
	snprintf(why, size, "out of memory");
	p->tests = tests_new(p);
	p->sources = sources_new(p);
	p->snapshot = snapshot_new(p);
	p->errands = errands_new(p);
	p->answers = answers_new(p);
	p->prover = prover_new(p);
	bool ok = path && p->tests && p->sources && p->snapshot && p->errands && p->answers && p->prover && inputs_new(p, why, size);
	p->control = ok ? control_new(p->base, path, control_cmds, p, why, size) : NULL;
	free(path);
	return p->control != NULL;
}

static bool start_signals(struct daemon *d)
{
	d->watchdog = loop_timer_new(d->p.base, on_watchdog, d);
	d->ending = loop_timer_new(d->p.base, look_at_end, d);
	d->lists = loop_timer_new(d->p.base, look_at_lists, d);
	d->watch = listwatch_new();
	return d->watchdog && d->ending && d->lists && d->watch && loop_signal(d->p.base, SIGTERM, on_end, d) &&
	       loop_signal(d->p.base, SIGINT, on_end, d) && loop_signal(d->p.base, SIGHUP, on_reload, d);
}

static bool start(struct daemon *d, char *why, size_t size)
{
	struct pager *p = &d->p;
	snprintf(why, size, "out of memory");
	p->base = loop_new();
	if (!p->base || !start_signals(d))
		return false;
	if (!file_mkdirs(p->conf->pagerd_run, 0755)) {
		snprintf(why, size, "%s: %s", p->conf->pagerd_run, strerror(errno));
		return false;
	}
	if (!pager_start(p, why, size) || !start_io(p, why, size))
		return false;
	lines_sync(p->lines, p->conf);
	reload_tell(p);
	intake_start(p->intake);
	snapshot_now(p->snapshot);
	look_at_lists(d);
	if (sdnotify_watchdog_ms() > 0)
		on_watchdog(d);
	sdnotify("READY=1\nSTATUS=running%s",
		 p->conf->from_copy ? " on the last good copy of the configuration" : "");
	log_notice("pagerd " MONITORD_VERSION
		   " runs: configuration %s, %zu lines, %zu contacts, %zu incidents remembered",
		   p->conf->digest, p->conf->nlines, p->conf->ncontacts, p->ninc);
	return true;
}

static void end(struct daemon *d)
{
	struct pager *p = &d->p;
	tests_free(p->tests);
	sources_free(p->sources);
	answers_free(p->answers);
	errands_free(p->errands);
	prover_free(p->prover);
	control_free(p->control);
	deadman_free(p->deadman);
	intake_free(p->intake);
	lines_free(p->lines);
	needs_free(p->needs);
	snapshot_free(p->snapshot);
	pager_fini(p);
	loop_timer_free(d->watchdog);
	loop_timer_free(d->ending);
	loop_timer_free(d->lists);
	listwatch_free(d->watch);
	if (p->base)
		loop_free(p->base);
	config_free(p->conf);
	free(p->conf_path);
}

int main(int argc, char **argv)
{
	struct options o = {.conf = MONITORD_CONF, .deadline_ms = DEADLINE_MS};
	struct daemon d = {0};
	char why[512];
	int status = read_options(argc, argv, &o);
	if (status >= 0)
		return status;
	log_init("pagerd", o.verbose ? LOG_L_DEBUG : LOG_L_INFO);
	if (o.test)
		return test_config(o.conf);
	sdnotify_init();
	umask(0027);
	d.p.conf_path = strdup(o.conf);
	d.p.deadline_ms = o.deadline_ms;
	d.p.started = clock_stamp();
	if (!d.p.conf_path || !reload_first(&d.p)) {
		end(&d);
		return 1;
	}
	bool ok = start(&d, why, sizeof why);
	if (ok)
		loop_run(d.p.base);
	else
		log_err("%s", why);
	end(&d);
	return ok ? 0 : 1;
}
