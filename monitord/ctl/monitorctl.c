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

#include "lib/clock.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/contract/result.h"
#include "monitord/propose/propose.h"
#include "ask.h"
#include "change.h"
#include "check.h"
#include "coverage.h"
#include "diagnose.h"
#include "explain.h"
#include "feed.h"
#include "group.h"
#include "history.h"
#include "pages.h"
#include "paths.h"
#include "preview.h"
#include "show.h"
#include "status.h"

static const char usage_text[] =
    "usage: monitorctl [OPTION...] COMMAND\n"
    "  status [CHECK | --group PATTERN]       what is wrong, who was paged\n"
    "  diagnose                   the incident's name, its evidence, first aid\n"
    "  check CHECK                run it now and show the result\n"
    "  release CHECK              ends its quarantine (it killed its prober)\n"
    "  ack INCIDENT|CHECK [-m COMMENT]        acknowledge: no more repeats\n"
    "  downtime CHECK --for 2h [-m COMMENT]   no pages for that long\n"
    "  downtime CHECK [--from TIME] --until TIME   (HH:MM or \"YYYY-MM-DD HH:MM\")\n"
    "  downtime CHECK --flexible --duration 1h --for 8h    starts with a problem\n"
    "  downtime CHECK --cancel\n"
    "  history [CHECK] [-n N]     the last changes, newest last\n"
    "  incidents [INCIDENT|CHECK] [-n N]      the last incidents with all their pages\n"
    "  reload                     check the configuration, then both daemons take it\n"
    "  test-page CONTACT [--line LINE [--to ADDRESS]]\n"
    "  coverage                   which routes survive a check's failure; when proved\n"
    "  explain CHECK [--at TIME] [--state S]  who would be told, when, by which route\n"
    "                             (times are this host's; a rota's bear their zone)\n"
    "  result CHECK --state S [--text TEXT]   of a passive check\n"
    "  feed                       results from stdin, as Nagios and NSCA write\n"
    "  preview [CHECK] [--contact C] [--state S] [--text TEXT] [--kind K]\n"
    "                             what a page would look like on each line\n"
    "  propose DOMAIN|HOST [-o FILE]          a configuration for what is found there\n"
    "                             (propose --help: its options)\n"
    "  --group PATTERN instead of the name, for status, check, ack, downtime, history\n"
    "  and incidents: all checks of the groups that match\n"
    "options:\n"
    "  -c FILE    configuration whose paths name the sockets\n"
    "             (default " MONITORD_CONF ")\n"
    "  --run DIR  directory of both sockets instead\n"
    "  --json     the daemon's answer as it came       --all  of status: every check\n"
    "  -m TEXT    comment          --by NAME  who (default: you)\n"
    "exit: 0 done; 1 refused (status: a check has a problem or a line cannot send);\n"
    "      2 wrong usage; 3 a daemon does not answer; check exits with the\n"
    "      check's state: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN\n";

enum { HISTORY_MOST = 1000 };

static void flush(struct buf *out)
{
	fputs(buf_str(out), stdout);
	buf_fini(out);
}

/* --- commands --- */

static int check_one(struct ctl *ctl, const char *name)
{
	int rc;
	cJSON *q = ctl_request("check");
	cJSON_AddStringToObject(q, "name", name);
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
	if (rc == EXIT_REFUSED && !ctl->group)
		ctl_suggest_check(ctl, NULL);
	/* what could not be run is UNKNOWN: 3, as for a plugin */
	return rc == EXIT_DONE ? (int)s : NAG_UNKNOWN;
}

static int do_release(struct ctl *ctl)
{
	int rc;
	cJSON *q = ctl_request("release");
	cJSON_AddStringToObject(q, "name", ctl->name);
	cJSON *a = ctl_ask(ctl, ctl->monitord, q, ASK_MS, &rc);
	if (rc == EXIT_DONE && !ctl->json)
		printf("%s is released and run now\n", ctl->name);
	if (rc == EXIT_REFUSED)
		ctl_suggest_check(ctl, NULL);
	cJSON_Delete(a);
	return rc;
}

