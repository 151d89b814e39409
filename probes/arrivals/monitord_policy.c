/*
 * monitord-policy: a policy service for Postfix (check_policy_service) that only counts, by client address,
 * account and local user, and always answers DUNNO. The probe rate reads its counts. Its end leaves mail
 * untouched when Postfix is told so (default_action=DUNNO, doc/probes.md).
 */
#include <stdio.h>

#include "lib/log.h"
#include "serve.h"

#define AT(f) .offset = offsetof(struct policy_conf, f)

static const struct opt options[] = {
    {.name = "listen",
     .letter = 'l',
     .type = OPT_LIST,
     AT(listen),
     .flags = OPT_REQUIRED,
     .unit = "unix:/PATH|inet:ADDRESS:PORT",
     .help = "where Postfix asks; up to 8"},
    {.name = "counts",
     .letter = 'c',
     .type = OPT_PATH,
     AT(counts),
     .flags = OPT_REQUIRED,
     .help = "socket at which the probe rate reads the counts"},
    {.name = "connections",
     .type = OPT_INT,
     AT(connections),
     .dflt = "1000",
     .min = 1,
     .max = 10000,
     .help = "clients at once; beyond that the one that said nothing for longest is closed"},
    {.name = "request_time",
     .type = OPT_DURATION,
     AT(request_ms),
     .dflt = "10s",
     .min = 1000,
     .max = 300e3,
     .help = "a request that has not ended by then is cut off"},
    {0},
};

static void print_complaints(const struct complaints *c)
{
	struct buf line;

	buf_init(&line, 4096);
	for (size_t i = 0; i < c->n; i++) {
		complaint_format(&c->v[i], &line);
		buf_puts(&line, "\n");
	}
	fputs(buf_str(&line), stderr);
	buf_fini(&line);
}

static void print_help(void)
{
	struct buf out;

	buf_init(&out, 16384);
	buf_puts(&out, "usage: monitord-policy --listen WHERE... --counts PATH [options]\n\n");
	opts_help(options, &out);
	fputs(buf_str(&out), stdout);
	buf_fini(&out);
}

int main(int argc, char **argv)
{
	struct policy_conf conf;
	struct complaints c;
	bool help, version;
	int verbose, code = 0;

	log_init("monitord-policy", LOG_L_INFO);
	complaints_init(&c);
	opts_defaults(options, &conf, sizeof conf);
	opts_from_argv(options, &conf, argc, argv, &c, &help, &version, &verbose);
	if (help) {
		print_help();
	} else if (version) {
		printf("monitord-policy (monitord %s)\n", MONITORD_VERSION);
	} else if (c.n > 0) {
		print_complaints(&c);
		code = 2;
	} else {
		code = policy_serve(&conf);
	}
	complaints_fini(&c);
	opts_fini(options, &conf);
	return code;
}
