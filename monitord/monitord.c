/*
 * monitord: the supervisor. Runs checks, decides what is true, writes events. This file starts and ends
 * it, and owns its signals; what it does is in core.c. Started by systemd (Type=notify) or monitord-run.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "lib/contract/control.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/sdnotify.h"
#include "lib/contract/spool.h"
#include "apply.h"
#include "confswap.h"
#include "control_cmds.h"
#include "core.h"
#include "due.h"
#include "hostlists.h"
#include "listing.h"
#include "monitord/store/diskq.h"
#include "monitord/store/evlog.h"
#include "monitord/peers/opspeer.h"
#include "monitord/peers/pagerwatch.h"
#include "self.h"
#include "snapshot.h"
#include "tick.h"
#include "waiters.h"

enum { GOODBYE_MS = 100 };

struct options {
	const char *conf, *state_dir;
	bool test, list, quiet, verbose;
};

static void usage(FILE *out)
{
	fputs("usage: monitord [-c FILE] [-s DIR] [-t [-l] [-q]] [-v] [-V] [-h]\n"
	      "  -c, --config FILE    the configuration (" MONITORD_CONF ")\n"
	      "  -s, --state-dir DIR  where to look for the last good copy when FILE cannot be read\n"
	      "                       (else what FILE says, $STATE_DIRECTORY, /var/lib/monitord)\n"
	      "  -t, --test           check the configuration; exit 0 (good) or 1\n"
	      "  -l, --list           with -t: a line for each check: name, probe, host, interval, where it is written\n"
	      "  -q, --quiet          with -t: only complaints\n"
	      "  -v, --verbose        more in the log\n"
	      "  -V, --version, -h, --help\n"
	      "\n"
	      "Runs checks and writes events. SIGHUP reloads, SIGTERM ends.\n",
	      out);
}

/* -1: go on; else the exit status. */
static int read_options(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
	    {"config", required_argument, NULL, 'c'}, {"state-dir", required_argument, NULL, 's'},
	    {"test", no_argument, NULL, 't'},	      {"quiet", no_argument, NULL, 'q'},
	    {"list", no_argument, NULL, 'l'},
	    {"verbose", no_argument, NULL, 'v'},      {"version", no_argument, NULL, 'V'},
	    {"help", no_argument, NULL, 'h'},	      {NULL, 0, NULL, 0},
	};
	int c;
	while ((c = getopt_long(argc, argv, "c:s:tlqvVh", longs, NULL)) != -1) {
		switch (c) {
		case 'c':
			o->conf = optarg;
			break;
		case 's':
			o->state_dir = optarg;
			break;
		case 't':
			o->test = true;
			break;
		case 'l':
			o->list = true;
			break;
		case 'q':
			o->quiet = true;
			break;
		case 'v':
			o->verbose = true;
			break;
		case 'V':
			puts("monitord " MONITORD_VERSION);
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
	fprintf(stderr, "monitord: \"%s\" is too much\n", argv[optind]);
	usage(stderr);
	return 2;
}

/* As nginx -t and sshd -t do: everything that is wrong, then a line that says how it ended. */
static int test_config(const struct options *o)
{
	struct complaints c;
	complaints_init(&c);
	struct config *conf = config_load_lists(o->conf, NULL, LISTS_ASK, &c);
	complaints_print(&c, stderr);
	if (conf && !o->quiet)
		complaints_print(&conf->warnings, stderr);
	if (conf && o->list)
		listing_print(conf, stdout);
	if (!conf)
		fprintf(stderr, "monitord: %s: test failed, %zu complaint%s\n", o->conf, c.n + c.dropped,
			c.n + c.dropped == 1 ? "" : "s");
	else if (!o->quiet)
		fprintf(stderr, "monitord: %s: test is successful (%zu checks, digest %s)\n", o->conf,
			conf->nchecks, conf->digest);
	complaints_fini(&c);
	int status = conf ? 0 : 1;
	config_free(conf);
	return status;
}

/* --- starting -------------------------------------------------------------------------------------- */

struct daemon {
	struct super s;
	struct loop_timer *watchdog, *end;
	int lock_fd;
};

static bool first_config(struct daemon *d, const struct options *o, struct config **conf)
{
	struct complaints c;
	char why[256];
	complaints_init(&c);
	*conf = confswap_first(o->conf, o->state_dir, &c);
	bool bad = c.n > 0 || !*conf;
	for (size_t i = 0; bad && i < c.n; i++) {
		struct buf line;
		buf_init(&line, 4096);
		complaint_format(&c.v[i], &line);
		log_err("%s", buf_str(&line));
		buf_fini(&line);
	}
	if (bad)
		d->s.config_error = confswap_summary(&c);
	complaints_fini(&c);
	if (!*conf)
		log_err("%s cannot be used, and there is no last good copy that can", o->conf);
	else if (bad)
		log_err("%s cannot be used; its last good copy is in force", o->conf);
	else if (!file_mkdirs((*conf)->monitord_state, 0750) ||
		 !config_keep(*conf, (*conf)->monitord_state, why, sizeof why))
		log_warn("the last good copy of the configuration cannot be kept in %s",
			 (*conf)->monitord_state);
	return *conf != NULL;
}

/* Two supervisors would overwrite each other's records. */
static bool take_lock(struct daemon *d)
{
	char *path = file_join(d->s.run_dir, "monitord.lock");
	d->lock_fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640) : -1;
	bool ok = d->lock_fd >= 0 && flock(d->lock_fd, LOCK_EX | LOCK_NB) == 0;
	if (!ok)
		log_err("%s: %s", path ? path : "monitord.lock",
			errno == EWOULDBLOCK ? "another monitord runs here" : strerror(errno));
	free(path);
	return ok;
}

