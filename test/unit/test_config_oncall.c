/* The sections about who must know: what they become, whom their names mean when, and every complaint with
 * its place. lib/config/oncall.c, rotas.c, people.c; lib/oncall/who.c, ladder.c, quiet.c. */
#include "unit.h"

#include "lib/config/internal.h"
#include "lib/oncall/civil.h"

static bool answer(void *arg, const char *libexec, const char *program, const char *option,
		   const struct buf *input, struct buf *out, char *why, size_t size)
{
	(void)arg;
	(void)libexec;
	(void)why;
	(void)size;
	if (strcmp(option, "--describe") == 0)
		return buf_puts(out, strcmp(program, "prober") == 0
					 ? "{\"v\":1,\"probes\":[{\"name\":\"load\",\"place\":\"local\","
					   "\"host_option\":null,\"options\":[]}]}"
					 : "{\"v\":1,\"name\":\"x\",\"options\":[]}");
	for (size_t i = 0; i < input->len; i++)
		if (input->data[i] == '\n')
			buf_puts(out, "{\"ok\":true}\n");
	return true;
}

/* a b c d, a line that always works, check "k" that concerns `contacts` */
static const char common[] = "lines: {l: {notifier: x}}\n"
			     "contacts:\n"
			     "  a: {routes: [{line: l, to: a}]}\n  b: {routes: [{line: l, to: b}]}\n"
			     "  c: {routes: [{line: l, to: c}]}\n  d: {routes: [{line: l, to: d}]}\n"
			     "last_resort: {line: z, to: z}\n";

static struct complaints complaints;

static struct config *load_with(const char *base, const char *text)
{
	static const struct conf_programs programs = {.run = answer};
	struct conf_files *files = calloc(1, sizeof *files);
	const char *const texts[] = {text, base};
	const char *const names[] = {"o.yaml", "base.yaml"};
	for (int i = 0; i < 2; i++)
		buf_puts(&conf_files_add(files, names[i], names[i])->bytes, texts[i]);
	buf_puts(&conf_files_add(files, "z.yaml", "z.yaml")->bytes, "lines: {z: {notifier: x}}\n");
	complaints_fini(&complaints);
	return config_build(files, "/nowhere", &programs, &complaints);
}

static char *said(const struct complaints *c)
{
	struct buf out;
	buf_init(&out, 1 << 16);
	for (size_t i = 0; i < c->n; i++) {
		complaint_format(&c->v[i], &out);
		buf_puts(&out, "\n");
	}
	char *s = strdup(buf_str(&out));
	buf_fini(&out);
	return s;
}

static struct config *load(const char *text)
{
	struct config *conf = load_with(common, text);
	if (!conf) {
		char *s = said(&complaints);
		fail_msg("%s", s);
	}
	return conf;
}

/* --- whom names mean --- */

static const char full[] = "oncall: {timezone: Asia/Tokyo, holidays: [2026-11-23]}\n"
			   "groups:\n  day: [a, b]\n  night: {members: [b, c], quiet: {hours: "
			   "\"22:00-07:00\", holds: WARNING, recovered: drop}}\n"
			   "rotas:\n  duty:\n    shifts:\n      - {when: workdays 09:00-18:00, who: day}\n"
			   "      - {when: always, who: [c, d], rotate: 1w, from: 2026-11-02 09:00}\n"
			   "    overrides: [{from: 2026-11-28 09:00, until: 2026-11-29 09:00, who: d}]\n"
			   "ladders:\n  up:\n    again: 1h\n    steps: [{tell: duty}, {after: 10m, tell: "
			   "[night]}, {after: 20m, all: yes}, {after: 5m, tell: d}]\n"
			   "checks: {k: {probe: load, contacts: [up]}}\ndefaults: {contacts: [duty]}\n";

static int64_t at(const struct config *conf, const char *wall)
{
	int64_t s = 0;
	assert_true(civil_parse(wall, &s));
	return tz_utc(conf->rotas[0].rota.zone, s, false);
}

