/*
 * monitorctl: asks and tells the two daemons over their control sockets, and nothing else.
 * Exit: 0 done (status: no problem); 1 refused (status: a check has a problem, or a line cannot send); 2
 * wrong usage; 3 a daemon does not answer. `check` exits with the check's state, 0 to 3, as a Nagios plugin
 * does.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../lib/clock.h"
#include "../lib/file.h"
#include "../lib/json.h"
#include "../lib/result.h"
#include "ctl_ask.h"
#include "ctl_change.h"
#include "ctl_check.h"
#include "ctl_history.h"
#include "ctl_pages.h"
#include "ctl_paths.h"
#include "ctl_show.h"

static const char usage_text[] =
    "usage: monitorctl [OPTION...] COMMAND\n"
    "  status [CHECK]             what is wrong, who was paged, what is fine\n"
    "  check CHECK                run it now and show the result\n"
    "  ack INCIDENT|CHECK [-m COMMENT]        acknowledge: no more repeats\n"
    "  downtime CHECK --for 2h [-m COMMENT]   no pages for that long\n"
    "  downtime CHECK [--from TIME] --until TIME   (HH:MM or \"YYYY-MM-DD HH:MM\")\n"
    "  downtime CHECK --cancel\n"
    "  history [CHECK] [-n N]     the last changes, newest last\n"
    "  incidents [INCIDENT|CHECK] [-n N]      the last incidents with all their pages\n"
    "  reload                     check the configuration, then both daemons take it\n"
    "  test-page CONTACT [--line LINE [--to ADDRESS]]\n"
    "options:\n"
    "  -c FILE    configuration whose paths name the sockets\n"
    "             (default " MONITORD_CONF ")\n"
    "  --run DIR  directory of both sockets instead\n"
    "  --json     the daemon's answer as it came       --all  of status: every check\n"
    "  -m TEXT    comment          --by NAME  who (default: you)\n"
    "exit: 0 done; 1 refused (status: a check has a problem or a line cannot send);\n"
    "      2 wrong usage; 3 a daemon does not answer; check exits with the\n"
    "      check's state: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN\n";

static void flush(struct buf *out)
{
	fputs(buf_str(out), stdout);
	buf_fini(out);
}

/* --- commands --- */

/* Leaves only what is about one check. */
static void keep_only(cJSON *snapshot, const char *list, const char *key, const char *name)
{
	cJSON *all = cJSON_GetObjectItemCaseSensitive(snapshot, list);
	for (cJSON *o = all ? all->child : NULL, *next; o; o = next) {
		next = o->next;
		if (strcmp(json_str(o, key, ""), name) != 0)
			cJSON_Delete(cJSON_DetachItemViaPointer(all, o));
	}
}

static void status_json(const struct ctl *ctl, cJSON *m, cJSON *p)
{
	cJSON *both = cJSON_CreateObject();
	if (ctl->name) {
		keep_only(m, "checks", "name", ctl->name);
		keep_only(p, "incidents", "check", ctl->name);
	}
	cJSON_AddItemToObject(both, "monitord", m ? cJSON_Duplicate(m, true) : cJSON_CreateNull());
	cJSON_AddItemToObject(both, "pagerd", p ? cJSON_Duplicate(p, true) : cJSON_CreateNull());
	ctl_print_json(both);
	cJSON_Delete(both);
}

static void status_of_one(const struct ctl *ctl, const cJSON *m, const char *why_m, const cJSON *p,
			  const char *why_p, struct buf *out)
{
	struct stamp now = clock_stamp();
	if (!m) {
		fprintf(stderr, "monitorctl: %s\n", why_m);
		return;
	}
	if (!p)
		fprintf(stderr, "monitorctl: %s\n", why_p);
	ctl_show_check(ctl_find_check(m, ctl->name), p, &ctl->style, &now, out);
}

static int do_status(struct ctl *ctl)
{
	char why_m[512] = "", why_p[512] = "";
	cJSON *m = ctl_status(ctl->monitord, why_m, sizeof why_m);
	cJSON *p = ctl_status(ctl->pagerd, why_p, sizeof why_p);
	struct stamp now = clock_stamp();
	struct buf out;
	int rc = !m || !p ? EXIT_SILENT : ctl_has_problem(m, p) ? EXIT_REFUSED : EXIT_DONE;
	buf_init(&out, ANSWER_MAX);
	if (ctl->name && m && !ctl_find_check(m, ctl->name)) {
		fprintf(stderr, "monitorctl: there is no check \"%s\"\n", ctl->name);
		ctl_suggest_check(ctl, m);
		rc = EXIT_REFUSED;
	} else if (ctl->json) {
		status_json(ctl, m, p);
	} else if (ctl->name) {
		status_of_one(ctl, m, why_m, p, why_p, &out);
	} else {
		ctl_show_status(m, why_m, p, why_p, &ctl->style, &now, &out);
	}
	flush(&out);
	cJSON_Delete(m);
	cJSON_Delete(p);
	return rc;
}

