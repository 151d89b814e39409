/*
 * The loader: a full configuration into its structure, every complaint with its place, several
 * files, the limits. The programs that describe options are canned
 * here; real ones, real files and the last good copy: test_config_run.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/config/internal.h"

/* --- programs that answer from a table --- */

static const char prober[] =
	"{\"v\":1,\"probes\":["
	"{\"name\":\"smtp\",\"help\":\"h\",\"place\":\"net\",\"host_option\":\"host\",\"options\":["
	"{\"name\":\"host\",\"type\":\"string\",\"default\":null,\"required\":true,\"help\":\"h\"},"
	"{\"name\":\"port\",\"type\":\"int\",\"default\":\"25\",\"required\":false,\"help\":\"h\",\"min\":1,\"max\":65535},"
	"{\"name\":\"starttls\",\"type\":\"bool\",\"default\":null,\"required\":false,\"help\":\"h\"},"
	"{\"name\":\"warning\",\"type\":\"range\",\"default\":null,\"required\":false,\"help\":\"h\"},"
	"{\"name\":\"expect\",\"type\":\"list\",\"default\":null,\"required\":false,\"help\":\"h\"},"
	"{\"name\":\"auth\",\"type\":\"enum\",\"default\":\"plain\",\"required\":false,\"help\":\"h\",\"choices\":[\"plain\",\"login\"]},"
	"{\"name\":\"password_file\",\"type\":\"secret\",\"default\":null,\"required\":false,\"help\":\"h\"}]},"
	"{\"name\":\"trip\",\"help\":\"h\",\"place\":\"net\",\"host_option\":\"smtp_host\",\"options\":["
	"{\"name\":\"smtp_host\",\"type\":\"string\",\"default\":\"127.0.0.1\",\"required\":false,\"help\":\"h\"}]},"
	"{\"name\":\"disk\",\"help\":\"h\",\"place\":\"local\",\"host_option\":null,\"options\":["
	"{\"name\":\"path\",\"type\":\"path\",\"default\":null,\"required\":true,\"help\":\"h\"}]},"
	"{\"name\":\"exec\",\"help\":\"h\",\"place\":\"net\",\"host_option\":null,\"options\":["
	"{\"name\":\"command\",\"type\":\"list\",\"default\":null,\"required\":true,\"help\":\"h\"}]}]}";
static const char sms[] = "{\"v\":1,\"name\":\"sms\",\"help\":\"h\",\"options\":["
			  "{\"name\":\"device\",\"type\":\"string\",\"default\":null,\"required\":true,\"help\":\"h\"},"
			  "{\"name\":\"pin_file\",\"type\":\"secret\",\"default\":null,\"required\":false,\"help\":\"h\"}]}";
static const char email[] = "{\"v\":1,\"name\":\"email\",\"help\":\"h\",\"options\":["
			    "{\"name\":\"server\",\"type\":\"string\",\"default\":null,\"required\":true,\"help\":\"h\"}]}";

struct canned {
	const char *prober, *validate; /* what they answer; validate NULL: ok to all */
	size_t describes, validates, asked_lines;
	struct buf asked;
};

static bool answer(void *arg, const char *libexec, const char *program, const char *option, const struct buf *input,
		   struct buf *out, char *why, size_t size)
{
	struct canned *k = arg;
	(void)libexec;
	if (strcmp(option, "--describe") == 0) {
		const char *text = strcmp(program, "prober") == 0	    ? k->prober
				   : strcmp(program, "notify_sms") == 0	    ? sms
				   : strcmp(program, "notify_email") == 0 ? email
									    : NULL;
		k->describes++;
		if (!text)
			snprintf(why, size, "cannot be run: No such file or directory");
		return text && buf_puts(out, text);
	}
	assert_string_equal(option, "--validate");
	k->validates++;
	buf_add(&k->asked, input->data, input->len);
	if (k->validate)
		return buf_puts(out, k->validate);
	for (size_t i = 0; i < input->len; i++)
		if (input->data[i] == '\n') {
			buf_puts(out, "{\"ok\":true}\n");
			k->asked_lines++;
		}
	return true;
}

/* --- loading from texts --- */

static struct canned canned;
static struct complaints complaints;

/* Texts are parts of one string: "yaml" is the main file "m.yaml"; "yaml" "\n%%NAME\n" begins conf.d/NAME. */
static struct config *load(const char *text)
{
	struct conf_programs programs = {.run = answer, .arg = &canned};
	struct conf_files *files = calloc(1, sizeof(*files));
	char name[64] = "m.yaml";
	buf_fini(&canned.asked);
	canned.describes = canned.validates = canned.asked_lines = 0;
	buf_init(&canned.asked, 32 << 20);
	if (!canned.prober)
		canned.prober = prober;
	complaints_fini(&complaints);
	while (text) {
		const char *end = strstr(text, "\n%%");
		struct conf_file *f = conf_files_add(files, name, name);
		buf_add(&f->bytes, text, end ? (size_t)(end - text) + 1 : strlen(text));
		if (end) {
			size_t len = strcspn(end + 3, "\n");
			snprintf(name, sizeof(name), "conf.d/%.*s", (int)len, end + 3);
			text = end + 3 + len + 1;
		} else {
			text = NULL;
		}
	}
	return config_build(files, "/nowhere", &programs, &complaints);
}

static char *texts(const struct complaints *c)
{
	struct buf out;
	buf_init(&out, 1 << 20);
	for (size_t i = 0; i < c->n; i++) {
		complaint_format(&c->v[i], &out);
		buf_puts(&out, "\n");
	}
	char *text = strdup(buf_str(&out));
	buf_fini(&out);
	return text;
}

static void expect(const char *yaml, const char *wrong)
{
	struct config *conf = load(yaml);
	char *said = texts(&complaints);
	if (strcmp(said, wrong) != 0)
		fail_msg("%s\n--- says\n%s--- and not\n%s", yaml, said, wrong);
	assert_true(!conf == (complaints.n > 0));
	free(said);
	config_free(conf);
}

static int teardown(void **state)
{
	(void)state;
	complaints_fini(&complaints);
	buf_fini(&canned.asked);
	canned = (struct canned){.prober = NULL};
	return 0;
}

/* --- a full one --- */

