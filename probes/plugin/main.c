/*
 * The main program of every stand-alone plugin check_NAME: the probe's own option
 * table and the few options all plugins share, one run, Nagios output and exit code.
 * A thread of its own watches the time, so that even a probe that is blocked in a
 * system call ends with a line that says where. Promises at most 8 KiB of output.
 */
#include "probes/probe.h"

#include <ctype.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/json.h"
#include "lib/log.h"
#include "state.h"

enum {
	OUTPUT_MAX = 8192,     /* what Nagios takes */
	FIRST_LINE_MAX = 1024, /* what NRPE takes */
	GRACE_MS = 250,	       /* a probe that minds its deadline may still say it better than the watchdog */
	TIMEOUT_S = 50 /* below Nagios' own 60 s: who is killed from outside cannot say where it hung */
};

/* The options every plugin has; stands behind the probe's own structure. */
struct common {
	char *timeout;
	char *state_dir;
	bool describe;
};

struct plugin {
	const struct probe *probe;
	struct opt *table; /* the probe's and the common ones */
	void *conf;
	struct common *common;
	struct complaints complaints;
	int64_t timeout_ms;
	enum nag_state timeout_state;
	bool timeout_state_given;
	char name[64]; /* the probe's, in capitals */
	struct probe_run run;
	struct result result;
	char *state_path;
	/* Whoever claims it first prints: the main thread or the watchdog. */
	atomic_flag claimed;
};

static size_t table_len(const struct opt *t)
{
	size_t n = 0;
	while (t[n].name)
		n++;
	return n;
}

static bool letter_taken(const struct opt *t, char letter)
{
	for (; t->name; t++)
		if (t->letter == letter)
			return true;
	return false;
}

static bool build_table(struct plugin *p)
{
	size_t own = table_len(p->probe->opts), behind = (p->probe->conf_size + 15) & ~(size_t)15;
	const struct opt common[] = {
		{ .name = "timeout", .letter = 't', .type = OPT_STRING,
		  .offset = behind + offsetof(struct common, timeout),
		  .flags = OPT_ARGV_ONLY, .unit = "SECONDS[:STATE]",
		  .help = "give up after that time; STATE (a name or 0 to 3) is what a time-out is called" },
		{ .name = "state_dir", .type = OPT_PATH,
		  .offset = behind + offsetof(struct common, state_dir),
		  .flags = OPT_ARGV_ONLY, .unit = "DIR",
		  .help = "where this plugin keeps what it must remember between runs" },
		{ .name = "describe", .type = OPT_BOOL, .offset = behind + offsetof(struct common, describe),
		  .flags = OPT_ARGV_ONLY, .help = "print the options as JSON" },
	};
	const size_t n = sizeof common / sizeof common[0];

	p->table = calloc(own + n + 1, sizeof *p->table);
	p->conf = calloc(1, behind + sizeof(struct common));
	if (!p->table || !p->conf)
		return false;
	memcpy(p->table, p->probe->opts, own * sizeof *p->table);
	memcpy(p->table + own, common, sizeof common);
	for (size_t i = own; i < own + n; i++)
		if (letter_taken(p->probe->opts, p->table[i].letter))
			p->table[i].letter = 0;
	p->common = (struct common *)((char *)p->conf + behind);
	opts_defaults(p->table, p->conf, behind + sizeof(struct common));
	return true;
}

static bool parse_state(const char *s, enum nag_state *out)
{
	char upper[16];
	size_t n = strlen(s);

	if (n == 1 && *s >= '0' && *s <= '3') {
		*out = (enum nag_state)(*s - '0');
		return true;
	}
	if (n >= sizeof upper)
		return false;
	for (size_t i = 0; i <= n; i++)
		upper[i] = (char)toupper((unsigned char)s[i]);
	return nag_from_name(upper, out);
}

static void parse_timeout(struct plugin *p)
{
	p->timeout_ms = (int64_t)TIMEOUT_S * 1000;
	p->timeout_state = p->probe->place == PROBE_NET ? NAG_CRITICAL : NAG_UNKNOWN;
	const char *text = p->common->timeout, *why = "must be SECONDS[:STATE]";
	if (!text)
		return;
	char seconds[32];
	size_t n = strcspn(text, ":");
	if (n == 0 || n >= sizeof seconds)
		goto bad;
	memcpy(seconds, text, n);
	seconds[n] = '\0';
	if (!units_duration(seconds, &p->timeout_ms, &why))
		goto bad;
	if (p->timeout_ms < 1 || p->timeout_ms > 3600 * 1000) {
		why = "must be more than 0 and at most 3600 seconds";
		goto bad;
	}
	if (text[n] == ':' && !parse_state(text + n + 1, &p->timeout_state)) {
		why = "the state must be OK, WARNING, CRITICAL, UNKNOWN or 0 to 3";
		goto bad;
	}
	p->timeout_state_given = text[n] == ':';
	return;
bad:
	complaint_add(&p->complaints, NULL, "timeout", text, "%s", why);
}

