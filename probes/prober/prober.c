/*
 * prober: the resident worker that runs all built-in probes. Started by monitord
 * (or by a unit of its own with --listen, or by ssh on another host with --stdio), it takes jobs as JSON lines
 * and answers results: doc/contracts.md, section 1. Also prints what its probes are
 * (--describe) and checks options (--validate) for the configuration loader.
 */
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/json.h"
#include "lib/log.h"
#include "lib/sdnotify.h"
#include "probes/probe.h"
#include "crash.h"
#include "expand.h"
#include "request.h"
#include "serve.h"

struct prober_conf {
	int place; /* index into "all|net|local" */
	char *listen;
	int64_t threads;
	struct opt_list without;
	bool describe, validate, expand, stdio;
};

static const struct opt prober_opts[] = {
	{ .name = "place", .type = OPT_ENUM, .offset = offsetof(struct prober_conf, place), .dflt = "all",
	  .choices = "all|net|local",
	  .help = "which probes: those that talk to the network, those that read this host" },
	{ .name = "listen", .type = OPT_PATH, .offset = offsetof(struct prober_conf, listen),
	  .help = "take connections at this Unix socket instead of standard input" },
	{ .name = "stdio", .type = OPT_BOOL, .offset = offsetof(struct prober_conf, stdio),
	  .help = "as ssh starts it for a monitord elsewhere: ends at once when its input does, or is silent for 5 minutes" },
	{ .name = "without", .type = OPT_LIST, .offset = offsetof(struct prober_conf, without), .unit = "PROBE",
	  .help = "a probe that is not run here, whoever asks: exec and nrpe start programs" },
	{ .name = "threads", .type = OPT_INT, .offset = offsetof(struct prober_conf, threads),
	  .min = 1, .max = 4000, .dflt = "600", .help = "how many runs at once; more wait in a queue" },
	{ .name = "describe", .type = OPT_BOOL, .offset = offsetof(struct prober_conf, describe),
	  .help = "print the probes and their options as JSON" },
	{ .name = "validate", .type = OPT_BOOL, .offset = offsetof(struct prober_conf, validate),
	  .help = "check one job a line from standard input, run nothing" },
	{ .name = "expand", .type = OPT_BOOL, .offset = offsetof(struct prober_conf, expand),
	  .help = "ask the DNS for one list of hosts a line from standard input" },
	{ 0 },
};

static const unsigned places[] = { PLACES_ALL, PLACES_NET, PLACES_LOCAL };

static bool print_json(cJSON *v, size_t max)
{
	struct buf out;

	buf_init(&out, max);
	bool ok = v && json_line(v, &out);
	if (ok)
		fwrite(out.data, 1, out.len, stdout);
	buf_fini(&out);
	cJSON_Delete(v);
	return ok;
}

static int describe(unsigned where)
{
	cJSON *root = cJSON_CreateObject(), *list = cJSON_AddArrayToObject(root, "probes");

	cJSON_AddNumberToObject(root, "v", 1);
	for (size_t i = 0; probes_all[i]; i++) {
		const struct probe *p = probes_all[i];
		if (!request_place_ok(p, where))
			continue;
		cJSON *o = cJSON_CreateObject();
		cJSON_AddStringToObject(o, "name", p->name);
		cJSON_AddStringToObject(o, "help", p->help);
		cJSON_AddStringToObject(o, "place", p->place == PROBE_NET ? "net" : "local");
		if (p->host_option)
			cJSON_AddStringToObject(o, "host_option", p->host_option);
		else
			cJSON_AddNullToObject(o, "host_option");
		cJSON_AddItemToObject(o, "options", opts_describe(p->opts));
		cJSON_AddItemToArray(list, o);
	}
	return print_json(root, 16 * 1024 * 1024) && fflush(stdout) == 0 ? 0 : 1;
}

