/*
 * monitord-page: a page from the command line or stdin. Writes one event into the spool and ends; pagerd does
 * the rest. The exit code says that it is queued, or why not (drop.h).
 */
#include <getopt.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "drop.h"
#include "lib/buf.h"

static const char usage_text[] =
    "usage: monitord-page [OPTION...] [TEXT...]\n"
    "Queues a page. Without TEXT it is read from standard input: the first line is\n"
    "what is paged, the rest goes along where there is room.\n"
    "  --check NAME     what it is about (default: the key, else your user name)\n"
    "  --host NAME      where\n"
    "  --state S        OK WARNING CRITICAL UNKNOWN (default CRITICAL; a recovery: OK)\n"
    "  --kind K         notice: told once (default, without --id);\n"
    "                   problem: repeated until acknowledged or recovered (with --id);\n"
    "                   recovery, ack: ends, acknowledges the problem of the same --id,\n"
    "                   without one every open problem of --check\n"
    "  --id KEY         the same problem again under this key is not paged twice\n"
    "  --contact NAME   whom it concerns (repeat it for several)\n"
    "  --source NAME    in whose name (only the user that the configuration names may)\n"
    "  --by NAME        of an ack: whose (default: you)\n"
    "  -c FILE          configuration whose paths name the spool\n"
    "                   (default " MONITORD_CONF ")\n"
    "  --spool DIR, --twin DIR   the spool itself\n"
    "  -q               no notes      -V version      -h help\n"
    "exit: 0 queued; 64 wrong usage; 65 nothing that can be said; 71 no memory;\n"
    "      73 the spool does not take it; 77 this user may not write there\n";

static const char program[] = "monitord-page";
enum { TEXT_LIMIT = 65536 };

struct options {
	const char *check, *host, *state, *kind, *id, *source, *by;
	struct door_place place;
};

enum { O_CHECK = 256, O_HOST, O_STATE, O_KIND, O_ID, O_CONTACT, O_SOURCE, O_BY, O_SPOOL, O_TWIN };

static const struct option long_options[] = {
    {"check", 1, NULL, O_CHECK},   {"host", 1, NULL, O_HOST}, {"state", 1, NULL, O_STATE},
    {"kind", 1, NULL, O_KIND},	   {"id", 1, NULL, O_ID},     {"contact", 1, NULL, O_CONTACT},
    {"source", 1, NULL, O_SOURCE}, {"by", 1, NULL, O_BY},     {"spool", 1, NULL, O_SPOOL},
    {"twin", 1, NULL, O_TWIN},	   {"config", 1, NULL, 'c'},  {"quiet", 0, NULL, 'q'},
    {"help", 0, NULL, 'h'},	   {"version", 0, NULL, 'V'}, {NULL, 0, NULL, 0},
};

/* Where the text of an option goes; NULL: it is none of these. */
static const char **field_of(struct options *x, int o)
{
	switch (o) {
	case O_CHECK:
		return &x->check;
	case O_HOST:
		return &x->host;
	case O_STATE:
		return &x->state;
	case O_KIND:
		return &x->kind;
	case O_ID:
		return &x->id;
	case O_SOURCE:
		return &x->source;
	case O_BY:
		return &x->by;
	case O_SPOOL:
		return &x->place.spool;
	case O_TWIN:
		return &x->place.twin;
	case 'c':
		return &x->place.config;
	default:
		return NULL;
	}
}

static int bad(int rc, const char *fmt, const char *what)
{
	fprintf(stderr, "%s: ", program);
	fprintf(stderr, fmt, what);
	fputs("\n", stderr);
	return rc;
}

static const char *user(void)
{
	const struct passwd *pw = getpwuid(getuid());
	return pw ? pw->pw_name : "somebody";
}

/* --- the text
 * ----------------------------------------------------------------------------------------------- */

static void read_words(struct buf *text, int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		if (i)
			buf_add_cut(text, " ", 1);
		buf_add_cut(text, argv[i], strlen(argv[i]));
	}
}

/* All of it is read, so that who writes it does not die of a closed pipe. A NUL byte becomes a blank. */
static void read_stdin(struct buf *text)
{
	char chunk[8192];
	ssize_t n;
	while ((n = read(STDIN_FILENO, chunk, sizeof chunk)) > 0) {
		for (ssize_t i = 0; i < n; i++)
			if (!chunk[i])
				chunk[i] = ' ';
		buf_add_cut(text, chunk, (size_t)n);
	}
}

