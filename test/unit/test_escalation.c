/* What time does to an incident: ladders, handovers, quiet hours, and what of it a record keeps. A year of it
 * at random against a model: test/e2e/test_rota_year.py. pagerd/rules/escalation.c */
#include "unit.h"

#include "lib/config/internal.h"
#include "lib/oncall/civil.h"
#include "pagerd/rules/escalation.h"
#include "pagerd/store/record.h"

enum { MIN = 60000 };

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

static const char yaml[] =
    "lines: {l: {notifier: x}, z: {notifier: x}}\nlast_resort: {line: z, to: z}\n"
    "contacts:\n"
    "  a: {routes: [{line: l, to: a}], repeat: 0, recovery: no}\n"
    "  b: {routes: [{line: l, to: b}], repeat: 0, quiet: {hours: \"22:00-07:00\", recovered: drop}}\n"
    "  c: {routes: [{line: l, to: c}], repeat: 10m, quiet: {hours: \"22:00-07:00\"}}\n"
    "oncall: {timezone: UTC}\n"
    "rotas: {r: {shifts: [{when: \"12:00-12:30\", who: a}, {when: always, who: b}]}}\n"
    "ladders: {up: {steps: [{tell: a}, {after: 10m, tell: b}, {after: 10m, tell: c}]}}\n"
    "checks:\n  k: {probe: load, contacts: [up]}\n  n: {probe: load, contacts: [b, c]}\n  d: {probe: load, "
    "contacts: [r]}\n"
    "defaults: {contacts: [a]}\n";

static struct config *conf;
static struct contact_view views[3];
static uint64_t change;

static int setup(void **state)
{
	static const struct conf_programs programs = {.run = answer};
	struct conf_files *files = calloc(1, sizeof *files);
	struct complaints c;
	(void)state;
	complaints_init(&c);
	buf_puts(&conf_files_add(files, "m.yaml", "m.yaml")->bytes, yaml);
	conf = config_build(files, "/nowhere", &programs, &c);
	complaints_print(&c, stderr);
	complaints_fini(&c);
	for (size_t i = 0; conf && i < 3; i++)
		views[i] = (struct contact_view){.name = conf->contacts[i].name,
						 .repeat_ms = conf->contacts[i].repeat_ms,
						 .recovery = conf->contacts[i].recovery,
						 .forget_held = conf->contacts[i].quiet &&
								conf->contacts[i].quiet->drop};
	return conf ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	config_free(conf);
	return 0;
}

static struct stamp at(const char *clock, int64_t ms)
{
	char text[32];
	int64_t s = 0;
	snprintf(text, sizeof text, "2026-11-24 %s", clock);
	assert_true(civil_parse(text, &s));
	return (struct stamp){.wall_ms = s * 1000 + ms, .boot_ms = s * 1000 + ms, .boot_id = "boot"};
}

static void give(struct incident *i, const char *check, enum event_kind kind, enum nag_state state,
		 struct stamp now)
{
	const struct conf_check *k = config_check(conf, check);
	struct event e = {.kind = kind,
			  .change = ++change,
			  .opened = i->opened,
			  .state = state,
			  .measured = true,
			  .since = now,
			  .at = now};
	struct contact_view who[3];
	struct audience a;
	char text[] = "t";
	size_t n = 0;
	e.text = text;
	escalation_concern(i, &e, (const char *const *)k->contacts, k->ncontacts, &now);
	escalation_look(i, conf, &now, &a);
	for (; n < a.n; n++)
		who[n] = views[a.v[n].contact];
	for (size_t c = 0; c < 3; c++)
		if (!who_in(&a, c)) {
			who[n] = views[c];
			who[n++].bystander = true;
		}
	incident_event(i, &e, who, n, &now);
}

/* Passes time and lets all leave that may: "a:new b:repeat". */
static const char *pass(struct incident *i, struct stamp now)
{
	static char out[256];
	bool more = true;
	out[0] = '\0';
	while (more) {
		more = false;
		escalation_pass(i, conf, views, 3, &now);
		for (size_t k = 0; k < i->ncalls; k++) {
			struct call *c = i->calls[k];
			if (!call_may_leave(c, &now))
				continue;
			size_t n = strlen(out);
			snprintf(out + n, sizeof out - n, "%s%s:%s", n ? " " : "", c->contact,
				 page_kind_name(c->kind));
			call_outcome(c, call_begin(c, "l", "x", &now)->n, OUTCOME_SENT, "", &now, 0);
			more = true;
		}
		incident_settle(i, views, 3, &now);
	}
	return out;
}

