/* Option tables: argv, JSON, help, description agree with each other. */
#include "unit.h"

#include <unistd.h>

#include "lib/json.h"
#include "lib/config/opts.h"
#include "lib/config/units.h"

struct conf {
	char *host, *file, *secret;
	int64_t port, wait;
	bool tls;
	int auth;
	struct opt_list expect;
	struct range warn;
	double ratio;
};

static const struct opt table[] = {
	{ .name = "host", .letter = 'H', .type = OPT_STRING, .offset = offsetof(struct conf, host), .flags = OPT_REQUIRED,
	  .help = "the host" },
	{ .name = "port", .letter = 'p', .type = OPT_INT, .offset = offsetof(struct conf, port), .min = 1, .max = 65535,
	  .dflt = "25", .help = "the port" },
	{ .name = "tls", .letter = 'S', .type = OPT_BOOL, .offset = offsetof(struct conf, tls), .help = "use TLS" },
	{ .name = "greeting_wait", .type = OPT_DURATION, .offset = offsetof(struct conf, wait), .dflt = "30s", .max = 60000,
	  .help = "how long" },
	{ .name = "auth", .type = OPT_ENUM, .offset = offsetof(struct conf, auth), .choices = "none|plain|login",
	  .dflt = "none", .help = "how" },
	{ .name = "expect", .letter = 'e', .type = OPT_LIST, .offset = offsetof(struct conf, expect), .dflt = "220",
	  .help = "texts" },
	{ .name = "warning", .letter = 'w', .type = OPT_RANGE, .offset = offsetof(struct conf, warn), .help = "warn" },
	{ .name = "file", .type = OPT_PATH, .offset = offsetof(struct conf, file), .help = "a file" },
	{ .name = "secret_file", .type = OPT_SECRET, .offset = offsetof(struct conf, secret), .help = "a secret" },
	{ .name = "ratio", .type = OPT_NUMBER, .offset = offsetof(struct conf, ratio), .flags = OPT_ARGV_ONLY, .help = "r" },
	{ .name = NULL },
};

/* Parses argv; the complaints as one text ("" when fine). */
static char *argv_complaints(struct conf *c, const char *const *args, bool *help)
{
	char *argv[20] = { (char *)"prog" };
	int argc = 1, verbose;
	bool h, version;
	struct complaints bad;
	static char text[2000];
	while (*args)
		argv[argc++] = (char *)*args++;
	complaints_init(&bad);
	opts_defaults(table, c, sizeof *c);
	bool ok = opts_from_argv(table, c, argc, argv, &bad, &h, &version, &verbose);
	assert_int_equal(ok, bad.n == 0);
	text[0] = '\0';
	struct buf b;
	buf_init(&b, sizeof text - 1);
	for (size_t i = 0; i < bad.n; i++) {
		complaint_format(&bad.v[i], &b);
		buf_puts(&b, ";");
	}
	strcpy(text, buf_str(&b));
	buf_fini(&b);
	complaints_fini(&bad);
	if (help)
		*help = h;
	return text;
}

static void argv_good(void **state)
{
	(void)state;
	struct conf c;
	const char *const args[] = { "-Sp", "2525", "--host=mx", "--greeting-wait", "5s", "-e220", "-e", "ESMTP", "-w",
				     "1:2", "--auth", "login", "--ratio=0.5", "--secret-file", "credential:x", NULL };
	assert_string_equal(argv_complaints(&c, args, NULL), "");
	assert_true(c.tls);
	assert_int_equal(c.port, 2525);
	assert_string_equal(c.host, "mx");
	assert_int_equal(c.wait, 5000);
	assert_int_equal(c.expect.n, 2); /* given ones replace the default */
	assert_string_equal(c.expect.v[1], "ESMTP");
	assert_int_equal(c.auth, 2);
	assert_true(c.warn.set);
	assert_string_equal(c.secret, "credential:x");
	opts_fini(table, &c);
	assert_null(c.host);
}

