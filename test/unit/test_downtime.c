/* Fixed downtimes: what is accepted, when one holds, how it reads. */
#include "unit.h"

#include "monitord/rules/downtime.h"

#define HOUR INT64_C(3600000)
#define NOW INT64_C(1700000000000)

static void what_is_accepted(void **state)
{
	(void)state;
	static const struct {
		int64_t from, until, duration;
		const char *by, *comment, *why; /* why NULL: accepted */
	} cases[] = {
	    {0, NOW + HOUR, 0, "alice", "disks", NULL},
	    {NOW - HOUR, NOW + HOUR, 0, "alice", NULL, NULL},
	    {NOW + HOUR, NOW + 2 * HOUR, 0, "alice", "", NULL},
	    {0, NOW, 0, "alice", "", "not in the future"},
	    {0, 0, 0, "alice", "", "not in the future"},
	    {NOW + 2 * HOUR, NOW + HOUR, 0, "alice", "", "not after the beginning"},
	    {0, NOW + 367 * 24 * HOUR, 0, "alice", "", "366 days"},
	    {0, INT64_MAX, 0, "alice", "", "366 days"},
	    {0, NOW + HOUR, 0, "", "", "by"},
	    {0, NOW + HOUR, 0, NULL, "", "by"},
	    {0, NOW + HOUR, HOUR, "alice", "", NULL},
	    {0, NOW + HOUR, -1, "alice", "", "duration"},
	    {0, NOW + HOUR, 367 * 24 * HOUR, "alice", "", "duration"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct downtime d = {0};
		char why[160] = "";
		bool ok = downtime_set(&d, cases[i].from, cases[i].until, cases[i].duration, cases[i].by, cases[i].comment, NOW,
				       why, sizeof why);
		if (ok != !cases[i].why || (cases[i].why && !strstr(why, cases[i].why)))
			fail_msg("case %zu: %d \"%s\"", i, ok, why);
		assert_int_equal(downtime_given(&d), ok); /* a refused one changes nothing */
	}
}

static void when_it_holds(void **state)
{
	(void)state;
	struct downtime d = {0};
	char why[160];
	assert_false(downtime_active(&d, NOW) || downtime_over(&d, NOW) || downtime_given(&d));
	assert_true(downtime_set(&d, NOW + HOUR, NOW + 2 * HOUR, 0, "bob", "x", NOW, why, sizeof why));
	static const struct {
		int64_t at;
		bool active, over;
	} times[] = {{NOW, false, false},	    {NOW + HOUR - 1, false, false},
		     {NOW + HOUR, true, false},	    {NOW + 2 * HOUR - 1, true, false},
		     {NOW + 2 * HOUR, false, true}, {NOW + 99 * HOUR, false, true}};
	for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
		assert_int_equal(downtime_active(&d, times[i].at), times[i].active);
		assert_int_equal(downtime_over(&d, times[i].at), times[i].over);
	}
	downtime_clear(&d);
	assert_false(downtime_given(&d));
}

/* A flexible one: nothing until a problem stands in its window, then its duration, beyond the window's end too. */
static void when_a_flexible_one_holds(void **state)
{
	(void)state;
	static const struct {
		int64_t problem; /* when one is confirmed */
		bool set_off;
		int64_t ends; /* after it was set off */
	} cases[] = {
	    {NOW, false, 0},
	    {NOW + HOUR - 1, false, 0},
	    {NOW + HOUR, true, NOW + 4 * HOUR},
	    {NOW + 2 * HOUR - 1, true, NOW + 5 * HOUR - 1},
	    {NOW + 2 * HOUR, false, 0},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct downtime d = {0};
		char why[160];
		assert_false(downtime_set_off(&d, NOW));
		assert_true(downtime_set(&d, NOW + HOUR, NOW + 2 * HOUR, 3 * HOUR, "bob", "", NOW, why, sizeof why));
		assert_int_equal(downtime_set_off(&d, cases[i].problem), cases[i].set_off);
		assert_int_equal(downtime_active(&d, cases[i].problem), cases[i].set_off);
		if (!cases[i].set_off) {
			assert_false(downtime_over(&d, NOW + 2 * HOUR - 1));
			assert_true(downtime_over(&d, NOW + 2 * HOUR));
			continue;
		}
		assert_false(downtime_set_off(&d, cases[i].problem + 1)); /* once */
		assert_true(downtime_active(&d, cases[i].ends - 1) && !downtime_over(&d, cases[i].ends - 1));
		assert_true(!downtime_active(&d, cases[i].ends) && downtime_over(&d, cases[i].ends));
	}
}

static void how_it_reads(void **state)
{
	(void)state;
	struct downtime d;
	char why[160], text[400];
	setenv("TZ", "UTC0", 1);
	assert_true(downtime_set(&d, 0, NOW + HOUR, 0, "alice", "new\ndisks", NOW, why, sizeof why));
	assert_string_equal(downtime_text(&d, text, sizeof text),
			    "in downtime until 2023-11-14 23:13:20 (alice: new disks)");
	assert_true(downtime_set(&d, 0, NOW + HOUR, 0, "alice", "", NOW, why, sizeof why));
	assert_string_equal(downtime_text(&d, text, sizeof text),
			    "in downtime until 2023-11-14 23:13:20 (alice)");
	/* too long a comment is cut between characters */
	char longest[1000] = "x";
	for (int i = 0; i < 300; i++)
		memcpy(longest + 1 + i * 3, "\xe3\x81\x82", 4);
	assert_true(downtime_set(&d, 0, NOW + HOUR, 0, "alice", longest, NOW, why, sizeof why));
	assert_true(strlen(d.comment) < sizeof d.comment);
	assert_int_equal((strlen(d.comment) - 1) % 3, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_accepted),
	    cmocka_unit_test(when_it_holds),
	    cmocka_unit_test(when_a_flexible_one_holds),
	    cmocka_unit_test(how_it_reads),
	};
	return cmocka_run_group_tests_name("downtime", tests, NULL, NULL);
}
