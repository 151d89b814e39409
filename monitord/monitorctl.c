/*
 * monitorctl: asks and tells the two daemons over their control sockets, and nothing else.
 * Exit: 0 done (status: no problem); 1 the daemon refused (status: some check has a problem); 2 wrong usage;
 * 3 a daemon does not answer. `check` exits with the check's state, 0 to 3, as a Nagios plugin does.
 */
#include <getopt.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "../lib/clock.h"
#include "../lib/control.h"
#include "../lib/file.h"
#include "../lib/json.h"
#include "../lib/result.h"
#include "../lib/tree.h"
#include "../lib/units.h"
#include "ctl_show.h"

enum { EXIT_DONE, EXIT_REFUSED, EXIT_USAGE, EXIT_SILENT };
enum { ANSWER_MAX = 16 << 20, ASK_MS = 10000, SLOW_MS = 180000 };

struct ctl {
	char monitord[512], pagerd[512]; /* sockets */
	bool json;
	const char *comment, *by, *line, *to, *until, *from, *length;
	bool cancel;
	long limit;
	const char *name; /* the command's argument, or NULL */
	struct ctl_style style;
};

static const char usage_text[] =
	"usage: monitorctl [-c FILE] [--json] COMMAND\n"
	"  status [CHECK]                       what both daemons know\n"
	"  check CHECK                          run it now and show the result\n"
	"  ack INCIDENT|CHECK [-m COMMENT]      acknowledge: no more repeats\n"
	"  downtime CHECK --for 2h [-m COMMENT] no pages for that long (--from TIME --until TIME: later)\n"
	"  downtime CHECK --cancel\n"
	"  history [CHECK] [-n N]               the last changes, newest last\n"
	"  reload                               check the configuration, then both daemons take it\n"
	"  test-page CONTACT [--line LINE] [--to ADDRESS]\n"
	"options:\n"
	"  -c FILE      configuration whose paths name the sockets (default " MONITORD_CONF ")\n"
	"  --run DIR    directory of both sockets instead\n"
	"  --json       the daemon's answer as it came\n"
	"  -m TEXT      comment;  --by NAME  who (default: you)\n"
	"exit: 0 done, 1 refused (status: a check has a problem), 2 usage, 3 no answer;\n"
	"      check exits with the check's state: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN\n";

/* paths.monitord_run and paths.pagerd_run of the main file; anything else of it is the daemons' business. */
static void sockets_from_config(struct ctl *ctl, const char *file)
{
	const char *monitord = "/run/monitord", *pagerd = "/run/monitord-pagerd";
	struct buf b;
	struct complaints c;
	struct node *root = NULL;
	buf_init(&b, 4 << 20);
	complaints_init(&c);
	if (file_read(file, &b))
		root = tree_parse(file, buf_str(&b), b.len, &c);
	struct node *paths = root ? tree_get(root, "paths") : NULL;
	struct node *m = paths ? tree_get(paths, "monitord_run") : NULL, *p = paths ? tree_get(paths, "pagerd_run") : NULL;
	if (m && m->kind == NODE_SCALAR)
		monitord = m->scalar;
	if (p && p->kind == NODE_SCALAR)
		pagerd = p->scalar;
	snprintf(ctl->monitord, sizeof ctl->monitord, "%s/monitord.sock", monitord);
	snprintf(ctl->pagerd, sizeof ctl->pagerd, "%s/pagerd.sock", pagerd);
	if (root)
		tree_free(root);
	complaints_fini(&c);
	buf_fini(&b);
}

static cJSON *request(const char *what)
{
	cJSON *o = cJSON_CreateObject();
	json_add_int(o, "v", 1);
	cJSON_AddStringToObject(o, "do", what);
	return o;
}

static void add_text(cJSON *o, const char *key, const char *value)
{
	if (value)
		cJSON_AddStringToObject(o, key, value);
}

