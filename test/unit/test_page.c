/* The page machine: order of routes, back-off, outcomes now and late, doubt. pagerd/rules/route.c */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "pagerd/rules/route.h"

enum { UNSURE = 120000 };

static struct stamp at(int64_t ms)
{
	return (struct stamp){.wall_ms = 1700000000000 + ms, .boot_ms = ms, .boot_id = "boot"};
}

static struct call *fresh(void)
{
	struct call *c = calloc(1, sizeof *c);
	assert_non_null(c);
	c->n = 1;
	c->text = strdup("x");
	return c;
}

static unsigned begin(struct call *c, const struct route_view *v, int64_t ms)
{
	struct stamp now = at(ms);
	struct attempt *a = call_begin(c, v->line, v->to, &now);
	assert_non_null(a);
	assert_int_equal(c->phase, CALL_TRYING);
	return a->n;
}

static bool outcome(struct call *c, unsigned n, enum outcome o, int64_t ms)
{
	struct stamp now = at(ms);
	return call_outcome(c, n, o, "because", &now, UNSURE);
}

static const struct route_view two[] = {{.line = "modem1", .to = "+1", .up = true},
					{.line = "mail", .to = "a@b", .up = true}};

/* --- choosing: one table of views ------------------------------------------------------------------ */

static void choosing(void **state)
{
	(void)state;
	static const struct {
		const char *what;
		struct route_view v[3];
		int take;
		int64_t again; /* when take is -1 */
	} cases[] = {
	    {"the first good one", {{.up = true}, {.up = true}, {.up = true}}, 0, 0},
	    {"a down line is passed over", {{.up = false}, {.up = true}, {.up = true}}, 1, 0},
	    {"a line that just starts is waited for",
	     {{.starting = true}, {.up = true}, {.up = true}},
	     -1,
	     20},
	    {"a busy line is waited for",
	     {{.up = true, .busy = true}, {.up = true}, {.up = true}},
	     -1,
	     ROUTE_QUEUE_MS},
	    {"a doubtful one goes to the end",
	     {{.up = true, .doubtful = true}, {.up = true}, {.up = true}},
	     1,
	     0},
	    {"all doubtful: still the first, never none",
	     {{.up = true, .doubtful = true}, {.up = true, .doubtful = true}, {.up = true, .doubtful = true}},
	     0,
	     0},
	    {"doubtful but the only one up",
	     {{.up = true, .doubtful = true}, {.up = false}, {.up = false}},
	     0,
	     0},
	    {"of a pool an idle one is taken before any is waited for",
	     {{.up = true, .busy = true, .pool = 1}, {.up = true, .pool = 1}, {.up = true}},
	     1,
	     0},
	    {"a pool that is busy is waited for, not the next route",
	     {{.up = true, .busy = true, .pool = 1}, {.up = true, .busy = true, .pool = 1}, {.up = true}},
	     -1,
	     ROUTE_QUEUE_MS},
	    {"of a pool the well one, though it stands last",
	     {{.up = true, .doubtful = true, .pool = 1}, {.up = false, .pool = 1}, {.up = true, .pool = 1}},
	     2,
	     0},
	    {"a starting one is not waited for while another is idle",
	     {{.starting = true, .pool = 1}, {.up = true, .pool = 1}, {.up = true}},
	     1,
	     0},
	    {"a pool of which none is up is passed over",
	     {{.up = false, .pool = 1}, {.up = false, .pool = 1}, {.up = true}},
	     2,
	     0},
	    {"two pools beside one another are two",
	     {{.up = true, .busy = true, .pool = 1}, {.up = true, .pool = 2}, {.up = true, .pool = 2}},
	     -1,
	     ROUTE_QUEUE_MS},
	    {"all down: ask again in a second", {{.up = false}, {.up = false}, {.up = false}}, -1, 1000},
	};
	static const char *const lines[] = {"a", "b", "c"};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct call *c = fresh();
		struct route_view v[3];
		int64_t again = 0;
		memcpy(v, cases[i].v, sizeof v);
		for (int k = 0; k < 3; k++) {
			v[k].line = lines[k];
			v[k].to = "x";
		}
		int got = call_choose(c, v, 3, 1000, &again);
		if (got != cases[i].take || (got < 0 && again != cases[i].again))
			fail_msg("%s: took %d, again in %lld", cases[i].what, got, (long long)again);
		call_free(c);
	}
}