/* "ab!" a and b, b also if told before */
static const char *meant(const struct config *conf, const char *name, struct rung rung, bool begins,
			 const char *wall)
{
	static char out[2 * WHO_MAX + 1];
	struct target t = {.rung = rung, .begins = begins};
	struct audience a;
	size_t n = 0;
	snprintf(t.name, sizeof t.name, "%s", name);
	who_audience(conf, &t, 1, at(conf, wall), &a);
	for (size_t i = 0; i < a.n; i++) {
		out[n++] = conf->contacts[a.v[i].contact].name[0];
		if (a.v[i].again)
			out[n++] = '!';
	}
	out[n] = '\0';
	return out;
}

static void test_names_mean_people(void **state)
{
	struct config *conf = load(full);
	const struct rung first = {0, 0}, second = {1, 0}, third = {2, 0}, again = {0, 1}, beyond = {9, 0};
	(void)state;
	assert_string_equal(meant(conf, "a", first, false, "2026-11-24 10:00"), "a");
	assert_string_equal(meant(conf, "night", first, false, "2026-11-24 10:00"), "bc");
	assert_string_equal(meant(conf, "duty", first, false, "2026-11-24 10:00"), "ab");
	assert_string_equal(meant(conf, "duty", first, false, "2026-11-23 10:00"),
			    "d"); /* a holiday; third week */
	assert_string_equal(meant(conf, "duty", first, false, "2026-11-28 09:00"), "d"); /* the override */
	assert_string_equal(meant(conf, "duty", first, false, "2026-11-29 09:00"), "d");
	assert_string_equal(meant(conf, "duty", first, false, "2026-11-30 18:00"), "c");
	assert_string_equal(meant(conf, "up", first, false, "2026-11-24 10:00"), "ab");
	assert_string_equal(meant(conf, "up", second, true, "2026-11-24 10:00"), "ab!c!");
	assert_string_equal(meant(conf, "up", second, false, "2026-11-24 20:00"), "dbc");
	assert_string_equal(meant(conf, "up", third, true, "2026-11-24 10:00"), "a!b!c!d!");
	assert_string_equal(meant(conf, "up", again, true, "2026-11-24 10:00"), "a!b!cd");
	assert_string_equal(meant(conf, "up", beyond, true, "2026-11-24 10:00"), "abcd");
	assert_string_equal(meant(conf, "nobody", first, false, "2026-11-24 10:00"), "");
	config_free(conf);
}

static void test_names_reach_people(void **state)
{
	struct config *conf = load(full);
	char *duty[] = {"duty"}, *day[] = {"day"}, *none[] = {"nobody"};
	(void)state;
	for (size_t i = 0; i < 4; i++) {
		assert_true(who_concerns(conf, duty, 1, i));
		assert_int_equal(who_concerns(conf, day, 1, i), i < 2);
		assert_false(who_concerns(conf, none, 1, i));
	}
	config_free(conf);
}

static void test_ladder_is_climbed(void **state)
{
	struct config *conf = load(full);
	const struct ladder *l = &conf->ladders[0].ladder;
	struct rung r = {0, 0};
	int64_t left;
	(void)state;
	assert_false(ladder_advance(l, &r, 599999, &left));
	assert_int_equal(left, 1);
	assert_true(ladder_advance(l, &r, 600000, &left) && r.step == 1 && left == 1200000);
	assert_true(ladder_advance(l, &r, 9999999, &left) && r.step == 2 && left == 300000);
	assert_true(ladder_advance(l, &r, 300000, &left) && r.step == 3 && left == 3600000);
	assert_true(ladder_advance(l, &r, 3600000, &left) && r.step == 0 && r.round == 1 && left == 600000);
	r.step = 7; /* it was shortened meanwhile */
	assert_false(ladder_advance(l, &r, 0, &left));
	assert_int_equal(r.step, 3);
	config_free(conf);
}

