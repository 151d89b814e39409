/* A check's record: what goes in comes out; what is damaged is refused and leaves the check as it was. */
#include "unit.h"

#include "lib/json.h"
#include "monitord/store/record.h"

static struct stamp stamp(int64_t ms)
{
	struct stamp s = {.wall_ms = 1700000000000 + ms, .boot_ms = ms};
	snprintf(s.boot_id, sizeof s.boot_id, "%s", clock_boot_id());
	return s;
}

static void add_event(struct check *c, uint64_t change)
{
	struct outgoing *o = calloc(1, sizeof *o);
	event_init(&o->event);
	snprintf(o->event.check, sizeof o->event.check, "%s", c->name);
	o->event.change = o->event.opened = change;
	o->event.state = NAG_CRITICAL;
	o->event.at = o->event.since = stamp(5000);
	o->event.text = strdup("dead");
	*c->out_last = o;
	c->out_last = &o->next;
	c->nout++;
}

static struct check *example(void)
{
	struct check *c = check_new("mx1 \"smtp\"\xc3\xa9", CHECK_SELF);
	struct judge *j = &c->judge;
	*j = (struct judge){.ever = true,
			    .state = NAG_WARNING,
			    .measured = false,
			    .stale = true,
			    .attempt = 2,
			    .unmeasured = 3,
			    .hard = NAG_CRITICAL,
			    .hard_measured = false,
			    .since = stamp(1000),
			    .change = 41,
			    .opened = 40,
			    .said = true,
			    .said_state = NAG_CRITICAL,
			    .said_measured = true,
			    .said_suppressed = true,
			    .paged = true};
	c->downtime = (struct downtime){.from_ms = 1, .until_ms = 2, .by = "alice", .comment = "disks"};
	c->has_run = true;
	c->last_run = stamp(4000);
	c->was_blocked = true;
	c->generation = 7;
	c->blob = strdup("{\"token\":\"\x01\"}");
	check_set_result(c, "refused", "no answer", "more\n", NULL);
	add_event(c, 40);
	add_event(c, 41);
	return c;
}

static void what_goes_in_comes_out(void **state)
{
	(void)state;
	struct check *c = example(), *d = check_new(c->name, CHECK_SELF);
	size_t len;
	char why[200] = "", *text = record_encode(c, &len), id[500];
	assert_non_null(text);
	if (!record_decode(d, text, len, why, sizeof why))
		fail_msg("%s", why);
	const struct judge *a = &c->judge, *b = &d->judge;
	assert_int_equal(a->ever, b->ever);
	assert_int_equal(a->state, b->state);
	assert_int_equal(a->measured, b->measured);
	assert_int_equal(a->stale, b->stale);
	assert_int_equal(a->attempt, b->attempt);
	assert_int_equal(a->unmeasured, b->unmeasured);
	assert_int_equal(a->hard, b->hard);
	assert_int_equal(a->hard_measured, b->hard_measured);
	assert_int_equal(a->change, b->change);
	assert_int_equal(a->opened, b->opened);
	assert_int_equal(a->said, b->said);
	assert_int_equal(a->said_state, b->said_state);
	assert_int_equal(a->said_measured, b->said_measured);
	assert_int_equal(a->said_suppressed, b->said_suppressed);
	assert_int_equal(a->paged, b->paged);
	assert_int_equal(a->since.wall_ms, b->since.wall_ms);
	assert_int_equal(a->since.boot_ms, b->since.boot_ms);
	assert_memory_equal(&c->downtime, &d->downtime, sizeof c->downtime);
	assert_true(d->has_run && d->was_blocked && d->generation == 7);
	assert_int_equal(d->last_run.boot_ms, 4000);
	assert_string_equal(d->blob, c->blob);
	assert_string_equal(d->text, "no answer");
	assert_string_equal(d->more, "more\n");
	assert_string_equal(d->layer, "refused");
	assert_int_equal(d->nout, 2);
	assert_string_equal(event_id(&d->out->next->event, id, sizeof id), "mx1=20=22smtp=22=C3=A9@41");
	free(text);
	check_free(c);
	check_free(d);
}

