/* What the prober is told, line by line. */
#include "unit.h"

#include "probes/prober/request.h"

static void lines(void **state)
{
	static const struct {
		const char *line;
		bool ok;
		enum request_kind kind;
		const char *id, *why; /* why: a part of it */
	} rows[] = {
		{ "{\"run\":\"a\",\"check\":\"c\",\"probe\":\"load\",\"options\":{\"warning\":\"5\"},\"timeout_ms\":1000}", true, REQUEST_RUN, "a", NULL },
		{ "{\"v\":1,\"run\":\"a\",\"probe\":\"load\",\"options\":{\"critical\":\"5\"},\"later\":[1,{}]}", true, REQUEST_RUN, "a", NULL },
		{ "{\"stored\":\"a\",\"ok\":true}", true, REQUEST_STORED, "a", NULL },
		{ "{\"cancel\":\"a\"}", true, REQUEST_CANCEL, "a", NULL },
		{ "", false, REQUEST_RUN, "", "not" },
		{ "[]", false, REQUEST_RUN, "", "not a JSON object" },
		{ "{\"run\":\"a\"} x", false, REQUEST_RUN, "", "bytes after" },
		{ "{}", false, REQUEST_RUN, "", "neither run" },
		{ "{\"run\":5}", false, REQUEST_RUN, "", "neither run" },
		{ "{\"run\":\"\"}", false, REQUEST_RUN, "", "neither run" },
		{ "{\"run\":\"a\"}", false, REQUEST_RUN, "a", "names no probe" },
		{ "{\"run\":\"a\",\"probe\":\"nope\"}", false, REQUEST_RUN, "a", "no probe \"nope\"" },
		{ "{\"run\":\"a\",\"probe\":\"exec\"}", false, REQUEST_RUN, "a", "place" },
		{ "{\"run\":\"a\",\"probe\":\"load\",\"options\":{\"warnin\":\"5\"}}", false, REQUEST_RUN, "a", "did you mean warning" },
		{ "{\"run\":\"a\",\"probe\":\"load\",\"options\":{\"warning\":5}}", false, REQUEST_RUN, "a", "warning" },
		{ "{\"run\":\"a\",\"probe\":\"load\",\"options\":[]}", false, REQUEST_RUN, "a", "must be an object" },
		{ "{\"run\":\"a\",\"probe\":\"load\",\"options\":{\"warning\":\"9\",\"critical\":\"5\"}}", false, REQUEST_RUN, "a", "above critical" },
		{ "{\"run\":\"a\",\"probe\":\"load\",\"options\":{\"warning\":\"5\"},\"timeout_ms\":0}", false, REQUEST_RUN, "a", "timeout_ms" },
		{ "{\"run\":\"a\",\"probe\":\"load\",\"options\":{\"warning\":\"5\"},\"timeout_ms\":9999999}", false, REQUEST_RUN, "a", "timeout_ms" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct request q;
		char why[512] = "";
		bool ok =
			request_parse(&q, rows[i].line, strlen(rows[i].line), PLACES_LOCAL, why, sizeof why);
		if (ok != rows[i].ok || strcmp(q.id, rows[i].id) != 0 || (ok && q.kind != rows[i].kind) ||
		    (!ok && !strstr(why, rows[i].why)))
			fail_msg("row %zu: %d id [%s] why [%s]", i, ok, q.id, why);
		if (ok)
			request_fini(&q);
	}
}

static void a_job_in_full(void **state)
{
	static const char line[] =
		"{\"v\":1,\"run\":\"j1\",\"check\":\"disk of mx1\",\"probe\":\"disk\",\"options\":"
		"{\"warning\":[\"10%\",\"100\"],\"path\":\"/var\"},\"state\":\"a\\nb\\u00e9\",\"timeout_ms\":1500}";
	struct request q;
	char why[256];

	(void)state;
	assert_true(request_parse(&q, line, sizeof line - 1, PLACES_ALL, why, sizeof why));
	assert_string_equal(q.check, "disk of mx1");
	assert_ptr_equal(q.probe, probe_find("disk"));
	assert_string_equal(q.state, "a\nb\xc3\xa9");
	assert_int_equal(q.state_len, 5);
	assert_int_equal(q.timeout_ms, 1500);
	assert_non_null(q.conf);
	request_fini(&q);
}

static void limits(void **state)
{
	char *line = malloc(REQUEST_LINE_MAX + 100), why[256];
	struct request q;
	int n;

	(void)state;
	/* an id that is too long is no id */
	n = sprintf(line, "{\"cancel\":\"%0*d\"}", REQUEST_ID_MAX, 1);
	assert_false(request_parse(&q, line, (size_t)n, PLACES_ALL, why, sizeof why));
	assert_string_equal(q.id, "");
	n = sprintf(line, "{\"cancel\":\"%0*d\"}", REQUEST_ID_MAX - 1, 1);
	assert_true(request_parse(&q, line, (size_t)n, PLACES_ALL, why, sizeof why));
	/* the largest state, each byte escaped */
	n = sprintf(line, "{\"run\":\"a\",\"probe\":\"load\",\"options\":{\"warning\":\"5\"},\"state\":\"");
	for (int i = 0; i < PROBE_STATE_MAX; i++)
		n += sprintf(line + n, "\\u0041");
	n += sprintf(line + n, "\"}");
	assert_true(n < REQUEST_LINE_MAX);
	assert_true(request_parse(&q, line, (size_t)n, PLACES_ALL, why, sizeof why));
	assert_int_equal(q.state_len, PROBE_STATE_MAX);
	request_fini(&q);
	/* one byte more */
	n = sprintf(line + n - 2, "A\"}") + n - 2;
	assert_false(request_parse(&q, line, (size_t)n, PLACES_ALL, why, sizeof why));
	assert_non_null(strstr(why, "64 KiB"));
	free(line);
}

static void exec_options(void **state)
{
	static const struct {
		const char *options;
		const char *why; /* NULL: good */
	} rows[] = {
		{ "{\"command\":[\"/bin/true\",\"-w\"]}", NULL },
		{ "{\"command\":\"/bin/true\",\"env\":[\"A=\",\"B=c=d\"],\"directory\":\"/tmp\"}", NULL },
		{ "{}", "required" },
		{ "{\"command\":[]}", "must name a program" },
		{ "{\"command\":[\"true\"]}", "absolute" },
		{ "{\"command\":[\"/bin/true\"],\"env\":[\"A\"]}", "NAME=VALUE" },
		{ "{\"command\":[\"/bin/true\"],\"env\":[\"=x\"]}", "NAME=VALUE" },
		{ "{\"command\":[\"/bin/true\"],\"env\":[\"NOTIFY_SOCKET=/run/x\"]}", "service manager" },
		{ "{\"command\":[\"/bin/true\"],\"directory\":\"tmp\"}", "absolute" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char line[512], why[512] = "";
		struct request q;
		int n = snprintf(line, sizeof line, "{\"run\":\"a\",\"probe\":\"exec\",\"options\":%s}",
				 rows[i].options);
		bool ok = request_parse(&q, line, (size_t)n, PLACES_NET, why, sizeof why);
		if (ok != !rows[i].why || (!ok && !strstr(why, rows[i].why)))
			fail_msg("row %zu: %d [%s]", i, ok, why);
		if (ok)
			request_fini(&q);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines),
		cmocka_unit_test(a_job_in_full),
		cmocka_unit_test(limits),
		cmocka_unit_test(exec_options),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