static void test_quiet_hours(void **state)
{
	struct config *conf = load(full);
	const struct quiet *b = conf->contacts[1].quiet;
	(void)state;
	assert_null(conf->contacts[0].quiet);
	assert_ptr_equal(b, conf->groups[1].quiet);
	assert_true(b->drop && conf->has_quiet);
	assert_int_equal(quiet_until(b, NAG_WARNING, at(conf, "2026-11-24 22:00")),
			 at(conf, "2026-11-25 07:00"));
	assert_int_equal(quiet_until(b, NAG_WARNING, at(conf, "2026-11-25 06:59")),
			 at(conf, "2026-11-25 07:00"));
	assert_int_equal(quiet_until(b, NAG_WARNING, at(conf, "2026-11-25 07:00")), 0);
	assert_int_equal(quiet_until(b, NAG_UNKNOWN, at(conf, "2026-11-24 23:00")), 0);
	assert_int_equal(quiet_until(b, NAG_CRITICAL, at(conf, "2026-11-24 23:00")), 0);
	assert_int_equal(quiet_until(NULL, NAG_WARNING, at(conf, "2026-11-24 23:00")), 0);
	config_free(conf);
}

/* --- what is refused --- */

#define GOOD "checks: {k: {probe: load, contacts: [a, b, c, d]}}\ndefaults: {contacts: [a]}\n"