static int do_check(struct ctl *ctl)
{
	int rc;
	cJSON *q = ctl_request("check");
	cJSON_AddStringToObject(q, "name", ctl->name);
	cJSON *a = ctl_ask(ctl, ctl->monitord, q, SLOW_MS, &rc);
	const cJSON *c = cJSON_GetObjectItemCaseSensitive(a, "check");
	enum nag_state s = NAG_UNKNOWN;
	if (rc == EXIT_DONE) {
		struct buf out;
		buf_init(&out, ANSWER_MAX);
		if (!ctl->json) {
			char why[512]; /* the incident is good to have; without an answer there is none */
			cJSON *p = ctl_status(ctl->pagerd, why, sizeof why);
			struct stamp now = clock_stamp();
			ctl_show_check(c, p, &ctl->style, &now, &out);
			if (*json_str(a, "note", ""))
				buf_printf(&out, "  %s\n", json_str(a, "note", ""));
			cJSON_Delete(p);
		}
		flush(&out);
		nag_from_name(json_str(c, "state", "UNKNOWN"), &s);
	}
	cJSON_Delete(a);
	if (rc == EXIT_REFUSED)
		ctl_suggest_check(ctl, NULL);
	/* what could not be run is UNKNOWN: 3, as for a plugin */
	return rc == EXIT_DONE ? (int)s : NAG_UNKNOWN;
}

/* An answer with a list is shown; an empty one for a name nobody knows is a mistake in the name. */
static int show_list(struct ctl *ctl, const char *socket, cJSON *q, const char *none,
		     int (*show)(const cJSON *, const struct ctl_style *, const struct stamp *, struct buf *))
{
	int rc, n;
	cJSON *a = ctl_ask(ctl, socket, q, ASK_MS, &rc);
	if (rc == EXIT_DONE && !ctl->json) {
		struct stamp now = clock_stamp();
		struct buf out;
		buf_init(&out, ANSWER_MAX);
		n = show(a, &ctl->style, &now, &out);
		flush(&out);
		if (!n)
			fprintf(stderr, "monitorctl: %s%s%s\n", none, ctl->name ? " of " : "",
				ctl->name ? ctl->name : "");
		if (!n && ctl->name)
			ctl_suggest_check(ctl, NULL);
	}
	cJSON_Delete(a);
	return rc;
}

static int do_history(struct ctl *ctl)
{
	cJSON *q = ctl_request("history");
	ctl_add_text(q, "name", ctl->name);
	json_add_int(q, "limit", ctl->limit ? ctl->limit : 50);
	return show_list(ctl, ctl->monitord, q, "no changes", ctl_show_history);
}

static int do_incidents(struct ctl *ctl)
{
	cJSON *q = ctl_request("history");
	ctl_add_text(q, "name", ctl->name ? ctl->name + (*ctl->name == '#') : NULL);
	json_add_int(q, "limit", ctl->limit ? ctl->limit : 10);
	return show_list(ctl, ctl->pagerd, q, "no incidents", ctl_show_incidents);
}

static const struct command {
	const char *name;
	int (*run)(struct ctl *ctl);
	int needs_name; /* 0: none, 1: required, 2: optional */
} commands[] = {
    {"status", do_status, 2},
    {"check", do_check, 1},
    {"ack", ctl_do_ack, 1},
    {"downtime", ctl_do_downtime, 1},
    {"history", do_history, 2},
    {"incidents", do_incidents, 2},
    {"reload", ctl_do_reload, 0},
    {"test-page", ctl_do_test_page, 2},
    {NULL, NULL, 0},
};

/* --- the command line --- */

static int usage(const char *fmt, const char *what)
{
	fprintf(stderr, "monitorctl: ");
	fprintf(stderr, fmt, what);
	fprintf(stderr, "\nmonitorctl -h shows what it can do\n");
	return EXIT_USAGE;
}

static void style_init(struct ctl_style *s)
{
	struct winsize w = {0};
	bool terminal = isatty(STDOUT_FILENO);
	s->colour = terminal && !getenv("NO_COLOR");
	s->columns = !terminal							   ? 0
		     : ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col >= 60 ? w.ws_col
										   : 80;
}

enum { OPT_JSON = 256, OPT_RUN, OPT_BY, OPT_LINE, OPT_TO, OPT_FOR, OPT_FROM, OPT_UNTIL, OPT_CANCEL };