static void write_out(const char *s, size_t len)
{
	while (len > 0) {
		ssize_t n = write(STDOUT_FILENO, s, len);
		if (n < 0 && errno != EINTR)
			return;
		if (n > 0) {
			s += n;
			len -= (size_t)n;
		}
	}
}

static int print_help(const struct plugin *p)
{
	struct buf out;

	buf_init(&out, 65536);
	buf_printf(&out, "check_%s (monitord %s): %s\n\nUsage: check_%s [options]\n\n", p->probe->name,
		   MONITORD_VERSION, p->probe->help, p->probe->name);
	opts_help(p->table, &out);
	buf_printf(&out, "\nWithout -t it gives up after %d seconds. Exits 0 OK, 1 WARNING, 2 CRITICAL, "
			 "3 UNKNOWN.\n", TIMEOUT_S);
	write_out(buf_str(&out), out.len);
	buf_fini(&out);
	return NAG_UNKNOWN;
}

static int print_usage(const struct plugin *p)
{
	struct buf line;

	buf_init(&line, 4096);
	for (size_t i = 0; i < p->complaints.n && i < 5; i++) {
		complaint_format(&p->complaints.v[i], &line);
		buf_puts(&line, "\n");
	}
	if (p->complaints.n > 5)
		buf_printf(&line, "and %zu more\n", p->complaints.n - 5);
	buf_printf(&line, "Usage: check_%s [options]; check_%s --help lists them\n", p->probe->name,
		   p->probe->name);
	write_out(buf_str(&line), line.len);
	buf_fini(&line);
	return NAG_UNKNOWN;
}

static int print_description(const struct probe *probe)
{
	cJSON *o = cJSON_CreateObject();
	struct buf out;

	buf_init(&out, 1024 * 1024);
	cJSON_AddNumberToObject(o, "v", 1);
	cJSON_AddStringToObject(o, "name", probe->name);
	cJSON_AddStringToObject(o, "help", probe->help);
	cJSON_AddItemToObject(o, "options", opts_describe(probe->opts));
	bool ok = json_line(o, &out);
	if (ok)
		write_out(buf_str(&out), out.len);
	buf_fini(&out);
	cJSON_Delete(o);
	return ok ? NAG_OK : NAG_UNKNOWN;
}

/* Prints the result within the limits: a long line 1 gives way, so that its first figures still fit into what
 * NRPE takes. */
static void print_result(struct result *r, const char *name)
{
	struct buf out;

	buf_init(&out, 4 * OUTPUT_MAX);
	result_print(r, name, &out);
	const char *end = out.len > 0 ? memchr(out.data, '\n', out.len) : NULL;
	size_t line = end ? (size_t)(end - out.data) : out.len;
	if (line > FIRST_LINE_MAX && r->text.len > FIRST_LINE_MAX / 2) {
		enum nag_state s = r->state;
		char cut[FIRST_LINE_MAX / 2 + 8];
		snprintf(cut, sizeof cut, "%.*s...", FIRST_LINE_MAX / 2 - 1, buf_str(&r->text));
		result_set(r, s, "%s", cut);
		buf_reset(&out);
		result_print(r, name, &out);
	}
	if (out.len > OUTPUT_MAX - 1) {
		out.len = OUTPUT_MAX - 1;
		while (((unsigned char)out.data[out.len - 1] & 0xc0) == 0x80)
			out.len--; /* no half character */
		out.data[out.len - 1] = '\n';
	}
	write_out(buf_str(&out), out.len);
	buf_fini(&out);
}

/* Ends the process with a line of its own when the probe does not come back in time. */
static void *watch(void *arg)
{
	struct plugin *p = arg;
	struct timespec pause = { 0 };
	int64_t left;

	while ((left = p->run.deadline + GRACE_MS - clock_boot_ms()) > 0) {
		/* short naps, because CLOCK_BOOTTIME also counts suspend and sleeping does not */
		int64_t nap = left > 1000 ? 1000 : left;
		pause.tv_sec = nap / 1000;
		pause.tv_nsec = (nap % 1000) * 1000000;
		nanosleep(&pause, NULL);
	}
	if (atomic_flag_test_and_set(&p->claimed))
		return NULL;
	char line[512], where[200];
	int n = snprintf(line, sizeof line, "%s %s: timed out after %g s, blocked in %s\n", p->name,
			 nag_name(p->timeout_state), (double)p->timeout_ms / 1000.0,
			 probe_where(&p->run, where, sizeof where));
	write_out(line, (size_t)n < sizeof line ? (size_t)n : sizeof line - 1);
	_exit((int)p->timeout_state);
}

