/* What is usual of a client and since when a name is there: monitord/rules/usual.c */
#include "unit.h"

#include "lib/json.h"
#include "monitord/rules/usual.h"

static const int64_t day = 86400000, noon = 20000 * 86400000LL + 43200000;

static struct usual *fresh(void)
{
	struct usual *u = test_calloc(1, sizeof *u);
	assert_non_null(u);
	return u;
}

static void a_client_is_usual_after_two_busy_days(void **state)
{
	(void)state;
	struct usual *u = fresh();
	usual_rate(u, "192.0.2.9", 900, noon);
	assert_true(usual_of_client(u, "192.0.2.9", noon + 3600000) < 0); /* nobody has looked for a day */
	assert_true(usual_of_client(u, "192.0.2.9", noon + day) == 0);	   /* one day may be the incident itself */
	usual_rate(u, "192.0.2.9", 700, noon + day);
	usual_rate(u, "192.0.2.9", 750, noon + day + 60000);
	assert_true(usual_of_client(u, "192.0.2.9", noon + 2 * day) == 750);
	assert_true(usual_of_client(u, "192.0.2.10", noon + 2 * day) == 0);
	assert_true(usual_of_client(u, "192.0.2.9", noon + 30 * day) == 0); /* long ago */
	usual_rate(u, "192.0.2.11", 59, noon);
	assert_int_equal(u->nclients, 1); /* nobody's peak */
	test_free(u);
}

static void it_is_bounded_and_keeps_who_was_seen_last(void **state)
{
	(void)state;
	struct usual *u = fresh();
	for (int d = 0; d < 400; d++)
		for (int c = 0; c < 40; c++) {
			char name[90];
			snprintf(name, sizeof name, "%s%d",
				 c == 7 ? "a-name-that-is-longer-than-any-address-has-a-right-to-be-and-then-"
					  "some-more-"
					: "192.0.2.",
				 c);
			usual_rate(u, name, 600, noon + d * day);
			usual_rate(u, "192.0.2.250", 600 + d, noon + d * day);
		}
	assert_int_equal(u->nclients, USUAL_CLIENTS);
	assert_true(usual_of_client(u, "192.0.2.250", noon + 400 * day) == 998);
	assert_true(usual_of_client(u, "192.0.2.0", noon + 400 * day) == 0);
	for (int i = 0; i < 1000; i++) {
		char name[40];
		snprintf(name, sizeof name, "name%d, other%d", i, i);
		usual_names(u, name, noon + i);
	}
	assert_int_equal(u->nnames, USUAL_NAMES);
	test_free(u);
}

static void a_new_name_is_new_and_the_first_ones_are_not(void **state)
{
	(void)state;
	struct usual *u = fresh();
	usual_names(u, "192.0.2.1 192.0.2.2", noon);
	usual_names(u, "192.0.2.1 192.0.2.2 192.0.2.99", noon + 3 * day);
	usual_names(u, "192.0.2.99,192.0.2.1", noon + 4 * day);
	assert_true(usual_since(u, "192.0.2.1") == 0);
	assert_true(usual_since(u, "192.0.2.99") == noon + 3 * day);
	assert_true(usual_since(u, "192.0.2.98") == 0);
	test_free(u);
}

static void a_clock_that_was_set_back_is_survived(void **state)
{
	(void)state;
	struct usual *u = fresh();
	for (int d = 0; d < 5; d++)
		usual_rate(u, "192.0.2.9", 900, noon + (100 + d) * day); /* the wrong century */
	for (int d = 0; d < 3; d++)
		usual_rate(u, "192.0.2.9", 500, noon + d * day);
	assert_true(usual_of_client(u, "192.0.2.9", noon + 3 * day) == 500);
	test_free(u);
}

static void a_record_brings_it_back_and_rubbish_does_not(void **state)
{
	(void)state;
	static const char *const bad[] = {
	    "{}", "[]", "{\"begun_wall_ms\":-1}",
	    "{\"begun_wall_ms\":5,\"clients\":{\"a\":[1],\"b\":7,\"\":[1,2]},\"names\":{\"x\":[1],\"y\":"
	    "\"z\"}}",
	    "{\"begun_wall_ms\":5,\"clients\":{\"a\":[1e300,2,-4,5]},\"names\":[[1,2]]}"};
	struct usual *u = fresh(), *back = fresh();
	for (int d = 0; d < 20; d++) {
		usual_rate(u, "192.0.2.9", 900 + d, noon + d * day);
		usual_rate(u, "2001:db8::1", 300, noon + d * day);
	}
	usual_names(u, "192.0.2.1", noon + day);
	cJSON *o = usual_to_json(u);
	usual_from_json(back, o);
	assert_memory_equal(u, back, sizeof *u);
	cJSON_Delete(o);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		o = json_parse(bad[i], strlen(bad[i]), 1000, NULL);
		assert_non_null(o);
		usual_from_json(back, o);
		assert_int_equal(back->nclients, 0);
		assert_int_equal(back->nnames, 0);
		cJSON_Delete(o);
	}
	test_free(u);
	test_free(back);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_client_is_usual_after_two_busy_days),
	    cmocka_unit_test(it_is_bounded_and_keeps_who_was_seen_last),
	    cmocka_unit_test(a_new_name_is_new_and_the_first_ones_are_not),
	    cmocka_unit_test(a_clock_that_was_set_back_is_survived),
	    cmocka_unit_test(a_record_brings_it_back_and_rubbish_does_not),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