static int take_text(struct event *e, const struct options *x, int argc, char **argv)
{
	struct buf text;
	int rc = DOOR_QUEUED;
	buf_init(&text, TEXT_LIMIT);
	if (argc > 0)
		read_words(&text, argc, argv);
	else if (e->kind == EVENT_ACK)
		buf_puts(&text, "acknowledged");
	else
		read_stdin(&text);
	if (!door_text(e, buf_str(&text), NULL))
		rc = bad(DOOR_DATA, "there is no text%s", argc > 0 ? "" : " on standard input");
	else if (text.full && !x->place.quiet)
		bad(0, "the text is longer than %s; the rest is left out", "64 KiB");
	buf_fini(&text);
	return rc;
}

/* --- the event
 * ---------------------------------------------------------------------------------------------- */

static int take_kind(struct event *e, const struct options *x)
{
	const char *kind = x->kind ? x->kind : x->id ? "problem" : "notice";
	if (!event_kind_from_name(kind, &e->kind))
		return bad(DOOR_USAGE, "--kind \"%s\": must be notice, problem, recovery or ack", kind);
	e->state = e->kind == EVENT_RECOVERY ? NAG_OK : NAG_CRITICAL;
	if (x->state && !door_state(x->state, &e->state))
		return bad(DOOR_USAGE, "--state \"%s\": must be OK, WARNING, CRITICAL or UNKNOWN", x->state);
	if (e->kind == EVENT_PROBLEM && e->state == NAG_OK)
		return bad(DOOR_USAGE, "--state %s is no problem: use --kind recovery", "OK");
	if (e->kind == EVENT_RECOVERY && e->state != NAG_OK)
		return bad(DOOR_USAGE, "--state %s is no recovery", x->state);
	if ((e->kind == EVENT_RECOVERY || e->kind == EVENT_ACK) && !x->id && !x->check)
		return bad(DOOR_USAGE, "--kind %s needs --id or --check: which problem?", kind);
	return DOOR_QUEUED;
}

static int take_names(struct event *e, const struct options *x)
{
	const char *check = x->check ? x->check : x->id ? x->id : user();
	bool ok = door_name(e->check, sizeof e->check, check, x->check ? "--check" : "--id", program) &&
		  door_name(e->host, sizeof e->host, x->host ? x->host : "", "--host", program) &&
		  door_name(e->source, sizeof e->source, x->source ? x->source : "", "--source", program) &&
		  door_name(e->by, sizeof e->by,
			    e->kind != EVENT_ACK ? ""
			    : x->by		 ? x->by
						 : user(),
			    "--by", program);
	if (ok && !e->check[0])
		return bad(DOOR_DATA, "%s: is empty", x->check ? "--check" : "--id");
	return ok ? DOOR_QUEUED : DOOR_DATA;
}

static int make_event(struct event *e, const struct options *x, int argc, char **argv)
{
	int rc = take_kind(e, x);
	if (rc == DOOR_QUEUED)
		rc = take_names(e, x);
	if (rc == DOOR_QUEUED)
		rc = take_text(e, x, argc, argv);
	e->at = e->since = clock_stamp();
	e->change = door_now();
	if (x->id)
		e->opened = door_key(x->id);
	else
		e->opened = e->kind == EVENT_RECOVERY || e->kind == EVENT_ACK ? 0 : e->change;
	return rc;
}

static int usage(int rc)
{
	fprintf(stderr, "monitord-page -h shows what it can do\n");
	return rc;
}

int main(int argc, char **argv)
{
	struct options x = {0};
	struct event e;
	int o, rc = DOOR_QUEUED;
	event_init(&e);
	while (rc == DOOR_QUEUED && (o = getopt_long(argc, argv, "c:qhV", long_options, NULL)) != -1) {
		const char **field = field_of(&x, o);
		if (o == 'h')
			return fputs(usage_text, stdout) < 0;
		if (o == 'V')
			return puts("monitord-page " MONITORD_VERSION) < 0;
		if (field)
			*field = optarg;
		else if (o == 'q')
			x.place.quiet = true;
		else if (o != O_CONTACT)
			rc = usage(DOOR_USAGE);
		else if (strlen(optarg) >= EVENT_NAME_MAX || !door_contact(&e, optarg))
			rc = bad(DOOR_DATA, "--contact \"%.40s\": too long, or too many", optarg);
	}
	if (rc == DOOR_QUEUED)
		rc = make_event(&e, &x, argc - optind, argv + optind);
	if (rc == DOOR_QUEUED)
		rc = door_drop(&e, &x.place, program);
	event_fini(&e);
	return rc;
}
