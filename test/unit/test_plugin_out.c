/* The parser of foreign plugin output: what Nagios plugins write, and what they should not. */
#include "unit.h"

#include "lib/contract/plugin_out.h"

#define OUT(s) s, sizeof(s) - 1

struct row {
	const char *out;
	size_t len;
	const char *text, *more, *perf; /* perf as printed again */
};

static const struct row rows[] = {
	{ OUT("DISK OK - free\n"), "DISK OK - free", "", "" },
	{ OUT("OK"), "OK", "", "" },
	{ OUT(""), "", "", "" },
	{ OUT("\n\n  OK: late\n"), "OK: late", "", "" },
	{ OUT("OK | time=0.12s;1;5;0;10\n"), "OK", "", "time=0.12s;1;5;0;10" },
	{ OUT("OK|a=1 b=2c\n"), "OK", "", "a=1 b=2c" },
	{ OUT("|a=1\n"), "", "", "a=1" },
	{ OUT("PING OK|'round trip'=3ms;;;0 'it''s'=1%\n"), "PING OK", "", "'round trip'=3ms;;;0 it_s=1%" },
	{ OUT("T|x=U y=2\n"), "T", "", "x=U y=2" },
	{ OUT("T|x=1;@10:20;~:5;-3;3\n"), "T", "", "x=1;@10:20;~:5;-3;3" },
	{ OUT("T|x=1;10:;5:6\n"), "T", "", "x=1;10:;5:6" },
	{ OUT("T|x=1;junk;9\n"), "T", "", "x=1;;9" },
	{ OUT("T|x=0,5s\n"), "T", "", "x=0.5s" },
	{ OUT("T|x=1.5e+03B\n"), "T", "", "x=1500B" },
	{ OUT("T|x=-.5\n"), "T", "", "x=-0.5" },
	{ OUT("T|x=5Mbit/s y=1\n"), "T", "", "x=5 y=1" },
	/* multi-line: text goes on to the first '|', performance data to the end */
	{ OUT("A\nB\nC | p=1\nq=2\n"), "A", "B\nC\n", "p=1 q=2" },
	{ OUT("A | p=1\nB\nC|q=2 r=3\ns=4\n"), "A", "B\nC\n", "p=1 q=2 r=3 s=4" },
	{ OUT("A\r\nB\r\n"), "A", "B\n", "" },
	{ OUT("A|p=1\n|q=2\n"), "A", "", "p=1 q=2" },
	{ OUT("A\n\nB\n"), "A", "\nB\n", "" },
	/* junk is left out and counted */
	{ OUT("T|novalue =5 x=1\n"), "T", "(2 pieces of performance data made no sense)\n", "x=1" },
	{ OUT("T|x=abc\n"), "T", "(1 pieces of performance data made no sense)\n", "" },
	{ OUT("T|'open=1\n"), "T", "(1 pieces of performance data made no sense)\n", "" },
	{ OUT("T|' '=1 'x '=2\n"), "T", "(2 pieces of performance data made no sense)\n", "x=2" },
	{ OUT("T|x=\n"), "T", "(1 pieces of performance data made no sense)\n", "" },
	{ OUT("T|x=1e999\n"), "T", "(1 pieces of performance data made no sense)\n", "" },
	/* hostile bytes */
	{ OUT("a\0b\x01\x1b[31mc\xff\n"), "a b  [31mc?", "", "" },
	{ OUT("\xe9t\xc3\xa9\n"), "?t\xc3\xa9", "", "" },
	{ OUT("%s%n%x\n"), "%s%n%x", "", "" },
};

static void parses(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct result r;
		struct buf perf;
		result_init(&r);
		buf_init(&perf, 4096);
		plugin_out_parse(rows[i].out, rows[i].len, &r);
		result_perfdata(&r, &perf);
		if (strcmp(buf_str(&r.text), rows[i].text) != 0 ||
		    strcmp(buf_str(&r.more), rows[i].more) != 0 || strcmp(buf_str(&perf), rows[i].perf) != 0)
			fail_msg("row %zu: text [%s] more [%s] perf [%s]", i, buf_str(&r.text),
				 buf_str(&r.more), buf_str(&perf));
		buf_fini(&perf);
		result_fini(&r);
	}
}

static void state_and_layer_stay(void **state)
{
	struct result r;

	(void)state;
	result_init(&r);
	result_fail(&r, NAG_CRITICAL, "answer", "before");
	result_more(&r, "before");
	result_perf(&r, "before", 1, "", NULL, NULL);
	plugin_out_parse(OUT("WARNING - after\n"), &r);
	assert_int_equal(r.state, NAG_CRITICAL);
	assert_string_equal(r.layer, "answer");
	assert_string_equal(buf_str(&r.text), "WARNING - after");
	assert_int_equal(r.more.len, 0);
	assert_int_equal(r.nperf, 0);
	result_fini(&r);
}

static void too_much_is_said(void **state)
{
	char out[8192];
	size_t n = (size_t)sprintf(out, "T|");
	struct result r;

	(void)state;
	for (int i = 0; i < RESULT_PERF_MAX + 7; i++)
		n += (size_t)sprintf(out + n, "l%d=%d ", i, i);
	result_init(&r);
	plugin_out_parse(out, n, &r);
	assert_int_equal(r.nperf, RESULT_PERF_MAX);
	assert_string_equal(buf_str(&r.more), "(7 more performance values left out)\n");
	assert_string_equal(r.perf[RESULT_PERF_MAX - 1].label, "l63");
	result_fini(&r);
}

static void long_things_are_cut(void **state)
{
	enum { N = 65536 };
	char *out = malloc(N);
	struct result r;

	(void)state;
	memset(out, 'x', N);
	result_init(&r);
	plugin_out_parse(out, N, &r);
	assert_true(r.text.len > 0 && r.text.len <= RESULT_TEXT_MAX);
	/* one label of 64 KiB, then one of many lines */
	out[1] = '|';
	out[N - 2] = '=';
	out[N - 1] = '7';
	plugin_out_parse(out, N, &r);
	assert_int_equal(r.nperf, 1);
	assert_int_equal(strlen(r.perf[0].label), PERF_LABEL_MAX - 1);
	assert_true(r.perf[0].value == 7);
	for (int i = 0; i < N; i += 2)
		out[i] = 'y', out[i + 1] = '\n';
	plugin_out_parse(out, N, &r);
	assert_string_equal(buf_str(&r.text), "y");
	assert_true(r.more.len > RESULT_LONG_MAX - 500 && r.more.len <= RESULT_LONG_MAX);
	assert_false(r.more.full);
	assert_non_null(strstr(buf_str(&r.more), "y\ny\n(further lines left out)\n"));
	/* one further line of 64 KiB, and performance data after it */
	memset(out, 'z', N);
	memcpy(out, "t\n", 2);
	memcpy(out + N - 5, "|p= 1", 5);
	plugin_out_parse(out, N, &r);
	assert_non_null(strstr(buf_str(&r.more), "zzz\n(further lines left out)\n(2 pieces"));
	result_fini(&r);
	free(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses),
		cmocka_unit_test(state_and_layer_stay),
		cmocka_unit_test(too_much_is_said),
		cmocka_unit_test(long_things_are_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