static const char *who(const struct ctl *ctl)
{
	const struct passwd *pw = getpwuid(getuid());
	const char *sudo = getenv("SUDO_USER");
	return ctl->by ? ctl->by : sudo ? sudo : pw ? pw->pw_name : "somebody";
}

static void print_json(const cJSON *v)
{
	char *text = cJSON_Print(v);
	if (text)
		puts(text);
	cJSON_free(text);
}

/* Asks; NULL when nobody answered, which is said. A refusal is said too and leaves *rc at EXIT_REFUSED. */
static cJSON *ask(const struct ctl *ctl, const char *socket, cJSON *q, int ms, int *rc)
{
	char why[512];
	cJSON *a = control_ask(socket, q, ms, why, sizeof why);
	cJSON_Delete(q);
	*rc = EXIT_DONE;
	if (!a) {
		fprintf(stderr, "monitorctl: %s\n", why);
		*rc = EXIT_SILENT;
		return NULL;
	}
	if (!json_bool(a, "ok", false)) {
		*rc = EXIT_REFUSED;
		if (json_str(a, "error", NULL))
			fprintf(stderr, "monitorctl: %s\n", json_str(a, "error", ""));
	}
	if (ctl->json)
		print_json(a);
	return a;
}

static void flush(struct buf *out)
{
	fputs(buf_str(out), stdout);
	buf_fini(out);
}

static bool known(const cJSON *snapshot, const char *name)
{
	const cJSON *c;
	cJSON_ArrayForEach(c, cJSON_GetObjectItemCaseSensitive(snapshot, "checks"))
		if (strcmp(json_str(c, "name", ""), name) == 0)
			return true;
	return false;
}

static int do_status(struct ctl *ctl)
{
	char why_m[512] = "", why_p[512] = "";
	cJSON *q = request("status");
	cJSON *m = control_ask(ctl->monitord, q, ASK_MS, why_m, sizeof why_m);
	cJSON *p = control_ask(ctl->pagerd, q, ASK_MS, why_p, sizeof why_p);
	struct stamp now = clock_stamp();
	struct buf out;
	int rc = !m || !p ? EXIT_SILENT : ctl_has_problem(m) ? EXIT_REFUSED : EXIT_DONE;
	buf_init(&out, ANSWER_MAX);
	if (ctl->json) {
		cJSON *both = cJSON_CreateObject();
		cJSON_AddItemToObject(both, "monitord", m ? cJSON_Duplicate(m, true) : cJSON_CreateNull());
		cJSON_AddItemToObject(both, "pagerd", p ? cJSON_Duplicate(p, true) : cJSON_CreateNull());
		print_json(both);
		cJSON_Delete(both);
	} else if (ctl->name && m && !known(m, ctl->name)) {
		fprintf(stderr, "monitorctl: no check \"%s\"\n", ctl->name);
		rc = EXIT_REFUSED;
	} else if (ctl->name && !m) {
		fprintf(stderr, "monitorctl: %s\n", why_m);
	} else {
		ctl_show_status(m, why_m, p, why_p, ctl->name, &ctl->style, &now, &out);
	}
	flush(&out);
	cJSON_Delete(q);
	cJSON_Delete(m);
	cJSON_Delete(p);
	return rc;
}

static int do_check(struct ctl *ctl)
{
	int rc;
	cJSON *q = request("check");
	cJSON_AddStringToObject(q, "name", ctl->name);
	cJSON *a = ask(ctl, ctl->monitord, q, SLOW_MS, &rc);
	const cJSON *c = cJSON_GetObjectItemCaseSensitive(a, "check");
	enum nag_state s = NAG_UNKNOWN;
	if (rc == EXIT_DONE) {
		struct stamp now = clock_stamp();
		struct buf out;
		buf_init(&out, ANSWER_MAX);
		if (!ctl->json)
			ctl_show_check(c, &ctl->style, &now, &out);
		flush(&out);
		nag_from_name(json_str(c, "state", "UNKNOWN"), &s);
	}
	cJSON_Delete(a);
	/* what could not be run is UNKNOWN: 3, as for a plugin */
	return rc == EXIT_DONE ? (int)s : NAG_UNKNOWN;
}