static void a_busy_line_is_waited_for_only_so_long(void **state)
{
	(void)state;
	struct call *c = fresh();
	struct route_view v[2] = {two[0], two[1]};
	int64_t again;
	v[0].busy = true;
	assert_int_equal(call_choose(c, v, 2, 1000, &again), -1);
	assert_int_equal(call_choose(c, v, 2, 1000 + ROUTE_QUEUE_MS - 1, &again), -1);
	assert_int_equal(again, 1);
	assert_int_equal(call_choose(c, v, 2, 1000 + ROUTE_QUEUE_MS, &again), 1);
	call_free(c);
}

static void no_route_at_all_is_no_crash(void **state)
{
	(void)state;
	struct call *c = fresh();
	int64_t again;
	assert_int_equal(call_choose(c, NULL, 0, 1, &again), -1);
	assert_true(again > 0);
	call_free(c);
}

/* --- phase x outcome ------------------------------------------------------------------------------- */

static void phase_by_outcome(void **state)
{
	(void)state;
	/* what an outcome of the attempt that is awaited makes of a page */
	static const struct {
		enum call_phase from;
		enum outcome o;
		enum call_phase to;
		bool doubt;
	} cells[] = {
	    {CALL_TRYING, OUTCOME_SENT, CALL_SENT, false},
	    {CALL_TRYING, OUTCOME_RETRY, CALL_WAITING, false},
	    {CALL_TRYING, OUTCOME_REFUSED, CALL_WAITING, false},
	    {CALL_TRYING, OUTCOME_UNKNOWN, CALL_UNSURE, true},
	    {CALL_TRYING, OUTCOME_DOUBTFUL, CALL_WAITING, true},
	    {CALL_UNSURE, OUTCOME_SENT, CALL_SENT, true},
	    {CALL_UNSURE, OUTCOME_RETRY, CALL_WAITING, false},
	    {CALL_UNSURE, OUTCOME_REFUSED, CALL_WAITING, false},
	    {CALL_UNSURE, OUTCOME_UNKNOWN, CALL_UNSURE, true},
	    {CALL_UNSURE, OUTCOME_DOUBTFUL, CALL_WAITING, true},
	    {CALL_MERGED, OUTCOME_SENT, CALL_SENT, false},
	    {CALL_MERGED, OUTCOME_RETRY, CALL_MERGED, false},
	    {CALL_MERGED, OUTCOME_REFUSED, CALL_MERGED, false},
	    {CALL_MERGED, OUTCOME_UNKNOWN, CALL_MERGED, true},
	    {CALL_MERGED, OUTCOME_DOUBTFUL, CALL_MERGED, true},
	    {CALL_ACKED, OUTCOME_SENT, CALL_SENT, false},
	    {CALL_ACKED, OUTCOME_RETRY, CALL_ACKED, false},
	    {CALL_ACKED, OUTCOME_REFUSED, CALL_ACKED, false},
	    {CALL_ACKED, OUTCOME_UNKNOWN, CALL_ACKED, true},
	    {CALL_ACKED, OUTCOME_DOUBTFUL, CALL_ACKED, true},
	};
	for (size_t i = 0; i < sizeof cells / sizeof *cells; i++) {
		struct call *c = fresh();
		struct stamp now = at(50);
		unsigned n = begin(c, &two[0], 10);
		if (cells[i].from == CALL_UNSURE)
			outcome(c, n, OUTCOME_UNKNOWN, 20);
		else if (cells[i].from != CALL_TRYING)
			call_end(c, cells[i].from, &now);
		outcome(c, n, cells[i].o, 60);
		if (c->phase != cells[i].to || c->doubt != cells[i].doubt)
			fail_msg("%s + %s: %s%s", call_phase_name(cells[i].from), outcome_name(cells[i].o),
				 call_phase_name(c->phase), c->doubt ? " in doubt" : "");
		call_free(c);
	}
}

