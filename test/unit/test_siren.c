/* What a siren knows: who asked for it, until when. notifiers/modbus/siren.c */
#include "unit.h"

#include "notifiers/modbus/siren.h"

enum { S = 1000 };

static const struct opt_list only_critical = {0};
static const struct siren_rules rules = {.states = &only_critical, .max_on_ms = 600 * S, .test_ms = 2 * S};

static struct stamp at(int64_t s)
{
	return (struct stamp){.wall_ms = 1700000000000 + s * S, .boot_ms = 5000 + s * S, .boot_id = "boot"};
}

static enum siren_did page(struct siren *s, int64_t t, enum page_kind kind, const char *incident,
			   const char *state)
{
	struct page p = {
	    .id = "1", .to = "coil:0", .kind = kind, .incident = incident, .state = state, .text = ""};
	struct stamp now = at(t);
	struct siren_place *place;

	return siren_page(s, &rules, &p, &now, &place);
}

static bool on_at(struct siren *s, int64_t t)
{
	struct stamp now = at(t);
	int64_t left;

	return siren_on(siren_place(s, "coil:0", false), &now, &left);
}

static void off_only_when_the_last_incident_ends(void **state)
{
	struct siren s = {0};

	(void)state;
	assert_int_equal(page(&s, 0, PAGE_NEW, "AAAAA", "CRITICAL"), SIREN_SOUNDS);
	assert_int_equal(page(&s, 1, PAGE_NEW, "BBBBB", "CRITICAL"), SIREN_SOUNDS);
	assert_int_equal(page(&s, 2, PAGE_NEW, "AAAAA", "CRITICAL"), SIREN_SOUNDS); /* the same page again */
	assert_int_equal(page(&s, 3, PAGE_ACK, "AAAAA", "CRITICAL"), SIREN_GOES_ON);
	assert_true(on_at(&s, 4));
	assert_int_equal(page(&s, 5, PAGE_ACK, "AAAAA", "CRITICAL"), SIREN_GOES_ON);
	assert_int_equal(page(&s, 6, PAGE_RECOVERED, "BBBBB", "OK"), SIREN_ENDS);
	assert_false(on_at(&s, 7));
	siren_fini(&s);
}

static void only_the_states_that_sound_it(void **state)
{
	struct siren s = {0};

	(void)state;
	assert_int_equal(page(&s, 0, PAGE_NEW, "AAAAA", "WARNING"), SIREN_ENDS);
	assert_int_equal(page(&s, 1, PAGE_NOTICE, "AAAAA", "CRITICAL"), SIREN_NOTHING);
	assert_false(on_at(&s, 2));
	assert_int_equal(page(&s, 3, PAGE_NEW, "AAAAA", "CRITICAL"), SIREN_SOUNDS);
	assert_int_equal(page(&s, 4, PAGE_NEW, "AAAAA", "WARNING"), SIREN_ENDS); /* it became milder */
	assert_false(on_at(&s, 5));
	siren_fini(&s);
}

static void not_for_hours_and_again_with_a_repeat(void **state)
{
	struct siren s = {0};
	struct stamp now = at(100);
	int64_t left;

	(void)state;
	page(&s, 0, PAGE_NEW, "AAAAA", "CRITICAL");
	assert_true(siren_on(siren_place(&s, "coil:0", false), &now, &left));
	assert_int_equal(left, 500 * S);
	assert_true(on_at(&s, 599));
	assert_false(on_at(&s, 600));
	assert_int_equal(page(&s, 1800, PAGE_REPEAT, "AAAAA", "CRITICAL"), SIREN_SOUNDS);
	assert_true(on_at(&s, 2399));
	assert_false(on_at(&s, 2400));
	siren_fini(&s);
}

static void a_test_is_short_and_shortens_nothing(void **state)
{
	struct siren s = {0};

	(void)state;
	assert_int_equal(page(&s, 0, PAGE_TEST, "", ""), SIREN_SOUNDS);
	assert_true(on_at(&s, 1));
	assert_false(on_at(&s, 2));
	page(&s, 10, PAGE_NEW, "AAAAA", "CRITICAL");
	page(&s, 11, PAGE_TEST, "", "");
	assert_true(on_at(&s, 400));
	siren_fini(&s);
}