/* One after the other; the worst state of all. */
static int check_group(struct ctl *ctl)
{
	int rc;
	enum nag_state worst = NAG_OK;
	cJSON *m = ctl_group_checks(ctl, &rc), *c;
	cJSON_ArrayForEach(c, cJSON_GetObjectItemCaseSensitive(m, "checks"))
	{
		worst = nag_worse(worst, (enum nag_state)check_one(ctl, json_str(c, "name", "")));
		fflush(stdout);
	}
	cJSON_Delete(m);
	return rc == EXIT_DONE ? (int)worst : NAG_UNKNOWN;
}

static int do_check(struct ctl *ctl)
{
	return ctl->group ? check_group(ctl) : check_one(ctl, ctl->name);
}

/* What a list is of, and who shows it. */
struct listing {
	const char *socket, *list, *none;
	long usual, most; /* elements, when -n does not say; before a group is picked out of them */
	int (*show)(const cJSON *, const struct ctl_style *, const struct stamp *, struct buf *);
};

static void show_answer(struct ctl *ctl, const struct listing *l, const cJSON *a)
{
	const char *of = ctl->group ? ctl->group : ctl->name;
	struct stamp now = clock_stamp();
	struct buf out;
	buf_init(&out, ANSWER_MAX);
	int n = l->show(a, &ctl->style, &now, &out);
	flush(&out);
	if (!n)
		fprintf(stderr, "monitorctl: %s%s%s\n", l->none, of ? " of " : "", of ? of : "");
	if (!n && ctl->name) /* of a name nobody knows: a mistake in the name */
		ctl_suggest_check(ctl, NULL);
}

static int show_list(struct ctl *ctl, const struct listing *l)
{
	int rc = EXIT_DONE;
	long limit = ctl->limit ? ctl->limit : l->usual;
	struct ctl quiet = *ctl;
	cJSON *q = ctl_request("history"), *m = ctl->group ? ctl_group_checks(ctl, &rc) : NULL;
	if (rc != EXIT_DONE) {
		cJSON_Delete(q);
		return rc;
	}
	ctl_add_text(q, "name", ctl->name ? ctl->name + (*ctl->name == '#') : NULL);
	json_add_int(q, "limit", m ? l->most : limit);
	quiet.json = ctl->json && !m;
	cJSON *a = ctl_ask(&quiet, l->socket, q, ASK_MS, &rc);
	if (m)
		ctl_keep_list(m, a, l->list, limit);
	if (rc == EXIT_DONE && !ctl->json)
		show_answer(ctl, l, a);
	else if (ctl->json && m && a)
		ctl_print_json(a);
	cJSON_Delete(a);
	cJSON_Delete(m);
	return rc;
}

static int do_history(struct ctl *ctl)
{
	return show_list(ctl, &(struct listing){ctl->monitord, "events", "no changes", 50, HISTORY_MOST, ctl_show_history});
}

static int do_incidents(struct ctl *ctl)
{
	return show_list(ctl, &(struct listing){ctl->pagerd, "incidents", "no incidents", 10, HISTORY_MOST, ctl_show_incidents});
}

