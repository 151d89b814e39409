/*
 * The main program of every notifier: owns stdin and stdout, speaks the JSON lines of doc/contracts.md
 * ("notifier") and calls the notifier's own functions, one page at a time. Promises exactly one outcome per
 * page, that nothing else reaches the parent's pipe (stray prints of libraries go to stderr), and that after
 * the end of input all pages read so far are finished before it exits with 0.
 */
#include "notifier.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/json.h"
#include "lib/log.h"
#include "notifier_out.h"
#include "pageline.h"

#ifndef MONITORD_VERSION
#define MONITORD_VERSION "0"
#endif

enum { DETAIL_MAX = 512, WHY_MAX = 512 };

struct session {
	const struct notifier *n;
	struct notifier_run run;
	void *conf;
	char *line_name;
	struct buf in;
	bool (*handle)(struct session *s, const char *text, size_t len); /* one line; false: cannot go on */
	bool configured, started, eof;
	bool skipping; /* inside a line longer than the maximum */
};

/* --- options ----------------------------------------------------------------------------------------- */

static void *new_conf(const struct notifier *n)
{
	void *conf = calloc(1, n->conf_size > 0 ? n->conf_size : 1);

	if (conf != NULL)
		opts_defaults(n->opts, conf, n->conf_size);
	return conf;
}

static void free_conf(const struct notifier *n, void *conf)
{
	if (conf != NULL)
		opts_fini(n->opts, conf);
	free(conf);
}

static void read_options(const struct notifier *n, void *conf, const cJSON *options, struct complaints *c)
{
	cJSON *empty = NULL;

	if (options == NULL)
		options = empty = cJSON_CreateObject();
	if (!cJSON_IsObject(options))
		complaint_add(c, NULL, "options", NULL, "not an object");
	else if (opts_from_json(n->opts, conf, options, c) && n->check_conf != NULL)
		n->check_conf(conf, c);
	cJSON_Delete(empty);
}

/* A null byte cannot be in there, JSON strings end at it. */
static bool address_ok(const struct notifier *n, const char *to, char *why, size_t size)
{
	if (to[0] == '\0') {
		snprintf(why, size, "the address is empty");
		return false;
	}
	return n->check_address == NULL || n->check_address(to, why, size);
}

/* --- --validate -------------------------------------------------------------------------------------- */

static void validate_addresses(const struct notifier *n, const cJSON *to, struct complaints *c)
{
	const cJSON *v;
	char why[WHY_MAX] = "";

	if (to != NULL && !cJSON_IsArray(to)) {
		complaint_add(c, NULL, "to", NULL, "not an array");
		return;
	}
	cJSON_ArrayForEach(v, to) {
		if (!cJSON_IsString(v))
			complaint_add(c, NULL, "to", NULL, "not a string");
		else if (!address_ok(n, v->valuestring, why, sizeof(why)))
			complaint_add(c, NULL, "to", v->valuestring, "%s", why);
	}
}

static cJSON *complaints_json(const struct complaints *c)
{
	cJSON *v = cJSON_CreateObject(), *list;

	cJSON_AddBoolToObject(v, "ok", c->n == 0);
	if (c->n == 0)
		return v;
	list = cJSON_AddArrayToObject(v, "complaints");
	for (size_t i = 0; i < c->n; i++) {
		cJSON *one = cJSON_CreateObject();

		cJSON_AddStringToObject(one, "item", c->v[i].item != NULL ? c->v[i].item : "");
		if (c->v[i].value != NULL)
			cJSON_AddStringToObject(one, "value", c->v[i].value);
		cJSON_AddStringToObject(one, "reason", c->v[i].reason);
		cJSON_AddItemToArray(list, one);
	}
	return v;
}

static void validate_line(const struct notifier *n, const char *text, size_t len)
{
	const char *reason = "not an object";
	cJSON *v = json_parse(text, len, JSON_LINE_MAX, &reason);
	struct complaints c;
	void *conf = new_conf(n);

	complaints_init(&c);
	if (!cJSON_IsObject(v) || conf == NULL) {
		complaint_add(&c, NULL, "line", NULL, "%s", conf == NULL ? "out of memory" : reason);
	} else {
		read_options(n, conf, cJSON_GetObjectItemCaseSensitive(v, "options"), &c);
		validate_addresses(n, cJSON_GetObjectItemCaseSensitive(v, "to"), &c);
	}
	out_say(complaints_json(&c));
	complaints_fini(&c);
	free_conf(n, conf);
	cJSON_Delete(v);
}

static bool validate_handler(struct session *s, const char *text, size_t len)
{
	validate_line(s->n, text, len);
	return true;
}

/* --- --preview --------------------------------------------------------------------------------------- */

