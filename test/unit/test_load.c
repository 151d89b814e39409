/* The load probe's parsers and its judgement by way of the probe itself. */
#include "unit.h"

#include "lib/config/complaint.h"
#include "probes/load/load.h"
#include "probes/probe.h"

static void triples(void **state)
{
	static const struct {
		const char *text;
		bool ok;
		double v[3];
	} rows[] = {
		{ "5,4,3", true, { 5, 4, 3 } },	 { "5", true, { 5, 5, 5 } },	{ "5,4", true, { 5, 4, 4 } },
		{ "0", true, { 0, 0, 0 } },	 { "1.5,2,3", true, { 1.5, 2, 3 } }, { "", false, { 0 } },
		{ "5,", false, { 0 } },		 { ",5", false, { 0 } },	{ "5,4,3,2", false, { 0 } },
		{ "5,4,3,", false, { 0 } },	 { "-1", false, { 0 } },	{ "five", false, { 0 } },
		{ "nan", false, { 0 } },	 { "1e400", false, { 0 } },	{ "5;4", false, { 0 } },
		{ "11111111111111111111111111111111111111111", false, { 0 } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		double v[3] = { -1, -1, -1 };
		const char *why = NULL;
		bool ok = load_triple(rows[i].text, v, &why);
		if (ok != rows[i].ok || (!ok && !why) || (ok && memcmp(v, rows[i].v, sizeof v) != 0))
			fail_msg("row %zu: \"%s\": %d %g %g %g", i, rows[i].text, ok, v[0], v[1], v[2]);
	}
}

static void loadavg(void **state)
{
	static const struct {
		const char *text;
		bool ok;
		double first;
		long running, procs;
	} rows[] = {
		{ "0.14 0.05 0.02 1/235 4711\n", true, 0.14, 1, 235 },
		{ "120.00 99.50 80.25 130/9999 1\n", true, 120, 130, 9999 },
		{ "0.14 0.05 0.02\n", true, 0.14, -1, -1 },
		{ "0.14 0.05 0.02 junk\n", true, 0.14, -1, -1 },
		{ "0.14 0.05\n", false, 0, 0, 0 },
		{ "", false, 0, 0, 0 },
		{ "a b c\n", false, 0, 0, 0 },
		{ "-1 0 0 1/2 3\n", false, 0, 0, 0 },
		{ "inf 0 0 1/2 3\n", false, 0, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct load_avg a;
		const char *why = NULL;
		bool ok = load_parse(rows[i].text, &a, &why);
		if (ok != rows[i].ok)
			fail_msg("row %zu: %d", i, ok);
		if (ok)
			assert_true(a.load[0] == rows[i].first && a.running == rows[i].running &&
				    a.procs == rows[i].procs);
		else
			assert_non_null(why);
	}
}

static void conf_is_checked(void **state)
{
	static const struct {
		const char *w, *c;
		size_t complaints;
	} rows[] = {
		{ "5", "10", 0 }, { "5", NULL, 0 }, { NULL, "5", 0 }, { NULL, NULL, 1 }, { "10", "5", 1 },
		{ "5,9,9", "10,8,10", 1 }, { "x", "y", 2 }, { "5,5,5", "5,5,5", 0 },
	};
	const struct probe *p = probe_find("load");

	(void)state;
	assert_non_null(p);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		long conf[64];
		struct complaints c;
		assert_true(p->conf_size <= sizeof conf);
		complaints_init(&c);
		opts_defaults(p->opts, conf, p->conf_size);
		if (rows[i].w)
			assert_true(opts_set(p->opts, conf, "warning", rows[i].w, NULL, &c));
		if (rows[i].c)
			assert_true(opts_set(p->opts, conf, "critical", rows[i].c, NULL, &c));
		p->check_conf(conf, &c);
		if (c.n != rows[i].complaints)
			fail_msg("row %zu: %zu complaints", i, c.n);
		complaints_fini(&c);
		opts_fini(p->opts, conf);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(triples),
		cmocka_unit_test(loadavg),
		cmocka_unit_test(conf_is_checked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
