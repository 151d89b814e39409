/* Times of the week, and who is on duty: shifts, turns, overrides, holidays, clocks put forward and back,
 * holes. lib/oncall/when.c, rota.c. (A year of it against another program: test/e2e/test_oncall.py.) */
#include "unit.h"

#include "lib/oncall/civil.h"
#include "lib/oncall/rota.h"

static int64_t wall(const char *text)
{
	int64_t s = 0;
	if (!civil_parse(text, &s))
		fail_msg("%s", text);
	return s;
}

static struct when when_of(const char *text)
{
	struct when w = {.n = 0};
	const char *why = "";
	if (!when_add(&w, text, &why))
		fail_msg("%s: %s", text, why);
	return w;
}

/* --- times of the week --- */

/* 2026-11-23 is a Monday; the 26th is a holiday here */
static const struct {
	const char *when, *yes, *no;
} covered[] = {
    {"always", "2026-11-23 00:00,2026-11-29 23:59", ""},
    {"mon-fri 09:00-18:00", "2026-11-23 09:00,2026-11-27 17:59,2026-11-26 12:00",
     "2026-11-23 08:59,2026-11-23 18:00,2026-11-28 12:00"},
    {"22:00-07:00", "2026-11-23 22:00,2026-11-24 06:59,2026-11-29 00:00",
     "2026-11-24 07:00,2026-11-24 21:59"},
    {"fri-mon", "2026-11-27 00:00,2026-11-28 12:00,2026-11-30 23:59", "2026-11-24 00:00,2026-11-26 23:59"},
    {"sat,sun", "2026-11-28 00:00,2026-11-29 23:59", "2026-11-27 23:59,2026-11-30 00:00"},
    {"Mon , wed-thu 10:00 - 11:00", "2026-11-23 10:30,2026-11-25 10:00,2026-11-26 10:59", "2026-11-24 10:30"},
    {"fri 18:00-mon 09:00", "2026-11-27 18:00,2026-11-28 00:00,2026-11-30 08:59,2026-11-23 08:59",
     "2026-11-27 17:59,2026-11-30 09:00"},
    {"mon 09:00-mon 09:00", "2026-11-23 09:00,2026-11-29 00:00,2026-11-23 08:59", ""},
    {"tue 09:00-09:00", "2026-11-24 09:00,2026-11-25 08:59", "2026-11-24 08:59,2026-11-25 09:00"},
    {"sun 12:00-24:00", "2026-11-29 23:59", "2026-11-30 00:00"},
    {"workdays", "2026-11-25 00:00,2026-11-27 23:59", "2026-11-26 12:00,2026-11-28 12:00"},
    {"holidays 20:00-02:00", "2026-11-26 20:00,2026-11-27 01:59",
     "2026-11-25 21:00,2026-11-27 02:00,2026-11-27 20:00"},
    {"sat,holidays", "2026-11-26 00:00,2026-11-28 00:00", "2026-11-25 23:59"},
};

static void each(const struct when *w, const struct holidays *h, const char *list, bool expect,
		 const char *what)
{
	char copy[256], *save;
	snprintf(copy, sizeof copy, "%s", list);
	for (char *s = strtok_r(copy, ",", &save); s; s = strtok_r(NULL, ",", &save))
		if (when_covers(w, h, wall(s)) != expect)
			fail_msg("%s: %s", what, s);
}

static void test_covers(void **state)
{
	int64_t day = civil_days(2026, 11, 26);
	struct holidays h = {&day, 1};
	(void)state;
	for (size_t i = 0; i < sizeof covered / sizeof covered[0]; i++) {
		struct when w = when_of(covered[i].when);
		each(&w, &h, covered[i].yes, true, covered[i].when);
		each(&w, &h, covered[i].no, false, covered[i].when);
	}
}

static void test_refused_times(void **state)
{
	static const char *const bad[] = {"",
					  " ",
					  "never",
					  "mon-",
					  "mon-fri-sun",
					  "mon,",
					  "mo",
					  "9:00-18:00",
					  "09:00",
					  "09:00-",
					  "09:00-18:00 x",
					  "09:60-10:00",
					  "25:00-26:00",
					  "24:00-01:00",
					  "workdays-fri",
					  "holidays-sun",
					  "mon-fri 18:00-mon 09:00",
					  "fri 18:00-mon",
					  "fri 18:00-holidays 09:00",
					  "mon-fri09:00-18:00x"};
	const char *why;
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct when w = {.n = 0};
		why = NULL;
		if (when_add(&w, bad[i], &why) || !why || w.n)
			fail_msg("\"%s\" was taken", bad[i]);
	}
	struct when full = when_of("always");
	while (full.n < WHEN_SPANS_MAX)
		assert_true(when_add(&full, "sat", &why));
	assert_false(when_add(&full, "sat", &why));
}