static const char full[] =
	"paths: {spool: /s/, spool_twin: /t, monitord_state: /ms, pagerd_state: /ps, monitord_run: /mr, pagerd_run: /pr}\n"
	"probers: {net: {socket: /n.sock}, local: {socket: /l.sock}}\n"
	"deadman: {interval: 2s, limit: 30s, planned_stop: 1m}\n"
	"history: {lines: 500}\n"
	"defaults: {interval: 2m, retry_interval: 20s, max_check_attempts: 4, timeout: 10s, contacts: [oncall], host_gap: 100ms}\n"
	"checks:\n"
	"  mx1 smtp:\n"
	"    probe: smtp\n"
	"    host: mx1.example.org\n"
	"    port: 587\n"
	"    expect: [PIPELINING, 8BITMIME]\n"
	"    starttls: yes\n"
	"    password_file: /etc/monitord/secret\n"
	"    interval: 30s\n"
	"    contacts: night\n"
	"  spool disk: {probe: disk, path: /var/spool, retry_interval: 5s, max_check_attempts: 1, timeout: 2m}\n"
	"lines:\n"
	"  modem1: {notifier: sms, device: /dev/ttyUSB0}\n"
	"  bypass: {notifier: email, server: '192.0.2.1', needs: [mx1 smtp]}\n"
	"  spare: {notifier: sms, device: simulated}\n"
	"contacts:\n"
	"  oncall:\n"
	"    routes:\n"
	"      - {line: modem1, to: \"+8190\"}\n"
	"      - {line: bypass, to: oncall@example.net, needs: [self]}\n"
	"    repeat: 10m\n"
	"    recovery: no\n"
	"    language: ja\n"
	"    template: '{state} {check}{{{host}}}: {text} {since} #{id}'\n"
	"  night: {routes: [{line: modem1, to: '+81'}]}\n"
	"last_resort: {line: spare, to: '+82'}\n"
	"sources: {nagios: {user: root, contacts: [night], budget: 30/1h}, root: }\n";

static void test_settings(void **state)
{
	(void)state;
	struct config *conf = load(full);
	assert_int_equal(complaints.n, 0);
	assert_non_null(conf);
	assert_string_equal(conf->spool, "/s");
	assert_string_equal(conf->spool_twin, "/t");
	assert_string_equal(conf->monitord_state, "/ms");
	assert_string_equal(conf->pagerd_state, "/ps");
	assert_string_equal(conf->monitord_run, "/mr");
	assert_string_equal(conf->pagerd_run, "/pr");
	assert_string_equal(conf->libexec, "/nowhere");
	assert_string_equal(conf->prober_net_socket, "/n.sock");
	assert_string_equal(conf->prober_local_socket, "/l.sock");
	assert_int_equal(conf->beat_ms, 2000);
	assert_int_equal(conf->beat_limit_ms, 30000);
	assert_int_equal(conf->planned_ms, 60000);
	assert_int_equal(conf->history, 500);
	assert_int_equal(conf->host_gap_ms, 100);
	assert_int_equal(conf->ndefault_contacts, 1);
	assert_string_equal(conf->default_contacts[0], "oncall");
	assert_string_equal(conf->source, "m.yaml");
	assert_int_equal(strlen(conf->digest), 16);
	assert_false(conf->from_copy);
	config_free(conf);
}

static void test_checks(void **state)
{
	(void)state;
	struct config *conf = load(full);
	assert_non_null(conf);
	assert_int_equal(conf->nchecks, 2);
	const struct conf_check *k = config_check(conf, "mx1 smtp");
	assert_string_equal(k->probe, "smtp");
	assert_string_equal(k->host, "mx1.example.org");
	assert_int_equal(k->place, PLACE_NET);
	assert_int_equal(k->interval_ms, 30000);
	assert_int_equal(k->retry_interval_ms, 20000);
	assert_int_equal(k->timeout_ms, 10000);
	assert_int_equal(k->max_check_attempts, 4);
	assert_int_equal(k->nparents, 1);
	assert_string_equal(k->parents[0], "self");
	assert_int_equal(k->ncontacts, 1);
	assert_string_equal(k->contacts[0], "night");
	assert_string_equal(k->at.file, "m.yaml");
	assert_int_equal(k->at.line, 7);
	char *options = cJSON_PrintUnformatted(k->options);
	assert_string_equal(options, "{\"port\":\"587\",\"expect\":[\"PIPELINING\",\"8BITMIME\"],\"starttls\":\"yes\","
				     "\"password_file\":\"/etc/monitord/secret\",\"host\":\"mx1.example.org\"}");
	free(options);
	k = config_check(conf, "spool disk");
	assert_string_equal(k->host, "");
	assert_int_equal(k->place, PLACE_LOCAL);
	assert_int_equal(k->interval_ms, 120000);
	assert_int_equal(k->retry_interval_ms, 5000);
	assert_int_equal(k->timeout_ms, 120000);
	assert_int_equal(k->max_check_attempts, 1);
	assert_int_equal(k->nparents, 0);
	assert_int_equal(k->ncontacts, 0);
	assert_null(config_check(conf, "mx1"));
	assert_null(config_check(conf, "self"));
	config_free(conf);
}

static void test_lines_and_contacts(void **state)
{
	(void)state;
	struct config *conf = load(full);
	assert_non_null(conf);
	assert_int_equal(conf->nlines, 3);
	const struct conf_line *line = config_line(conf, "bypass");
	assert_string_equal(line->notifier, "email");
	assert_string_equal(json_str(line->options, "server", ""), "192.0.2.1");
	assert_int_equal(line->nneeds, 1);
	assert_string_equal(line->needs[0], "mx1 smtp");
	assert_int_equal(conf->ncontacts, 2);
	const struct conf_contact *k = config_contact(conf, "oncall");
	assert_int_equal(k->nroutes, 2);
	assert_int_equal(k->repeat_ms, 600000);
	assert_false(k->recovery);
	assert_string_equal(k->lang, "ja");
	assert_string_equal(k->template, "{state} {check}{{{host}}}: {text} {since} #{id}");
	assert_string_equal(k->routes[0].line, "modem1");
	assert_string_equal(k->routes[0].to, "+8190");
	assert_int_equal(k->routes[0].nneeds, 0);
	assert_string_equal(k->routes[1].to, "oncall@example.net");
	assert_string_equal(k->routes[1].needs[0], "self");
	assert_int_equal(k->routes[1].at.line, 25);
	const struct conf_source *source = config_source(conf, "nagios");
	assert_string_equal(source->user, "root");
	assert_int_equal(source->budget, 30);
	assert_int_equal(source->budget_ms, 3600000);
	assert_int_equal(source->ncontacts, 1);
	assert_string_equal(config_source(conf, "root")->user, "root");
	assert_int_equal(config_source(conf, "root")->budget, 0);
	k = config_contact(conf, "night");
	assert_string_equal(k->lang, "en");
	assert_string_equal(k->template, "");
	assert_int_equal(k->repeat_ms, 1800000);
	assert_true(k->recovery);
	assert_true(conf->has_last_resort);
	assert_string_equal(conf->last_resort.line, "spare");
	assert_string_equal(conf->last_resort.to, "+82");
	assert_null(config_line(conf, "modem"));
	assert_null(config_contact(conf, "day"));
	config_free(conf);
}