/* pagerd dies and starts again: only the record is left. */
static struct incident *restart(struct incident *i)
{
	char why[200];
	cJSON *v = record_make(i);
	struct incident *again = record_read(v, why, sizeof why);
	cJSON_Delete(v);
	incident_free(i);
	assert_non_null(again);
	return again;
}

static void test_a_ladder_goes_on_after_a_restart(void **state)
{
	struct incident *i = incident_new("k", 1);
	(void)state;
	give(i, "k", EVENT_PROBLEM, NAG_CRITICAL, at("10:00", 0));
	assert_string_equal(pass(i, at("10:00", 0)), "a:new");
	assert_string_equal(pass(i, at("10:09", 59999)), "");
	i = restart(i);
	assert_string_equal(pass(i, at("10:10", 0)), "b:new");
	i = restart(i);
	assert_string_equal(pass(i, at("10:19", 59000)), "");
	assert_string_equal(pass(i, at("10:20", 0)), "c:new");
	assert_string_equal(pass(i, at("10:29", 0)), "");
	assert_string_equal(pass(i, at("10:30", 0)), "c:repeat");
	give(i, "k", EVENT_RECOVERY, NAG_OK, at("10:31", 0));
	assert_string_equal(pass(i, at("10:31", 0)), "b:recovered c:recovered"); /* a wants none */
	incident_free(i);
}

static void test_a_clock_that_jumps_moves_no_step(void **state)
{
	struct incident *i = incident_new("k", 1);
	struct stamp now = at("10:00", 0);
	(void)state;
	give(i, "k", EVENT_PROBLEM, NAG_CRITICAL, now);
	pass(i, now);
	now.wall_ms += 40LL * 86400000; /* forward and back; the boot's clock goes on */
	now.boot_ms += 9 * MIN;
	assert_string_equal(pass(i, now), "");
	now.wall_ms -= 80LL * 86400000;
	now.boot_ms += MIN;
	assert_string_equal(pass(i, now), "b:new");
	incident_free(i);
}

static void test_worse_than_acknowledged_begins_again(void **state)
{
	struct incident *i = incident_new("k", 1);
	char why[200];
	struct stamp now = at("10:15", 0);
	(void)state;
	give(i, "k", EVENT_PROBLEM, NAG_WARNING, at("10:00", 0));
	pass(i, at("10:00", 0));
	assert_string_equal(pass(i, at("10:10", 0)), "b:new");
	assert_true(incident_ack(i, "b", "", views, 3, &now, why, sizeof why));
	assert_string_equal(pass(i, now), "a:ack");
	assert_string_equal(pass(i, at("11:00", 0)), "");
	give(i, "k", EVENT_PROBLEM, NAG_CRITICAL, at("11:00", 0));
	assert_string_equal(pass(i, at("11:00", 0)), "a:new");
	assert_string_equal(pass(i, at("11:10", 0)), "b:new");
	incident_free(i);
}

static void test_duty_is_handed_over(void **state)
{
	struct incident *i = incident_new("d", 1);
	(void)state;
	give(i, "d", EVENT_PROBLEM, NAG_CRITICAL, at("11:50", 0));
	assert_string_equal(pass(i, at("11:50", 0)), "b:new");
	assert_string_equal(pass(i, at("12:00", 0)), "a:new");
	i = restart(i);
	assert_string_equal(pass(i, at("12:29", 0)), "");
	assert_string_equal(pass(i, at("12:30", 0)), "b:repeat"); /* back on duty */
	/* whoever is off duty keeps their wish: a wants no recoveries */
	give(i, "d", EVENT_RECOVERY, NAG_OK, at("12:31", 0));
	assert_string_equal(pass(i, at("12:31", 0)), "b:recovered");
	incident_free(i);
}