/* --- rotas; people are numbers --- */

struct made {
	struct rota r;
};

static struct who_ref *people(const char *digits, size_t *n)
{
	*n = strlen(digits);
	struct who_ref *v = calloc(*n, sizeof *v);
	for (size_t i = 0; i < *n; i++)
		v[i] = (struct who_ref){WHO_CONTACT, (size_t)(digits[i] - '0')};
	return v;
}

static struct made rota(const char *zone)
{
	char why[200];
	struct made m = {.r.zone = tz_load(zone, why, sizeof why)};
	if (!m.r.zone)
		fail_msg("%s", why);
	m.r.shifts = calloc(8, sizeof *m.r.shifts);
	m.r.overrides = calloc(8, sizeof *m.r.overrides);
	m.r.holidays.days = calloc(8, sizeof *m.r.holidays.days);
	return m;
}

static void shift(struct made *m, const char *when, const char *who, int rotate_days, const char *first)
{
	struct shift *s = &m->r.shifts[m->r.nshifts++];
	*s = (struct shift){
	    .when = when_of(when), .rotate_days = rotate_days, .first_wall_s = first ? wall(first) : 0};
	s->who = people(who, &s->nwho);
}

static void override(struct made *m, const char *from, const char *until, const char *who)
{
	struct override *o = &m->r.overrides[m->r.noverrides++];
	o->from_s = tz_utc(m->r.zone, wall(from), false);
	o->until_s = tz_utc(m->r.zone, wall(until), false);
	o->who = people(who, &o->nwho);
}

/* Begins anew, with the zone and the holidays it has. */
static void clear(struct made *m)
{
	for (size_t i = 0; i < m->r.nshifts; i++)
		free(m->r.shifts[i].who);
	for (size_t i = 0; i < m->r.noverrides; i++)
		free(m->r.overrides[i].who);
	m->r.nshifts = m->r.noverrides = 0;
}

static void holiday(struct made *m, int y, int mon, int d)
{
	m->r.holidays.days[m->r.holidays.n++] = civil_days(y, mon, d);
}

/* The digits on duty at a reading of the wall (its first coming). */
static const char *on_duty_s(const struct made *m, int64_t utc_s)
{
	static char out[16];
	const struct who_ref *who;
	struct duty d = rota_at(&m->r, utc_s);
	size_t n = rota_names(&m->r, &d, &who);
	for (size_t i = 0; i < n; i++)
		out[i] = (char)('0' + who[i].n);
	out[n] = '\0';
	return out;
}

static const char *on_duty(const struct made *m, const char *when)
{
	return on_duty_s(m, tz_utc(m->r.zone, wall(when), false));
}

static void until(const struct made *m, const char *from, const char *expect)
{
	char text[TZ_TEXT_MAX];
	int64_t t = tz_utc(m->r.zone, wall(from), false);
	assert_string_equal(tz_text(m->r.zone, rota_until(&m->r, t, t + 40 * CIVIL_DAY), text, sizeof text),
			    expect);
}

static void test_first_that_covers_counts(void **state)
{
	struct made m = rota("Asia/Tokyo");
	(void)state;
	shift(&m, "workdays 09:00-18:00", "12", 0, NULL);
	shift(&m, "always", "345", 7, "2026-01-05 09:00");
	override(&m, "2026-11-25 12:00", "2026-11-26 10:00", "7");
	override(&m, "2026-11-25 00:00", "2026-11-27 00:00", "8");
	holiday(&m, 2026, 11, 23);
	assert_string_equal(on_duty(&m, "2026-11-24 09:00"), "12");
	assert_string_equal(on_duty(&m, "2026-11-24 18:00"), "4"); /* 46 weeks after the first: 46 % 3 */
	assert_string_equal(on_duty(&m, "2026-11-23 09:00"), "4"); /* a holiday */
	assert_string_equal(on_duty(&m, "2026-11-23 08:59"), "3");
	assert_string_equal(on_duty(&m, "2026-11-25 11:59"), "8");
	assert_string_equal(on_duty(&m, "2026-11-25 12:00"), "7");
	assert_string_equal(on_duty(&m, "2026-11-26 10:00"), "8");
	assert_string_equal(on_duty(&m, "2026-11-27 00:00"), "4");
	/* before the start the turns go backwards */
	assert_string_equal(on_duty(&m, "2026-01-05 08:59"), "5");
	assert_string_equal(on_duty(&m, "2025-12-22 18:00"), "4");
	until(&m, "2026-11-24 10:00", "Tue 2026-11-24 18:00 +09:00");
	until(&m, "2026-11-24 18:00", "Wed 2026-11-25 00:00 +09:00");
	until(&m, "2026-11-28 00:00", "Mon 2026-11-30 09:00 +09:00");
	rota_fini(&m.r);
}

