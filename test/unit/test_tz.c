/* Time zones: what the files of the system's database and hand-made ones say. What is expected was read off
 * `date`. lib/oncall/tz.c, posixtz.c, civil.c. (Every zone of the database against another reader:
 * test/e2e/test_oncall.py.) */
#include "unit.h"

#include "lib/oncall/civil.h"
#include "lib/oncall/posixtz.h"
#include "lib/oncall/tz.h"

static struct tz *zone(const char *name)
{
	char why[200];
	struct tz *z = tz_load(name, why, sizeof why);
	if (!z)
		fail_msg("%s: %s", name, why);
	return z;
}

static const struct {
	const char *zone;
	int64_t utc_s;
	const char *text;
} shown[] = {
    {"UTC", 1795834800, "Sat 2026-11-28 03:00 +00:00"},
    {"Asia/Tokyo", 1795834800, "Sat 2026-11-28 12:00 +09:00"},
    {"Europe/Berlin", 1795834800, "Sat 2026-11-28 04:00 +01:00"},
    {"America/New_York", 1795834800, "Fri 2026-11-27 22:00 -05:00"},
    {"Asia/Kathmandu", 1795834800, "Sat 2026-11-28 08:45 +05:45"},
    /* the second before and of each change of 2026, and two far ones by the rule behind the table */
    {"Europe/Berlin", 1774745999, "Sun 2026-03-29 01:59 +01:00"},
    {"Europe/Berlin", 1774746000, "Sun 2026-03-29 03:00 +02:00"},
    {"Europe/Berlin", 1792889999, "Sun 2026-10-25 02:59 +02:00"},
    {"Europe/Berlin", 1792890000, "Sun 2026-10-25 02:00 +01:00"},
    {"Europe/Berlin", 4089862800, "Sat 2099-08-08 11:00 +02:00"},
    {"America/New_York", 1772953199, "Sun 2026-03-08 01:59 -05:00"},
    {"America/New_York", 1772953200, "Sun 2026-03-08 03:00 -04:00"},
    {"Australia/Lord_Howe", 1775314799, "Sun 2026-04-05 01:59 +11:00"},
    {"Australia/Lord_Howe", 1775314800, "Sun 2026-04-05 01:30 +10:30"},
    {"Australia/Lord_Howe", 4072000000, "Wed 2099-01-14 02:06 +11:00"},
    {"Pacific/Apia", 1325239199, "Thu 2011-12-29 23:59 -10:00"},
    {"Pacific/Apia", 1325239200, "Sat 2011-12-31 00:00 +14:00"},
    {"Asia/Tokyo", -3600000000, "Mon 1855-12-03 17:18 +09:18"},
};

static void test_shows(void **state)
{
	char text[TZ_TEXT_MAX];
	(void)state;
	for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++) {
		struct tz *z = zone(shown[i].zone);
		assert_string_equal(tz_text(z, shown[i].utc_s, text, sizeof text), shown[i].text);
		tz_free(z);
	}
}

static int64_t wall(const char *text)
{
	int64_t s = 0;
	assert_true(civil_parse(text, &s));
	return s;
}

static const struct {
	const char *zone, *wall;
	int64_t first, last;
} read_off[] = {
    {"Asia/Tokyo", "2026-11-28 12:00", 1795834800, 1795834800},
    {"Europe/Berlin", "2026-03-29 02:30", 1774746000, 1774746000}, /* never: the moment of the change */
    {"Europe/Berlin", "2026-10-25 02:30", 1792888200, 1792891800}, /* twice */
    {"Europe/Berlin", "2026-10-25 03:00", 1792893600, 1792893600},
    {"Europe/Berlin", "2050-03-27 02:30", 2531955600, 2531955600}, /* by the rule */
    {"Australia/Lord_Howe", "2026-04-05 01:45", 1775313900, 1775315700},
    {"Australia/Lord_Howe", "2026-10-04 02:15", 1791041400, 1791041400},
    {"Pacific/Apia", "2011-12-30 12:00", 1325239200, 1325239200}, /* a day that never was */
};

static void test_reads(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof read_off / sizeof read_off[0]; i++) {
		struct tz *z = zone(read_off[i].zone);
		int64_t w = wall(read_off[i].wall);
		assert_int_equal(tz_utc(z, w, false), read_off[i].first);
		assert_int_equal(tz_utc(z, w, true), read_off[i].last);
		tz_free(z);
	}
}

