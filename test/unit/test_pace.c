/* When what leaves: alone, folded, or later; and what a route may cost. pagerd/rules/pace.c */
#include "unit.h"

#include "pagerd/rules/pace.h"

enum { S = 1000 };

static enum pace_what decide(const struct pace *p, size_t fresh, size_t known, int64_t now)
{
	int64_t again;
	return pace_decide(p, fresh, known, false, now, &again);
}

static void nothing_waits_for_nothing(void **state)
{
	struct pace p = {0};
	int64_t again = 0;
	(void)state;
	assert_int_equal(pace_decide(&p, 0, 0, false, 5, &again), PACE_WAIT);
	assert_true(again == INT64_MAX);
}

static void in_calm_weather_nothing_is_held_back(void **state)
{
	struct pace p = {0};
	(void)state;
	assert_int_equal(decide(&p, 1, 0, 100 * S), PACE_ONE);
	pace_left(&p, false, 100 * S);
	/* the next moment: another cause, and the same one */
	assert_int_equal(decide(&p, 1, 0, 100 * S + 1), PACE_ONE);
	assert_int_equal(decide(&p, 0, 1, 100 * S + 1), PACE_ONE);
	assert_int_equal(decide(&p, 0, 2, 100 * S + 1), PACE_ONE);
	assert_true(pace_is_calm(&p, 1, 100 * S + 1));
}

static void what_came_while_the_line_was_busy_is_folded(void **state)
{
	struct pace p = {0};
	(void)state;
	pace_left(&p, false, 100 * S);
	/* many causes nobody has heard of: at once */
	assert_int_equal(decide(&p, 3, 0, 103 * S), PACE_ALL);
	assert_int_equal(decide(&p, 299, 1, 103 * S), PACE_ALL);
	/* more of a cause that was told: when the window is over */
	int64_t again;
	assert_int_equal(pace_decide(&p, 0, 14, false, 103 * S, &again), PACE_WAIT);
	assert_int_equal(again, 7 * S);
	assert_int_equal(decide(&p, 0, 14, 110 * S), PACE_ALL);
}

static void an_alarm_of_another_cause_goes_next_within_a_storm(void **state)
{
	struct pace p = {0};
	(void)state;
	pace_left(&p, false, 100 * S);
	pace_left(&p, true, 103 * S);
	assert_int_equal(decide(&p, 0, 1, 106 * S), PACE_WAIT);
	assert_int_equal(decide(&p, 1, 300, 106 * S), PACE_ONE);
	assert_int_equal(decide(&p, 2, 300, 106 * S), PACE_ONE);
	/* a whole new place right after a digest is a storm again: it waits for the shortest window */
	int64_t again;
	assert_int_equal(pace_decide(&p, 40, 300, false, 106 * S, &again), PACE_WAIT);
	assert_int_equal(again, 7 * S);
	assert_int_equal(decide(&p, 40, 300, 113 * S), PACE_ALL);
}

static void a_hundred_causes_on_a_fast_line_are_folded_too(void **state)
{
	struct pace p = {0};
	int64_t now = 100 * S, again;
	(void)state;
	for (int k = 0; k < PACE_BURST; k++, now += 10) {
		assert_int_equal(decide(&p, 1, 0, now), PACE_ONE);
		pace_left(&p, false, now);
	}
	assert_false(pace_is_calm(&p, 1, now));
	assert_int_equal(pace_decide(&p, 1, 0, false, now, &again), PACE_WAIT);
	assert_true(again <= PACE_WINDOW_MS);
	assert_int_equal(decide(&p, 50, 0, now + again), PACE_ALL);
}

static void windows_grow_while_it_goes_on_and_end_with_it(void **state)
{
	struct pace p = {0};
	int64_t now = 100 * S, again;
	int digests = 0;
	(void)state;
	/* an hour of storm on causes that are known */
	while (now < 3700 * S) {
		if (pace_decide(&p, 0, 10, false, now, &again) == PACE_ALL) {
			pace_left(&p, true, now);
			digests++;
		} else {
			assert_true(again > 0 && again <= PACE_WINDOW_MAX_MS);
			now += again;
		}
	}
	assert_in_range(digests, 10, 20);
	/* calm for as long: the next is as the first */
	now += 2 * PACE_WINDOW_MAX_MS;
	assert_int_equal(decide(&p, 0, 1, now), PACE_ONE);
	pace_left(&p, false, now);
	assert_true(pace_is_calm(&p, 1, now + 1));
	pace_left(&p, true, now + 60 * S);
	assert_int_equal(pace_decide(&p, 0, 5, false, now + 60 * S, &again), PACE_WAIT);
	assert_int_equal(again, PACE_WINDOW_MS);
}

