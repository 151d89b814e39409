/* Sampling, top counts, growth and the wording of the queue probe: the parts that do no I/O. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probes/queue/growth.h"
#include "probes/queue/reservoir.h"
#include "probes/queue/top.h"

/* --- reservoir --- */

static void fill(struct reservoir *r, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		uint32_t *slot = reservoir_offer(r);

		if (slot)
			*slot = i;
	}
}

static void test_small(void **state)
{
	static const uint32_t sizes[] = {0, 1, 9, 10};

	(void)state;
	for (size_t k = 0; k < 4; k++) {
		struct reservoir r;
		uint64_t sum = 0;

		assert_true(reservoir_init(&r, 10, sizeof(uint32_t), 7));
		fill(&r, sizes[k]);
		assert_int_equal(r.seen, sizes[k]);
		assert_int_equal(r.n, sizes[k]);
		reservoir_shuffle(&r);
		for (size_t i = 0; i < r.n; i++)
			sum += *(uint32_t *)reservoir_item(&r, i);
		assert_int_equal(sum, sizes[k] ? (uint64_t)sizes[k] * (sizes[k] - 1) / 2 : 0);
		reservoir_fini(&r);
	}
}

static void test_none(void **state)
{
	struct reservoir r;

	(void)state;
	assert_true(reservoir_init(&r, 0, sizeof(uint32_t), 7));
	for (int i = 0; i < 1000; i++)
		assert_null(reservoir_offer(&r));
	assert_int_equal(r.seen, 1000);
	reservoir_fini(&r);
}

/* Every tenth of the stream must be in the sample as often as every other, and every tenth of the shuffled
 * sample, too: chi squared with 9 degrees of freedom is above 27.9 once in 1,000 times; the seeds are fixed.
 */
static void test_uniform(void **state)
{
	enum { STREAM = 5000, KEEP = 100, ROUNDS = 400 };
	double kept[10] = {0}, first[10] = {0}, chi = 0, chi_first = 0;

	(void)state;
	for (uint64_t seed = 0; seed < ROUNDS; seed++) {
		struct reservoir r;

		assert_true(reservoir_init(&r, KEEP, sizeof(uint32_t), seed));
		fill(&r, STREAM);
		assert_int_equal(r.n, KEEP);
		reservoir_shuffle(&r);
		for (size_t i = 0; i < r.n; i++) {
			uint32_t v = *(uint32_t *)reservoir_item(&r, i);

			kept[v / (STREAM / 10)]++;
			if (i < KEEP / 10)
				first[v / (STREAM / 10)]++;
		}
		reservoir_fini(&r);
	}
	for (int i = 0; i < 10; i++) {
		double want = ROUNDS * KEEP / 10.0;

		chi += (kept[i] - want) * (kept[i] - want) / want;
		chi_first += (first[i] - want / 10) * (first[i] - want / 10) / (want / 10);
	}
	assert_true(chi < 27.9);
	assert_true(chi_first < 27.9);
}

static void test_margin(void **state)
{
	(void)state;
	assert_true(sample_margin(0, 0, 100) == 100);
	assert_true(sample_margin(50, 100, 100) == 0);
	assert_true(fabs(sample_margin(534, 1068, 1000000) - 3.0) < 0.01); /* 1,068 files give 3 points */
	assert_true(sample_margin(0, 100, 100000) > 1); /* none seen does not mean none there */
	assert_true(sample_margin(500, 1000, 1100) < sample_margin(500, 1000, 100000));
}

/* The margin must hold about 95 times in 100. */
static void test_margin_holds(void **state)
{
	static const int shares[] = {1, 20, 83};
	enum { STREAM = 20000, KEEP = 1068, ROUNDS = 200 };

	(void)state;
	for (size_t k = 0; k < 3; k++) {
		int held = 0;

		for (uint64_t seed = 0; seed < ROUNDS; seed++) {
			struct reservoir r;
			uint64_t hits = 0;

			assert_true(reservoir_init(&r, KEEP, sizeof(uint32_t), seed));
			fill(&r, STREAM);
			for (size_t i = 0; i < r.n; i++)
				hits += *(uint32_t *)reservoir_item(&r, i) % 100 < (uint32_t)shares[k];
			held += fabs(100.0 * (double)hits / KEEP - shares[k]) <=
				sample_margin(hits, KEEP, STREAM);
			reservoir_fini(&r);
		}
		assert_in_range(held, ROUNDS * 90 / 100, ROUNDS);
	}
}

/* --- top --- */

static void test_top_exact(void **state)
{
	static const char *const names[] = {"b", "a", "c", "a", "b", "a"};
	struct top *t = top_new(8);
	struct top_item it[8];

	(void)state;
	for (size_t i = 0; i < 6; i++)
		top_add(t, names[i]);
	assert_int_equal(top_total(t), 6);
	assert_int_equal(top_names(t), 3);
	assert_int_equal(top_short(t), 0);
	assert_int_equal(top_best(t, it, 8), 3);
	assert_string_equal(it[0].name, "a");
	assert_int_equal(it[0].count, 3);
	assert_string_equal(it[1].name, "b");
	assert_string_equal(it[2].name, "c");
	assert_int_equal(top_best(t, it, 1), 1);
	assert_string_equal(it[0].name, "a");
	assert_int_equal(top_best(t, it, 0), 0);
	top_free(t);
}