static void another_boot_jumps_over_numbers(void **state)
{
	(void)state;
	struct check *c = example(), *d = check_new(c->name, CHECK_SELF);
	size_t len;
	char why[200], *text = record_encode(c, &len);
	cJSON *o = json_parse(text, len, RECORD_MAX, NULL);
	cJSON_SetValuestring(cJSON_GetObjectItem(o, "boot_id"), "another");
	char *changed = cJSON_PrintUnformatted(o);
	assert_true(record_decode(d, changed, strlen(changed), why, sizeof why));
	assert_int_equal(d->judge.change, 41 + RECORD_JUMP);
	assert_int_equal(d->judge.opened, 40);
	assert_int_equal(d->out->event.change, 40); /* what was said keeps its number */
	cJSON_free(changed);
	cJSON_Delete(o);
	free(text);
	check_free(c);
	check_free(d);
}

static void an_event_that_waits_is_never_ahead_of_the_number(void **state)
{
	(void)state;
	struct check *c = example(), *d = check_new(c->name, CHECK_SELF);
	size_t len;
	char why[200];
	c->judge.change = 40; /* the event 41 waits */
	char *text = record_encode(c, &len);
	assert_true(record_decode(d, text, len, why, sizeof why));
	assert_int_equal(d->judge.change, 41);
	free(text);
	check_free(c);
	check_free(d);
}

static void a_blob_stays_with_its_probe(void **state)
{
	(void)state;
	struct conf_check smtp = {.probe = "smtp"}, queue = {.probe = "queue"};
	struct check *c = example(), *d = check_new(c->name, CHECK_NET), *e = check_new(c->name, CHECK_NET);
	size_t len;
	char why[200];
	c->conf = d->conf = &smtp;
	e->conf = &queue;
	char *text = record_encode(c, &len);
	assert_true(record_decode(d, text, len, why, sizeof why) && d->blob);
	assert_true(record_decode(e, text, len, why, sizeof why) && !e->blob);
	free(text);
	check_free(c);
	check_free(d);
	check_free(e);
}

static void damaged_records_are_refused(void **state)
{
	(void)state;
	struct check *c = example();
	size_t len;
	char why[200], *text = record_encode(c, &len);
	/* cut anywhere */
	for (size_t cut = 0; cut + 1 < len; cut += 3) {
		struct check *d = check_new(c->name, CHECK_SELF), before = *d;
		assert_false(record_decode(d, text, cut, why, sizeof why));
		assert_true(why[0]);
		assert_memory_equal(&d->judge, &before.judge, sizeof before.judge);
		assert_null(d->out);
		assert_int_equal(d->nout, 0);
		check_free(d);
	}
	static const char *const bad[] = {
	    "",
	    "[]",
	    "{}",
	    "{\"v\":1}",
	    "{\"v\":2,\"name\":\"x\"}",
	    "{\"v\":1,\"name\":\"y\",\"judge\":{}}",
	    "{\"v\":1,\"name\":\"x\",\"judge\":7}",
	    "{\"v\":1,\"name\":\"x\",\"judge\":{\"change\":1,\"opened\":2,\"attempt\":0,\"unmeasured\":0}}",
	    "{\"v\":1,\"name\":\"x\",\"judge\":{\"change\":-1,\"opened\":0,\"attempt\":0,\"unmeasured\":0}}",
	    "{\"v\":1,\"name\":\"x\",\"judge\":{\"change\":1,\"opened\":1,\"attempt\":0,\"unmeasured\":0,\"state\":\"FINE\"}}",
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct check *d = check_new("x", CHECK_SELF);
		if (record_decode(d, bad[i], strlen(bad[i]), why, sizeof why))
			fail_msg("taken: %s", bad[i]);
		check_free(d);
	}
	free(text);
	check_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_goes_in_comes_out),
	    cmocka_unit_test(another_boot_jumps_over_numbers),
	    cmocka_unit_test(an_event_that_waits_is_never_ahead_of_the_number),
	    cmocka_unit_test(a_blob_stays_with_its_probe),
	    cmocka_unit_test(damaged_records_are_refused),
	};
	return cmocka_run_group_tests_name("checkrec", tests, NULL, NULL);
}
