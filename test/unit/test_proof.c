/* When a route counts as proved, and when its next test is due: days in microseconds. */
#include "unit.h"

#include "lib/json.h"
#include "pagerd/rules/answer_text.h"
#include "pagerd/rules/proof.h"
#include "pagerd/store/book.h"
#include "pagerd/store/proofs.h"

#define MIN 60000ll
#define HOUR (60 * MIN)
#define DAY (24 * HOUR)
#define T0 1795651200000ll /* 2026-11-26 00:00 UTC */

static struct stamp at(int64_t wall)
{
	return (struct stamp){.wall_ms = wall, .boot_ms = wall - T0 + DAY, .boot_id = "b"};
}

static void what_proves(void **state)
{
	(void)state;
	struct proof r = {.first = at(T0)};
	struct stamp t = at(T0 + HOUR), u = at(T0 + 2 * HOUR), v = at(T0 + 3 * HOUR), w = at(T0 + 9 * HOUR);
	assert_int_equal(proof_unproven_ms(&r, &t), HOUR);
	proof_sent(&r, PAGE_NEW, false, &t); /* a siren: used, not proved */
	assert_int_equal(r.proved.wall_ms, 0);
	assert_int_equal(r.used.wall_ms, t.wall_ms);
	proof_sent(&r, PAGE_NEW, true, &t);
	assert_int_equal(r.proved.wall_ms, t.wall_ms);
	assert_int_equal(r.how, PROOF_PAGE);
	proof_sent(&r, PAGE_TEST, true, &u);
	assert_int_equal(r.how, PROOF_TEST);
	proof_reported(&r, PAGE_TEST, false, &u, &v); /* it did not arrive: the one before counts again */
	assert_int_equal(r.proved.wall_ms, t.wall_ms);
	proof_reported(&r, PAGE_TEST, false, &u, &v);
	assert_int_equal(r.proved.wall_ms, t.wall_ms);
	proof_reported(&r, PAGE_NEW, true, &t, &v);
	assert_int_equal(r.proved.wall_ms, v.wall_ms);
	proof_sent(&r, PAGE_NEW, true, &w); /* this route reports: sent alone does not do any more */
	assert_int_equal(r.proved.wall_ms, v.wall_ms);
	assert_int_equal(r.used.wall_ms, w.wall_ms);
	assert_int_equal(proof_unproven_ms(&r, &w), 6 * HOUR);
	proof_looped(&r, &w);
	assert_int_equal(r.how, PROOF_LOOPBACK);
	assert_int_equal(proof_unproven_ms(&r, &w), 0);
}

static void what_is_not_proved_by_a_first_failure(void **state)
{
	(void)state;
	struct proof r = {.first = at(T0)};
	struct stamp t = at(T0 + HOUR), u = at(T0 + 2 * HOUR);
	proof_sent(&r, PAGE_NEW, true, &t);
	proof_reported(&r, PAGE_NEW, false, &t, &u);
	assert_int_equal(r.proved.wall_ms, 0);
	assert_int_equal(r.how, PROOF_NONE);
}

static void slots(void **state)
{
	(void)state;
	assert_true(proof_slot(T0 + 10 * HOUR, DAY, 600, 0) == T0 + 10 * HOUR);
	assert_true(proof_slot(T0 + 10 * HOUR - 1, DAY, 600, 0) == T0 - 14 * HOUR);
	assert_true(proof_slot(T0 + 23 * HOUR, DAY, 600, 0) == T0 + 10 * HOUR);
	/* Tokyo is nine hours ahead: ten there is one in UTC */
	assert_true(proof_slot(T0 + 2 * HOUR, DAY, 600, 9 * HOUR) == T0 + 1 * HOUR);
	assert_true(proof_slot(T0 + 17 * HOUR, 6 * HOUR, 600, 0) == T0 + 16 * HOUR);
	assert_true(proof_slot(-3 * HOUR, DAY, 0, 0) == -DAY);
}

/* Runs a schedule for days, looking once a minute; counts, and asserts that none is at night. */
static int run(int64_t every, int clock, int days, int64_t offset, int64_t *first)
{
	int n = 0;
	int64_t done = 0;
	for (int64_t t = T0 + 5 * MIN; t < T0 + days * DAY; t += MIN) {
		if (!proof_due(t, done, T0, every, clock, offset))
			continue;
		int64_t minute = (t + offset) / MIN % 1440;
		if (clock >= PROOF_DAY_BEGIN && clock < PROOF_DAY_END)
			assert_true(minute >= PROOF_DAY_BEGIN && minute < PROOF_DAY_END);
		if (!n)
			*first = t;
		done = t;
		n++;
	}
	return n;
}

