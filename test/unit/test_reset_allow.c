/* The reset helper's allow-list: what is in it, what may be asked for, and how often. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/reset/allow.h"

static void lists(void **state)
{
	static const struct {
		const char *text, *why; /* NULL: good */
	} t[] = {{"", NULL},
		 {"usb 1-1.2 # the left one\n\n  # nothing\nevery 5", NULL},
		 {"usb\t2-1", NULL},
		 {"power a /bin/x \"two words\" \"\"\n", NULL},
		 {"usb 1-1 x", "line 1: write: usb"},
		 {"usb ../1-1", "line 1: write: usb"},
		 {"usb 1-1/..", "line 1"},
		 {"usb 1-..1", "line 1"},
		 {"usb -1", "line 1"},
		 {"usb usb1", "line 1"},
		 {"\n\npower a b", "line 3: the program must be an absolute path"},
		 {"power a/b /bin/x", "line 1"},
		 {"power a", "line 1"},
		 {"power a /bin/x \"open", "quote"},
		 {"every 0", "every SECONDS"},
		 {"every 5 6", "every SECONDS"},
		 {"reboot now", "none of"},
		 {"power a /b 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18", "too many words"}};
	struct reset_allow a;
	char why[200];

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		bool ok = reset_allow_read(&a, t[i].text, why, sizeof(why));

		if (ok != (t[i].why == NULL) || (!ok && strstr(why, t[i].why) == NULL))
			fail_msg("%s: %s", t[i].text, ok ? "taken" : why);
		reset_allow_free(&a);
	}
}

static void requests(void **state)
{
	struct reset_allow a, b;
	struct reset_rule *r;
	char why[200];

	(void)state;
	assert_true(reset_allow_read(&a, "usb 1-1.2\npower gsm1 /bin/relay \"port 2\" off\nevery 10\n", why,
				     sizeof(why)));
	r = reset_allow_find(&a, "power gsm1", 1000, why, sizeof(why));
	assert_non_null(r);
	assert_int_equal(r->argc, 3);
	assert_string_equal(r->argv[0], "/bin/relay");
	assert_string_equal(r->argv[1], "port 2");
	assert_null(r->argv[3]);
	r->last_ms = 1000;
	assert_null(reset_allow_find(&a, "power gsm1", 10999, why, sizeof(why)));
	assert_non_null(strstr(why, "at most every 10 s"));
	assert_non_null(reset_allow_find(&a, "power gsm1", 11000, why, sizeof(why)));
	assert_non_null(reset_allow_find(&a, "usb 1-1.2", 1000, why, sizeof(why)));
	for (size_t i = 0; i < 6; i++) {
		static const char *const no[] = {"usb gsm1",   "power 1-1.2", "usb 1-1",
						 "usb 1-1.2 ", "usb",	      ""};

		assert_null(reset_allow_find(&a, no[i], 1000, why, sizeof(why)));
	}
	/* read anew, what was done still counts */
	assert_true(reset_allow_read(&b, "power gsm1 /bin/other\n", why, sizeof(why)));
	reset_allow_keep_times(&b, &a);
	assert_null(reset_allow_find(&b, "power gsm1", 60999, why, sizeof(why)));
	assert_true(reset_allow_recent(&b, 60999));
	assert_false(reset_allow_recent(&b, 61000));
	reset_allow_free(&a);
	reset_allow_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(lists), cmocka_unit_test(requests)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