static void test_a_warning_waits_and_its_repeats_too(void **state)
{
	struct incident *i = incident_new("n", 1);
	(void)state;
	give(i, "n", EVENT_PROBLEM, NAG_WARNING, at("21:55", 0));
	assert_string_equal(pass(i, at("21:55", 0)), "b:new c:new");
	assert_string_equal(pass(i, at("22:05", 0)), ""); /* c's repeat is made, and waits */
	assert_int_equal(i->calls[i->ncalls - 1]->held_until, at("07:00", 86400000).wall_ms);
	i = restart(i);
	assert_string_equal(pass(i, at("23:00", 0)), "");
	give(i, "n", EVENT_PROBLEM, NAG_CRITICAL, at("23:10", 0));
	assert_string_equal(pass(i, at("23:10", 0)), "c:new b:new");
	/* what answers a page that woke somebody wakes them too */
	give(i, "n", EVENT_PROBLEM, NAG_WARNING, at("23:20", 0));
	assert_string_equal(pass(i, at("23:20", 0)), "");
	give(i, "n", EVENT_RECOVERY, NAG_OK, at("23:30", 0));
	assert_string_equal(pass(i, at("23:30", 0)), "b:recovered c:recovered");
	incident_free(i);
}

static void test_what_came_and_went_at_night(void **state)
{
	struct incident *i = incident_new("n", 1);
	(void)state;
	give(i, "n", EVENT_PROBLEM, NAG_WARNING, at("23:00", 0));
	assert_string_equal(pass(i, at("23:00", 0)), "");
	give(i, "n", EVENT_RECOVERY, NAG_OK, at("23:30", 0));
	assert_string_equal(pass(i, at("23:30", 0)), "");
	assert_string_equal(pass(i, at("07:00", 86400000 - 1)), "");
	assert_string_equal(pass(i, at("07:00", 86400000)), "c:recovered"); /* b wants that dropped */
	assert_true(incident_is_over(i));
	incident_free(i);
}

/* However many pages were made and forgotten meanwhile, and however often it is asked. */
static void test_dropped_stays_dropped(void **state)
{
	struct incident *i = incident_new("n", 1);
	struct stamp now = at("23:30", 0);
	(void)state;
	give(i, "n", EVENT_PROBLEM, NAG_WARNING, at("23:00", 0));
	pass(i, at("23:00", 0));
	for (int k = 0; k < INC_CALLS_KEPT; k++)
		call_end(incident_call(i, "a", PAGE_REPEAT, "t", &now), CALL_MERGED, &now);
	give(i, "n", EVENT_RECOVERY, NAG_OK, now);
	incident_settle(i, views, 3, &now);
	incident_settle(i, views, 3, &now);
	for (size_t k = 0; k < i->ncalls; k++)
		assert_false(i->calls[k]->kind == PAGE_RECOVERED && strcmp(i->calls[k]->contact, "b") == 0);
	incident_free(i);
}

static void test_what_is_held_is_not_overdue(void **state)
{
	struct stamp now = at("23:30", 0), later = at("07:00", 86400000 + 5000);
	struct call c = {
	    .phase = CALL_WAITING, .made = at("23:00", 0), .held_until = at("07:00", 86400000).wall_ms};
	(void)state;
	assert_false(call_may_leave(&c, &now));
	assert_int_equal(call_waited_ms(&c, &now), 0);
	assert_true(call_may_leave(&c, &later));
	assert_int_equal(call_waited_ms(&c, &later), 5000);
	c.held_until = 0;
	assert_int_equal(call_waited_ms(&c, &now), 30 * MIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_a_ladder_goes_on_after_a_restart),
	    cmocka_unit_test(test_a_clock_that_jumps_moves_no_step),
	    cmocka_unit_test(test_worse_than_acknowledged_begins_again),
	    cmocka_unit_test(test_duty_is_handed_over),
	    cmocka_unit_test(test_a_warning_waits_and_its_repeats_too),
	    cmocka_unit_test(test_what_came_and_went_at_night),
	    cmocka_unit_test(test_dropped_stays_dropped),
	    cmocka_unit_test(test_what_is_held_is_not_overdue),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