static void a_month_of_tests(void **state)
{
	(void)state;
	int64_t first;
	assert_int_equal(run(DAY, 600, 30, 0, &first), 30);
	assert_true(first == T0 + 10 * HOUR);
	assert_int_equal(run(DAY, 600, 30, 9 * HOUR, &first), 30);
	assert_true(first == T0 + 1 * HOUR);
	/* 10, 16 o'clock; 22 and 4 are night. What fell due at night is caught up at eight */
	assert_int_equal(run(6 * HOUR, 600, 10, 0, &first), 30);
	assert_int_equal(run(7 * DAY, 600, 35, 0, &first), 5);
	assert_int_equal(run(DAY, 3 * 60, 10, 0, &first), 10); /* who asks for the night gets it */
	assert_int_equal(run(0, 600, 10, 0, &first), 0);
}

static void missed_tests(void **state)
{
	(void)state;
	int64_t yesterday = T0 - 14 * HOUR;
	assert_false(proof_due(T0 + 9 * HOUR, yesterday, 0, DAY, 600, 0));
	assert_true(proof_due(T0 + 15 * HOUR, yesterday, 0, DAY, 600, 0));	 /* we were down at ten */
	assert_false(proof_due(T0 + 22 * HOUR, yesterday, 0, DAY, 600, 0));	 /* too late for today */
	assert_false(proof_due(T0 + 15 * HOUR, 0, T0 + 14 * HOUR, DAY, 600, 0)); /* new since: tomorrow */
	assert_true(proof_due(T0 + 15 * HOUR, T0 + 9 * DAY, 0, DAY, 600, 0));	 /* the clock was set back */
	assert_true(proof_due(T0 + 15 * HOUR, yesterday, T0 + 9 * DAY, DAY, 600, 0));
	assert_false(proof_due(T0 + 15 * HOUR, T0 + 15 * HOUR, T0 + 9 * DAY, DAY, 600, 0));
}

static void to_disk_and_back(void **state)
{
	(void)state;
	struct proofs p = {0}, q = {0};
	struct stamp a = at(T0), b = at(T0 + HOUR);
	struct proof *r = proofs_make(&p, "modem1", "+8190", &a);
	proof_sent(r, PAGE_TEST, true, &b);
	r->tested = b;
	assert_ptr_equal(proofs_make(&p, "modem1", "+8190", &b), r);
	proofs_make(&p, "", "oncall", &a)->seen = true;
	cJSON *v = proofs_json(&p);
	assert_true(proofs_read(&q, v));
	cJSON_Delete(v);
	assert_int_equal(q.n, 2);
	r = proofs_find(&q, "modem1", "+8190");
	assert_true(r->proved.wall_ms == b.wall_ms && r->tested.wall_ms == b.wall_ms &&
		    r->first.wall_ms == a.wall_ms);
	assert_int_equal(r->how, PROOF_TEST);
	proofs_sweep(&p); /* what is configured no more is forgotten */
	assert_int_equal(p.n, 1);
	assert_string_equal(p.v[0].to, "oncall");
	proofs_fini(&p);
	proofs_fini(&q);
}

/* --- the book
 * ------------------------------------------------------------------------------------------------ */

static void the_book_keeps_what_is_to_be_done(void **state)
{
	(void)state;
	struct book b = {0}, c = {0};
	char key[16];
	for (int i = 0; i < BOOK_MAX + 50; i++) {
		snprintf(key, sizeof key, "m%d", i);
		struct book_entry *e = book_add(&b, key);
		assert_non_null(e);
		snprintf(e->from, sizeof e->from, "%s", i % 2 ? "+8190" : "+8191");
		e->phase = i == 0 ? BOOK_ANSWER : BOOK_DONE;
		e->what = i % 4 ? ANS_ACK : ANS_WRONG;
		e->answered = i >= BOOK_MAX;
		e->at_wall_ms = T0 + i;
	}
	assert_int_equal(b.n, BOOK_MAX);
	assert_non_null(book_find(&b, "m0")); /* not done: it stays, however old */
	assert_null(book_find(&b, "m1"));
	assert_int_equal(book_answers(&b, "+8190", T0), 25);
	assert_int_equal(book_answers(&b, "+8190", T0 + BOOK_MAX + 48), 1);
	assert_int_equal(book_count(&b, "+8190", ANS_WRONG, T0), 0);
	snprintf(b.v[0].text, sizeof b.v[0].text, "mx1 #K7Q2M: you have it");
	cJSON *v = book_make(&b);
	assert_int_equal(book_read(&c, v), 0);
	cJSON_Delete(v);
	assert_int_equal(c.n, b.n);
	assert_string_equal(book_find(&c, "m0")->text, b.v[0].text);
	assert_int_equal(book_find(&c, "m0")->phase, BOOK_ANSWER);
	assert_true(book_tag(book_find(&c, "m0")) == book_tag(book_find(&b, "m0")));
	for (size_t i = 0; i < c.n; i++)
		c.v[i].phase = BOOK_ASKED;
	assert_null(book_add(&c, "one more"));
	book_fini(&b);
	book_fini(&c);
}