static int do_ack(struct ctl *ctl)
{
	int rc;
	cJSON *q = request("ack");
	cJSON_AddStringToObject(q, "incident", ctl->name);
	cJSON_AddStringToObject(q, "by", who(ctl));
	add_text(q, "comment", ctl->comment);
	cJSON *a = ask(ctl, ctl->pagerd, q, ASK_MS, &rc);
	if (rc == EXIT_DONE && !ctl->json)
		printf("acknowledged: %s\n", ctl->name);
	cJSON_Delete(a);
	return rc;
}

/* "2026-11-21 03:00", "03:00" (today, or tomorrow when that is past) or "now". */
static bool parse_time(const char *s, int64_t *wall_ms)
{
	time_t now = time(NULL);
	struct tm tm;
	localtime_r(&now, &tm);
	tm.tm_sec = 0;
	tm.tm_isdst = -1;
	if (strcmp(s, "now") == 0) {
		*wall_ms = (int64_t)now * 1000;
		return true;
	}
	const char *end = strptime(s, "%Y-%m-%d %H:%M", &tm);
	bool whole = end && !*end;
	if (!whole) {
		localtime_r(&now, &tm);
		tm.tm_sec = 0;
		tm.tm_isdst = -1;
		end = strptime(s, "%H:%M", &tm);
		if (!end || *end)
			return false;
	}
	time_t t = mktime(&tm);
	if (!whole && t < now) {
		tm.tm_mday++;
		tm.tm_isdst = -1;
		t = mktime(&tm);
	}
	*wall_ms = (int64_t)t * 1000;
	return true;
}

/* Fills from and until from --for or --from and --until. */
static bool downtime_span(const struct ctl *ctl, int64_t *from, int64_t *until)
{
	int64_t length = 0;
	const char *why = NULL;
	*from = clock_wall_ms();
	if (ctl->from && !parse_time(ctl->from, from)) {
		fprintf(stderr, "monitorctl: --from \"%s\": write HH:MM or \"YYYY-MM-DD HH:MM\"\n", ctl->from);
		return false;
	}
	if (ctl->length && !units_duration(ctl->length, &length, &why)) {
		fprintf(stderr, "monitorctl: --for \"%s\": %s\n", ctl->length, why);
		return false;
	}
	*until = *from + length;
	if (ctl->until && !parse_time(ctl->until, until)) {
		fprintf(stderr, "monitorctl: --until \"%s\": write HH:MM or \"YYYY-MM-DD HH:MM\"\n", ctl->until);
		return false;
	}
	if (*until <= *from) {
		fprintf(stderr, "monitorctl: downtime needs --for DURATION or --until TIME after its start\n");
		return false;
	}
	return true;
}

static int do_downtime(struct ctl *ctl)
{
	int rc;
	int64_t from = 0, until = 0;
	cJSON *q = request("downtime");
	cJSON_AddStringToObject(q, "name", ctl->name);
	if (ctl->cancel) {
		cJSON_AddBoolToObject(q, "cancel", true);
	} else if (!downtime_span(ctl, &from, &until)) {
		cJSON_Delete(q);
		return EXIT_USAGE;
	} else {
		json_add_int(q, "from_wall_ms", from);
		json_add_int(q, "until_wall_ms", until);
		cJSON_AddStringToObject(q, "by", who(ctl));
		add_text(q, "comment", ctl->comment);
	}
	cJSON *a = ask(ctl, ctl->monitord, q, ASK_MS, &rc);
	if (rc == EXIT_DONE && !ctl->json) {
		char t[32];
		if (ctl->cancel)
			printf("downtime of %s is cancelled\n", ctl->name);
		else
			printf("%s is in downtime until %s\n", ctl->name, clock_text(until, t, sizeof t));
	}
	cJSON_Delete(a);
	return rc;
}

