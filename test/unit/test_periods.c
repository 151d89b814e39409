/* Time periods by name, as the `when` of a check: when it runs, and when next; over midnight, over a week's end, on holidays, where
 * a clock is put forward or back. lib/config/periods.c */
#include "unit.h"

#include "lib/config/internal.h"
#include "lib/oncall/civil.h"

static const char prober[] = "{\"v\":1,\"probes\":[{\"name\":\"load\",\"place\":\"local\",\"host_option\":null,\"options\":[]}]}";

static bool answer(void *arg, const char *libexec, const char *program, const char *option, const struct buf *input,
		   struct buf *out, char *why, size_t size)
{
	(void)arg;
	(void)libexec;
	(void)why;
	(void)size;
	if (strcmp(option, "--describe") == 0)
		return buf_puts(out, strcmp(program, "prober") == 0 ? prober : "{\"v\":1,\"name\":\"x\",\"options\":[]}");
	for (size_t i = 0; i < input->len; i++)
		if (input->data[i] == '\n')
			buf_puts(out, "{\"ok\":true}\n");
	return true;
}

static struct config *load(const char *periods, const char *when, const char *zone)
{
	static const struct conf_programs programs = {.run = answer};
	struct conf_files *files = calloc(1, sizeof *files);
	struct complaints c;
	complaints_init(&c);
	buf_printf(&conf_files_add(files, "m.yaml", "m.yaml")->bytes,
		   "lines: {l: {notifier: x}, z: {notifier: x}}\ncontacts: {a: {routes: [{line: l, to: a}]}}\n"
		   "last_resort: {line: z, to: z}\noncall: {timezone: %s, holidays: [2026-11-23, 2027-01-01]}\n"
		   "periods: {%s}\nchecks: {x: {probe: load, when: %s}}\n",
		   zone, periods, when);
	struct config *conf = config_build(files, "/nowhere", &programs, &c);
	for (size_t i = 0; i < c.n; i++)
		fail_msg("%s: %s: %s", when, c.v[i].item, c.v[i].reason);
	complaints_fini(&c);
	return conf;
}

/* All times are UTC. next: when it runs again, "" when it does at that time. */
static const struct {
	const char *periods, *when, *zone, *at, *next;
} table[] = {
    /* 25 November 2026 is a Wednesday; Tokyo is nine hours ahead */
    {"office: [mon-fri 09:00-18:00]", "office", "Asia/Tokyo", "2026-11-25 00:00", ""},
    {"office: [mon-fri 09:00-18:00]", "office", "Asia/Tokyo", "2026-11-24 23:59", "2026-11-25 00:00"},
    {"office: [mon-fri 09:00-18:00]", "office", "Asia/Tokyo", "2026-11-25 09:00", "2026-11-26 00:00"},
    {"office: [mon-fri 09:00-18:00]", "office", "Asia/Tokyo", "2026-11-27 09:00", "2026-11-30 00:00"},
    /* several names, and times beside them */
    {"office: mon-fri 09:00-18:00, dusk: '18:00-19:00'", "[office, dusk, sun]", "Asia/Tokyo", "2026-11-25 09:30", ""},
    {"office: mon-fri 09:00-18:00, dusk: '18:00-19:00'", "[office, dusk, sun]", "Asia/Tokyo", "2026-11-28 09:30", ""},
    {"office: mon-fri 09:00-18:00, dusk: '18:00-19:00'", "[office, dusk, sun]", "Asia/Tokyo", "2026-11-28 10:00", "2026-11-28 15:00"},
    /* over midnight: a span belongs to the day it begins on */
    {"night: ['fri 22:00-06:00']", "night", "UTC", "2026-11-28 05:59", ""},
    {"night: ['fri 22:00-06:00']", "night", "UTC", "2026-11-28 06:00", "2026-12-04 22:00"},
    {"night: ['fri 22:00-06:00']", "night", "UTC", "2026-11-28 22:30", "2026-12-04 22:00"},
    /* over the week's end */
    {"weekend: fri 18:00-mon 09:00", "weekend", "UTC", "2026-11-30 08:59", ""},
    {"weekend: fri 18:00-mon 09:00", "weekend", "UTC", "2026-11-30 09:00", "2026-12-04 18:00"},
    /* Monday the 23rd is a holiday */
    {"free: [holidays], busy: [workdays 09:00-18:00]", "busy", "UTC", "2026-11-23 10:00", "2026-11-24 09:00"},
    {"free: [holidays], busy: [workdays 09:00-18:00]", "free", "UTC", "2026-11-23 10:00", ""},
    {"free: [holidays], busy: [workdays 09:00-18:00]", "[free, busy]", "UTC", "2026-11-23 23:59", ""},
    /* Berlin's clock goes from 3 back to 2 on 25 October 2026, at 01:00 UTC: 02:30 comes twice */
    {"early: ['02:00-03:00']", "early", "Europe/Berlin", "2026-10-25 00:30", ""},
    {"early: ['02:00-03:00']", "early", "Europe/Berlin", "2026-10-25 01:30", ""},
    {"early: ['02:00-03:00']", "early", "Europe/Berlin", "2026-10-25 02:00", "2026-10-26 01:00"},
    /* and from 2 to 3 on 29 March 2026, at 01:00 UTC: 02:30 never comes */
    {"early: ['02:00-03:00']", "early", "Europe/Berlin", "2026-03-29 00:59", "2026-03-30 00:00"},
    {"a: [always]", "a", "UTC", "2026-11-25 00:00", ""},
};

static int64_t utc(const char *text)
{
	int64_t s;
	assert_true(civil_parse(text, &s));
	return s;
}

static void when_checks_run(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		struct config *conf = load(table[i].periods, table[i].when, table[i].zone);
		int64_t next = 0;
		bool now = config_runs_now(&conf->checks[0], utc(table[i].at), &next);
		struct civil c = civil_of(next);
		if (now != !*table[i].next || (!now && next != utc(table[i].next)))
			fail_msg("%s, %s at %s UTC: %s, next %04d-%02d-%02d %02d:%02d", table[i].when, table[i].zone,
				 table[i].at, now ? "runs" : "does not run", c.year, c.month, c.day, c.hour, c.minute);
		config_free(conf);
	}
}

/* Minute by minute through a week with a holiday: what is said to be next is the first minute that it runs in. */
static void next_is_the_first(void **state)
{
	(void)state;
	struct config *conf = load("busy: [workdays 09:00-12:00, 'fri 22:00-sat 01:00']", "busy", "Asia/Tokyo");
	int64_t from = utc("2026-11-21 00:00"), next, want = -1;
	for (int64_t at = from + 14 * CIVIL_DAY; at >= from; at -= 60) {
		if (config_runs_now(&conf->checks[0], at, &next)) {
			want = at;
			continue;
		}
		if (want >= 0 && next != want)
			fail_msg("at %lld next is %lld, not %lld", (long long)at, (long long)next, (long long)want);
	}
	assert_true(want >= 0);
	config_free(conf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(when_checks_run), cmocka_unit_test(next_is_the_first)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