/* --- words
 * --------------------------------------------------------------------------------------------------- */

static void one_message_each(void **state)
{
	(void)state;
	char out[ANSWER_OUT_MAX], name[EVENT_NAME_MAX], wide[EVENT_NAME_MAX];
	memset(name, 'x', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	for (size_t n = 0; n + 3 < sizeof wide; n += 3)
		memcpy(wide + n, "あ", 4);
	for (int ja = 0; ja < 2; ja++)
		for (int k = 0; k < 2; k++)
			for (int what = ANS_IGNORE; what <= ANS_HELP; what++) {
				const char *s = k ? wide : name;
				struct answer_words w = {.ja = ja,
							 .id = "K7Q2M",
							 .check = s,
							 .by = s,
							 .at = "11-21 19:44",
							 .until = "11-21 21:44",
							 .code = "482135",
							 .why = ja ? s : NULL,
							 .others = 12,
							 .may = 7};
				answer_text((enum answer_do)what, &w, out);
				assert_true(answer_fits(out));
				assert_true((what == ANS_IGNORE || what == ANS_STATUS) == !out[0]);
			}
	assert_true(answer_fits("{}{}"));
	memset(out, '{', 81), out[81] = '\0'; /* two septets each */
	assert_false(answer_fits(out));
}

static void summaries(void **state)
{
	(void)state;
	char out[ANSWER_OUT_MAX];
	struct answer_item v[] = {
	    {NAG_WARNING, "disk /var", "AAAAA", 5 * MIN, true, "", 0},
	    {NAG_CRITICAL, "mx2", "BBBBB", 2 * HOUR, false, "4821", 0},
	    {NAG_CRITICAL, "mx1", "CCCCC", 3 * DAY, false, "", 0},
	    {NAG_UNKNOWN, "log", "DDDDD", MIN, false, "", 0},
	};
	struct answer_counts c = {
	    .known = true, .n = {[NAG_OK] = 38, [NAG_WARNING] = 1, [NAG_CRITICAL] = 2, [NAG_UNKNOWN] = 1}};
	qsort(v, 4, sizeof *v, answer_item_order);
	answer_status(&c, v, 4, false, out);
	assert_string_equal(out, "2 CRIT 1 WARN 1 UNKN 38 OK: CRIT mx1 3d #CCCCC; CRIT mx2 2h #BBBBB 4821; WARN "
				 "disk /var 5m ack #AAAAA; "
				 "UNKN log 1m #DDDDD");
	answer_status(&c, v, 4, true, out);
	assert_string_equal(out, "重大2 警告1 不明1 正常38: 重大 mx1 3d #CCCCC; 重大 mx2 2h #BBBBB 4821 +2");
	c = (struct answer_counts){.known = true, .n = {[NAG_OK] = 42}};
	answer_status(&c, NULL, 0, false, out);
	assert_string_equal(out, "42 OK");
	c.known = false;
	answer_status(&c, v, 1, false, out);
	assert_string_equal(out, "monitord is silent: CRIT mx1 3d #CCCCC");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_proves),
	    cmocka_unit_test(what_is_not_proved_by_a_first_failure),
	    cmocka_unit_test(slots),
	    cmocka_unit_test(a_month_of_tests),
	    cmocka_unit_test(missed_tests),
	    cmocka_unit_test(to_disk_and_back),
	    cmocka_unit_test(the_book_keeps_what_is_to_be_done),
	    cmocka_unit_test(one_message_each),
	    cmocka_unit_test(summaries),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
