/* check_smtp's options: what a command line becomes, and what is complained about. */
#include "unit.h"

#include "probes/smtp/conf.h"

enum { ARGS_MAX = 16 };

/* Parses "-H mx1 -S" and checks it; the number of complaints. text: where the first one goes. */
static size_t parse(const char *line, struct smtp_conf *o, char *text, size_t size)
{
	char copy[512], *argv[ARGS_MAX] = {(char[]){"check_smtp"}}, *save = NULL, *p;
	struct complaints c;
	bool help, version;
	struct buf b;
	int argc = 1, verbose;
	size_t n;

	snprintf(copy, sizeof(copy), "%s", line);
	for (p = strtok_r(copy, " ", &save); p && argc < ARGS_MAX; p = strtok_r(NULL, " ", &save))
		argv[argc++] = p;
	complaints_init(&c);
	opts_defaults(smtp_opts, o, sizeof(*o));
	opts_from_argv(smtp_opts, o, argc, argv, &c, &help, &version, &verbose);
	if (c.n == 0)
		smtp_conf_check(o, &c);
	buf_init(&b, size - 1);
	if (c.n > 0)
		complaint_format(&c.v[0], &b);
	snprintf(text, size, "%s", buf_str(&b));
	buf_fini(&b);
	n = c.n;
	complaints_fini(&c);
	return n;
}

static void test_good(void **state)
{
	static const struct {
		const char *line;
		enum smtp_tls tls;
		enum tls_verify verify;
		int port, family;
		bool login;
		const char *mechanism;
	} t[] = {
	    {"-H mx1", SMTP_TLS_OFF, TLS_VERIFY_OFF, 25, AF_UNSPEC, false, NULL},
	    {"-H 192.0.2.1 -p 587 -4", SMTP_TLS_OFF, TLS_VERIFY_OFF, 587, AF_INET, false, NULL},
	    {"-H [2001:db8::1] -6", SMTP_TLS_OFF, TLS_VERIFY_OFF, 25, AF_INET6, false, NULL},
	    {"-H mx_1.example -S", SMTP_TLS_STARTTLS, TLS_VERIFY_OFF, 25, AF_UNSPEC, false, NULL},
	    {"-H mx1 -D 30,14", SMTP_TLS_STARTTLS, TLS_VERIFY_OFF, 25, AF_UNSPEC, false, NULL},
	    {"-H mx1 -s", SMTP_TLS_IMPLICIT, TLS_VERIFY_OFF, 465, AF_UNSPEC, false, NULL},
	    {"-H mx1 -s -D 30 -p 10465", SMTP_TLS_IMPLICIT, TLS_VERIFY_OFF, 10465, AF_UNSPEC, false, NULL},
	    {"-H mx1 -S --verify chain", SMTP_TLS_STARTTLS, TLS_VERIFY_CHAIN, 25, AF_UNSPEC, false, NULL},
	    {"-H mx1 -S --ca-file /x.pem", SMTP_TLS_STARTTLS, TLS_VERIFY_FULL, 25, AF_UNSPEC, false, NULL},
	    {"-H mx1 -S --ca-file /x.pem --verify off", SMTP_TLS_STARTTLS, TLS_VERIFY_OFF, 25, AF_UNSPEC,
	     false, NULL},
	    {"-H mx1 -S -U u --password-file /x", SMTP_TLS_STARTTLS, TLS_VERIFY_FULL, 25, AF_UNSPEC, true,
	     NULL},
	    {"-H mx1 -S -A LOGIN -U u --password-file /x", SMTP_TLS_STARTTLS, TLS_VERIFY_FULL, 25, AF_UNSPEC,
	     true, "LOGIN"},
	    {"-H mx1 -S -A Plain -U u --password-file /x", SMTP_TLS_STARTTLS, TLS_VERIFY_FULL, 25, AF_UNSPEC,
	     true, "PLAIN"},
	    /* without TLS only what does not show the password */
	    {"-H mx1 -A auto -U u --password-file /x", SMTP_TLS_OFF, TLS_VERIFY_FULL, 25, AF_UNSPEC, true,
	     "CRAM-MD5"},
	    {"-H mx1 -A cram-md5 -U u --password-file /x", SMTP_TLS_OFF, TLS_VERIFY_FULL, 25, AF_UNSPEC, true,
	     "CRAM-MD5"},
	    {"-H mx1 -A login -U u --password-file /x --insecure-auth", SMTP_TLS_OFF, TLS_VERIFY_OFF, 25,
	     AF_UNSPEC, true, "LOGIN"},
	    {"-H mx1 -A none -U u", SMTP_TLS_OFF, TLS_VERIFY_OFF, 25, AF_UNSPEC, false, NULL},
	    {"-H mx1 -f <a@b.test> --to c@d.test -C NOOP -R ^250", SMTP_TLS_OFF, TLS_VERIFY_OFF, 25,
	     AF_UNSPEC, false, NULL},
	};
	struct smtp_conf o;
	char text[200];
	bool login;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		if (parse(t[i].line, &o, text, sizeof(text)) > 0)
			fail_msg("%s: %s", t[i].line, text);
		assert_int_equal(smtp_conf_tls(&o), t[i].tls);
		assert_int_equal(smtp_conf_verify(&o), t[i].verify);
		assert_int_equal(smtp_conf_port(&o), t[i].port);
		assert_int_equal(smtp_conf_family(&o), t[i].family);
		if (t[i].mechanism)
			assert_string_equal(smtp_conf_mechanism(&o, &login), t[i].mechanism);
		else
			assert_null(smtp_conf_mechanism(&o, &login));
		assert_int_equal(login, t[i].login);
		opts_fini(smtp_opts, &o);
	}
}

