/*
 * dig: one question to one name server, with the options and states of monitoring-plugins' check_dig. The
 * question is the dns probe's (check_dns.c), which gets it by its own options; no program is run.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probe.h"
#include "probes/dns/ask.h"

struct dig_conf {
	char *server, *name, *type, *expected, *arguments;
	int64_t port;
	char *warning, *critical;
	bool four, six;
};

#define AT(member) .offset = offsetof(struct dig_conf, member)

static const struct opt dig_opts[] = {
    {.name = "host",
     .letter = 'H',
     .type = OPT_STRING,
     AT(server),
     .unit = "ADDRESS",
     .help = "the name server; without it, those of resolv.conf"},
    {.name = "port",
     .letter = 'p',
     .type = OPT_INT,
     AT(port),
     .min = 1,
     .max = 65535,
     .dflt = "53",
     .unit = "PORT",
     .help = "its port"},
    {.name = "query_address",
     .letter = 'l',
     .type = OPT_STRING,
     AT(name),
     .flags = OPT_REQUIRED,
     .unit = "NAME",
     .help = "what is asked for"},
    {.name = "record_type",
     .letter = 'T',
     .type = OPT_STRING,
     AT(type),
     .dflt = "A",
     .unit = "TYPE",
     .help = "which records"},
    {.name = "expected_address",
     .letter = 'a',
     .type = OPT_STRING,
     AT(expected),
     .unit = "VALUE",
     .help = "must be among the answers; else WARNING"},
    {.name = "dig_arguments",
     .letter = 'A',
     .type = OPT_STRING,
     AT(arguments),
     .flags = OPT_ARGV_ONLY,
     .help = "+tcp, +notcp, +time=N and +tries=N are taken and change nothing; others are refused: no dig is "
	     "run"},
    {.name = "warning",
     .letter = 'w',
     .type = OPT_STRING,
     AT(warning),
     .unit = "SECONDS",
     .help = "WARNING when the answer takes longer"},
    {.name = "critical",
     .letter = 'c',
     .type = OPT_STRING,
     AT(critical),
     .unit = "SECONDS",
     .help = "CRITICAL when the answer takes longer"},
    {.name = "use_ipv4",
     .letter = '4',
     .type = OPT_BOOL,
     AT(four),
     .flags = OPT_ARGV_ONLY,
     .help = "the server's address says it"},
    {.name = "use_ipv6",
     .letter = '6',
     .type = OPT_BOOL,
     AT(six),
     .flags = OPT_ARGV_ONLY,
     .help = "the server's address says it"},
    {0},
};

extern const struct probe probe_dns;

static bool set(void *conf, const char *name, const char *value, struct complaints *c)
{
	return !value || opts_set(probe_dns.opts, conf, name, value, NULL, c);
}

/* The dns probe's configuration that asks the same; NULL: out of memory. Freed by drop. */
static void *translated(const struct dig_conf *o, struct complaints *c)
{
	void *conf = calloc(1, probe_dns.conf_size);
	char server[300];

	if (!conf)
		return NULL;
	opts_defaults(probe_dns.opts, conf, probe_dns.conf_size);
	if (o->server) {
		snprintf(server, sizeof(server), strchr(o->server, ':') ? "[%.250s]:%d" : "%.250s:%d",
			 o->server, (int)o->port);
		set(conf, "resolver", server, c);
	}
	set(conf, "host", o->name, c);
	set(conf, "querytype", o->type, c);
	set(conf, "expected_address", o->expected, c);
	set(conf, "warning", o->warning, c);
	set(conf, "critical", o->critical, c);
	return conf;
}

static void drop(void *conf)
{
	if (conf)
		opts_fini(probe_dns.opts, conf);
	free(conf);
}

static void check_arguments(const char *text, struct complaints *c)
{
	static const char *const known[] = {"+tcp", "+notcp", "+time=", "+tries=", "+retry="};
	bool ok = false;

	for (size_t i = 0; text && i < sizeof(known) / sizeof(known[0]); i++)
		ok |= strncmp(text, known[i], strlen(known[i])) == 0 && !strchr(text, ' ');
	if (text && *text && !ok)
		complaint_add(c, NULL, "dig_arguments", text,
			      "no dig is run, so it has no arguments; see check_dns");
}

static void dig_check(const void *conf, struct complaints *c)
{
	const struct dig_conf *o = conf;
	void *dns = translated(o, c);

	check_arguments(o->arguments, c);
	if (dns && c->n == 0)
		probe_dns.check_conf(dns, c);
	drop(dns);
}

static void dig_run(struct probe_run *run)
{
	const void *own = run->conf;
	struct complaints c;
	void *dns;

	complaints_init(&c);
	dns = translated(own, &c);
	if (dns) {
		run->conf = dns;
		probe_dns.run(run);
		run->conf = own;
	}
	drop(dns);
	complaints_fini(&c);
	/* as check_dig has it: another answer than expected is no more than that */
	if (strcmp(run->result->layer, "expected") == 0)
		run->result->state = NAG_WARNING;
}

const struct probe probe_dig = {
    .name = "dig",
    .help = "one question to one name server, as check_dig asks it",
    .place = PROBE_NET,
    .opts = dig_opts,
    .conf_size = sizeof(struct dig_conf),
    .host_option = "host",
    .check_conf = dig_check,
    .global_init = dns_global_init,
    .run = dig_run,
};
