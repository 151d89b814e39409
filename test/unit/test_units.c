/* Durations, sizes, numbers, Nagios ranges, nearest names. */
#include "unit.h"

#include <math.h>

#include "lib/config/units.h"

static void durations(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		bool ok;
		int64_t ms;
	} table[] = {
		{ "30", true, 30000 },	 { "30s", true, 30000 },   { "500ms", true, 500 }, { "5m", true, 300000 },
		{ "2h", true, 7200000 }, { "1d", true, 86400000 }, { "1.5s", true, 1500 }, { "1w", true, 604800000 },
		{ "0", true, 0 },	 { "", false, 0 },	   { "-1s", false, 0 },	   { "5 m", false, 0 },
		{ "m", false, 0 },	 { "1e400", false, 0 },	   { "nan", false, 0 },	   { "0x10", false, 0 },
		{ "inf", false, 0 },	 { "5mm", false, 0 },
	};
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		int64_t ms = -1;
		const char *why = NULL;
		bool ok = units_duration(table[i].text, &ms, &why);
		if (ok != table[i].ok || (ok && ms != table[i].ms))
			fail_msg("%s: %d %lld", table[i].text, ok, (long long)ms);
		if (!ok)
			assert_non_null(why);
	}
}

static void sizes(void **state)
{
	(void)state;
	int64_t n;
	assert_true(units_size("10M", &n, NULL) && n == 10 << 20);
	assert_true(units_size("64KiB", &n, NULL) && n == 65536);
	assert_true(units_size("2T", &n, NULL) && n == INT64_C(2) << 40);
	assert_false(units_size("10X", &n, NULL));
	assert_false(units_size("99999999T", &n, NULL));
}

static void whole_numbers(void **state)
{
	(void)state;
	int64_t n;
	assert_true(units_int("-25", &n, NULL) && n == -25);
	assert_false(units_int("25x", &n, NULL));
	assert_false(units_int(" 25", &n, NULL));
	assert_false(units_int("99999999999999999999", &n, NULL));
}

/* The examples of the Nagios plugin guidelines, each with values on both sides. */
static void ranges(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		double v;
		bool alerts;
	} table[] = {
		{ "10", -1, true },	{ "10", 0, false },	{ "10", 10, false },   { "10", 10.1, true },
		{ "10:", 9.9, true },	{ "10:", 10, false },	{ "10:", 1e9, false }, { "~:10", 10.5, true },
		{ "~:10", -1e9, false }, { "10:20", 9, true },	{ "10:20", 20, false }, { "10:20", 21, true },
		{ "@10:20", 10, true }, { "@10:20", 20, true }, { "@10:20", 9, false }, { "@10:20", 21, false },
		{ "10", NAN, true },	{ ":5", 6, true },	{ ":5", 5, false },
	};
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		struct range r;
		assert_true(units_range(table[i].text, &r, NULL));
		if (range_alerts(&r, table[i].v) != table[i].alerts)
			fail_msg("%s at %f", table[i].text, table[i].v);
	}
	struct range unset = { 0 };
	assert_false(range_alerts(&unset, 1e300));
}

static void bad_ranges(void **state)
{
	(void)state;
	static const char *const bad[] = { "", "@", "20:10", "a", "1:b", "~", "1:~", "1,2", "0x1:3" };
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct range r;
		const char *why = NULL;
		if (units_range(bad[i], &r, &why))
			fail_msg("accepted: %s", bad[i]);
		assert_non_null(why);
	}
}

static void ranges_as_text(void **state)
{
	(void)state;
	static const char *const same[] = { "10", "10:", "~:10", "10:20", "@10:20", "0.5", "-3:4.25", "0:" };
	for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
		struct range r;
		char text[96];
		assert_true(units_range(same[i], &r, NULL));
		assert_string_equal(range_text(&r, text, sizeof text), same[i]);
	}
}

static void nearest(void **state)
{
	(void)state;
	static const char *const names[] = { "interval", "retry_interval", "timeout", "host" };
	assert_string_equal(units_nearest("intervall", names, 4), "interval");
	assert_string_equal(units_nearest("hots", names, 4), "host");
	assert_string_equal(units_nearest("retry", names, 4), "retry_interval");
	assert_null(units_nearest("zzzzzz", names, 4));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations),  cmocka_unit_test(sizes),		cmocka_unit_test(whole_numbers),
		cmocka_unit_test(ranges),     cmocka_unit_test(bad_ranges),	cmocka_unit_test(ranges_as_text),
		cmocka_unit_test(nearest),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
