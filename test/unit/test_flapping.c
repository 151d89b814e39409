/* Flapping against a real Nagios 4.4: what its status file said after each of these passive results (max_check_attempts 1,
 * thresholds 20 and 30). test/e2e/test_flapping.py asks a real one again. */
#include "unit.h"

#include <math.h>

#include "monitord/rules/flapping.h"

static const struct flapping_limits usual = {20, 30};

static enum nag_state digit(char c)
{
	return (enum nag_state)(c - '0');
}

static void as_nagios_counts(void **state)
{
	(void)state;
	static const struct {
		const char *states;
		double percent[46];
		int begins, ends; /* the result after which it does; 0: never */
	} cases[] = {
	    {"020202020222", {0, 6.25, 12.37, 18.36, 24.21, 29.93, 35.53, 40.99, 46.32, 51.51, 50.33, 49.14}, 7, 0},
	    {"0222000022222", {0, 6.25, 6.12, 5.99, 12.11, 11.84, 11.58, 11.32, 17.30, 16.91, 16.51, 16.12, 15.72}, 0, 0},
	    {"01230", {0, 6.25, 12.37, 18.36, 24.21}, 0, 0},
	    {"02020202020202020202020200000000000000000000",
	     {0,     6.25,  12.37, 18.36, 24.21, 29.93, 35.53, 40.99, 46.32, 51.51,  56.58, 61.51, 66.32, 70.99, 75.53,
	      79.93, 84.21, 88.36, 92.37, 96.25, 100.0, 100.0, 100.0, 100.0, 100.0,  93.75, 87.63, 81.64, 75.79, 70.07,
	      64.47, 59.01, 53.68, 48.49, 43.42, 38.49, 33.68, 29.01, 24.47, 20.07,  15.79, 11.64, 7.63,  3.75},
	     7,
	     41},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct flapping f = {.on = false};
		for (int k = 0; cases[i].states[k]; k++) {
			bool was = f.on, changed = flapping_sample(&f, digit(cases[i].states[k]), &usual);
			if (fabs(flapping_percent(&f) - cases[i].percent[k]) > 0.006)
				fail_msg("case %zu, result %d: %.3f", i, k + 1, flapping_percent(&f));
			assert_int_equal(changed, was != f.on);
			assert_int_equal(f.on, cases[i].begins && k + 1 >= cases[i].begins &&
						   (!cases[i].ends || k + 1 < cases[i].ends));
		}
	}
}

static void between_the_thresholds_it_stays(void **state)
{
	(void)state;
	struct flapping f = {.on = false};
	const struct flapping_limits off = {20, 0}, early = {5, 6};
	flapping_sample(&f, NAG_OK, &early);
	assert_true(flapping_sample(&f, NAG_CRITICAL, &early)); /* 6.25 */
	assert_false(flapping_sample(&f, NAG_CRITICAL, &early)); /* 6.12 */
	assert_false(flapping_sample(&f, NAG_CRITICAL, &early)); /* 5.99: between */
	assert_true(f.on);
	assert_true(flapping_sample(&f, NAG_CRITICAL, &off)); /* switched off: over at once */
	for (int k = 0; k < 50; k++)
		assert_false(flapping_sample(&f, k & 1 ? NAG_OK : NAG_WARNING, &off));
}

static void the_worst_of_the_samples(void **state)
{
	(void)state;
	struct flapping f = {.on = false};
	assert_int_equal(flapping_worst(&f), NAG_UNKNOWN);
	flapping_sample(&f, NAG_WARNING, &usual);
	flapping_sample(&f, NAG_OK, &usual);
	assert_int_equal(flapping_worst(&f), NAG_WARNING);
	flapping_sample(&f, NAG_CRITICAL, &usual);
	flapping_sample(&f, NAG_UNKNOWN, &usual);
	assert_int_equal(flapping_worst(&f), NAG_CRITICAL);
}

static void as_text_and_back(void **state)
{
	(void)state;
	struct flapping f = {.on = true}, g = {.on = true}, before;
	char text[FLAPPING_SAMPLES + 1];
	for (int k = 0; k < 21; k++)
		flapping_sample(&f, (enum nag_state)(k % 4), &usual);
	assert_string_equal(flapping_text(&f, text, sizeof text), "012301230123012301230");
	assert_true(flapping_from_text(&g, text));
	assert_memory_equal(g.states, f.states, sizeof f.states);
	static const char *const bad[] = {"", "0", "01230123012301230123", "0123012301230123012301", "0123012301230123012 0",
					  "012301230123012301234"};
	before = g;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(flapping_from_text(&g, bad[i]));
	assert_memory_equal(&g, &before, sizeof g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(as_nagios_counts),
	    cmocka_unit_test(between_the_thresholds_it_stays),
	    cmocka_unit_test(the_worst_of_the_samples),
	    cmocka_unit_test(as_text_and_back),
	};
	return cmocka_run_group_tests_name("flapping", tests, NULL, NULL);
}