static void test_questions(void **state)
{
	(void)state;
	struct config *conf = load(full);
	assert_int_equal(canned.describes, 3); /* prober, sms, email: each once */
	assert_int_equal(canned.validates, 3);
	assert_int_equal(canned.asked_lines, 2 + 3);
	assert_non_null(strstr(buf_str(&canned.asked), "{\"v\":1,\"run\":\"0\",\"check\":\"mx1 smtp\",\"probe\":\"smtp\",\"options\":{"));
	assert_non_null(strstr(buf_str(&canned.asked), "\"timeout_ms\":10000}"));
	/* every address of the line, each once */
	assert_non_null(strstr(buf_str(&canned.asked), "{\"options\":{\"device\":\"/dev/ttyUSB0\"},\"to\":[\"+81\",\"+8190\"]}"));
	assert_non_null(strstr(buf_str(&canned.asked), "{\"options\":{\"device\":\"simulated\"},\"to\":[\"+82\"]}"));
	assert_non_null(strstr(buf_str(&canned.asked), "\"to\":[\"oncall@example.net\"]}"));
	config_free(conf);
}

#define CONTACT "lines: {m: {notifier: sms, device: simulated}}\ncontacts: {op: {routes: [{line: m, to: '1'}]}}\n"

static void test_defaults(void **state)
{
	(void)state;
	struct config *conf = load(CONTACT "checks: {a: {probe: smtp, host: h}}\n");
	assert_non_null(conf);
	assert_string_equal(conf->spool, "/var/spool/monitord");
	assert_string_equal(conf->spool_twin, "/run/monitord/spool");
	assert_string_equal(conf->monitord_state, "/var/lib/monitord");
	assert_string_equal(conf->pagerd_state, "/var/lib/monitord-pagerd");
	assert_string_equal(conf->monitord_run, "/run/monitord");
	assert_string_equal(conf->pagerd_run, "/run/monitord-pagerd");
	assert_null(conf->prober_net_socket);
	assert_null(conf->prober_local_socket);
	assert_int_equal(conf->beat_ms, 5000);
	assert_int_equal(conf->beat_limit_ms, 60000);
	assert_int_equal(conf->planned_ms, 300000);
	assert_int_equal(conf->history, 10000);
	assert_int_equal(conf->host_gap_ms, 200);
	assert_false(conf->has_last_resort);
	assert_int_equal(conf->checks[0].interval_ms, 60000);
	assert_int_equal(conf->checks[0].retry_interval_ms, 15000);
	assert_int_equal(conf->checks[0].max_check_attempts, 3);
	assert_int_equal(conf->checks[0].timeout_ms, 60000);
	/* the only contact is the default one */
	assert_int_equal(conf->ndefault_contacts, 1);
	assert_string_equal(conf->default_contacts[0], "op");
	config_free(conf);
}

/* An interval below the default of the retries: retried as fast, and no word about it. */
static void test_retry_follows(void **state)
{
	(void)state;
	struct config *conf = load(CONTACT "checks: {a: {probe: smtp, host: h, interval: 5s}}\n");
	assert_non_null(conf);
	assert_int_equal(conf->checks[0].retry_interval_ms, 5000);
	config_free(conf);
}

/* --- self --- */

static const struct {
	const char *check;
	bool self;
	const char *host;
} selves[] = {
	{"probe: smtp, host: mx1", true, "mx1"},
	{"probe: smtp, host: 192.0.2.1", true, "192.0.2.1"},
	{"probe: smtp, host: '2001:db8::1'", true, "2001:db8::1"},
	{"probe: smtp, host: 127.0.0.1", false, "127.0.0.1"},
	{"probe: smtp, host: 127.8.8.8", false, "127.8.8.8"},
	{"probe: smtp, host: 128.0.0.1", true, "128.0.0.1"},
	{"probe: smtp, host: '::1'", false, "::1"},
	{"probe: smtp, host: '[::1]'", false, "[::1]"},
	{"probe: smtp, host: '::ffff:127.0.0.1'", false, "::ffff:127.0.0.1"},
	{"probe: smtp, host: localhost", false, "localhost"},
	{"probe: smtp, host: LOCALHOST.", false, "LOCALHOST."},
	{"probe: smtp, host: mail.localhost", false, "mail.localhost"},
	{"probe: smtp, host: notlocalhost", true, "notlocalhost"},
	{"probe: smtp, host: mx1, parents: []", false, "mx1"},
	{"probe: smtp, host: mx1, parents: [other]", false, "mx1"},
	{"probe: smtp, host: 127.0.0.1, parents: self", true, "127.0.0.1"},
	/* the default of the host option counts as given; host: stands in for it */
	{"probe: trip", false, "127.0.0.1"},
	{"probe: trip, host: relay", true, "relay"},
	{"probe: trip, host: label, smtp_host: 127.0.0.1", false, "label"},
	{"probe: trip, host: localhost, smtp_host: relay", true, "localhost"},
	/* without a host option host: is all there is to go by */
	{"probe: exec, command: /bin/true", false, ""},
	{"probe: exec, command: /bin/true, host: web", true, "web"},
	{"probe: exec, command: /bin/true, host: localhost", false, "localhost"},
	{"probe: disk, path: /, host: store", false, "store"},
};

static void test_self(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(selves) / sizeof(selves[0]); i++) {
		char yaml[1024];
		snprintf(yaml, sizeof(yaml), CONTACT "checks:\n  other: {probe: disk, path: /}\n  a: {%s}\n", selves[i].check);
		struct config *conf = load(yaml);
		char *said = texts(&complaints);
		if (!conf)
			fail_msg("%s: %s", selves[i].check, said);
		free(said);
		const struct conf_check *k = config_check(conf, "a");
		bool self = k->nparents == 1 && strcmp(k->parents[0], "self") == 0;
		if (self != selves[i].self)
			fail_msg("%s: %s below self", selves[i].check, self ? "is" : "is not");
		assert_string_equal(k->host, selves[i].host);
		config_free(conf);
	}
}

/* host: reaches the probe under its own name for it, unless that is given too. */
static void test_host_option(void **state)
{
	(void)state;
	struct config *conf = load(CONTACT "checks: {a: {probe: trip, host: relay}, b: {probe: trip, host: x, smtp_host: y}}\n");
	assert_non_null(conf);
	assert_string_equal(json_str(config_check(conf, "a")->options, "smtp_host", ""), "relay");
	assert_string_equal(json_str(config_check(conf, "b")->options, "smtp_host", ""), "y");
	assert_null(cJSON_GetObjectItem(config_check(conf, "b")->options, "host"));
	config_free(conf);
}

/* --- complaints --- */

#define L2 "lines: {m: {notifier: sms, device: simulated}}\n"