static void test_bad(void **state)
{
	static const struct {
		const char *line, *complaint; /* its beginning */
	} t[] = {
	    {"-p 25", "--host: is required"},
	    {"-H mx1 -p 0", "port \"0\": must be from 1 to 65535"},
	    {"-H mx1/", "host \"mx1/\": neither an address nor a host name"},
	    {"-H a@b", "host \"a@b\": neither an address nor a host name"},
	    {"-H mx\xc3\xa9.example",
	     "host \"mx\xc3\xa9.example\": neither an address nor a host name (write it in its xn-- form)"},
	    {"-H mx1 -4 -6", "use_ipv6: excludes use_ipv4"},
	    {"-H mx1 -s -S", "tls: excludes starttls"},
	    {"-H mx1 -D x", "certificate \"x\": must be DAYS or DAYS,DAYS"},
	    {"-H mx1 -D 5,10", "certificate \"5,10\": must be DAYS or DAYS,DAYS"},
	    {"-H mx1 -D -1", "certificate \"-1\": must be DAYS or DAYS,DAYS"},
	    {"-H mx1 -R ^250", "response: there are more of them than of command"},
	    {"-H mx1 -C NOOP -R (", "response \"(\": "},
	    {"-H mx1 -f a>b", "from \"a>b\": not a mail address"},
	    {"-H mx1 --to <a", NULL}, /* an open bracket is forgiven, as check_smtp does */
	    {"-H mx1 -A digest -U u --password-file /x -S",
	     "authtype \"digest\": must be plain, login, cram-md5, auto or none"},
	    {"-H mx1 -A plain", "authuser: is required with authtype"},
	    {"-H mx1 -U u -S", "password_file: is required with authuser"},
	    {"-H mx1 -A plain -U u --password-file /x",
	     "authtype \"plain\": would send the password readable"},
	    {"-H mx1 -S -A plain -U u -P geheim", "authpass: not taken from a command line"},
	    {"-H mx1 --greeting-timeout 0", "greeting_timeout \"0\": must be from 10 to"},
	    {"-H mx1 --verify maybe", "verify \"maybe\": must be one of auto"},
	};
	struct smtp_conf o;
	char text[300];
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		n = parse(t[i].line, &o, text, sizeof(text));
		if ((n > 0) != (t[i].complaint != NULL) ||
		    (n > 0 && strncmp(text, t[i].complaint, strlen(t[i].complaint)) != 0))
			fail_msg("%s: %s", t[i].line, text);
		/* a secret is never repeated */
		assert_null(strstr(text, "geheim"));
		opts_fini(smtp_opts, &o);
	}
}

/* A greeting pause of 20 s passes by default, and all limits of a usual check fit into less than Nagios'
 * minute. */
static void test_defaults(void **state)
{
	struct smtp_conf o;
	char text[200];

	(void)state;
	assert_int_equal(parse("-H mx1", &o, text, sizeof(text)), 0);
	assert_true(o.greeting_ms > 20000);
	assert_int_equal(o.resolve_ms, smtp_default_limit_ms[SMTP_RESOLVE]);
	assert_int_equal(o.connect_ms, smtp_default_limit_ms[SMTP_CONNECT]);
	assert_int_equal(o.greeting_ms, smtp_default_limit_ms[SMTP_GREETING]);
	assert_int_equal(o.ehlo_ms, smtp_default_limit_ms[SMTP_EHLO]);
	assert_int_equal(o.starttls_ms, smtp_default_limit_ms[SMTP_STARTTLS]);
	assert_int_equal(o.auth_ms, smtp_default_limit_ms[SMTP_AUTH]);
	assert_int_equal(o.quit_ms, smtp_default_limit_ms[SMTP_QUIT]);
	assert_string_equal(o.expect, "220");
	opts_fini(smtp_opts, &o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_good),
	    cmocka_unit_test(test_bad),
	    cmocka_unit_test(test_defaults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