static bool fail(const char *what, const char *why)
{
	log_err("%s: %s", what, why);
	return false;
}

static bool open_disk(struct super *s, const struct config *conf)
{
	char why[300];
	s->disk = diskq_new();
	if (!s->disk)
		return fail("the writing thread cannot be started", strerror(errno));
	if (!state_init(&s->state, s->state_dir, s->run_dir, s->disk, why, sizeof why))
		return fail("state", why);
	s->history = evlog_new(s->base, s->state_dir, conf->history, s->disk);
	s->spool = spool_writer_new(conf->spool, conf->spool_twin, why, sizeof why);
	if (!s->spool)
		return fail("spool", why);
	return s->history != NULL;
}

static bool open_control(struct super *s)
{
	char why[300];
	char *path = file_join(s->run_dir, "monitord.sock");
	s->control = path ? control_new(s->base, path, commands_handle, s, why, sizeof why) : NULL;
	if (!s->control)
		log_err("control socket %s: %s", path ? path : "", why);
	free(path);
	return s->control != NULL;
}

static const struct pagerwatch_calls pager_calls = {.overdue = due_overdue, .found = core_self};

static void reload_for_list(struct super *s)
{
	if (!s->stopping)
		confswap_ask(s->confswap, NULL);
}

static bool start(struct daemon *d, struct config *conf)
{
	struct super *s = &d->s;
	s->look_at_self = self_look;
	s->run_dir = strdup(conf->monitord_run);
	s->state_dir = strdup(conf->monitord_state);
	s->snapshot_path = file_join(conf->monitord_run, "status.json");
	if (!s->run_dir || !s->state_dir || !s->snapshot_path)
		return fail("start", "out of memory");
	if (!file_mkdirs(s->run_dir, 0755))
		return fail(s->run_dir, strerror(errno));
	if (!take_lock(d) || !open_disk(s, conf) || !open_control(s))
		return false;
	if (!apply_config(s, conf))
		return fail("configuration", "out of memory");
	s->pagerwatch = pagerwatch_new(s, &pager_calls);
	s->confswap = confswap_new(s);
	s->hostlists = hostlists_new(s, reload_for_list, self_config);
	if (!s->pagerwatch || !s->confswap || !s->hostlists)
		return fail("start", "out of memory");
	hostlists_use(s->hostlists, conf);
	apply_bury_orphans(s);
	tick_start(s);
	self_config(s);
	return true;
}

/* --- running --------------------------------------------------------------------------------------- */

static void on_watchdog(void *arg)
{
	struct daemon *d = arg;
	sdnotify("WATCHDOG=1");
	loop_timer_in(d->watchdog, sdnotify_watchdog_ms());
}