static void what_is_sent_stays_sent(void **state)
{
	(void)state;
	struct call *c = fresh();
	struct stamp now = at(99);
	unsigned n = begin(c, &two[0], 10);
	assert_true(outcome(c, n, OUTCOME_SENT, 20));
	for (int o = OUTCOME_SENT; o <= OUTCOME_DOUBTFUL; o++)
		assert_false(outcome(c, n, (enum outcome)o, 30));
	call_end(c, CALL_MERGED, &now);
	assert_int_equal(c->phase, CALL_SENT);
	assert_int_equal(c->done.boot_ms, 20);
	assert_false(call_expire(c, 1 << 30));
	call_free(c);
}

static void an_outcome_nobody_asked_for(void **state)
{
	(void)state;
	struct call *c = fresh();
	assert_false(outcome(c, 1, OUTCOME_SENT, 1));
	begin(c, &two[0], 10);
	assert_false(outcome(c, 7, OUTCOME_SENT, 20));
	assert_int_equal(c->phase, CALL_TRYING);
	call_free(c);
}

/* --- failing over, cycling, backing off ------------------------------------------------------------ */

static void failing_goes_to_the_next_and_cycles_for_ever(void **state)
{
	(void)state;
	struct call *c = fresh();
	int64_t now = 1000, again, last[2] = {0, 0}, pause[2] = {0, 0};
	int turn = 0;
	for (int tries = 0; tries < 40; tries++) {
		int r;
		while ((r = call_choose(c, two, 2, now, &again)) < 0) {
			assert_true(again > 0 && again <= ROUTE_BACKOFF_MAX_MS);
			now += again;
		}
		if (tries < 4)
			assert_int_equal(r, turn++ % 2);
		if (last[r]) {
			/* each route's pause grows and never passes five minutes by more than the other's
			 * turn */
			assert_true(now - last[r] >= pause[r] || pause[r] == ROUTE_BACKOFF_MAX_MS);
			assert_true(now - last[r] <= ROUTE_BACKOFF_MAX_MS);
			pause[r] = now - last[r];
		}
		last[r] = now;
		outcome(c, begin(c, &two[r], now), OUTCOME_RETRY, now);
		assert_int_equal(c->phase, CALL_WAITING);
	}
	assert_int_equal(pause[0], ROUTE_BACKOFF_MAX_MS);
	assert_int_equal(c->tried, 40);
	assert_true(c->nattempts <= PAGE_ATTEMPTS_KEPT);
	assert_int_equal(c->attempts[c->nattempts - 1].n, 40);
	assert_false(c->doubt);
	call_free(c);
}

static void a_refusal_moves_the_route_to_the_end(void **state)
{
	(void)state;
	struct call *c = fresh();
	int64_t again;
	outcome(c, begin(c, &two[0], 1000), OUTCOME_REFUSED, 1000);
	assert_int_equal(call_choose(c, two, 2, 1000, &again), 1);
	outcome(c, begin(c, &two[1], 1000), OUTCOME_RETRY, 1000);
	/* both pauses over: the one that refused is asked last, but it is asked */
	assert_int_equal(call_choose(c, two, 2, 1000000, &again), 1);
	outcome(c, begin(c, &two[1], 1000000), OUTCOME_RETRY, 1000000);
	assert_int_equal(call_choose(c, two, 2, 1000000, &again), 0);
	call_free(c);
}

static void refused_by_all_is_not_given_up(void **state)
{
	(void)state;
	struct call *c = fresh();
	int64_t again, now = 1000;
	for (int k = 0; k < 2; k++)
		outcome(c, begin(c, &two[k], now), OUTCOME_REFUSED, now);
	assert_int_equal(call_choose(c, two, 2, now, &again), -1);
	assert_true(again <= ROUTE_REFUSED_MS);
	assert_int_equal(call_choose(c, two, 2, now + again, &again), 0);
	call_free(c);
}

static void a_line_that_is_good_again_is_not_made_to_wait(void **state)
{
	(void)state;
	struct call *c = fresh();
	int64_t again;
	for (int k = 0; k < 8; k++)
		outcome(c, begin(c, &two[0], 1000), OUTCOME_RETRY, 1000);
	assert_int_equal(call_choose(c, two, 1, 2000, &again), -1);
	call_line_back(c, "other");
	assert_int_equal(call_choose(c, two, 1, 2000, &again), -1);
	call_line_back(c, "modem1");
	assert_int_equal(call_choose(c, two, 1, 2000, &again), 0);
	call_free(c);
}

/* --- doubt ----------------------------------------------------------------------------------------- */