static const struct {
	const char *text, *wrong;
} refused[] = {
    {"oncall: {timezone: Asia/Tokio}\n" GOOD,
     "o.yaml:1:20: oncall.timezone \"Asia/Tokio\": there is no such time zone in /usr/share/zoneinfo; write "
     "one such as Asia/Tokyo\n"},
    {"oncall: {timezone: UTC, holidays: [2026-02-30]}\n" GOOD,
     "o.yaml:1:36: oncall.holidays \"2026-02-30\": is not a day; write 2026-01-31\n"},
    {"oncall: {holidays: /nowhere/days}\n" GOOD, "o.yaml:1:20: oncall.holidays: needs oncall.timezone\n"},
    {"oncall: {timezone: UTC, holidays: /nowhere/days}\n" GOOD,
     "o.yaml:1:35: oncall.holidays \"/nowhere/days\": cannot be read: No such file or directory\n"},
    {"oncall: {zone: UTC}\n" GOOD, "o.yaml:1:10: oncall.zone: unknown\n"},
    {"groups: {a: [b]}\n" GOOD, "o.yaml:1:10: groups.a: is also the name of a contact, at base.yaml:3:3: a "
				"check could not tell which is meant\n"},
    {"groups: {g: [b, e]}\n" GOOD,
     "o.yaml:1:17: groups.g \"e\": there is no such contact, group, rota or ladder; did you mean \"a\"?\n"},
    {"groups: {g: [], h: {members: a, z: 1}}\n" GOOD,
     "o.yaml:1:13: groups.g: must name at least one\no.yaml:1:33: groups.h.z: unknown\n"},
    {"groups: {g: [a], h: [g]}\n" GOOD,
     "o.yaml:1:22: groups.h \"g\": is a group; only contacts may stand here\n"},
    {"groups: {g: [l]}\nladders: {l: {steps: [{tell: a}]}}\n" GOOD,
     "o.yaml:1:14: groups.g \"l\": is a ladder; only contacts may stand here\n"},
    {"rotas: {r: {shifts: [{when: always, who: a}]}}\n" GOOD,
     "o.yaml:1:9: rotas.r.timezone: is missing, and so is oncall.timezone: say where the clock hangs, such "
     "as Asia/Tokyo\n"},
    {"rotas: {r: {timezone: UTC}}\n" GOOD,
     "o.yaml:1:9: rotas.r.shifts: is missing: a list such as [{when: always, who: NAME}]\n"},
    {"rotas: {r: {timezone: UTC, shifts: [{when: alwais, who: a}]}}\n" GOOD,
     "o.yaml:1:44: rotas.r.shifts[1].when \"alwais\": is not a time of the week; write \"mon-fri "
     "09:00-18:00\", \"sat,sun\", "
     "\"22:00-07:00\", \"workdays\", \"holidays\" or \"always\"\n"},
    {"rotas: {r: {timezone: UTC, shifts: [{when: always, who: a, rotate: 36h, from: 2026-01-01}]}}\n" GOOD,
     "o.yaml:1:68: rotas.r.shifts[1].rotate \"36h\": must be whole days, such as 1d or 1w\n"},
    {"rotas: {r: {timezone: UTC, shifts: [{when: always, who: a, rotate: 1d}]}}\n" GOOD,
     "o.yaml:1:37: rotas.r.shifts[1].from: is missing: say when the first of them takes over, such as "
     "\"2026-01-05 09:00\"\n"},
    {"rotas: {r: {timezone: UTC, shifts: [{when: always, who: a}], overrides: [{from: 2026-01-02 09:00, "
     "until: 2026-01-02 09:00, who: b}]}}\n" GOOD,
     "o.yaml:1:106: rotas.r.overrides[1].until \"2026-01-02 09:00\": does not come after `from`\n"},
    {"rotas: {r: {timezone: UTC, shifts: [{when: always, who: a}], overrides: [{from: 2026-01-02, who: "
     "b}]}}\n" GOOD,
     "o.yaml:1:74: rotas.r.overrides[1].until: is missing: an override has an end\n"
     "o.yaml:1:81: rotas.r.overrides[1].from \"2026-01-02\": is not a time; write \"2026-01-31 09:00\"\n"},
    {"ladders: {l: {steps: [{after: 1m, tell: a}, {tell: b}, {after: 1m}, {after: 1ms, tell: c}]}}\n" GOOD,
     "o.yaml:1:31: ladders.l.steps[1].after \"1m\": the first step never waits\n"
     "o.yaml:1:45: ladders.l.steps[2].after: is missing: say how long nobody acknowledged\n"
     "o.yaml:1:56: ladders.l.steps[3].tell: is missing: say whom, or all: yes for everybody of every step\n"
     "o.yaml:1:77: ladders.l.steps[4].after \"1ms\": must be between 1s and 30d\n"},
    {"ladders: {l: {}}\n" GOOD,
     "o.yaml:1:11: ladders.l.steps: is missing: a list such as [{tell: NAME}, {after: 15m, tell: NAME}]\n"},
    {"groups: {g: {members: a, quiet: {hours: always, timezone: UTC}}}\n" GOOD,
     "o.yaml:1:41: groups.g.quiet.hours: never end: what waits for that would never be told\n"},
    {"groups: {g: {members: a, quiet: {hours: \"22:00-07:00\", holds: [CRITICAL, OK], timezone: UTC, "
     "recovered: no}}}\n" GOOD,
     "o.yaml:1:63: groups.g.quiet.holds \"CRITICAL\": a CRITICAL never waits\n"
     "o.yaml:1:63: groups.g.quiet.holds \"OK\": must be WARNING or UNKNOWN\n"
     "o.yaml:1:105: groups.g.quiet.recovered \"no\": must be tell (once, when the hours are over) or drop\n"},
    {"checks: {k: {probe: load, contacts: [a, b, c, d, someone]}}\ndefaults: {contacts: [duty]}\n"
     "rotas: {duty: {timezone: UTC, shifts: [{when: always, who: a}]}}\n",
     "o.yaml:1:37: checks.k.contacts \"someone\": there is no such contact, group, rota or ladder\n"},
};

static void test_refusals(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
		struct config *conf = load_with(common, refused[i].text);
		char *s = said(&complaints);
		if (conf || strcmp(s, refused[i].wrong) != 0)
			fail_msg("%s\nsaid:\n%swanted:\n%s", refused[i].text, s, refused[i].wrong);
		free(s);
	}
	complaints_fini(&complaints);
}