static const struct command {
	const char *name;
	int (*run)(struct ctl *ctl);
	int needs_name; /* 0: none, 1: required, 2: optional */
	bool group;	/* --group may stand for the name */
} commands[] = {
    {"status", ctl_do_status, 2, true},
    {"diagnose", ctl_do_diagnose, 0, false},
    {"check", do_check, 1, true},
    {"release", do_release, 1, false},
    {"ack", ctl_do_ack, 1, true},
    {"downtime", ctl_do_downtime, 1, true},
    {"history", do_history, 2, true},
    {"incidents", do_incidents, 2, true},
    {"reload", ctl_do_reload, 0, false},
    {"test-page", ctl_do_test_page, 2, false},
    {"preview", ctl_do_preview, 2, false},
    {"coverage", ctl_do_coverage, 0, false},
    {"explain", ctl_do_explain, 1, false},
    {"result", ctl_do_result, 1, false},
    {"feed", ctl_do_feed, 0, false},
    {"propose", ctl_do_propose, 1, false},
    {NULL, NULL, 0, false},
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

/* What monitorctl.c itself takes; every other option is a text for a field of struct ctl. */
enum { OPT_JSON = 256, OPT_RUN, OPT_CANCEL, OPT_FLEXIBLE, OPT_NO_LOCAL, OPT_TEXTS };

static const struct {
	const char *name;
	size_t field;
} texts[] = {
#define TEXT(name, field) {name, offsetof(struct ctl, field)}
    TEXT("by", by),	    TEXT("line", line),	      TEXT("to", to),		TEXT("for", length),
    TEXT("from", from),	    TEXT("until", until),     TEXT("duration", duration), TEXT("comment", comment),
    TEXT("contact", contact), TEXT("state", state),   TEXT("text", text),	TEXT("kind", kind),
    TEXT("at", at),	    TEXT("group", group),	      TEXT("outbound", outbound),	TEXT("selector", selector),
    TEXT("dnsbl", dnsbl),   TEXT("resolver", resolver), TEXT("ports", ports), TEXT("ca-file", ca_file),
    TEXT("timeout", timeout),
#undef TEXT
};
enum { TEXTS = sizeof texts / sizeof texts[0] };

static const struct option own_options[] = {
    {"json", 0, NULL, OPT_JSON},   {"run", 1, NULL, OPT_RUN},	       {"cancel", 0, NULL, OPT_CANCEL},
    {"config", 1, NULL, 'c'},	   {"flexible", 0, NULL, OPT_FLEXIBLE}, {"all", 0, NULL, 'a'},
    {"no-local", 0, NULL, OPT_NO_LOCAL},
    {"help", 0, NULL, 'h'},	   {"version", 0, NULL, 'V'},
};
enum { OWN_OPTIONS = sizeof own_options / sizeof own_options[0] };

/* Both tables as getopt wants them; ends with zeros. */
static void list_options(struct option *out)
{
	memcpy(out, own_options, sizeof own_options);
	for (int i = 0; i < TEXTS; i++)
		out[OWN_OPTIONS + i] = (struct option){texts[i].name, 1, NULL, OPT_TEXTS + i};
	out[OWN_OPTIONS + TEXTS] = (struct option){0};
}

/* One option; false: usage error. *config and *run take the sockets' whereabouts. */
static bool take_option(struct ctl *ctl, int o, const char **config, const char **run)
{
	char *end;
	if (o >= OPT_TEXTS) {
		memcpy((char *)ctl + texts[o - OPT_TEXTS].field, &optarg, sizeof optarg);
		return true;
	}
	switch (o) {
	case OPT_JSON:
		ctl->json = true;
		break;
	case OPT_RUN:
		*run = optarg;
		break;
	case OPT_FLEXIBLE:
		ctl->flexible = true;
		break;
	case OPT_NO_LOCAL:
		ctl->no_local = true;
		break;
	case 'o':
		ctl->out = optarg;
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
		if (ctl->group && (!c->group || ctl->name))
			return usage(c->group ? "%s takes a name or --group, not both" : "%s takes no --group", c->name);
		if (c->needs_name == 1 && !ctl->name && !ctl->group)
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
	ctl->config = config ? config : MONITORD_CONF;
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
	struct option long_options[OWN_OPTIONS + TEXTS + 1];
	int o, rc = EXIT_USAGE;
	bool help = false;
	list_options(long_options);
	style_init(&ctl.style);
	while ((o = getopt_long(argc, argv, "ac:m:n:o:hV", long_options, NULL)) != -1) {
		if (o == 'h') {
			help = true;
			continue;
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
	if (help) {
		bool propose = optind < argc && strcmp(argv[optind], "propose") == 0;
		fputs(propose ? propose_help : usage_text, stdout);
		return EXIT_DONE;
	}
	if (find_sockets(&ctl, config, run))
		rc = run_command(&ctl, argc, argv);
	free(ctl.monitord);
	free(ctl.pagerd);
	return rc;
}
