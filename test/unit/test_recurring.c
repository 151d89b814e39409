/* Downtimes that come again each week: when they hold and change, with clocks put forward and back. The expected times are
 * from Python's zoneinfo. */
#include "unit.h"

#include "monitord/rules/recurring.h"

static struct conf_downtime make(const char *zone, const char *when, const char *more)
{
	struct conf_downtime d = {.comment = "patches"};
	char why[160];
	const char *bad;
	snprintf(d.name, sizeof d.name, "patch night");
	d.zone = tz_load(zone, why, sizeof why);
	if (!d.zone)
		fail_msg("%s: %s", zone, why);
	assert_true(when_add(&d.when, when, &bad));
	if (more)
		assert_true(when_add(&d.when, more, &bad));
	return d;
}

static bool matches(const struct conf_downtime *d, const char *check, const char *host)
{
	struct conf_check k = {.probe = "load"};
	snprintf(k.name, sizeof k.name, "%s", check);
	snprintf(k.host, sizeof k.host, "%s", host);
	return conf_downtime_matches(d, &k);
}

static void when_they_hold(void **state)
{
	(void)state;
	static const struct {
		const char *zone, *when, *more;
		int64_t from, until; /* UTC; held in between, and at neither neighbour second */
	} cases[] = {
	    /* Tuesday 2026-11-24 02:00 to 04:00 in Tokyo */
	    {"Asia/Tokyo", "tue 02:00-04:00", NULL, 1795453200, 1795460400},
	    /* over midnight: Friday 2026-11-27 22:00 to Saturday 02:30 in New York */
	    {"America/New_York", "fri 22:00-02:30", NULL, 1795834800, 1795851000},
	    /* two that touch are one: Sunday 2026-11-22 01:00 to 05:00 */
	    {"Asia/Tokyo", "sun 01:00-03:00", "sun 03:00-05:00", 1795276800, 1795291200},
	    /* put forward in Berlin on 2026-03-29: 01:30 to 03:30 is one hour */
	    {"Europe/Berlin", "sun 01:30-03:30", NULL, 1774744200, 1774747800},
	    /* put back on 2026-10-25: three hours */
	    {"Europe/Berlin", "sun 01:30-03:30", NULL, 1792884600, 1792895400},
	    /* an hour that never comes, 02:00 to 03:00 on that day, begins with the change and lasts until 03:30 */
	    {"Europe/Berlin", "sun 02:30-03:30", NULL, 1774746000, 1774747800},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct conf_downtime d = make(cases[i].zone, cases[i].when, cases[i].more);
		bool ok = !recurring_holds(&d, cases[i].from - 1) && recurring_holds(&d, cases[i].from) &&
			  recurring_holds(&d, cases[i].until - 1) && !recurring_holds(&d, cases[i].until);
		if (!ok)
			fail_msg("case %zu: %d %d %d %d", i, recurring_holds(&d, cases[i].from - 1),
				 recurring_holds(&d, cases[i].from), recurring_holds(&d, cases[i].until - 1),
				 recurring_holds(&d, cases[i].until));
		assert_int_equal(recurring_change(&d, cases[i].from - 3600), cases[i].from);
		assert_int_equal(recurring_change(&d, cases[i].from), cases[i].until);
		assert_int_equal(recurring_change(&d, cases[i].until - 1), cases[i].until);
		tz_free(d.zone);
	}
}

/* Each change that is foretold is one, and there is none between: half a year, both changes of the clock in it. */
static void what_is_foretold_comes(void **state)
{
	(void)state;
	struct conf_downtime d = make("Europe/Berlin", "mon-fri 22:00-02:15", "sun 01:30-02:45");
	int64_t at = 1772323200; /* 2026-03-01 */
	int changes = 0;
	while (at < 1794000000) { /* 2026-11-06 */
		int64_t next = recurring_change(&d, at);
		assert_true(next > at);
		for (int64_t t = at; t < next; t += 900)
			if (recurring_holds(&d, t) != recurring_holds(&d, at))
				fail_msg("%lld: foretold for %lld", (long long)t, (long long)next);
		assert_int_not_equal(recurring_holds(&d, next), recurring_holds(&d, at));
		at = next;
		changes++;
	}
	assert_in_range(changes, 420, 440); /* 36 weeks of six nights, a beginning and an end each */
	tz_free(d.zone);
}

static void always_and_never_end_the_search(void **state)
{
	(void)state;
	struct conf_downtime d = make("Asia/Tokyo", "always", NULL), none = {.zone = NULL};
	assert_true(recurring_holds(&d, 1795453200));
	assert_int_equal(recurring_change(&d, 1795453200), 1795453200 + 9 * 86400);
	assert_false(recurring_holds(&none, 1795453200));
	assert_int_equal(recurring_change(&none, 1795453200), 1795453200 + 9 * 86400);
	tz_free(d.zone);
}

/* Looked at once a second, also when the clock is set. */
static void as_a_downtime(void **state)
{
	(void)state;
	struct conf_downtime d = make("Asia/Tokyo", "tue 02:00-04:00", NULL);
	struct recurring r = {.conf = &d};
	struct downtime what = {0};
	char text[400];
	recurring_look(&r, 1795453199999);
	assert_false(r.holds);
	assert_int_equal(r.change_ms, 1795453200000);
	recurring_look(&r, 1795453200000);
	assert_true(r.holds);
	assert_int_equal(r.change_ms, 1795460400000);
	recurring_apply(&r, &what, 1795453200000);
	recurring_apply(&r, &what, 1795453300000);
	assert_int_equal(what.from_ms, 1795453200000);
	assert_true(downtime_active(&what, 1795460399999) && !downtime_active(&what, 1795460400000));
	setenv("TZ", "UTC0", 1);
	assert_string_equal(downtime_text(&what, text, sizeof text),
			    "in downtime until 2026-11-23 19:00:00 (patch night: patches)");
	recurring_look(&r, 1795453200000 - 86400000); /* a day back */
	assert_false(r.holds);
	assert_int_equal(r.change_ms, 1795453200000);
	recurring_look(&r, 1795460400000); /* and on, past it */
	assert_false(r.holds);
	assert_int_equal(r.change_ms, 1795453200000 + 7 * 86400000LL);
	tz_free(d.zone);
}

static void whose_it_is(void **state)
{
	(void)state;
	char *checks[] = {"mx? *", "relay"}, *hosts[] = {"*.example.org"};
	struct conf_downtime d = {.checks = checks, .nchecks = 2, .hosts = hosts, .nhosts = 1};
	assert_true(matches(&d, "mx1 smtp", ""));
	assert_true(matches(&d, "relay", "h"));
	assert_true(matches(&d, "disk", "mx9.example.org"));
	assert_false(matches(&d, "relay2", "example.org"));
	assert_false(matches(&d, "mx10 smtp", ""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(when_they_hold),
	    cmocka_unit_test(what_is_foretold_comes),
	    cmocka_unit_test(always_and_never_end_the_search),
	    cmocka_unit_test(as_a_downtime),
	    cmocka_unit_test(whose_it_is),
	};
	return cmocka_run_group_tests_name("recurring", tests, NULL, NULL);
}
