/* So many within a span of time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "pagerd/rules/budget.h"

static void within_and_beyond(void **state)
{
	(void)state;
	static struct budget b;
	/* three within ten seconds */
	assert_true(budget_spend(&b, 3, 10000, 1000));
	assert_true(budget_spend(&b, 3, 10000, 1000));
	assert_true(budget_spend(&b, 3, 10000, 5000));
	assert_false(budget_spend(&b, 3, 10000, 5000));
	assert_false(budget_spend(&b, 3, 10000, 10999));
	assert_int_equal(b.folded, 2);
	/* the two oldest are over; what was folded was not spent */
	assert_true(budget_spend(&b, 3, 10000, 11000));
	assert_true(budget_spend(&b, 3, 10000, 11000));
	assert_false(budget_spend(&b, 3, 10000, 11000));
	assert_true(budget_spend(&b, 3, 10000, 15000));
}

static void over(void **state)
{
	(void)state;
	static struct budget b;
	assert_true(budget_spend(&b, 1, 10000, 0));
	assert_false(budget_is_over(&b, 10000, 50000)); /* nothing was folded */
	assert_false(budget_spend(&b, 1, 10000, 1000));
	assert_false(budget_is_over(&b, 10000, 10999));
	assert_true(budget_is_over(&b, 10000, 11000));
}

/* Never more than the limit in any span, and never less than would be possible. */
static void any_span(void **state)
{
	(void)state;
	static struct budget b;
	static int64_t spent[20000];
	size_t n = 0;
	uint32_t r = 1;
	for (int64_t now = 0; now < 400000; now += r >> 28) {
		r = r * 1664525u + 1013904223u;
		size_t recent = 0;
		for (size_t k = n; k-- > 0 && now - spent[k] < 1000;)
			recent++;
		bool ok = budget_spend(&b, 7, 1000, now);
		assert_int_equal(ok, recent < 7);
		if (ok && n < 20000)
			spent[n++] = now;
	}
	assert_in_range(n, 1000, 20000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(within_and_beyond), cmocka_unit_test(over),
					   cmocka_unit_test(any_span)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
