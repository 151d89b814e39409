/* Fixed downtimes: what is accepted, when one holds, how it reads. */
#include "unit.h"

#include "../../monitord/downtime.h"

#define HOUR INT64_C(3600000)
#define NOW INT64_C(1700000000000)

static void what_is_accepted(void **state)
{
	(void)state;
	static const struct {
		int64_t from, until;
		const char *by, *comment, *why; /* why NULL: accepted */
	} cases[] = {
	    {0, NOW + HOUR, "alice", "disks", NULL},
	    {NOW - HOUR, NOW + HOUR, "alice", NULL, NULL},
	    {NOW + HOUR, NOW + 2 * HOUR, "alice", "", NULL},
	    {0, NOW, "alice", "", "not in the future"},
	    {0, 0, "alice", "", "not in the future"},
	    {NOW + 2 * HOUR, NOW + HOUR, "alice", "", "not after the beginning"},
	    {0, NOW + 367 * 24 * HOUR, "alice", "", "366 days"},
	    {0, INT64_MAX, "alice", "", "366 days"},
	    {0, NOW + HOUR, "", "", "by"},
	    {0, NOW + HOUR, NULL, "", "by"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct downtime d = {0};
		char why[160] = "";
		bool ok = downtime_set(&d, cases[i].from, cases[i].until, cases[i].by, cases[i].comment, NOW,
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
	assert_true(downtime_set(&d, NOW + HOUR, NOW + 2 * HOUR, "bob", "x", NOW, why, sizeof why));
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

static void how_it_reads(void **state)
{
	(void)state;
	struct downtime d;
	char why[160], text[400];
	setenv("TZ", "UTC0", 1);
	assert_true(downtime_set(&d, 0, NOW + HOUR, "alice", "new\ndisks", NOW, why, sizeof why));
	assert_string_equal(downtime_text(&d, text, sizeof text),
			    "in downtime until 2023-11-14 23:13:20 (alice: new disks)");
	assert_true(downtime_set(&d, 0, NOW + HOUR, "alice", "", NOW, why, sizeof why));
	assert_string_equal(downtime_text(&d, text, sizeof text),
			    "in downtime until 2023-11-14 23:13:20 (alice)");
	/* too long a comment is cut between characters */
	char longest[1000] = "x";
	for (int i = 0; i < 300; i++)
		memcpy(longest + 1 + i * 3, "\xe3\x81\x82", 4);
	assert_true(downtime_set(&d, 0, NOW + HOUR, "alice", longest, NOW, why, sizeof why));
	assert_true(strlen(d.comment) < sizeof d.comment);
	assert_int_equal((strlen(d.comment) - 1) % 3, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_accepted),
	    cmocka_unit_test(when_it_holds),
	    cmocka_unit_test(how_it_reads),
	};
	return cmocka_run_group_tests_name("downtime", tests, NULL, NULL);
}