static void on_goodbye_sent(void *arg)
{
	struct daemon *d = arg;
	loop_stop(d->s.base);
}

static void on_end(void *arg, int sig)
{
	struct daemon *d = arg;
	log_notice("%s: stopping", strsignal(sig));
	sdnotify("STOPPING=1");
	d->s.stopping = true;
	pagerwatch_goodbye(d->s.pagerwatch);
	/* a moment for the goodbye to reach the process that sends it */
	if (opspeer_goodbye(d->s.opspeer) && d->end)
		loop_timer_in(d->end, GOODBYE_MS);
	else
		loop_stop(d->s.base);
}

static void on_reload(void *arg, int sig)
{
	struct daemon *d = arg;
	(void)sig;
	confswap_ask(d->s.confswap, NULL);
}

static void finish(struct daemon *d)
{
	struct super *s = &d->s;
	hostlists_free(s->hostlists);
	s->hostlists = NULL;
	confswap_free(s->confswap);
	if (s->tick_timer)
		tick_stop(s);
	for (size_t i = 0; i < s->checks.n; i++)
		waiters_gone(s->checks.v[i], "monitord is stopping");
	control_free(s->control);
	s->control = NULL;
	pagerwatch_free(s->pagerwatch);
	loop_fd_free(s->disk_fd);
	loop_fd_free(s->spool_fd);
	loop_timer_free(s->sched_timer);
	loop_timer_free(s->tick_timer);
	loop_timer_free(s->settle_timer);
	loop_timer_free(s->snapshot_timer);
	loop_timer_free(d->watchdog);
	loop_timer_free(d->end);
	opspeer_free(s->opspeer);
	s->opspeer = NULL;
	for (size_t i = 0; i < s->nburied; i++)
		check_free(s->buried[i]);
	free(s->buried);
	checks_fini(&s->checks);
	if (s->spool)
		spool_writer_free(s->spool);
	evlog_free(s->history);
	diskq_free(s->disk);
	state_fini(&s->state);
	config_free(s->conf);
	free(s->config_error);
	free(s->run_dir);
	free(s->state_dir);
	free(s->snapshot_path);
	if (s->base)
		loop_free(s->base);
	if (d->lock_fd >= 0)
		close(d->lock_fd);
}

static int run(const struct options *o)
{
	struct daemon d = {.s = {.main_file = o->conf, .started = clock_stamp()}, .lock_fd = -1};
	struct config *conf;
	int status = 1;
	sdnotify_init();
	d.s.base = loop_new();
	if (d.s.base && first_config(&d, o, &conf)) {
		d.watchdog = loop_timer_new(d.s.base, on_watchdog, &d);
		d.end = loop_timer_new(d.s.base, on_goodbye_sent, &d);
		bool ok = start(&d, conf) && d.watchdog && loop_signal(d.s.base, SIGTERM, on_end, &d) &&
			  loop_signal(d.s.base, SIGINT, on_end, &d) &&
			  loop_signal(d.s.base, SIGHUP, on_reload, &d);
		if (ok) {
			log_notice("monitord %s: configuration %s, %zu checks", MONITORD_VERSION,
				   d.s.conf->digest, d.s.conf->nchecks);
			if (sdnotify_watchdog_ms() > 0)
				on_watchdog(&d);
			sdnotify("READY=1\nSTATUS=%zu checks%s", d.s.conf->nchecks,
				 d.s.conf->from_copy ? ", the last good copy of the configuration is in force"
						     : "");
			loop_run(d.s.base);
			status = 0;
		} else if (!d.s.conf) {
			config_free(conf);
		}
	}
	finish(&d);
	return status;
}

int main(int argc, char **argv)
{
	struct options o = {.conf = MONITORD_CONF};
	int status = read_options(argc, argv, &o);
	if (status >= 0)
		return status;
	if (o.list && !o.test) {
		fprintf(stderr, "monitord: --list is for -t\n");
		return 2;
	}
	if (o.test)
		return test_config(&o);
	/* few threads that allocate little: one arena keeps the memory of a long life small */
	mallopt(M_ARENA_MAX, 1);
	log_init("monitord", o.verbose ? LOG_L_DEBUG : LOG_L_INFO);
	return run(&o);
}