/* Many more names than room: who has much stays in, and no count is wrong by more than is said. */
static void test_top_full(void **state)
{
	enum { ROOM = 64, N = 100000 };
	struct top *t = top_new(ROOM);
	struct top_item it[2];
	uint64_t heavy[2] = {0};

	(void)state;
	for (uint32_t i = 0; i < N; i++) {
		char name[32];
		uint32_t pick = (i * 2654435761u >> 8) % 100;

		if (pick < 20)
			heavy[0]++, top_add(t, "heavy");
		else if (pick < 30)
			heavy[1]++, top_add(t, "second");
		else
			snprintf(name, sizeof(name), "n%u", i * 7919 % 50000), top_add(t, name);
	}
	assert_int_equal(top_total(t), N);
	assert_in_range(top_names(t), 2, ROOM);
	assert_in_range(top_short(t), 1, N / ROOM);
	assert_int_equal(top_best(t, it, 2), 2);
	assert_string_equal(it[0].name, "heavy");
	assert_string_equal(it[1].name, "second");
	for (int i = 0; i < 2; i++)
		assert_in_range(it[i].count, heavy[i] - top_short(t), heavy[i]);
	top_free(t);
}

/* --- growth --- */

static struct queue_growth_point point(int64_t at_ms, uint64_t v, const char *boot)
{
	struct queue_growth_point p = {.at = {.wall_ms = 1000000000 + at_ms, .boot_ms = 5000000 + at_ms},
				       .v = {v}};

	snprintf(p.at.boot_id, sizeof(p.at.boot_id), "%s", boot);
	return p;
}

static void test_growth_base(void **state)
{
	static const struct {
		int64_t now_ms;
		int64_t base_ms; /* -1: none */
	} cases[] = {
	    {60000 + 1000, 0}, /* the last one is too near, the one before is within the window */
	    {120000, 0},       /* the oldest within the window */
	    {130000, 60000},   /* the first has left the window */
	    {300000, 60000},   /* all have left it: the youngest */
	    {60000 + 3600000, 60000},
	    {60000 + 3600001, -1},
	    {2000, -1},
	    {-50000, -1},
	};
	struct queue_growth g = {0};

	(void)state;
	g.p[g.n++] = point(0, 10, "b");
	g.p[g.n++] = point(60000, 20, "b");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct queue_growth_point now = point(cases[i].now_ms, 0, "b");
		const struct queue_growth_point *base = queue_growth_base(&g, &now.at, 120000);

		if (cases[i].base_ms < 0)
			assert_null(base);
		else
			assert_int_equal(base->at.boot_ms - 5000000, cases[i].base_ms);
	}
}

static void test_growth_boots(void **state)
{
	struct queue_growth g = {0};
	struct queue_growth_point now = point(60000, 0, "other");

	(void)state;
	/* after another boot the wall clock counts: boot_ms began again */
	g.p[g.n++] = point(0, 10, "b");
	now.at.boot_ms = 7;
	assert_ptr_equal(queue_growth_base(&g, &now.at, 120000), &g.p[0]);
	assert_true(queue_growth_per_minute(100, 1300, 60000) == 1200);
	assert_true(queue_growth_per_minute(1300, 100, 120000) == -600);
}

static void test_growth_state(void **state)
{
	struct queue_growth g = {.of = 0xfeedfacecafebeef}, back;
	struct buf b;

	(void)state;
	for (int i = 0; i < 100; i++) {
		struct queue_growth_point p =
		    point(i * 10000, (uint64_t)i, "9f5a0d1c-6a10-4b1c-8a3a-0123456789ab");

		queue_growth_add(&g, &p, 120000);
	}
	assert_int_equal(g.n, QUEUE_GROWTH_POINTS);
	assert_int_equal(g.p[QUEUE_GROWTH_POINTS - 1].v[0], 99);
	buf_init(&b, 65536);
	assert_true(queue_growth_save(&g, &b));
	queue_growth_load(&back, b.data, b.len, g.of);
	assert_int_equal(back.n, g.n);
	assert_memory_equal(&back.p[5], &g.p[5], sizeof(g.p[5]));
	queue_growth_load(&back, b.data, b.len, 1); /* other directories */
	assert_int_equal(back.n, 0);
	queue_growth_load(&back, b.data, b.len / 2, g.of); /* half a state */
	assert_int_equal(back.n, 0);
	queue_growth_load(&back, "", 0, g.of);
	assert_int_equal(back.n, 0);
	buf_fini(&b);
}

static void test_growth_near(void **state)
{
	struct queue_growth g = {0};

	(void)state;
	/* runs one second apart must not push out what the window needs */
	for (int i = 0; i < 300; i++) {
		struct queue_growth_point p = point(i * 1000, (uint64_t)i, "b");

		queue_growth_add(&g, &p, 120000);
	}
	struct queue_growth_point now = point(300000, 300, "b");
	const struct queue_growth_point *base = queue_growth_base(&g, &now.at, 120000);

	assert_non_null(base);
	assert_in_range(clock_age_ms(&base->at, &now.at), 100000, 120000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_small),	 cmocka_unit_test(test_none),
	    cmocka_unit_test(test_uniform),	 cmocka_unit_test(test_margin),
	    cmocka_unit_test(test_margin_holds), cmocka_unit_test(test_top_exact),
	    cmocka_unit_test(test_top_full),	 cmocka_unit_test(test_growth_base),
	    cmocka_unit_test(test_growth_boots), cmocka_unit_test(test_growth_state),
	    cmocka_unit_test(test_growth_near),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