static cJSON *preview_of(const struct notifier *n, void *conf, const cJSON *v)
{
	struct complaints c;
	struct page p;
	char why[WHY_MAX] = "";
	cJSON *answer = NULL;

	complaints_init(&c);
	read_options(n, conf, cJSON_GetObjectItemCaseSensitive(v, "options"), &c);
	if (c.n > 0)
		snprintf(why, sizeof(why), "%s: %s", c.v[0].item != NULL ? c.v[0].item : "options", c.v[0].reason);
	else if (page_from_json(&p, cJSON_GetObjectItemCaseSensitive(v, "page"), why, sizeof(why)) &&
		 address_ok(n, p.to, why, sizeof(why)))
		answer = preview_answer(n, conf, &p);
	complaints_fini(&c);
	if (answer != NULL)
		return answer;
	answer = cJSON_CreateObject();
	cJSON_AddStringToObject(answer, "error", why);
	return answer;
}

static bool preview_handler(struct session *s, const char *text, size_t len)
{
	cJSON *v = json_parse(text, len, JSON_LINE_MAX, NULL);
	void *conf = new_conf(s->n);

	if (conf != NULL)
		out_say(preview_of(s->n, conf, v));
	free_conf(s->n, conf);
	cJSON_Delete(v);
	return conf != NULL;
}

/* --- the session ------------------------------------------------------------------------------------- */

static bool configure(struct session *s, const cJSON *v)
{
	struct complaints c;
	char why[WHY_MAX] = "no reason given";
	bool ok;

	if (s->configured) {
		log_warn("a second \"configure\" was ignored; start a new process for that");
		return true;
	}
	s->configured = true;
	s->line_name = strdup(json_str(v, "line", s->n->name));
	s->run.line = s->line_name != NULL ? s->line_name : s->n->name;
	complaints_init(&c);
	read_options(s->n, s->conf, cJSON_GetObjectItemCaseSensitive(v, "configure"), &c);
	ok = c.n == 0;
	if (!ok) {
		struct buf text;

		buf_init(&text, WHY_MAX - 1);
		complaint_format(&c.v[0], &text);
		snprintf(why, sizeof(why), "%s", buf_str(&text));
		buf_fini(&text);
		complaints_print(&c, stderr);
	}
	complaints_fini(&c);
	s->started = ok && s->n->start(&s->run, why, sizeof(why));
	if (!s->started) {
		log_err("%s: cannot start: %s", s->run.line, why);
		notifier_health(false, "cannot start: %s", why);
	}
	return s->started;
}

static void handle_page(struct session *s, const cJSON *obj)
{
	struct page p;
	char detail[DETAIL_MAX] = "";
	enum outcome o;

	if (!page_from_json(&p, obj, detail, sizeof(detail))) {
		log_err("%s: bad page: %s", s->run.line, detail);
		if (p.id[0] != '\0')
			notifier_late(p.id, OUTCOME_REFUSED, detail);
		return;
	}
	if (!s->started)
		o = OUTCOME_RETRY, snprintf(detail, sizeof(detail), "not configured yet");
	else if (!address_ok(s->n, p.to, detail, sizeof(detail)))
		o = OUTCOME_REFUSED;
	else
		o = s->n->send(&s->run, &p, detail, sizeof(detail));
	notifier_late(p.id, o, detail);
}

static bool handle_line(struct session *s, const char *text, size_t len)
{
	const char *reason = "not an object";
	cJSON *v = json_parse(text, len, JSON_LINE_MAX, &reason);
	const cJSON *page = cJSON_GetObjectItemCaseSensitive(v, "page"), *beat;
	const char *taken = json_str(v, "taken", NULL);
	bool ok = true;

	if (!cJSON_IsObject(v))
		log_err("a line from the parent was ignored: %s", reason);
	else if (page != NULL)
		handle_page(s, page);
	else if (cJSON_HasObjectItem(v, "configure"))
		ok = configure(s, v);
	else if ((beat = cJSON_GetObjectItemCaseSensitive(v, "beat")) != NULL && s->started && s->n->beat != NULL)
		s->n->beat(&s->run, json_bool(beat, "ok", false), json_str(beat, "why", ""));
	else if (taken != NULL && s->started && s->n->taken != NULL)
		s->n->taken(&s->run, taken);
	cJSON_Delete(v);
	return ok;
}

/* Takes one whole line out of the buffer, if there is one. *more: another may wait. */
static bool next_line(struct session *s, bool *more)
{
	char *nl = s->in.len > 0 ? memchr(s->in.data, '\n', s->in.len) : NULL;
	size_t len;
	bool ok = true;

	*more = false;
	if (nl == NULL) {
		if (s->in.len >= s->in.max) {
			log_err("a line longer than %d bytes from the parent was ignored", JSON_LINE_MAX);
			buf_reset(&s->in);
			s->skipping = true;
		}
		return true;
	}
	len = (size_t)(nl - s->in.data);
	if (s->skipping)
		s->skipping = false;
	else if (len > 0)
		ok = s->handle(s, s->in.data, len);
	buf_drop(&s->in, len + 1);
	*more = s->in.len > 0 && memchr(s->in.data, '\n', s->in.len) != NULL;
	return ok;
}

static void read_input(struct session *s)
{
	char chunk[4096];
	size_t room = s->in.max - s->in.len;
	ssize_t n = read(STDIN_FILENO, chunk, room < sizeof(chunk) ? room : sizeof(chunk));

	if (n > 0)
		buf_add(&s->in, chunk, (size_t)n);
	else if (n == 0 || (errno != EINTR && errno != EAGAIN))
		s->eof = true;
}