static void a_digest_ends_with_the_next_end(void **state)
{
	struct siren s = {0};

	(void)state;
	assert_int_equal(page(&s, 0, PAGE_DIGEST, "", "CRITICAL"), SIREN_SOUNDS);
	assert_true(on_at(&s, 1));
	assert_int_equal(page(&s, 2, PAGE_RECOVERED, "AAAAA", "OK"), SIREN_ENDS);
	assert_false(on_at(&s, 3));
	siren_fini(&s);
}

static void what_was_taken_back_does_not_sound(void **state)
{
	struct siren s = {0};

	(void)state;
	page(&s, 0, PAGE_NEW, "AAAAA", "CRITICAL");
	page(&s, 1, PAGE_NEW, "BBBBB", "CRITICAL");
	siren_take_back(siren_place(&s, "coil:0", false), "BBBBB");
	assert_true(on_at(&s, 2));
	siren_take_back(siren_place(&s, "coil:0", false), "AAAAA");
	assert_false(on_at(&s, 3));
	siren_fini(&s);
}

static void more_than_it_can_remember(void **state)
{
	struct siren s = {0};
	char id[32];

	(void)state;
	for (int i = 0; i < SIREN_INCIDENTS_MAX + 50; i++) {
		snprintf(id, sizeof(id), "I%d", i);
		assert_int_equal(page(&s, i, PAGE_NEW, id, "CRITICAL"), SIREN_SOUNDS);
	}
	assert_int_equal(siren_place(&s, "coil:0", false)->n, SIREN_INCIDENTS_MAX);
	for (int i = 1; i < SIREN_PLACES_MAX; i++) {
		snprintf(id, sizeof(id), "coil:%d", i);
		assert_non_null(siren_place(&s, id, true));
	}
	assert_null(siren_place(&s, "coil:9999", true));
	assert_null(siren_place(&(struct siren){0},
				"coil:00000000000000000000000000000000000000000000000000000000000000001",
				true));
	siren_fini(&s);
}

static void a_restart_knows_all_of_it(void **state)
{
	struct siren s = {0}, t = {0};
	struct buf text;
	const char *why = "";

	(void)state;
	page(&s, 0, PAGE_NEW, "AAAAA", "CRITICAL");
	page(&s, 1, PAGE_NEW, "BBBBB", "CRITICAL");
	siren_place(&s, "holding:3@7", true);
	buf_init(&text, SIREN_STATE_MAX);
	assert_true(siren_save(&s, &text));
	assert_true(siren_load(&t, buf_str(&text), text.len, &why));
	assert_int_equal(t.n, 2);
	assert_true(on_at(&t, 600));
	assert_false(on_at(&t, 601));
	assert_int_equal(page(&t, 2, PAGE_ACK, "AAAAA", ""), SIREN_GOES_ON);
	assert_int_equal(page(&t, 2, PAGE_ACK, "BBBBB", ""), SIREN_ENDS);
	siren_fini(&s);
	buf_fini(&text);
	/* what is none leaves what was there */
	static const char *const bad[] = {"",
					  "x",
					  "[]",
					  "{}",
					  "{\"v\":2}",
					  "{\"v\":1,\"places\":[{}]}",
					  "{\"v\":1,\"places\":[{\"to\":\"coil:0\"}]}",
					  "{\"v\":1,\"places\":[5]}"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(siren_load(&t, bad[i], strlen(bad[i]), &why));
		assert_true(why[0] != '\0');
	}
	assert_int_equal(t.n, 2);
	siren_fini(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(off_only_when_the_last_incident_ends),
	    cmocka_unit_test(only_the_states_that_sound_it),
	    cmocka_unit_test(not_for_hours_and_again_with_a_repeat),
	    cmocka_unit_test(a_test_is_short_and_shortens_nothing),
	    cmocka_unit_test(a_digest_ends_with_the_next_end),
	    cmocka_unit_test(what_was_taken_back_does_not_sound),
	    cmocka_unit_test(more_than_it_can_remember),
	    cmocka_unit_test(a_restart_knows_all_of_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
