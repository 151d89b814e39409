/* Every code of the tables has the class that was decided for it; no gap, no overlap. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/gsm/cms.h"

static void cms_classes(void **state)
{
	(void)state;
	static const struct {
		int first, last;
		enum cms_class class;
	} t[] = {
		{38, 38, CMS_AGAIN}, {41, 42, CMS_AGAIN}, {47, 47, CMS_AGAIN}, {192, 192, CMS_AGAIN},
		{194, 194, CMS_AGAIN}, {314, 314, CMS_AGAIN},
		{331, 332, CMS_AGAIN}, {500, 500, CMS_AGAIN}, {512, 600, CMS_AGAIN},
		{65535, 65535, CMS_AGAIN}, {208, 208, CMS_MEMORY_FULL},
		{300, 302, CMS_MEND}, {310, 311, CMS_MEND}, {313, 313, CMS_MEND}, {315, 316, CMS_MEND},
		{320, 321, CMS_MEND},
		{322, 322, CMS_MEMORY_FULL}, {330, 330, CMS_MEND}, {8, 8, CMS_SUBSCRIPTION},
		{10, 10, CMS_SUBSCRIPTION}, {50, 50, CMS_SUBSCRIPTION},
		{69, 69, CMS_SUBSCRIPTION}, {193, 193, CMS_SUBSCRIPTION}, {1, 1, CMS_RECIPIENT},
		{28, 28, CMS_RECIPIENT}, {30, 30, CMS_RECIPIENT},
		{195, 196, CMS_RECIPIENT}, {21, 21, CMS_FEW_TRIES}, {27, 27, CMS_FEW_TRIES},
		{95, 99, CMS_OUR_BUG}, {111, 111, CMS_OUR_BUG},
		{127, 191, CMS_OUR_BUG}, {198, 199, CMS_OUR_BUG}, {304, 305, CMS_OUR_BUG},
		{197, 197, CMS_SENT},
		/* nobody listed these: tried again rather than given up */
		{21, 22, CMS_FEW_TRIES}, {29, 29, CMS_SUBSCRIPTION}, {81, 81, CMS_OUR_BUG}, {209, 210, CMS_MEND},
		{211, 211, CMS_MEMORY_FULL}, {212, 212, CMS_AGAIN}, {213, 213, CMS_MEND}, {303, 303, CMS_MEND},
		{312, 312, CMS_MEND}, {317, 318, CMS_MEND}, {-1, 0, CMS_AGAIN}, {17, 17, CMS_AGAIN}, {255, 255, CMS_AGAIN}, {501, 511, CMS_AGAIN},
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		for (int code = t[i].first; code <= t[i].last; code++)
			assert_int_equal(cms_class(code), t[i].class);
}

static void cme_classes(void **state)
{
	(void)state;
	static const struct {
		int code;
		enum cms_class class;
	} t[] = {{10, CMS_MEND}, {11, CMS_MEND}, {12, CMS_MEND}, {13, CMS_MEND}, {14, CMS_AGAIN},
	{16, CMS_MEND}, {20, CMS_MEMORY_FULL}, {30, CMS_AGAIN},
		 {31, CMS_AGAIN}, {0, CMS_MEND}, {3, CMS_MEND}, {5, CMS_MEND}, {21, CMS_MEND}, {24, CMS_OUR_BUG},
		 {50, CMS_OUR_BUG}, {56, CMS_SUBSCRIPTION}, {106, CMS_MEND}, {111, CMS_SUBSCRIPTION}, {134, CMS_AGAIN}, {100, CMS_AGAIN}, {-1, CMS_AGAIN}, {999, CMS_AGAIN}};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		assert_int_equal(cme_class(t[i].code), t[i].class);
}

static void words(void **state)
{
	(void)state;
	for (int code = -1; code < 700; code++) {
		assert_true(strlen(cms_text(code)) > 3);
		assert_true(strlen(cme_text(code)) > 3);
	}
	assert_string_equal(cms_text(310), "no SIM");
	assert_string_equal(cme_text(10), "no SIM");
	assert_string_equal(cms_text(17), "unknown error");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(cms_classes), cmocka_unit_test(cme_classes),
	 cmocka_unit_test(words)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