/* Waits for input, for the notifier's own descriptor or for its time, and serves whichever came. */
static void wait_and_serve(struct session *s, bool busy)
{
	int wait_ms = -1, fd = -1, n;
	struct pollfd p[2];

	if (s->started && s->n->fd != NULL)
		fd = s->n->fd(&s->run, &wait_ms);
	p[0] = (struct pollfd){.fd = s->eof ? -1 : STDIN_FILENO, .events = POLLIN};
	p[1] = (struct pollfd){.fd = fd, .events = POLLIN};
	n = poll(p, 2, busy ? 0 : wait_ms);
	if (n < 0)
		return;
	if (p[0].revents != 0)
		read_input(s);
	if (s->started && s->n->idle != NULL && (p[1].revents != 0 || (n == 0 && !busy) || wait_ms == 0))
		s->n->idle(&s->run);
}

static int run_session(struct session *s)
{
	bool ok = true, more = false;

	while (ok && !out_gone()) {
		ok = next_line(s, &more);
		if (ok && !more) {
			if (s->eof)
				break;
			wait_and_serve(s, false);
		} else if (ok) {
			wait_and_serve(s, true);
		}
	}
	if (s->started && s->n->stop != NULL)
		s->n->stop(&s->run);
	return ok ? 0 : 1;
}

/* Answers each line until the end of input. */
static int answer_all(const struct notifier *n, bool (*handle)(struct session *, const char *, size_t))
{
	struct session s = {.n = n, .handle = handle};
	int rc;

	buf_init(&s.in, JSON_LINE_MAX);
	rc = run_session(&s);
	buf_fini(&s.in);
	return rc;
}

/* What is out of the ordinary about this kind of line; in its hello and its description alike. */
static void say_nature(const struct notifier *n, cJSON *v)
{
	if (n->blind)
		cJSON_AddBoolToObject(v, "confirms", false);
	if (n->follows)
		cJSON_AddBoolToObject(v, "follows", true);
	if (n->beat != NULL)
		cJSON_AddBoolToObject(v, "beats", true);
}

static int session_main(const struct notifier *n)
{
	struct session s = {.n = n, .handle = handle_line, .conf = new_conf(n)};
	cJSON *hello = cJSON_CreateObject();
	int rc;

	if (s.conf == NULL)
		return 1;
	s.run.conf = s.conf;
	s.run.line = n->name;
	buf_init(&s.in, JSON_LINE_MAX);
	cJSON_AddNumberToObject(hello, "v", 1);
	cJSON_AddStringToObject(hello, "hello", n->name);
	say_nature(n, hello);
	out_say(hello);
	rc = run_session(&s);
	buf_fini(&s.in);
	free_conf(n, s.conf);
	free(s.line_name);
	return rc;
}

/* --- the command line -------------------------------------------------------------------------------- */

static int describe(const struct notifier *n)
{
	cJSON *v = cJSON_CreateObject();

	cJSON_AddNumberToObject(v, "v", 1);
	cJSON_AddStringToObject(v, "name", n->name);
	cJSON_AddStringToObject(v, "help", n->help);
	say_nature(n, v);
	cJSON_AddItemToObject(v, "options", opts_describe(n->opts));
	out_say(v);
	return out_gone() ? 1 : 0;
}

static int help(const struct notifier *n, FILE *out)
{
	struct buf text;

	buf_init(&text, 65536);
	opts_help(n->opts, &text);
	fprintf(out,
		"usage: notify_%s [--describe | --validate | --preview | -V | -h]\n%s\n\n"
		"Started by pagerd; speaks JSON lines on standard input and output (doc/contracts.md, section 2).\n"
		"  --describe  print the options as JSON\n"
		"  --validate  read {\"options\":{...},\"to\":[...]} lines, answer what is wrong with them\n"
		"  --preview   read {\"options\":{...},\"page\":{...}} lines, answer what the page would look like\n\n"
		"Options of a line that uses it, in monitord.yaml:\n%s",
		n->name, n->help, buf_str(&text));
	buf_fini(&text);
	return out == stderr ? 2 : 0;
}

int notifier_main(const struct notifier *n, int argc, char **argv)
{
	static char name[64];
	const char *arg = argc == 2 ? argv[1] : "";

	snprintf(name, sizeof(name), "notify_%s", n->name);
	log_init(name, LOG_L_INFO);
	signal(SIGPIPE, SIG_IGN);
	if (strcmp(arg, "--describe") == 0)
		return describe(n);
	if (strcmp(arg, "--validate") == 0)
		return answer_all(n, validate_handler);
	if (strcmp(arg, "--preview") == 0)
		return answer_all(n, preview_handler);
	if (strcmp(arg, "-h") == 0 || strcmp(arg, "--help") == 0)
		return help(n, stdout);
	if (strcmp(arg, "-V") == 0 || strcmp(arg, "--version") == 0) {
		printf("notify_%s (monitord) %s\n", n->name, MONITORD_VERSION);
		return 0;
	}
	if (argc > 1)
		return help(n, stderr);
	out_own();
	return session_main(n);
}