static void unknown_waits_then_goes_on_as_a_repeat(void **state)
{
	(void)state;
	struct call *c = fresh();
	int64_t again;
	outcome(c, begin(c, &two[0], 1000), OUTCOME_UNKNOWN, 2000);
	assert_false(call_expire(c, 2000 + UNSURE - 1));
	assert_true(call_expire(c, 2000 + UNSURE));
	assert_int_equal(c->phase, CALL_WAITING);
	assert_int_equal(call_choose(c, two, 2, 2000 + UNSURE, &again), 1);
	begin(c, &two[1], 2000 + UNSURE);
	assert_true(c->attempts[1].resend);
	assert_false(c->attempts[0].resend);
	call_free(c);
}

static void a_late_sent_ends_it_even_while_another_is_tried(void **state)
{
	(void)state;
	struct call *c = fresh();
	unsigned first = begin(c, &two[0], 1000);
	outcome(c, first, OUTCOME_UNKNOWN, 2000);
	call_expire(c, 2000 + UNSURE);
	unsigned second = begin(c, &two[1], 2000 + UNSURE);
	assert_true(outcome(c, first, OUTCOME_SENT, 2001 + UNSURE));
	assert_int_equal(c->phase, CALL_SENT);
	outcome(c, second, OUTCOME_RETRY, 2002 + UNSURE);
	assert_int_equal(c->phase, CALL_SENT);
	call_free(c);
}

static void a_late_no_while_another_is_tried_changes_only_the_record(void **state)
{
	(void)state;
	struct call *c = fresh();
	unsigned first = begin(c, &two[0], 1000);
	outcome(c, first, OUTCOME_UNKNOWN, 2000);
	call_expire(c, 2000 + UNSURE);
	begin(c, &two[1], 2000 + UNSURE);
	outcome(c, first, OUTCOME_RETRY, 2001 + UNSURE);
	assert_int_equal(c->phase, CALL_TRYING);
	assert_int_equal(c->attempts[0].outcome, OUTCOME_RETRY);
	assert_false(c->doubt);
	call_free(c);
}

static void a_dead_line_answers_no_more(void **state)
{
	(void)state;
	struct call *c = fresh();
	int64_t again;
	outcome(c, begin(c, &two[0], 1000), OUTCOME_UNKNOWN, 2000);
	assert_false(call_no_answer(c, "mail", 2000));
	assert_true(call_no_answer(c, "modem1", 2000));
	assert_int_equal(call_choose(c, two, 2, 2000, &again), 1);
	call_free(c);
}

static void after_a_crash_an_open_attempt_is_in_doubt(void **state)
{
	(void)state;
	struct call *c = fresh();
	begin(c, &two[0], 1000);
	call_restored(c);
	assert_int_equal(c->phase, CALL_WAITING);
	assert_true(c->doubt);
	begin(c, &two[0], 3000);
	assert_true(c->attempts[1].resend);
	call_free(c);

	c = fresh(); /* nothing had left: no doubt, no mark */
	call_restored(c);
	assert_false(c->doubt);
	begin(c, &two[0], 1000);
	assert_false(c->attempts[0].resend);
	call_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(choosing),
	    cmocka_unit_test(a_busy_line_is_waited_for_only_so_long),
	    cmocka_unit_test(no_route_at_all_is_no_crash),
	    cmocka_unit_test(phase_by_outcome),
	    cmocka_unit_test(what_is_sent_stays_sent),
	    cmocka_unit_test(an_outcome_nobody_asked_for),
	    cmocka_unit_test(failing_goes_to_the_next_and_cycles_for_ever),
	    cmocka_unit_test(a_refusal_moves_the_route_to_the_end),
	    cmocka_unit_test(refused_by_all_is_not_given_up),
	    cmocka_unit_test(a_line_that_is_good_again_is_not_made_to_wait),
	    cmocka_unit_test(unknown_waits_then_goes_on_as_a_repeat),
	    cmocka_unit_test(a_late_sent_ends_it_even_while_another_is_tried),
	    cmocka_unit_test(a_late_no_while_another_is_tried_changes_only_the_record),
	    cmocka_unit_test(a_dead_line_answers_no_more),
	    cmocka_unit_test(after_a_crash_an_open_attempt_is_in_doubt),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