static void validate_line(const char *line, size_t len, unsigned where, struct complaints *c)
{
	const char *why = NULL;
	cJSON *obj = json_parse(line, len, REQUEST_LINE_MAX, &why);
	const char *name = json_str(obj, "probe", NULL);
	const struct probe *p = name ? probe_find(name) : NULL;

	if (!obj)
		complaint_add(c, NULL, NULL, NULL, "not JSON: %s", why ? why : "");
	else if (!p)
		complaint_add(c, NULL, "probe", name, "%s", name ? "there is no such probe" : "is missing");
	else if (!request_place_ok(p, where))
		complaint_add(c, NULL, "probe", name, "does not run in this place");
	else
		request_conf_free(p, request_conf(p, cJSON_GetObjectItemCaseSensitive(obj, "options"), c));
	cJSON_Delete(obj);
}

static void print_verdict(const struct complaints *c)
{
	cJSON *o = cJSON_CreateObject();

	cJSON_AddBoolToObject(o, "ok", c->n == 0);
	if (c->n > 0) {
		cJSON *list = cJSON_AddArrayToObject(o, "complaints");
		for (size_t i = 0; i < c->n; i++) {
			cJSON *one = cJSON_CreateObject();
			if (c->v[i].item)
				cJSON_AddStringToObject(one, "item", c->v[i].item);
			if (c->v[i].value)
				cJSON_AddStringToObject(one, "value", c->v[i].value);
			cJSON_AddStringToObject(one, "reason", c->v[i].reason);
			cJSON_AddItemToArray(list, one);
		}
	}
	print_json(o, 16 * 1024 * 1024);
}

static int validate(unsigned where)
{
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;

	while ((n = getline(&line, &cap, stdin)) > 0) {
		struct complaints c;
		complaints_init(&c);
		if (line[n - 1] == '\n')
			n--;
		validate_line(line, (size_t)n, where, &c);
		print_verdict(&c);
		complaints_fini(&c);
		if (fflush(stdout) != 0)
			break;
	}
	free(line);
	return ferror(stdout) ? 1 : 0;
}

static void print_help(void)
{
	struct buf out;

	buf_init(&out, 65536);
	buf_puts(&out, "prober: runs monitord's probes; jobs and results are JSON lines\n\n"
		       "Usage: prober [options]\n\n");
	opts_help(prober_opts, &out);
	fputs(buf_str(&out), stdout);
	buf_fini(&out);
}

int main(int argc, char **argv)
{
	struct prober_conf conf;
	struct complaints c;
	bool help = false, version = false;
	int verbose = 0, code;

	mallopt(M_ARENA_MAX, 2); /* hundreds of threads must not mean hundreds of heaps */
	log_init("prober", LOG_L_NOTICE);
	sdnotify_init(); /* no plugin must get NOTIFY_SOCKET */
	signal(SIGPIPE, SIG_IGN);
	opts_defaults(prober_opts, &conf, sizeof conf);
	complaints_init(&c);
	bool ok = opts_from_argv(prober_opts, &conf, argc, argv, &c, &help, &version, &verbose);
	if (verbose > 0)
		log_init("prober", LOG_L_DEBUG);
	if (help) {
		print_help();
		code = 0;
	} else if (version) {
		printf("prober (monitord) %s\n", MONITORD_VERSION);
		code = 0;
	} else if (!ok) {
		complaints_print(&c, stderr);
		code = 2;
	} else if (conf.describe) {
		code = describe(places[conf.place]);
	} else if (conf.validate) {
		code = validate(places[conf.place]);
	} else if (conf.expand) {
		code = expand();
	} else {
		crash_install();
		code = serve(&(struct serve_conf){.path = conf.stdio ? NULL : conf.listen,
						  .places = places[conf.place],
						  .threads = (size_t)conf.threads,
						  .leaves = conf.stdio,
						  .without = &conf.without});
	}
	complaints_fini(&c);
	opts_fini(prober_opts, &conf);
	return code;
}