static const struct option long_options[] = {
    {"json", 0, NULL, OPT_JSON}, {"run", 1, NULL, OPT_RUN},	{"by", 1, NULL, OPT_BY},
    {"line", 1, NULL, OPT_LINE}, {"to", 1, NULL, OPT_TO},	{"for", 1, NULL, OPT_FOR},
    {"from", 1, NULL, OPT_FROM}, {"until", 1, NULL, OPT_UNTIL}, {"cancel", 0, NULL, OPT_CANCEL},
    {"comment", 1, NULL, 'm'},	 {"config", 1, NULL, 'c'},	{"all", 0, NULL, 'a'},
    {"help", 0, NULL, 'h'},	 {"version", 0, NULL, 'V'},	{NULL, 0, NULL, 0},
};

/* One option; false: usage error. *config and *run take the sockets' whereabouts. */
static bool take_option(struct ctl *ctl, int o, const char **config, const char **run)
{
	char *end;
	switch (o) {
	case OPT_JSON:
		ctl->json = true;
		break;
	case OPT_RUN:
		*run = optarg;
		break;
	case OPT_BY:
		ctl->by = optarg;
		break;
	case OPT_LINE:
		ctl->line = optarg;
		break;
	case OPT_TO:
		ctl->to = optarg;
		break;
	case OPT_FOR:
		ctl->length = optarg;
		break;
	case OPT_FROM:
		ctl->from = optarg;
		break;
	case OPT_UNTIL:
		ctl->until = optarg;
		break;
	case OPT_CANCEL:
		ctl->cancel = true;
		break;
	case 'a':
		ctl->style.all = true;
		break;
	case 'm':
		ctl->comment = optarg;
		break;
	case 'c':
		*config = optarg;
		break;
	case 'n':
		ctl->limit = strtol(optarg, &end, 10);
		if (!*optarg || *end || ctl->limit <= 0)
			fprintf(stderr, "monitorctl: -n \"%s\": a number from 1 on is needed\n", optarg);
		return *optarg && !*end && ctl->limit > 0;
	default:
		return false;
	}
	return true;
}

static int run_command(struct ctl *ctl, int argc, char **argv)
{
	const char *names[sizeof commands / sizeof commands[0]];
	size_t n = 0;
	if (optind == argc) {
		fputs(usage_text, stderr);
		return EXIT_USAGE;
	}
	for (const struct command *c = commands; c->name; c++) {
		names[n++] = c->name;
		if (strcmp(c->name, argv[optind]) != 0)
			continue;
		ctl->name = optind + 1 < argc ? argv[optind + 1] : NULL;
		if (c->needs_name == 1 && !ctl->name)
			return usage("%s needs a name", c->name);
		if (optind + 1 + (c->needs_name != 0) < argc)
			return usage("unexpected argument \"%s\"; quote what holds blanks",
				     argv[optind + 1 + (c->needs_name != 0)]);
		return c->run(ctl);
	}
	int rc = usage("there is no command \"%s\"", argv[optind]);
	const char *near = ctl_nearest(argv[optind], names, n);
	if (near)
		fprintf(stderr, "did you mean \"%s\"?\n", near);
	return rc;
}

static bool find_sockets(struct ctl *ctl, const char *config, const char *run)
{
	if (run) {
		ctl->monitord = file_join(run, "monitord.sock");
		ctl->pagerd = file_join(run, "pagerd.sock");
		return true;
	}
	if (config && access(config, R_OK) != 0) {
		fprintf(stderr, "monitorctl: ");
		perror(config);
		return false;
	}
	/* without the usual file the sockets are at the usual place */
	ctl->monitord = ctl_monitord_socket(config ? config : MONITORD_CONF);
	ctl->pagerd = ctl_pagerd_socket(config ? config : MONITORD_CONF);
	return true;
}

int main(int argc, char **argv)
{
	struct ctl ctl = {0};
	const char *config = NULL, *run = NULL;
	int o, rc = EXIT_USAGE;
	style_init(&ctl.style);
	while ((o = getopt_long(argc, argv, "ac:m:n:hV", long_options, NULL)) != -1) {
		if (o == 'h') {
			fputs(usage_text, stdout);
			return EXIT_DONE;
		}
		if (o == 'V') {
			puts("monitorctl " MONITORD_VERSION);
			return EXIT_DONE;
		}
		if (!take_option(&ctl, o, &config, &run)) {
			fprintf(stderr, "monitorctl -h shows what it can do\n");
			return EXIT_USAGE;
		}
	}
	if (find_sockets(&ctl, config, run))
		rc = run_command(&ctl, argc, argv);
	free(ctl.monitord);
	free(ctl.pagerd);
	return rc;
}