static const struct {
	const char *yaml, *wrong;
} refusals[] = {
	/* sections */
	{CONTACT "check: {}\n", "m.yaml:3:1: check: unknown; did you mean \"checks\"?\n"},
	{CONTACT "password: hunter2\n", "m.yaml:3:1: password: unknown\n"},
	{"[]\n", "m.yaml:1:1: must be a map of sections (checks, lines, contacts ...)\n"},
	{CONTACT "checks: [a]\n", "m.yaml:3:9: checks: must be a map\n"},
	{CONTACT "checks:\n", ""},
	/* settings */
	{CONTACT "deadman: {interval: 5x, limits: 3}\nhistory: {lines: 1}\n",
	 "m.yaml:3:21: deadman.interval \"5x\": not a duration; write 500ms, 30s, 5m, 2h, 1d or 1w\n"
	 "m.yaml:3:25: deadman.limits: unknown; did you mean \"limit\"?\n"
	 "m.yaml:4:18: history.lines \"1\": must be between 10 and 1000000\n"},
	{CONTACT "deadman: {interval: 10s, limit: 20s}\n",
	 "m.yaml:3:33: deadman.limit: must be at least three times deadman.interval, or one late beat is a false alarm\n"},
	{CONTACT "deadman: {interval: 2m}\n", "m.yaml:3:21: deadman.interval \"2m\": must be between 100ms and 1m\n"},
	{CONTACT "paths: {spool: rel, spool_twin: /run/x/, libexec: [a]}\n",
	 "m.yaml:3:16: paths.spool \"rel\": must be an absolute path\n"
	 "m.yaml:3:51: paths.libexec: must be one value, not a list\n"},
	{CONTACT "paths: {spool: /a, spool_twin: /a/}\n",
	 "m.yaml:3:32: paths.spool_twin \"/a\": is the spool itself; the twin must be on another file system\n"},
	{CONTACT "paths: {monitord_state: /a, pagerd_state: /a}\n",
	 "m.yaml:3:43: paths.pagerd_state \"/a\": is monitord's; each daemon needs its own\n"},
	{CONTACT "paths: {monitord_run: /run/pagers/, pagerd_run: /run/pagers}\n",
	 "m.yaml:3:49: paths.pagerd_run \"/run/pagers\": is monitord's; each daemon writes its status.json into its own\n"},
	{CONTACT "paths: {pagerd_run: /1234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901}\n",
	 "m.yaml:3:21: paths.pagerd_run \"/1234567890123456789012345678901234567890123456789012345678901234567890123456789012345"
	 "678901\": is longer than 90 bytes\n"},
	{CONTACT "probers: {net: {socke: /x}, remote: {}, local: /x}\n",
	 "m.yaml:3:17: probers.net.socke: unknown; did you mean \"socket\"?\n"
	 "m.yaml:3:29: probers.remote: unknown\n"
	 "m.yaml:3:48: probers.local: must be a map, such as {socket: /PATH}\n"},
	{CONTACT "probers: {net: {socket: /x}, local: {socket: /x}}\n",
	 "m.yaml:3:37: probers.local.socket \"/x\": is the socket of prober net\n"},
	{CONTACT "defaults: {intervall: 1m, contacts: [], timeout: , host_gap: -1}\n",
	 "m.yaml:3:12: defaults.intervall: unknown; did you mean \"interval\"?\n"
	 "m.yaml:3:37: defaults.contacts: must name at least one\n"
	 "m.yaml:3:50: defaults.timeout: has no value\n"
	 "m.yaml:3:62: defaults.host_gap \"-1\": must not be negative\n"},
	/* checks */
	{CONTACT "checks: {a: {host: h}, b: x, c: {probe: }}\n",
	 "m.yaml:3:10: checks.a.probe: is missing: say what measures this check\n"
	 "m.yaml:3:27: checks.b: must be a map of settings\n"
	 "m.yaml:3:41: checks.c.probe: has no value\n"},
	{CONTACT "checks: {a: {probe: smtp, host: h, number: 7}, b: {probe: smtp, host: h, number: 07}, c: {probe: smtp, host: h, number: 0}}\n"
	 "defaults: {number: 3}\n",
	 "m.yaml:3:82: checks.b.number \"07\": is the number of check \"a\" already\n"
	 "m.yaml:3:121: checks.c.number \"0\": must be between 1 and 999999999\n"
	 "m.yaml:4:12: defaults.number: unknown\n"},
	{CONTACT "checks: {a: {probe: smpt, host: h}, b: {probe: nothing like it}}\n",
	 "m.yaml:3:21: checks.a.probe \"smpt\": there is no such probe; did you mean \"smtp\"?\n"
	 "m.yaml:3:48: checks.b.probe \"nothing like it\": there is no such probe\n"},
	{CONTACT "checks: {a: {probe: smtp, prot: 25, intervals: 1m, passwordfile: hunter2}}\n",
	 "m.yaml:3:10: checks.a.host: is missing: probe \"smtp\" requires it\n"
	 "m.yaml:3:27: checks.a.prot: unknown to probe \"smtp\"; did you mean \"port\"?\n"
	 "m.yaml:3:37: checks.a.intervals: unknown to probe \"smtp\"; did you mean \"interval\"?\n"
	 "m.yaml:3:52: checks.a.passwordfile: unknown to probe \"smtp\"; did you mean \"password_file\"?\n"},
	{CONTACT "checks: {a: {probe: smtp, host: h, password_file: hunter2}}\n",
	 "m.yaml:3:51: checks.a.password_file: must be the path of a file that holds the secret, or credential:NAME (what is "
	 "written is not shown)\n"},
	{CONTACT "checks: {a: {probe: smtp, host: h, port: [1], expect: {x: y}, starttls: }}\n",
	 "m.yaml:3:42: checks.a.port: must be one value, not a list\n"
	 "m.yaml:3:55: checks.a.expect: must be one value, not a map\n"
	 "m.yaml:3:73: checks.a.starttls: has no value\n"},
	{CONTACT "checks: {self: {}, self.x: {}, a/b: {}, .c: {}, ' d': {}, '': {}}\n",
	 "m.yaml:3:10: checks \"self\": \"self\" and \"self.*\" are monitord's own names\n"
	 "m.yaml:3:20: checks \"self.x\": \"self\" and \"self.*\" are monitord's own names\n"
	 "m.yaml:3:32: checks \"a/b\": a name must not hold a slash\n"
	 "m.yaml:3:41: checks \".c\": a name must not begin with a dot\n"
	 "m.yaml:3:49: checks \" d\": a name must not begin or end with a space\n"
	 "m.yaml:3:59: checks \"\": a name must not be empty\n"},
	{CONTACT "checks:\n  12345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901: {}\n",
	 "m.yaml:4:3: checks "
	 "\"12345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901\": "
	 "a name has at most 100 bytes\n"},
	{CONTACT "checks: {selfish: {probe: smtp, host: h}, 'a b.c': {probe: smtp, host: h}, メール: {probe: smtp, host: h}}\n", ""},
	{CONTACT "checks: {a: {probe: smtp, host: h, interval: 1ms, max_check_attempts: 0, timeout: 1h, retry_interval: fast}}\n",
	 "m.yaml:3:46: checks.a.interval \"1ms\": must be between 100ms and 7d\n"
	 "m.yaml:3:71: checks.a.max_check_attempts \"0\": must be between 1 and 100\n"
	 "m.yaml:3:83: checks.a.timeout \"1h\": must be between 100ms and 10m\n"
	 "m.yaml:3:103: checks.a.retry_interval \"fast\": not a number\n"},
	{CONTACT "checks: {a: {probe: smtp, host: h, parents: {x: y}, contacts: []}}\n",
	 "m.yaml:3:45: checks.a.parents: must be a list of names; write [] for none\n"
	 "m.yaml:3:63: checks.a.contacts: must name at least one\n"},
	{CONTACT "checks: {a: {probe: smtp, host: h, contacts: [op, op, po]}}\n",
	 "m.yaml:3:46: checks.a.contacts \"po\": there is no such contact\n"
	 "m.yaml:3:51: checks.a.contacts \"op\": is named twice\n"},
	{CONTACT "checks: {a: {probe: smtp, host: h, parents: [b]}, c: {probe: smtp, host: h, parents: [c]}}\n",
	 "m.yaml:3:10: checks.a.parents \"b\": there is no such check; did you mean \"a\"?\n"
	 "m.yaml:3:51: checks.c.parents: make a loop: c -> c\n"},
	{CONTACT "checks: {a: {probe: smtp, host: h, low_flap_threshold: 30, high_flap_threshold: 101, flap_detection: maybe}}\n",
	 "m.yaml:3:13: checks.a.low_flap_threshold: must be below high_flap_threshold (30 and 30)\n"
	 "m.yaml:3:81: checks.a.high_flap_threshold \"101\": must be between 1 and 100\n"
	 "m.yaml:3:102: checks.a.flap_detection \"maybe\": must be yes or no\n"},
	{CONTACT "checks: {a: {probe: smtp, host: h, depends_on: b}, b: {probe: smtp, host: h, depends_on: [[], {when: [DOWN, OK]}]}}\n",
	 "m.yaml:3:48: checks.a.depends_on: must be a list, such as [{check: NAME, when: [CRITICAL], suppress: notification}]\n"
	 "m.yaml:3:91: checks.b.depends_on[1]: must be a check's name or a map, such as {check: NAME}\n"
	 "m.yaml:3:95: checks.b.depends_on[2].check: is missing: say on which check, or group\n"
	 "m.yaml:3:102: checks.b.depends_on[2].when \"DOWN\": is none of OK, WARNING, CRITICAL, UNKNOWN\n"},
	{CONTACT "checks: {a: {probe: smtp, host: h, depends_on: [b, {check: c, suppress: page, wen: OK}]}, b: {probe: smtp, host: h}}\n",
	 "m.yaml:3:52: checks.a.depends_on \"c\": there is no such check; did you mean \"a\"?\n"
	 "m.yaml:3:73: checks.a.depends_on[2].suppress \"page\": is none of notification, execution\n"
	 "m.yaml:3:79: checks.a.depends_on[2].wen: unknown; did you mean \"when\"?\n"},
	{CONTACT "checks: {a: {probe: smtp, host: h, groups: [core, edge], parents: ['group:cor']}, b: {probe: smtp, host: h, parents: 'group:edge', "
		 "depends_on: [{group: cor}, {group: x, check: a}]}}\n",
	 "m.yaml:3:68: checks.a.parents \"group:cor\": no other check is in such a group; did you mean \"group:core\"?\n"
	 "m.yaml:3:145: checks.b.depends_on \"group:cor\": no other check is in such a group; did you mean \"group:core\"?\n"
	 "m.yaml:3:159: checks.b.depends_on[2].check: and group are both there: say one of them\n"},
	/* incidents */
	{CONTACT "incidents: {a: {when: [queue.total > many, log], text: 'x {queue}', rank: 101, scope: world}, b: {}, c: no, d: {enabled: no}}\n",
	 "m.yaml:3:23: incidents.a.when \"queue.total > many\": the right side is a number, NUMBER * PROBE.FACT, or after = and != a word\n"
	 "m.yaml:3:23: incidents.a.when \"log\": a condition begins with PROBE.FACT, such as queue.growth_per_min\n"
	 "m.yaml:3:56: incidents.a.text \"x {queue}\": a placeholder is {PROBE.FACT}, {PROBE|PROBE.FACT}, {PROBE.FACT|PROBE.FACT} or with % before the brace\n"
	 "m.yaml:3:75: incidents.a.rank \"101\": must be between 0 and 100\n"
	 "m.yaml:3:87: incidents.a.scope \"world\": must be host or site\n"
	 "m.yaml:3:95: incidents.b.when: is missing\n"
	 "m.yaml:3:95: incidents.b.text: is missing\n"
	 "m.yaml:3:105: incidents.c: must be a map of settings\n"},
	/* downtimes */
	{CONTACT "downtimes: {a: {checks: [x], when: [tue 25:00-26:00, holidays], timezone: Mars/Olympus, duration: 0, who: me}, b: {}, c: no}\n",
	 "m.yaml:3:36: downtimes.a.when: a downtime knows no holidays; name the days\n"
	 "m.yaml:3:37: downtimes.a.when \"tue 25:00-26:00\": times are written as 09:00-18:00\n"
	 "m.yaml:3:75: downtimes.a.timezone \"Mars/Olympus\": there is no such time zone in /usr/share/zoneinfo; write one such as Asia/Tokyo\n"
	 "m.yaml:3:99: downtimes.a.duration \"0\": must be between 1s and 30d\n"
	 "m.yaml:3:102: downtimes.a.who: unknown; did you mean \"when\"?\n"
	 "m.yaml:3:112: downtimes.b.checks: is missing, and so are hosts and groups: say whose downtime it is\n"
	 "m.yaml:3:112: downtimes.b.when: is missing\n"
	 "m.yaml:3:112: downtimes.b.timezone: is missing\n"
	 "m.yaml:3:122: downtimes.c: must be a map of settings\n"},
	/* peer */
	{CONTACT "peer: {name: a, other: a, listen: host:1, address: '[::1]:70000', key: secret, role: boss, limit: 5s, colour: red}\n",
	 "m.yaml:3:1: peer.limit: must be at least three times peer.interval, or one lost datagram is a false alarm\n"
	 "m.yaml:3:24: peer.other \"a\": is this host's own name; the two must differ\n"
	 "m.yaml:3:35: peer.listen \"host:1\": must be a literal address and a port, such as 192.0.2.1:7410 or [2001:db8::1]:7410\n"
	 "m.yaml:3:52: peer.address \"[::1]:70000\": must be a literal address and a port, such as 192.0.2.1:7410 or [2001:db8::1]:7410\n"
	 "m.yaml:3:72: peer.key: must be the path of a file that holds the secret, or credential:NAME (what is written is not shown)\n"
	 "m.yaml:3:86: peer.role \"boss\": must be primary or stand-in\n"
	 "m.yaml:3:103: peer.colour: unknown\n"},
	{CONTACT "peer: {name: a}\nchecks: {a: {probe: smtp, host: h, shared: maybe}}\n",
	 "m.yaml:3:1: peer.other: is missing\n"
	 "m.yaml:3:1: peer.listen: is missing\n"
	 "m.yaml:3:1: peer.address: is missing\n"
	 "m.yaml:3:1: peer.key: is missing\n"
	 "m.yaml:4:44: checks.a.shared \"maybe\": must be yes or no\n"},
	/* lines */
	{"lines: {m: {device: x}, n: {notifier: sms}, o: {notifier: ../sms, device: x}, p: {notifier: fax}}\n",
	 "m.yaml:1:9: lines.m.notifier: is missing: say what speaks on this line\n"
	 "m.yaml:1:25: lines.n.device: is missing: notifier \"sms\" requires it\n"
	 "m.yaml:1:59: lines.o.notifier \"../sms\": is not the name of a notifier\n"
	 "m.yaml:1:93: lines.p.notifier \"fax\": there is no such notifier (no /nowhere/notify_fax)\n"},
	{"lines: {m: {notifier: sms, devise: /dev/x, pin_file: 1234}}\n",
	 "m.yaml:1:9: lines.m.device: is missing: notifier \"sms\" requires it\n"
	 "m.yaml:1:28: lines.m.devise: unknown to notifier \"sms\"; did you mean \"device\"?\n"
	 "m.yaml:1:54: lines.m.pin_file: must be the path of a file that holds the secret, or credential:NAME (what is written is not shown)\n"},
	{"lines: {m: {notifier: sms, device: /dev/x}, n: {notifier: sms, device: /dev/x}}\n",
	 "m.yaml:1:72: lines.n.device \"/dev/x\": is also the device of line \"m\"\n"},
	{"lines: {m: {notifier: sms, device: x, needs: [nix]}}\n",
	 "m.yaml:1:9: lines.m.needs \"nix\": there is no such check\n"},
	/* contacts */
	{L2 "contacts: {a: {}, b: {routes: []}, c: {routes: [x, {line: m}, {to: y, lin: m}]}}\ndefaults: {contacts: a}\n",
	 "m.yaml:2:12: contacts.a.routes: is missing: a contact without a route cannot be reached\n"
	 "m.yaml:2:31: contacts.b.routes: must be a list of at least one route, such as [{line: LINE, to: ADDRESS}]\n"
	 "m.yaml:2:49: contacts.c.routes[1]: must be a map, such as {line: LINE, to: ADDRESS}\n"
	 "m.yaml:2:52: contacts.c.routes[2].to: is missing: say which address on the line\n"
	 "m.yaml:2:63: contacts.c.routes[3].line: is missing: say which line\n"
	 "m.yaml:2:71: contacts.c.routes[3].lin: unknown; did you mean \"line\"?\n"},
	{L2 "contacts: {a: {routes: [{line: n, to: ''}], repeat: soon, recovery: maybe, x: y}}\n",
	 "m.yaml:2:25: contacts.a.routes[1].line \"n\": there is no such line; did you mean \"m\"?\n"
	 "m.yaml:2:39: contacts.a.routes[1].to \"\": must not be empty\n"
	 "m.yaml:2:53: contacts.a.repeat \"soon\": not a number\n"
	 "m.yaml:2:69: contacts.a.recovery \"maybe\": must be yes or no\n"
	 "m.yaml:2:76: contacts.a.x: unknown\n"},
	{L2 "contacts: {a: {routes: [{line: m, to: x}]}}\nsources: {n: {contacts: [b], budget: 30}, o: {budget: 0/1h, usr: x}, p: 3}\n",
	 "m.yaml:3:25: sources.n.contacts \"b\": there is no such contact; did you mean \"a\"?\n"
	 "m.yaml:3:38: sources.n.budget \"30\": must be a number and a span of time, such as 30/1h\n"
	 "m.yaml:3:55: sources.o.budget \"0/1h\": must allow 1 to 1000 within its span\n"
	 "m.yaml:3:61: sources.o.usr: unknown; did you mean \"user\"?\n"
	 "m.yaml:3:73: sources.p: must be a map of settings\n"},
	{L2 "contacts: {a: {routes: [{line: m, to: x}], language: jp, template: 'x'}}\n",
	 "m.yaml:2:54: contacts.a.language \"jp\": is no language that pages are written in; there are en and ja\n"
	 "m.yaml:2:68: contacts.a.template \"x\": lacks {state}\n"},
	{L2 "contacts: {a: {routes: [{line: m, to: x}], template: '{state} {chek}: {text} {id}'}}\n",
	 "m.yaml:2:54: contacts.a.template \"{state} {chek}: {text} {id}\": there is no field \"{chek}\"; there are {state} "
	 "{check} {host} {text} {since} {id} {code} {number}\n"},
	{L2 "contacts: {a: {routes: [{line: m, to: x}], template: '{state} {check} {text} {id} {id}'}}\n",
	 "m.yaml:2:54: contacts.a.template \"{state} {check} {text} {id} {id}\": has {id} twice\n"},
	{L2 "contacts: {a: {routes: [{line: m, to: x}], template: '{state} {check} {text} {id'}}\n",
	 "m.yaml:2:54: contacts.a.template \"{state} {check} {text} {id\": \"{id\" has no closing brace (a brace itself is "
	 "written twice)\n"},
	{L2 "contacts: {a: {routes: [{line: m, to: x}]}, b: {routes: [{line: m, to: x}]}}\n",
	 "m.yaml:2:1: defaults.contacts: is missing: with several contacts, say whom monitord's own troubles concern\n"},
	{L2 "contacts: {a: {routes: [{line: m, to: x}]}, b: {routes: [{line: m, to: x}]}}\n"
	    "checks: {k: {probe: smtp, host: h}}\n",
	 "m.yaml:2:1: defaults.contacts: is missing: with several contacts, say whom monitord's own troubles concern\n"
	 "m.yaml:3:10: checks.k.contacts: is missing, and so is defaults.contacts: nobody would be paged\n"},
	{"checks: {k: {probe: smtp, host: h}}\n", "contacts: there are none: nobody would be paged\n"},
	{CONTACT "defaults: {contacts: [oop]}\n",
	 "m.yaml:3:22: defaults.contacts \"oop\": there is no such contact; did you mean \"op\"?\n"},
	/* last resort */
	{CONTACT "last_resort: {line: m, to: '2'}\n",
	 "m.yaml:2:26: contacts.op.routes[1].line \"m\": is the line of last_resort, which monitord keeps for itself: no contact "
	 "may use it\n"},
	{CONTACT "last_resort: {line: mm}\n",
	 "m.yaml:3:1: last_resort.to: is missing: say which address on the line\n"
	 "m.yaml:3:1: last_resort.line \"mm\": there is no such line; did you mean \"m\"?\n"},
	/* the proof */
	{L2 "contacts: {op: {routes: [{line: m, to: '1', needs: [a]}]}}\nchecks:\n  a: {probe: smtp, host: h}\n",
	 "m.yaml:2:12: contacts.op: no route of contact \"op\" remains when \"self\" (this host's own link) is down: each needs it, or a check below it\n"
	 "m.yaml:4:3: checks.a: no route of contact \"op\" remains when \"a\" is down: each needs it, or a check below it\n"},
	/* a file that cannot be parsed: said once; what it may define is not called missing */
	{L2 "contacts: {op: {routes: [{line: elsewhere, to: '1'}]}}\nhistory: {line: 3}\n%%x.yaml\nlines: {elsewhere: [}\n",
	 "m.yaml:3:11: history.line: unknown; did you mean \"lines\"?\n"
	 "conf.d/x.yaml:1:21: not YAML: did not find expected node content (while parsing a flow node that began at line 1)\n"},
	/* several files */
	{CONTACT "checks: {a: {probe: smtp, host: h}}\n\n%%x.yaml\nchecks:\n  b: {probe: smtp, host: h}\n"
		 "\n%%y.yaml\nchecks:\n  a: {probe: smtp, host: h}\n  b: {probe: smtp, host: h}\n",
	 "conf.d/y.yaml:2:3: checks.a: is given twice; the first is at m.yaml:3:10\n"
	 "conf.d/y.yaml:3:3: checks.b: is given twice; the first is at conf.d/x.yaml:2:3\n"},
	{CONTACT "defaults: {timeout: 1s}\n\n%%x.yaml\ndefaults: {interval: 1m, timeout: 2s}\n",
	 "conf.d/x.yaml:1:26: defaults.timeout: is given twice; the first is at m.yaml:3:12\n"},
	{"\n%%x.yaml\n" CONTACT, ""},
};

