/*
 * notify-by-monitord: the notification command of Nagios and Icinga 2. Their macros come as options or, from
 * Nagios, in the environment; one event goes into the spool. What the event says is decided in macros.c.
 */
#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drop.h"
#include "macros.h"

static const char program[] = "notify-by-monitord";

static const char usage_text[] =
    "usage: notify-by-monitord [OPTION...]\n"
    "The notification command of Nagios and Icinga 2: hands what they notify of to\n"
    "pagerd, through the spool. Each option is a macro; from Nagios they may come in\n"
    "the environment instead (enable_environment_macros=1).\n"
    "  --type T          PROBLEM RECOVERY ACKNOWLEDGEMENT DOWNTIMESTART DOWNTIMEEND\n"
    "                    DOWNTIMECANCELLED DOWNTIMEREMOVED FLAPPINGSTART FLAPPINGSTOP\n"
    "                    FLAPPINGEND FLAPPINGDISABLED CUSTOM\n"
    "  --host NAME       --service NAME (none: the host itself)     --state STATE\n"
    "  --output TEXT     --long TEXT\n"
    "  --problem N       number of the problem that lasts ($SERVICEPROBLEMID$, or in\n"
    "                    Icinga 2 $service.last_state_ok$)\n"
    "  --since SECONDS   when the state began ($LASTSERVICESTATECHANGE$)\n"
    "  --author NAME --comment TEXT   of an acknowledgement, a downtime, a custom one\n"
    "  --source NAME     its section in sources: (default: the one of this user)\n"
    "  --contact NAME    whom it concerns (repeat it for several)\n"
    "  -c FILE           configuration whose paths name the spool\n"
    "                    (default " MONITORD_CONF ")\n"
    "  --spool DIR, --twin DIR   the spool itself\n"
    "  -q                no notes      -V version      -h help\n"
    "exit: 0 queued, or nothing to say; 64 wrong usage; 65 a macro that means nothing;\n"
    "      71 no memory; 73 the spool does not take it; 77 this user may not write there\n";

static const struct macro {
	const char *option, *service, *host; /* in the environment after NAGIOS_ */
	size_t field;
} macros[] = {
#define MACRO(option, service, host, field)                                                                  \
	{                                                                                                    \
		option, service, host, offsetof(struct notification, field)                                  \
	}
    MACRO("type", "NOTIFICATIONTYPE", "NOTIFICATIONTYPE", type),
    MACRO("host", "HOSTNAME", "HOSTNAME", host),
    MACRO("service", "SERVICEDESC", "SERVICEDESC", service),
    MACRO("state", "SERVICESTATE", "HOSTSTATE", state),
    MACRO("output", "SERVICEOUTPUT", "HOSTOUTPUT", output),
    MACRO("long", "LONGSERVICEOUTPUT", "LONGHOSTOUTPUT", long_output),
    MACRO("problem", "SERVICEPROBLEMID", "HOSTPROBLEMID", problem),
    MACRO("since", "LASTSERVICESTATECHANGE", "LASTHOSTSTATECHANGE", since),
    MACRO("author", "NOTIFICATIONAUTHOR", "NOTIFICATIONAUTHOR", author),
    MACRO("comment", "NOTIFICATIONCOMMENT", "NOTIFICATIONCOMMENT", comment),
#undef MACRO
};
enum { MACROS = sizeof macros / sizeof macros[0], O_SOURCE = 256, O_CONTACT, O_SPOOL, O_TWIN, O_MACROS };

static const char **field_of(struct notification *n, const struct macro *m)
{
	return (const char **)(void *)((char *)n + m->field);
}

/* What no option gave. */
static void take_environment(struct notification *n)
{
	const char *service = n->service ? n->service : getenv("NAGIOS_SERVICEDESC");
	bool is_service = service && *service;
	for (int i = 0; i < MACROS; i++) {
		char name[64];
		const char **field = field_of(n, &macros[i]);
		snprintf(name, sizeof name, "NAGIOS_%s", is_service ? macros[i].service : macros[i].host);
		if (!*field)
			*field = getenv(name);
	}
}

static void list_options(struct option *out)
{
	static const struct option own[] = {
	    {"source", 1, NULL, O_SOURCE}, {"contact", 1, NULL, O_CONTACT}, {"spool", 1, NULL, O_SPOOL},
	    {"twin", 1, NULL, O_TWIN},	   {"config", 1, NULL, 'c'},	    {"quiet", 0, NULL, 'q'},
	    {"help", 0, NULL, 'h'},	   {"version", 0, NULL, 'V'},
	};
	memcpy(out, own, sizeof own);
	out += sizeof own / sizeof own[0];
	for (int i = 0; i < MACROS; i++)
		*out++ = (struct option){macros[i].option, 1, NULL, O_MACROS + i};
	*out = (struct option){0};
}

/* One option; a door_exit. */
static int take_option(int o, struct notification *n, struct event *e, struct door_place *place)
{
	if (o >= O_MACROS) {
		*field_of(n, &macros[o - O_MACROS]) = optarg;
		return DOOR_QUEUED;
	}
	switch (o) {
	case O_SOURCE:
		return door_name(e->source, sizeof e->source, optarg, "--source", program) ? DOOR_QUEUED
											   : DOOR_DATA;
	case O_CONTACT:
		return strlen(optarg) < EVENT_NAME_MAX && door_contact(e, optarg) ? DOOR_QUEUED : DOOR_DATA;
	case O_SPOOL:
		place->spool = optarg;
		return DOOR_QUEUED;
	case O_TWIN:
		place->twin = optarg;
		return DOOR_QUEUED;
	case 'c':
		place->config = optarg;
		return DOOR_QUEUED;
	case 'q':
		place->quiet = true;
		return DOOR_QUEUED;
	default:
		fprintf(stderr, "notify-by-monitord -h shows what it can do\n");
		return DOOR_USAGE;
	}
}

static int notify(struct notification *n, struct event *e, const struct door_place *place)
{
	char why[300];
	take_environment(n);
	switch (macros_event(n, door_now(), e, why, sizeof why)) {
	case MACROS_EVENT:
		return door_drop(e, place, program);
	case MACROS_NOTHING:
		if (!place->quiet)
			printf("%s\n", why);
		return DOOR_QUEUED;
	default:
		fprintf(stderr, "%s: %s\n", program, why);
		return DOOR_DATA;
	}
}

int main(int argc, char **argv)
{
	struct option options[8 + MACROS + 1];
	struct notification n = {0};
	struct door_place place = {0};
	struct event e;
	int o, rc = DOOR_QUEUED;
	event_init(&e);
	list_options(options);
	while (rc == DOOR_QUEUED && (o = getopt_long(argc, argv, "c:qhV", options, NULL)) != -1) {
		if (o == 'h')
			return fputs(usage_text, stdout) < 0;
		if (o == 'V')
			return puts("notify-by-monitord " MONITORD_VERSION) < 0;
		rc = take_option(o, &n, &e, &place);
	}
	if (rc == DOOR_QUEUED && optind < argc) {
		fprintf(stderr, "%s: unexpected argument \"%s\"; quote what holds blanks\n", program,
			argv[optind]);
		rc = DOOR_USAGE;
	}
	if (rc == DOOR_QUEUED)
		rc = notify(&n, &e, &place);
	event_fini(&e);
	return rc;
}