static void test_changes(void **state)
{
	struct tz *berlin = zone("Europe/Berlin"), *tokyo = zone("Asia/Tokyo");
	(void)state;
	assert_int_equal(tz_next_change(berlin, 1774745999), 1774746000);
	assert_int_equal(tz_next_change(berlin, 1774746000), 1792890000);
	assert_int_equal(tz_next_change(berlin, 4089862800), 4096573200); /* 2099-10-25 */
	assert_int_equal(tz_next_change(tokyo, 1774745999), INT64_MAX);
	tz_free(berlin);
	tz_free(tokyo);
}

static void test_names(void **state)
{
	static const char *const bad[] = {
	    "",	     "../../etc/passwd", "/etc/localtime", "Asia/Nowhere", "Asia",
	    "Asia/", "Asia//Tokyo",	 "zone.tab",	   "Asia/Tokyo\n", "-x"};
	char why[200];
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		why[0] = '\0';
		assert_null(tz_load(bad[i], why, sizeof why));
		assert_true(why[0] != '\0');
	}
}

static void test_damaged(void **state)
{
	uint8_t bytes[4096];
	char why[200];
	(void)state;
	FILE *f = fopen("/usr/share/zoneinfo/Europe/Berlin", "rb");
	assert_non_null(f);
	size_t n = fread(bytes, 1, sizeof bytes, f);
	fclose(f);
	for (size_t k = 0; k < n; k++)
		assert_null(tz_parse("x", bytes, k, why, sizeof why));
	struct tz *z = tz_parse("x", bytes, n, why, sizeof why);
	assert_non_null(z);
	tz_free(z);
	bytes[0] = 'X';
	assert_null(tz_parse("x", bytes, n, why, sizeof why));
	assert_string_equal(why, "its file in /usr/share/zoneinfo is not a time zone's file (TZif)");
}

static void test_rules(void **state)
{
	static const char *const good[] = {"JST-9",
					   "<+0330>-3:30",
					   "CET-1CEST,M3.5.0,M10.5.0/3",
					   "EST5EDT,J60/-1,300/25:30:10",
					   "XXX3EDT4,0/0,J365/23",
					   "<-02>2<-01>,M3.5.0/-1,M10.5.0/0"};
	static const char *const bad[] = {"",
					  "JS-9",
					  "JST",
					  "JST-25",
					  "CET-1CEST",
					  "CET-1CEST,M3.5.0",
					  "CET-1CEST,M13.5.0,M10.5.0",
					  "CET-1CEST,M3.6.0,M10.5.0",
					  "CET-1CEST,M3.5.7,M10.5.0",
					  "CET-1CEST,J0,J1",
					  "CET-1CEST,M3.5.0/168,J1",
					  "CET-1CEST,M3.5.0,M10.5.0x",
					  "<+09",
					  "<>1"};
	struct posixtz z;
	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		assert_true(posixtz_parse(good[i], &z));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(posixtz_parse(bad[i], &z));
	/* summer all year round, as some zones write it */
	assert_true(posixtz_parse("EST5EDT4,0/0,J365/25", &z));
	for (int64_t t = 1767225600; t < 1767225600 + 400 * 86400; t += 3600)
		assert_int_equal(posixtz_offset(&z, t), -4 * 3600);
}

static void test_calendar(void **state)
{
	int64_t days;
	(void)state;
	for (int64_t d = -200000; d < 200000; d += 7) {
		struct civil c = civil_of(d * CIVIL_DAY + 3723);
		assert_int_equal(civil_days(c.year, c.month, c.day), d);
		assert_int_equal(c.hour * 3600 + c.minute * 60 + c.second, 3723);
	}
	assert_int_equal(civil_weekday(civil_days(2026, 11, 28)), 5);
	assert_true(civil_parse_date("2024-02-29", &days));
	assert_false(civil_parse_date("2026-02-29", &days));
	assert_false(civil_parse_date("2026-2-9", &days));
	assert_false(civil_parse_date("2026-11-31", &days));
	assert_false(civil_parse_date("2026-11-30 ", &days));
	assert_int_equal(wall("2026-11-28 24:00"), wall("2026-11-29T00:00"));
	assert_false(civil_parse("2026-11-28 24:01", &days));
	assert_false(civil_parse("2026-11-28 9:00", &days));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_shows),    cmocka_unit_test(test_reads),   cmocka_unit_test(test_changes),
	    cmocka_unit_test(test_names),    cmocka_unit_test(test_damaged), cmocka_unit_test(test_rules),
	    cmocka_unit_test(test_calendar),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