static void argv_bad(void **state)
{
	(void)state;
	static const struct {
		const char *args[8];
		const char *complaint; /* a part of it */
	} cases[] = {
		{ { "-p", "25", NULL }, "--host: is required" },
		{ { "-H", "x", "--prot", "25", NULL }, "unknown option; did you mean --port?" },
		{ { "-H", "x", "-p", "70000", NULL }, "port \"70000\": must be from 1 to 65535" },
		{ { "-H", "x", "-p", NULL }, "needs a value" },
		{ { "-H", "x", "stray", NULL }, "argument \"stray\": unexpected" },
		{ { "-H", "x", "--greeting-wait", "2m", NULL }, "must be from 0 to 60000" },
		{ { "-H", "x", "--auth", "digest", NULL }, "must be one of none|plain|login" },
		{ { "-H", "x", "-w", "9:1", NULL }, "above its end" },
		{ { "-H", "x", "-Z", NULL }, "unknown" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct conf c;
		char *text = argv_complaints(&c, cases[i].args, NULL);
		if (!strstr(text, cases[i].complaint))
			fail_msg("case %zu: %s", i, text);
		opts_fini(table, &c);
	}
}

static void help_needs_nothing(void **state)
{
	(void)state;
	struct conf c;
	bool help;
	assert_string_equal(argv_complaints(&c, (const char *const[]){ "-h", NULL }, &help), "");
	assert_true(help);
	opts_fini(table, &c);
}

static void relative_paths_are_from_here(void **state)
{
	(void)state;
	struct conf c;
	char here[400], want[420];
	assert_non_null(getcwd(here, sizeof here));
	snprintf(want, sizeof want, "%s/a.txt", here);
	argv_complaints(&c, (const char *const[]){ "-H", "x", "--file", "a.txt", NULL }, NULL);
	assert_string_equal(c.file, want);
	opts_fini(table, &c);
}

static char *json_complaints(struct conf *c, const char *text)
{
	static char out[2000];
	struct complaints bad;
	struct buf b;
	const char *why;
	complaints_init(&bad);
	buf_init(&b, sizeof out - 1);
	opts_defaults(table, c, sizeof *c);
	cJSON *v = json_parse(text, strlen(text), 10000, &why);
	bool ok = opts_from_json(table, c, v, &bad);
	assert_int_equal(ok, bad.n == 0);
	for (size_t i = 0; i < bad.n; i++) {
		complaint_format(&bad.v[i], &b);
		buf_puts(&b, ";");
	}
	strcpy(out, buf_str(&b));
	buf_fini(&b);
	complaints_fini(&bad);
	cJSON_Delete(v);
	return out;
}

static void from_json(void **state)
{
	(void)state;
	struct conf c;
	assert_string_equal(json_complaints(&c, "{\"host\":\"a\",\"port\":\"26\",\"expect\":[\"1\",\"2\",\"3\"],\"tls\":\"yes\"}"), "");
	assert_int_equal(c.port, 26);
	assert_int_equal(c.expect.n, 3);
	opts_fini(table, &c);
	/* all complaints, not only the first */
	char *text = json_complaints(&c, "{\"prt\":\"1\",\"port\":\"x\",\"file\":\"rel\",\"ratio\":\"1\"}");
	assert_non_null(strstr(text, "prt: unknown option; did you mean port?"));
	assert_non_null(strstr(text, "port \"x\": not a whole number"));
	assert_non_null(strstr(text, "must be an absolute path"));
	assert_non_null(strstr(text, "ratio: unknown option"));
	assert_non_null(strstr(text, "host: is required"));
	opts_fini(table, &c);
}

static void description_judges_as_the_table(void **state)
{
	(void)state;
	cJSON *d = opts_describe(table), *o;
	char why[200];
	static const struct {
		const char *name, *value;
		bool ok;
	} cases[] = {
		{ "port", "25", true },	       { "port", "0", false },	   { "auth", "plain", true }, { "auth", "x", false },
		{ "greeting_wait", "1m", true }, { "warning", "1:", true }, { "file", "x", false },    { "tls", "maybe", false },
	};
	assert_int_equal(cJSON_GetArraySize(d), 9); /* ratio is for the command line only */
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		cJSON_ArrayForEach(o, d) {
			if (strcmp(json_str(o, "name", ""), cases[i].name) == 0)
				assert_int_equal(opts_described_check(o, cases[i].value, why, sizeof why), cases[i].ok);
		}
	}
	cJSON_Delete(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(argv_good), cmocka_unit_test(argv_bad), cmocka_unit_test(help_needs_nothing),
		cmocka_unit_test(relative_paths_are_from_here), cmocka_unit_test(from_json),
		cmocka_unit_test(description_judges_as_the_table),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