static int do_history(struct ctl *ctl)
{
	int rc;
	cJSON *q = request("history");
	add_text(q, "name", ctl->name);
	json_add_int(q, "limit", ctl->limit);
	cJSON *a = ask(ctl, ctl->monitord, q, ASK_MS, &rc);
	if (rc == EXIT_DONE && !ctl->json) {
		struct buf out;
		buf_init(&out, ANSWER_MAX);
		ctl_show_history(a, &ctl->style, &out);
		flush(&out);
	}
	cJSON_Delete(a);
	return rc;
}

static void print_complaints(const cJSON *a)
{
	const cJSON *v;
	cJSON_ArrayForEach(v, cJSON_GetObjectItemCaseSensitive(a, "complaints"))
		if (cJSON_IsString(v))
			fprintf(stderr, "%s\n", v->valuestring);
}

/* monitord validates; only what it took is handed to pagerd. Both must then name the same digest. */
static int do_reload(struct ctl *ctl)
{
	int rc, rc2;
	cJSON *a = ask(ctl, ctl->monitord, request("reload"), SLOW_MS, &rc);
	char digest[32];
	if (rc != EXIT_DONE) {
		print_complaints(a);
		if (rc == EXIT_REFUSED)
			fprintf(stderr, "monitorctl: the configuration was not taken, the old one stays in force\n");
		cJSON_Delete(a);
		return rc;
	}
	snprintf(digest, sizeof digest, "%s", json_str(a, "digest", "?"));
	cJSON *b = ask(ctl, ctl->pagerd, request("reload"), SLOW_MS, &rc2);
	if (rc2 != EXIT_DONE) {
		print_complaints(b);
		fprintf(stderr, "monitorctl: monitord took the configuration, pagerd did not\n");
	} else if (strcmp(json_str(b, "digest", "?"), digest) != 0) {
		fprintf(stderr, "monitorctl: the files changed meanwhile: monitord runs %s, pagerd %s; reload again\n", digest,
			json_str(b, "digest", "?"));
		rc2 = EXIT_REFUSED;
	} else if (!ctl->json) {
		printf("configuration %s is in force\n", digest);
	}
	cJSON_Delete(a);
	cJSON_Delete(b);
	return rc2;
}

static int do_test_page(struct ctl *ctl)
{
	int rc;
	cJSON *q = request("test_page");
	cJSON_AddStringToObject(q, "contact", ctl->name);
	add_text(q, "line", ctl->line);
	add_text(q, "to", ctl->to);
	cJSON *a = ask(ctl, ctl->pagerd, q, SLOW_MS, &rc);
	if (a && rc != EXIT_SILENT && !ctl->json && json_str(a, "result", NULL))
		printf("test page to %s: %s%s%s\n", ctl->name, json_str(a, "result", ""), *json_str(a, "detail", "") ? ", " : "",
		       json_str(a, "detail", ""));
	cJSON_Delete(a);
	return rc;
}

static const struct command {
	const char *name;
	int (*run)(struct ctl *ctl);
	int needs_name; /* 0: none, 1: required, 2: optional */
} commands[] = {
	{ "status", do_status, 2 },   { "check", do_check, 1 },	  { "ack", do_ack, 1 },
	{ "downtime", do_downtime, 1 }, { "history", do_history, 2 }, { "reload", do_reload, 0 },
	{ "test-page", do_test_page, 1 }, { NULL, NULL, 0 },
};

static int usage(const char *fmt, const char *what)
{
	fprintf(stderr, "monitorctl: ");
	fprintf(stderr, fmt, what);
	fprintf(stderr, "\n%s", usage_text);
	return EXIT_USAGE;
}