static void test_refusals(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
		expect(refusals[i].yaml, refusals[i].wrong);
}

/* --- what --validate says --- */

static void test_validate(void **state)
{
	static const char yaml[] = CONTACT "checks:\n  a:\n    probe: smtp\n    host: h\n    port: 25\n    password_file: /p\n";
	(void)state;
	canned.validate = "{\"ok\":false,\"complaints\":[{\"item\":\"port\",\"value\":\"25\",\"reason\":\"not with starttls\"},"
			  "{\"item\":\"password_file\",\"value\":\"secret\",\"reason\":\"bad\"},{\"item\":\"x\",\"reason\":\"r\"}]}\n";
	expect(yaml, "m.yaml:1:9: lines.m.port \"25\": not with starttls\n"
		     "m.yaml:1:9: lines.m.password_file \"secret\": bad\n"
		     "m.yaml:1:9: lines.m.x: r\n"
		     "m.yaml:4:3: checks.a.x: r\n"
		     "m.yaml:7:11: checks.a.port \"25\": not with starttls\n"
		     "m.yaml:8:20: checks.a.password_file: bad\n");
	canned.validate = "{\"ok\":false}\n";
	expect(CONTACT, "m.yaml:1:9: lines.m: refused without a reason\n");
	canned.validate = "";
	expect(CONTACT, "m.yaml:1:9: lines.m: notify_sms --validate gave no usable answer to this\n");
	canned.validate = "Segmentation fault\n";
	expect(CONTACT, "m.yaml:1:9: lines.m: notify_sms --validate gave no usable answer to this\n");
	canned.validate = "{\"ok\":true}"; /* cut in the middle: no newline */
	expect(CONTACT, "m.yaml:1:9: lines.m: notify_sms --validate gave no usable answer to this\n");
	canned.validate = "{\"ok\":false,\"complaints\":[{\"item\":\"to\",\"value\":\"1\",\"reason\":\"not a number\"}]}\n";
	expect(CONTACT, "m.yaml:2:26: contacts.op.routes[1].to \"1\": not a number\n");
}

