/* What prepaid services answer, as modems give it. The hex is from 23.038's own rules, worked by hand or by
 * others' tools. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/gsm/ussd.h"

static void expect(const char *text, int dcs, bool packed, const char *want)
{
	struct buf b;

	buf_init(&b, USSD_TEXT_MAX);
	assert_true(ussd_decode(text, dcs, packed, &b));
	assert_string_equal(buf_str(&b), want);
	buf_fini(&b);
}

static void lines(void **state)
{
	char text[100];
	int status, dcs;

	(void)state;
	assert_true(ussd_parse("+CUSD: 0,\"Balance 12.50\",15", &status, text, sizeof(text), &dcs));
	assert_int_equal(status, 0);
	assert_int_equal(dcs, 15);
	assert_string_equal(text, "Balance 12.50");
	assert_true(
	    ussd_parse("+CUSD: 1,\"a \"quoted\" word\nand more\",72", &status, text, sizeof(text), &dcs));
	assert_string_equal(text, "a \"quoted\" word\nand more");
	assert_int_equal(dcs, 72);
	assert_true(ussd_parse("+CUSD: 4", &status, text, sizeof(text), &dcs));
	assert_int_equal(status, 4);
	assert_string_equal(text, "");
	assert_false(ussd_parse("+CUSD: x", &status, text, sizeof(text), &dcs));
	assert_false(ussd_parse("+CSQ: 1", &status, text, sizeof(text), &dcs));
	assert_true(ussd_goes_on("+CUSD: 0,\"first line"));
	assert_false(ussd_goes_on("+CUSD: 0,\"whole\",15"));
	assert_false(ussd_goes_on("+CUSD: 4"));
}

static void texts(void **state)
{
	char hex[40];

	(void)state;
	expect("Balance 12.50", 15, false, "Balance 12.50");
	/* "hellohello", the example of 23.038 everywhere: E8329BFD4697D9EC37 */
	expect("E8329BFD4697D9EC37", 15, false, "hellohello");
	expect("1200", 15, false, "1200");
	expect("6B8B9AD8", 72, false, "\xE6\xAE\x8B\xE9\xAB\x98"); /* balance, in Japanese */
	expect("D83DDE00", 72, false, "\xF0\x9F\x98\x80");
	expect("006A00700041", 0x11, false, "pA");
	/* *100# packed is AA180C3602 in every manual */
	ussd_pack("*100#", hex, sizeof(hex));
	assert_string_equal(hex, "AA180C3602");
	expect("AA180C3602", 15, true, "*100#");
	/* eight septets fill seven octets; seven leave seven bits, that a CR fills */
	ussd_pack("*1234567", hex, sizeof(hex));
	expect(hex, 15, true, "*1234567");
	ussd_pack("*123456", hex, sizeof(hex));
	expect(hex, 15, true, "*123456");
}

static void amounts(void **state)
{
	static const struct {
		const char *text;
		double want;
	} t[] = {{"Balance: 1,200 yen", 1200},
		 {"Balance: 1,200.50 yen", 1200.5},
		 {"Balance: 1.200,50 yen", 1200.5},
		 {"Balance: 12.5 yen", 12.5},
		 {"Balance: 0 yen", 0},
		 {"Balance: -3.20 yen", -3.2},
		 {"Balance: 1 200 yen", 1200},
		 {"Balance: 1'200.05 yen", 1200.05}};
	double v;

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		assert_true(ussd_amount("Balance: ([-0-9,.' ]*[0-9]) yen", t[i].text, &v));
		assert_true(v > t[i].want - 0.0001 && v < t[i].want + 0.0001);
	}
	assert_false(ussd_amount("Balance: ([0-9]+)", "Saldo 12", &v));
	assert_false(ussd_amount("Balance: (.*)", "Balance: none", &v));
	assert_false(ussd_amount("Balance: ([0-9]*)x", "Balance: x", &v));
}

static void dates(void **state)
{
	int64_t ms;
	char why[120];

	(void)state;
	/* 1798761599 is 2026-12-31 23:59:59 UTC */
	assert_true(ussd_date("until ([0-9]+)/([0-9]+)/([0-9]+)", USSD_YMD, "valid until 2026/12/31.", &ms));
	assert_true(ms == 1798761599000);
	assert_true(ussd_date("until ([0-9]+)[.]([0-9]+)[.]([0-9]+)", USSD_DMY, "until 31.12.26", &ms));
	assert_true(ms == 1798761599000);
	assert_true(ussd_date("([0-9]+)-([0-9]+)-([0-9]+)", USSD_MDY, "12-31-2026", &ms));
	assert_true(ms == 1798761599000);
	assert_false(ussd_date("([0-9]+)-([0-9]+)-([0-9]+)", USSD_YMD, "2026-02-30", &ms));
	assert_false(ussd_date("([0-9]+)-([0-9]+)-([0-9]+)", USSD_YMD, "2026-13-01", &ms));
	assert_true(ussd_pattern_ok("(a)(b)(c)", 3, why, sizeof(why)));
	assert_false(ussd_pattern_ok("(a)", 3, why, sizeof(why)));
	assert_non_null(strstr(why, "3 groups"));
	assert_false(ussd_pattern_ok("(a", 1, why, sizeof(why)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(lines), cmocka_unit_test(texts),
					   cmocka_unit_test(amounts), cmocka_unit_test(dates)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