static void style_init(struct ctl_style *s)
{
	struct winsize w = { 0 };
	bool terminal = isatty(STDOUT_FILENO);
	s->colour = terminal && !getenv("NO_COLOR");
	s->columns = !terminal ? 0 : ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col >= 60 ? w.ws_col : 80;
}

enum { OPT_JSON = 256, OPT_RUN, OPT_BY, OPT_LINE, OPT_TO, OPT_FOR, OPT_FROM, OPT_UNTIL, OPT_CANCEL };

static const struct option long_options[] = {
	{ "json", 0, NULL, OPT_JSON },	 { "run", 1, NULL, OPT_RUN },	{ "by", 1, NULL, OPT_BY },
	{ "line", 1, NULL, OPT_LINE },	 { "to", 1, NULL, OPT_TO },	{ "for", 1, NULL, OPT_FOR },
	{ "from", 1, NULL, OPT_FROM },	 { "until", 1, NULL, OPT_UNTIL }, { "cancel", 0, NULL, OPT_CANCEL },
	{ "comment", 1, NULL, 'm' },	 { "config", 1, NULL, 'c' },	{ "help", 0, NULL, 'h' },
	{ "version", 0, NULL, 'V' },	 { NULL, 0, NULL, 0 },
};

/* One option; false: usage error. *config and *run take the sockets' whereabouts. */
static bool take_option(struct ctl *ctl, int o, const char **config, const char **run)
{
	char *end;
	switch (o) {
	case OPT_JSON: ctl->json = true; break;
	case OPT_RUN: *run = optarg; break;
	case OPT_BY: ctl->by = optarg; break;
	case OPT_LINE: ctl->line = optarg; break;
	case OPT_TO: ctl->to = optarg; break;
	case OPT_FOR: ctl->length = optarg; break;
	case OPT_FROM: ctl->from = optarg; break;
	case OPT_UNTIL: ctl->until = optarg; break;
	case OPT_CANCEL: ctl->cancel = true; break;
	case 'm': ctl->comment = optarg; break;
	case 'c': *config = optarg; break;
	case 'n':
		ctl->limit = strtol(optarg, &end, 10);
		return *optarg && !*end && ctl->limit > 0;
	default: return false;
	}
	return true;
}

static int run_command(struct ctl *ctl, int argc, char **argv)
{
	if (optind == argc)
		return usage("%s", "which command?");
	for (const struct command *c = commands; c->name; c++) {
		if (strcmp(c->name, argv[optind]) != 0)
			continue;
		ctl->name = optind + 1 < argc ? argv[optind + 1] : NULL;
		if (c->needs_name == 1 && !ctl->name)
			return usage("%s needs a name", c->name);
		if (optind + 1 + (c->needs_name != 0) < argc)
			return usage("unexpected argument \"%s\" (quote names with spaces)", argv[argc - 1]);
		return c->run(ctl);
	}
	return usage("unknown command \"%s\"", argv[optind]);
}

int main(int argc, char **argv)
{
	struct ctl ctl = { .limit = 50 };
	const char *config = MONITORD_CONF, *run = NULL;
	int o;
	style_init(&ctl.style);
	while ((o = getopt_long(argc, argv, "c:m:n:hV", long_options, NULL)) != -1) {
		if (o == 'h') {
			fputs(usage_text, stdout);
			return EXIT_DONE;
		}
		if (o == 'V') {
			puts("monitorctl " MONITORD_VERSION);
			return EXIT_DONE;
		}
		if (!take_option(&ctl, o, &config, &run))
			return usage("%s", "bad option");
	}
	sockets_from_config(&ctl, config);
	if (run) {
		snprintf(ctl.monitord, sizeof ctl.monitord, "%s/monitord.sock", run);
		snprintf(ctl.pagerd, sizeof ctl.pagerd, "%s/pagerd.sock", run);
	}
	return run_command(&ctl, argc, argv);
}
