/* The days of a certificate: option DAYS[,DAYS], what is left, how it is judged. */
#include "unit.h"

#include "probes/net/cert_days.h"

static void test_days(void **state)
{
	int64_t warn, crit;

	(void)state;
	assert_true(cert_days_parse("30", &warn, &crit));
	assert_int_equal(warn, 30);
	assert_int_equal(crit, 0);
	assert_true(cert_days_parse("30,14", &warn, &crit));
	assert_int_equal(warn, 30);
	assert_int_equal(crit, 14);
	assert_false(cert_days_parse(NULL, &warn, &crit));
	assert_false(cert_days_parse("", &warn, &crit));
	assert_false(cert_days_parse("30,", &warn, &crit));
	assert_false(cert_days_parse(",14", &warn, &crit));
	assert_false(cert_days_parse("30,14,7", &warn, &crit));
	assert_false(cert_days_parse("1000000000000000000000000000", &warn, &crit));
}

static void test_days_left(void **state)
{
	(void)state;
	assert_int_equal(cert_days_left(1000000, 1000000), 0);
	assert_int_equal(cert_days_left(1086399, 1000000), 0);
	assert_int_equal(cert_days_left(1086400, 1000000), 1);
	assert_int_equal(cert_days_left(999999, 1000000), -1);
	assert_int_equal(cert_days_left(913600, 1000000), -1);
	assert_int_equal(cert_days_left(913599, 1000000), -2);
}

static void test_judge(void **state)
{
	struct perf p = {0};
	char text[40];

	(void)state;
	assert_int_equal(cert_days_judge(NULL, -5, NULL), NAG_OK);
	assert_int_equal(cert_days_judge("30,14", 31, &p), NAG_OK);
	assert_true(p.warn.start == 31 && p.crit.start == 15);
	assert_int_equal(cert_days_judge("30,14", 30, NULL), NAG_WARNING);
	assert_int_equal(cert_days_judge("30,14", 14, NULL), NAG_CRITICAL);
	assert_int_equal(cert_days_judge("30", 0, NULL), NAG_WARNING);
	assert_int_equal(cert_days_judge("30", -1, NULL), NAG_CRITICAL);
	assert_string_equal(cert_days_say(-1, text, sizeof(text)), "ended 1 d ago");
	assert_string_equal(cert_days_say(0, text, sizeof(text)), "ends in 0 d");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_days),
	    cmocka_unit_test(test_days_left),
	    cmocka_unit_test(test_judge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