static void test_clocks_put_back_hand_over_once(void **state)
{
	struct made m = rota("Europe/Berlin");
	(void)state;
	shift(&m, "always", "12", 7,
	      "2026-10-18 02:30"); /* Sundays at 02:30, which comes twice on the 25th */
	int64_t t = tz_utc(m.r.zone, wall("2026-10-25 02:30"), false);
	assert_string_equal(on_duty_s(&m, t - 60), "1");
	for (int64_t k = 0; k < 7 * CIVIL_DAY + 3600; k += 600) /* the week is an hour longer */
		assert_string_equal(on_duty_s(&m, t + k), "2");
	assert_string_equal(on_duty_s(&m, t + 7 * CIVIL_DAY + 3600), "1");
	rota_fini(&m.r);
}

static void test_clocks_put_forward(void **state)
{
	struct made m = rota("America/New_York");
	(void)state;
	shift(&m, "always", "12", 1, "2026-03-07 02:30"); /* on the 8th there is no 02:30: at the change */
	shift(&m, "always", "3", 0, NULL);
	assert_string_equal(on_duty(&m, "2026-03-08 01:59"), "1");
	assert_string_equal(on_duty(&m, "2026-03-08 03:00"), "2");
	until(&m, "2026-03-08 01:59", "Sun 2026-03-08 03:00 -04:00");
	until(&m, "2026-03-08 03:00", "Mon 2026-03-09 02:30 -04:00");
	rota_fini(&m.r);
}

static void test_a_shift_in_the_hour_that_comes_twice(void **state)
{
	struct made m = rota("Australia/Lord_Howe"); /* half an hour, at 02:00 back to 01:30 on 2026-04-05 */
	(void)state;
	shift(&m, "01:45-02:00", "1", 0, NULL);
	shift(&m, "always", "2", 0, NULL);
	int64_t t = tz_utc(m.r.zone, wall("2026-04-05 01:30"), false);
	const char *expect = "2121"; /* each quarter from the first 01:30 on: what the wall shows counts */
	for (int64_t k = 0; k < 4; k++)
		assert_int_equal(on_duty_s(&m, t + k * 900)[0], expect[k]);
	until(&m, "2026-04-05 01:45", "Sun 2026-04-05 01:30 +10:30");
	rota_fini(&m.r);
}

static void hole(const struct made *m, const char *from, const char *expect)
{
	char a[TZ_TEXT_MAX], b[TZ_TEXT_MAX], text[128] = "";
	int64_t begin, end;
	if (rota_hole(&m->r, tz_utc(m->r.zone, wall(from), false), &begin, &end))
		snprintf(text, sizeof text, "%s to %s", tz_text(m->r.zone, begin, a, sizeof a),
			 tz_text(m->r.zone, end, b, sizeof b));
	assert_string_equal(text, expect);
}

static void test_holes(void **state)
{
	struct made m = rota("Europe/Berlin");
	(void)state;
	hole(&m, "2026-11-23 00:00", "Mon 2026-11-23 00:00 +01:00 to Mon 2027-11-29 00:00 +01:00");
	shift(&m, "mon-fri 09:00-18:00", "1", 0, NULL);
	shift(&m, "18:00-09:00", "2", 0, NULL);
	hole(&m, "2026-11-23 00:00", "Sat 2026-11-28 09:00 +01:00 to Sat 2026-11-28 18:00 +01:00");
	shift(&m, "sat 08:00-mon 00:00", "3", 0, NULL);
	hole(&m, "2026-11-23 00:00", "");
	/* a day that is a workday no more */
	clear(&m);
	shift(&m, "workdays", "1", 0, NULL);
	shift(&m, "sat,sun", "2", 0, NULL);
	hole(&m, "2026-11-23 00:00", "");
	holiday(&m, 2031, 12, 25);
	hole(&m, "2026-11-23 00:00", "Thu 2031-12-25 00:00 +01:00 to Fri 2031-12-26 00:00 +01:00");
	override(&m, "2031-12-24 12:00", "2031-12-26 00:00", "3");
	hole(&m, "2026-11-23 00:00", "");
	/* the night the clocks are put forward has no 02:30, so nobody is missed then */
	clear(&m);
	shift(&m, "02:00-03:00", "1", 0, NULL);
	shift(&m, "03:00-02:00", "2", 0, NULL);
	hole(&m, "2026-03-23 00:00", "");
	rota_fini(&m.r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_covers),
	    cmocka_unit_test(test_refused_times),
	    cmocka_unit_test(test_first_that_covers_counts),
	    cmocka_unit_test(test_clocks_put_back_hand_over_once),
	    cmocka_unit_test(test_clocks_put_forward),
	    cmocka_unit_test(test_a_shift_in_the_hour_that_comes_twice),
	    cmocka_unit_test(test_holes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