static bool store_now(struct probe_run *run, const char *state, size_t len)
{
	struct plugin *p = run->owner;
	char why[200];

	return p->state_path && len <= PROBE_STATE_MAX &&
	       plugin_state_save(p->state_path, state, len, why, sizeof why);
}

/* -vvv: what the diagnosis would read. */
static void show_facts(struct plugin *p)
{
	if (p->run.verbose >= 3 && p->result.facts.len)
		result_more(&p->result, "facts: {%s}", p->result.facts.data);
}

/* What the last run left, into old; false: said in the result. */
static bool load_state(struct plugin *p, struct buf *old)
{
	char why[200];
	if (!p->common->state_dir)
		return true;
	p->state_path = plugin_state_path(p->common->state_dir, p->probe, p->conf);
	if (p->state_path && plugin_state_load(p->state_path, old, why, sizeof why))
		return true;
	result_fail(&p->result, NAG_UNKNOWN, "state", "%s", p->state_path ? why : "out of memory");
	return false;
}

static int run_probe(struct plugin *p, int verbose)
{
	struct buf old;
	pthread_t watchdog;
	char why[200], check[80];

	buf_init(&old, PROBE_STATE_MAX);
	snprintf(check, sizeof check, "check_%s", p->probe->name);
	result_init(&p->result);
	p->run = (struct probe_run){ .conf = p->conf,
				     .check = check,
				     .deadline = clock_boot_ms() + p->timeout_ms,
				     .verbose = verbose,
				     .result = &p->result,
				     .store = store_now,
				     .owner = p };
	buf_init(&p->run.newstate, PROBE_STATE_MAX);
	if (!load_state(p, &old))
		goto out;
	p->run.state = buf_str(&old);
	p->run.state_len = old.len;
	int err = pthread_create(&watchdog, NULL, watch, p);
	if (err) {
		result_fail(&p->result, NAG_UNKNOWN, "start", "cannot start a thread: %s", strerror(err));
		goto out;
	}
	pthread_detach(watchdog);
	p->probe->run(&p->run);
	if (p->run.newstate.len > 0 && p->state_path &&
	    !plugin_state_save(p->state_path, buf_str(&p->run.newstate), p->run.newstate.len, why,
			       sizeof why))
		result_more(&p->result, "the state could not be kept: %s", why);
	if (p->timeout_state_given && strcmp(p->result.layer, "timeout") == 0)
		p->result.state = p->timeout_state;
out:
	if (atomic_flag_test_and_set(&p->claimed))
		for (;;)
			pause(); /* the watchdog is printing and ends the process */
	show_facts(p);
	print_result(&p->result, p->name);
	buf_fini(&old);
	buf_fini(&p->run.newstate);
	free(p->state_path);
	int code = (int)p->result.state;
	result_fini(&p->result);
	return code;
}

int plugin_main(const struct probe *probe, int argc, char **argv)
{
	static struct plugin plugin; /* static: the watchdog may outlive main's frame */
	struct plugin *p = &plugin;
	bool help = false, version = false;
	int verbose = 0, code;

	*p = (struct plugin){ .probe = probe, .claimed = ATOMIC_FLAG_INIT };
	log_init(probe->name, LOG_L_WARN);
	signal(SIGPIPE, SIG_IGN);
	snprintf(p->name, sizeof p->name, "%s", probe->name);
	for (char *c = p->name; *c; c++)
		*c = (char)toupper((unsigned char)*c);
	complaints_init(&p->complaints);
	if (!build_table(p)) {
		puts("UNKNOWN: out of memory");
		return NAG_UNKNOWN;
	}
	opts_from_argv(p->table, p->conf, argc, argv, &p->complaints, &help, &version, &verbose);
	if (help) {
		code = print_help(p);
	} else if (version) {
		printf("check_%s (monitord %s)\n", probe->name, MONITORD_VERSION);
		code = NAG_UNKNOWN;
	} else if (p->common->describe) {
		code = print_description(probe);
	} else {
		parse_timeout(p);
		if (p->complaints.n == 0 && probe->check_conf)
			probe->check_conf(p->conf, &p->complaints);
		if (p->complaints.n == 0 && probe->global_init)
			probe->global_init();
		code = p->complaints.n > 0 ? print_usage(p) : run_probe(p, verbose);
	}
	fflush(stdout);
	opts_fini(p->table, p->conf);
	complaints_fini(&p->complaints);
	free(p->table);
	free(p->conf);
	return code;
}