/* What a table refused is not shown to --validate. */
static void test_validate_only_clean(void **state)
{
	(void)state;
	struct config *conf = load(CONTACT "checks: {a: {probe: smtp, host: h, port: 0}, b: {probe: smtp, host: h}}\n");
	assert_null(conf);
	assert_int_equal(complaints.n, 1);
	assert_null(strstr(buf_str(&canned.asked), "\"check\":\"a\""));
	assert_non_null(strstr(buf_str(&canned.asked), "\"check\":\"b\""));
}

static void test_bad_descriptions(void **state)
{
	static const char yaml[] = CONTACT "checks: {a: {probe: smtp, host: h, what: ever}, b: {probe: x}}\n";
	static const struct {
		const char *description, *why;
	} cases[] = {
		{"", "not JSON"},
		{"[]", "its version is not 1"},
		{"{\"v\":2,\"probes\":[]}", "its version is not 1"},
		{"{\"v\":1}", "\"probes\" is not an array"},
		{"{\"v\":1,\"probes\":[{}]}", "a probe has no name"},
		{"{\"v\":1,\"probes\":[{\"name\":\"x\"}]}", "\"options\" is not an array"},
		{"{\"v\":1,\"probes\":[{\"name\":\"x\",\"options\":[3]}]}", "an option has no name or no type"},
		{"{\"v\":1,\"probes\":[]} x", "bytes after the JSON value"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char wrong[512];
		canned.prober = cases[i].description;
		snprintf(wrong, sizeof(wrong),
			 "prober --describe: /nowhere/prober: its description cannot be used: %s; the options of no check were "
			 "looked at\n",
			 cases[i].why);
		expect(yaml, wrong);
	}
}

/* --- warnings --- */

static void test_warnings(void **state)
{
	(void)state;
	struct config *conf = load("lines: {m: {notifier: sms, device: simulated}, n: {notifier: sms, device: simulated}}\n"
				   "contacts: {op: {routes: [{line: m, to: '1'}]}, x: {routes: [{line: m, to: '1'}]}}\n"
				   "defaults: {contacts: [op]}\n"
				   "checks: {a: {probe: smtp, host: h, interval: 10s, timeout: 30s, retry_interval: 20s}}\n");
	assert_non_null(conf);
	char *said = texts(&conf->warnings);
	assert_string_equal(said, "m.yaml:1:9: lines.m: is the only line that pages anybody: when it fails, nobody is told\n"
				  "m.yaml:1:48: lines.n: no route uses this line\n"
				  "m.yaml:2:48: contacts.x: no check concerns this contact\n"
				  "m.yaml:4:60: checks.a.timeout \"30s\": is longer than the interval: while a run hangs, the next ones are skipped\n"
				  "m.yaml:4:81: checks.a.retry_interval \"20s\": is longer than the interval: a failing check is looked at less "
				  "often than a good one\n"
				  "last_resort: is not given: when pagerd is gone, monitord can page nobody\n");
	free(said);
	config_free(conf);
	conf = load("");
	assert_non_null(conf);
	said = texts(&conf->warnings);
	assert_string_equal(said, "checks: there are none: nothing is watched\n"
				  "last_resort: is not given: when pagerd is gone, monitord can page nobody\n"
				  "contacts: there are none: nobody would be paged\n");
	free(said);
	config_free(conf);
	conf = load("lines: {m: {notifier: sms, device: simulated}, last: {notifier: sms, device: simulated}}\n"
		    "contacts: {op: {routes: [{line: m, to: '1'}]}}\n"
		    "checks: {a: {probe: smtp, host: h}}\n"
		    "last_resort: {line: last, to: '1'}\n");
	assert_non_null(conf);
	said = texts(&conf->warnings);
	assert_string_equal(said, "m.yaml:1:9: lines.m: is the only line that pages anybody: when it fails, nobody is told\n");
	free(said);
	config_free(conf);
	conf = load(full);
	assert_int_equal(conf->warnings.n, 0); /* a timeout as long as the interval is nothing to warn about */
	config_free(conf);
}

/* --- limits --- */

static void test_many(void **state)
{
	struct buf b;
	(void)state;
	buf_init(&b, 4 << 20);
	buf_puts(&b, CONTACT "checks:\n");
	for (int i = 0; i < 10000; i++)
		buf_printf(&b, "  c%d: {probe: smtp, host: h%d, parents: [%s%d]}\n", i, i % 100, i ? "c" : "self, c", i ? i - 1 : 1);
	struct config *conf = load(buf_str(&b));
	assert_null(conf); /* c0 <-> c1 */
	assert_int_equal(complaints.n, 1);
	buf_reset(&b);
	buf_puts(&b, CONTACT "checks:\n");
	for (int i = 0; i < 10000; i++)
		buf_printf(&b, "  c%d: {probe: smtp, host: h%d}\n", i, i % 100);
	conf = load(buf_str(&b));
	assert_non_null(conf);
	assert_int_equal(conf->nchecks, 10000);
	assert_int_equal(canned.asked_lines, 10001);
	assert_string_equal(config_check(conf, "c9999")->host, "h99");
	config_free(conf);
	buf_puts(&b, "  one more: {probe: smtp, host: h}\n");
	conf = load(buf_str(&b));
	assert_null(conf);
	assert_int_equal(complaints.n, 1);
	assert_string_equal(complaints.v[0].reason, "are 10001; at most 10000 are taken");
	assert_int_equal(complaints.v[0].line, 10004);
	/* more mistakes than are kept: counted */
	buf_reset(&b);
	buf_puts(&b, CONTACT "checks:\n");
	for (int i = 0; i < 300; i++)
		buf_printf(&b, "  c%d: {probe: smtp, host: h, x: 1}\n", i);
	assert_null(load(buf_str(&b)));
	assert_int_equal(complaints.n, COMPLAINTS_MAX);
	assert_int_equal(complaints.dropped, 100);
	buf_fini(&b);
}

/* 1,000 contacts on one line: their addresses do not fit one JSON line, and are asked about all the same. */
static void test_many_addresses(void **state)
{
	struct buf b;
	(void)state;
	buf_init(&b, 4 << 20);
	buf_puts(&b, L2 "defaults: {contacts: [k0]}\ncontacts:\n");
	for (int i = 0; i < 1000; i++)
		buf_printf(&b, "  k%d: {routes: [{line: m, to: '%0200d'}]}\n", i, i);
	struct config *conf = load(buf_str(&b));
	assert_non_null(conf);
	assert_int_equal(canned.asked_lines, 10);
	config_free(conf);
	buf_fini(&b);
}

static void test_long_lists(void **state)
{
	struct buf b;
	(void)state;
	buf_init(&b, 1 << 20);
	buf_puts(&b, CONTACT "checks: {a: {probe: smtp, host: h, parents: [");
	for (int i = 0; i < 33; i++)
		buf_printf(&b, "c%d,", i);
	buf_puts(&b, "], expect: [");
	for (int i = 0; i < 1001; i++)
		buf_printf(&b, "e%d,", i);
	buf_puts(&b, "]}}\n");
	assert_null(load(buf_str(&b)));
	assert_int_equal(complaints.n, 2);
	assert_string_equal(complaints.v[0].reason, "names 33; at most 32 are taken");
	assert_string_equal(complaints.v[1].reason, "has 1001 values; at most 1000 are taken");
	buf_fini(&b);
}

/* --- the digest --- */

static void test_digest(void **state)
{
	char one[20];
	(void)state;
	struct config *a = load(CONTACT), *b = load(CONTACT "# \n"), *c = load("\n%%x.yaml\n" CONTACT), *d = load("\n%%y.yaml\n" CONTACT);
	assert_string_not_equal(a->digest, b->digest);
	assert_string_not_equal(a->digest, c->digest);
	assert_string_not_equal(c->digest, d->digest);
	snprintf(one, sizeof(one), "%s", a->digest);
	config_free(a);
	a = load(CONTACT);
	assert_string_equal(a->digest, one);
	config_free(a);
	config_free(b);
	config_free(c);
	config_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_settings, teardown),
		cmocka_unit_test_teardown(test_checks, teardown),
		cmocka_unit_test_teardown(test_lines_and_contacts, teardown),
		cmocka_unit_test_teardown(test_questions, teardown),
		cmocka_unit_test_teardown(test_defaults, teardown),
		cmocka_unit_test_teardown(test_retry_follows, teardown),
		cmocka_unit_test_teardown(test_self, teardown),
		cmocka_unit_test_teardown(test_host_option, teardown),
		cmocka_unit_test_teardown(test_refusals, teardown),
		cmocka_unit_test_teardown(test_validate, teardown),
		cmocka_unit_test_teardown(test_validate_only_clean, teardown),
		cmocka_unit_test_teardown(test_bad_descriptions, teardown),
		cmocka_unit_test_teardown(test_warnings, teardown),
		cmocka_unit_test_teardown(test_many, teardown),
		cmocka_unit_test_teardown(test_many_addresses, teardown),
		cmocka_unit_test_teardown(test_long_lists, teardown),
		cmocka_unit_test_teardown(test_digest, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