static void a_page_whose_route_failed_waits_for_no_window(void **state)
{
	struct pace p = {0};
	int64_t again;
	(void)state;
	pace_left(&p, true, 100 * S);
	assert_int_equal(pace_decide(&p, 0, 1, true, 100 * S + 5, &again), PACE_ONE);
	assert_int_equal(pace_decide(&p, 0, 9, true, 100 * S + 5, &again), PACE_ALL);
}

static void each_kind_has_its_class(void **state)
{
	static const struct {
		enum page_kind kind;
		enum pace_class class;
	} rows[] = {
	    {PAGE_NEW, PACE_ALARM}, {PAGE_NOTICE, PACE_NOTICE},	      {PAGE_TEST, PACE_TEST},
	    {PAGE_ACK, PACE_ACK},   {PAGE_RECOVERED, PACE_RECOVERED}, {PAGE_REPEAT, PACE_REPEAT},
	};
	(void)state;
	for (size_t k = 0; k < sizeof rows / sizeof *rows; k++)
		assert_int_equal(pace_class_of(rows[k].kind), rows[k].class);
	assert_true(PACE_ALARM < PACE_NOTICE && PACE_NOTICE < PACE_RECOVERED && PACE_RECOVERED < PACE_REPEAT);
}

/* --- the budget ------------------------------------------------------------------------------------ */

static void a_budget_lets_so_many_leave_at_once_and_then_one_by_one(void **state)
{
	struct purse b = {0};
	(void)state;
	for (int k = 0; k < 30; k++) {
		assert_int_equal(purse_wait(&b, 30, 3600 * S, 1000 * S), 0);
		assert_int_equal(purse_is_last(&b, 30, 3600 * S, 1000 * S), k == 29);
		purse_spend(&b, 30, 3600 * S, 1000 * S);
	}
	assert_int_equal(purse_wait(&b, 30, 3600 * S, 1000 * S), 120 * S);
	assert_int_equal(purse_wait(&b, 30, 3600 * S, 1120 * S), 0);
	purse_spend(&b, 30, 3600 * S, 1120 * S);
	assert_int_equal(purse_wait(&b, 30, 3600 * S, 1120 * S), 120 * S);
	/* an hour later all of it is back */
	assert_false(purse_is_last(&b, 30, 3600 * S, 4730 * S));
}

static void what_goes_beyond_the_budget_is_owed_for_one_message_at_most(void **state)
{
	struct purse b = {0};
	(void)state;
	for (int k = 0; k < 500; k++)
		purse_spend(&b, 30, 3600 * S, 1000 * S);
	assert_true(purse_wait(&b, 30, 3600 * S, 1000 * S) <= 240 * S);
}

static void no_budget_is_no_limit(void **state)
{
	struct purse b = {0};
	(void)state;
	for (int k = 0; k < 500; k++)
		purse_spend(&b, 0, 0, 1000 * S);
	assert_int_equal(purse_wait(&b, 0, 0, 1000 * S), 0);
	assert_false(purse_is_last(&b, 0, 0, 1000 * S));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nothing_waits_for_nothing),
	    cmocka_unit_test(in_calm_weather_nothing_is_held_back),
	    cmocka_unit_test(what_came_while_the_line_was_busy_is_folded),
	    cmocka_unit_test(an_alarm_of_another_cause_goes_next_within_a_storm),
	    cmocka_unit_test(a_hundred_causes_on_a_fast_line_are_folded_too),
	    cmocka_unit_test(windows_grow_while_it_goes_on_and_end_with_it),
	    cmocka_unit_test(a_page_whose_route_failed_waits_for_no_window),
	    cmocka_unit_test(each_kind_has_its_class),
	    cmocka_unit_test(a_budget_lets_so_many_leave_at_once_and_then_one_by_one),
	    cmocka_unit_test(what_goes_beyond_the_budget_is_owed_for_one_message_at_most),
	    cmocka_unit_test(no_budget_is_no_limit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