static void test_a_hole_is_an_error_that_names_the_hour(void **state)
{
	struct config *conf = load_with(
	    common, "rotas: {r: {timezone: Asia/Tokyo, shifts: [{when: mon-fri 00:00-24:00, who: a}, "
		    "{when: sat 00:00-12:00, who: b}, {when: sun, who: c}]}}\n" GOOD);
	char *s = said(&complaints);
	(void)state;
	assert_null(conf);
	/* which Saturday depends on today */
	assert_non_null(strstr(s, "o.yaml:1:9: rotas.r: nobody is on duty from Sat 20"));
	assert_non_null(strstr(s, " 12:00 +09:00 until Sun 20"));
	assert_non_null(strstr(s, " 00:00 +09:00\n"));
	free(s);
	complaints_fini(&complaints);
}

/* The proof looks behind every name: c is on duty only at night, and its only route needs what it reports on.
 */
static void test_the_proof_looks_into_rotas_and_ladders(void **state)
{
	static const char *const concerned[] = {"c", "g", "r", "l"};
	char text[1024], wrong[200];
	(void)state;
	for (size_t i = 0; i < 4; i++) {
		snprintf(
		    text, sizeof text,
		    "lines: {m: {notifier: x, needs: [k]}}\ncontacts:\n  x: {routes: [{line: m, to: x}]}\n"
		    "groups: {g: [a, x]}\nrotas: {r: {timezone: UTC, shifts: [{when: 08:00-20:00, who: a}, "
		    "{when: always, who: g}]}}\n"
		    "ladders: {l: {steps: [{tell: b}, {after: 1m, tell: r}]}}\n"
		    "checks: {k: {probe: load, contacts: [%s]}}\ndefaults: {contacts: [a]}\n",
		    i ? concerned[i] : "x");
		struct config *conf = load_with(common, text);
		char *s = said(&complaints);
		snprintf(wrong, sizeof wrong,
			 "o.yaml:7:10: checks.k: no route of contact \"x\" remains when \"k\" is down: each "
			 "needs it, "
			 "or a check below it\n");
		assert_null(conf);
		assert_string_equal(s, wrong);
		free(s);
	}
	complaints_fini(&complaints);
}

static void test_too_many_people(void **state)
{
	struct buf b;
	(void)state;
	buf_init(&b, 1 << 20);
	buf_puts(&b, "contacts:\n");
	for (int i = 0; i < 66; i++)
		buf_printf(&b, "  p%d: {routes: [{line: l, to: x}]}\n", i);
	for (int g = 0; g < 3; g++) {
		buf_puts(&b, g ? "" : "groups:\n");
		buf_printf(&b, "  g%d: [", g);
		for (int i = 0; i < 22; i++)
			buf_printf(&b, "%sp%d", i ? ", " : "", g * 22 + i);
		buf_puts(&b, "]\n");
	}
	buf_puts(&b, "checks: {k: {probe: load, contacts: [g0, g1, g2, a]}, j: {probe: load, contacts: [g0, "
		     "g1]}}\ndefaults: {contacts: [a]}\n");
	struct config *conf = load_with(common, buf_str(&b));
	char *s = said(&complaints);
	assert_null(conf);
	assert_non_null(strstr(s, "checks.k.contacts: mean 67 people; an incident tells at most 64\n"));
	assert_null(strstr(s, "checks.j"));
	free(s);
	buf_fini(&b);
	complaints_fini(&complaints);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_names_mean_people),
	    cmocka_unit_test(test_names_reach_people),
	    cmocka_unit_test(test_ladder_is_climbed),
	    cmocka_unit_test(test_quiet_hours),
	    cmocka_unit_test(test_refusals),
	    cmocka_unit_test(test_a_hole_is_an_error_that_names_the_hour),
	    cmocka_unit_test(test_the_proof_looks_into_rotas_and_ladders),
	    cmocka_unit_test(test_too_many_people),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
