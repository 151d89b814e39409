/* The memory of the round trip: the state table cell by cell, delays between two looks, limits, the text it is kept as. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "probes/roundtrip/state.h"

/* Not the code's table again but the rules in words: what each event may do, everything else stays. */
static void test_table(void **state)
{
	static const struct { enum rt_phase from; enum rt_event event; enum rt_phase to; } moves[] = {
		{RT_SENT, RT_ACCEPTED, RT_PENDING},       {RT_SENT, RT_REFUSED, RT_GONE},
		{RT_SENT, RT_SEEN, RT_ARRIVED},           {RT_SENT, RT_AGE_LOST, RT_UNCONFIRMED},
		{RT_PENDING, RT_SEEN, RT_ARRIVED},        {RT_PENDING, RT_AGE_LATE, RT_LATE},
		{RT_PENDING, RT_AGE_LOST, RT_LOST},       {RT_LATE, RT_SEEN, RT_ARRIVED},
		{RT_LATE, RT_AGE_LOST, RT_LOST},          {RT_LOST, RT_SEEN, RT_ARRIVED},
		{RT_LOST, RT_AGE_FORGET, RT_GONE},        {RT_UNCONFIRMED, RT_SEEN, RT_ARRIVED},
		{RT_UNCONFIRMED, RT_AGE_FORGET, RT_GONE}, {RT_ARRIVED, RT_SEEN, RT_DUPLICATE},
		{RT_ARRIVED, RT_AGE_FORGET, RT_GONE},     {RT_DUPLICATE, RT_AGE_FORGET, RT_GONE},
	};

	(void)state;
	for (int p = 0; p < RT_PHASES; p++) {
		for (int e = 0; e < RT_EVENTS; e++) {
			enum rt_phase want = (enum rt_phase)p;

			for (size_t i = 0; i < sizeof(moves) / sizeof(moves[0]); i++)
				if ((int)moves[i].from == p && (int)moves[i].event == e)
					want = moves[i].to;
			if (rt_next((enum rt_phase)p, (enum rt_event)e) != want)
				print_error("%s, event %d\n", rt_phase_name((enum rt_phase)p), e);
			assert_int_equal(rt_next((enum rt_phase)p, (enum rt_event)e), want);
		}
	}
}

static const struct rt_limits limits = {.late_ms = 60000, .lost_ms = 600000, .hold_ms = 1800000};

static struct stamp at(int64_t s)
{
	struct stamp t = {.wall_ms = 1795256600000 + s * 1000, .boot_ms = 5000 + s * 1000, .boot_id = "boot-1"};

	return t;
}

static struct rt_mail *add(struct rt_state *s, int64_t when)
{
	struct token t;
	struct stamp now = at(when);

	t.run = s->run + 1;
	snprintf(t.hex, sizeof(t.hex), "%032llx", (unsigned long long)t.run);
	return rt_add(s, &t, &now);
}

static void look(struct rt_state *s, int64_t when)
{
	struct stamp now = at(when);

	rt_looked(s, &now, &limits);
}

static enum rt_sight see(struct rt_state *s, struct rt_mail *m, uint32_t uid, int64_t when, int64_t arrived_ms)
{
	struct stamp now = at(when);

	return rt_seen(s, m, uid, &now, arrived_ms);
}

static struct rt_counts counts(const struct rt_state *s, int64_t when)
{
	struct stamp now = at(when);
	struct rt_counts c;

	rt_count(s, &now, &limits, &c);
	return c;
}

static void test_life(void **state)
{
	struct rt_state s;
	struct rt_mail *m;

	(void)state;
	rt_init(&s);
	m = add(&s, 0);
	assert_int_equal(m->phase, RT_SENT);
	assert_int_equal(counts(&s, 0).outstanding, 1);
	assert_int_equal(counts(&s, 0).pending, 0);
	rt_answered(&s, m, RT_ACCEPTED);
	assert_int_equal(counts(&s, 30).pending, 1);
	assert_int_equal(counts(&s, 30).oldest_ms, 30000);
	look(&s, 60);
	assert_int_equal(m->phase, RT_PENDING);
	look(&s, 61);
	assert_int_equal(m->phase, RT_LATE);
	assert_int_equal(counts(&s, 61).late, 1);
	look(&s, 600);
	assert_int_equal(m->phase, RT_LATE);
	look(&s, 601);
	assert_int_equal(m->phase, RT_LOST);
	assert_int_equal(counts(&s, 601).outstanding, 0);
	assert_int_equal(counts(&s, 601).lost, 1);
	assert_int_equal(counts(&s, 601).lost_open, 1);
	/* found after three hours */
	assert_int_equal(see(&s, m, 17, 10800, 0), RT_FOUND);
	assert_true(m->was_lost);
	assert_int_equal(s.delay.ms, 10800000);
	assert_int_equal(s.delay.min_ms, 601000); /* when it was last looked for before it was given up */
	assert_int_equal(counts(&s, 10800).lost, 0);
	/* the same message once more is no duplicate, another one is */
	assert_int_equal(see(&s, m, 17, 10801, 0), RT_AGAIN);
	assert_int_equal(counts(&s, 10801).duplicates, 0);
	assert_int_equal(see(&s, m, 18, 10802, 0), RT_COPY);
	assert_int_equal(counts(&s, 10802).duplicates, 1);
	assert_int_equal(counts(&s, 10802 + 1801).duplicates, 0);
	/* and is forgotten after a week */
	look(&s, 10802 + 7 * 86400);
	assert_int_equal(s.n, 1);
	look(&s, 10803 + 7 * 86400);
	assert_int_equal(s.n, 0);
}

static void test_refused_and_unconfirmed(void **state)
{
	struct rt_state s;
	struct rt_mail *m;

	(void)state;
	rt_init(&s);
	rt_answered(&s, add(&s, 0), RT_REFUSED);
	assert_int_equal(s.n, 0);
	/* killed between the store and the answer: never called late or lost, but known if it comes */
	m = add(&s, 10);
	look(&s, 100);
	assert_int_equal(m->phase, RT_SENT);
	look(&s, 611);
	assert_int_equal(m->phase, RT_UNCONFIRMED);
	assert_int_equal(counts(&s, 611).lost, 0);
	assert_int_equal(counts(&s, 611).outstanding, 0);
	assert_int_equal(see(&s, m, 5, 700, 0), RT_FOUND);
}

static void test_outstanding_limit(void **state)
{
	struct rt_state s;

	(void)state;
	rt_init(&s);
	for (int i = 0; i < RT_OUTSTANDING_MAX; i++)
		assert_non_null(add(&s, i));
	assert_null(add(&s, 9));
	see(&s, &s.mail[2], 1, 10, 0);
	assert_non_null(add(&s, 11));
	assert_null(add(&s, 12));
}

/* lost, and later mail arrives: it is still told for a while, but as less */
static void test_lost_then_flowing(void **state)
{
	struct rt_state s;
	struct rt_mail *later;

	(void)state;
	rt_init(&s);
	rt_answered(&s, add(&s, 0), RT_ACCEPTED);
	look(&s, 601);
	later = add(&s, 660);
	see(&s, later, 3, 661, 0);
	assert_int_equal(counts(&s, 661).lost, 1);
	assert_int_equal(counts(&s, 661).lost_open, 0);
	assert_int_equal(counts(&s, 601 + 1800).lost, 1);
	assert_int_equal(counts(&s, 601 + 1801).lost, 0);
	/* with nothing sent later arriving it stays open whatever its age */
	rt_answered(&s, add(&s, 3000), RT_ACCEPTED);
	look(&s, 3601);
	assert_int_equal(counts(&s, 90000).lost_open, 1);
}

struct delayed {
	int64_t looked, seen; /* seconds after sending; looked < 0: never */
	int64_t arrived_ms;   /* after sending, by the store's clock; -1: it does not say */
	int64_t ms, min_ms;
	bool skewed;
};

static const struct delayed delayed[] = {
	{-1, 1, -1, 1000, 0, false},
	{1, 2, 50000, 2000, 1000, false},      /* looks close together: no other clock is asked */
	{5, 60, -1, 60000, 5000, false},       /* nothing better is known than when it was seen */
	{5, 60, 7000, 7000, 5000, false},      /* the store says it, and it can be */
	{5, 60, 4500, 5000, 5000, false},      /* whole seconds: it cannot have been before our look */
	{5, 60, 61000, 60000, 5000, false},
	{5, 60, -3600000, 60000, 5000, true},  /* its clock is off by an hour */
	{5, 60, 3600000, 60000, 5000, true},
	{-1, 60, 0, 0, 0, false},
};

static void test_delay_between_looks(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(delayed) / sizeof(delayed[0]); i++) {
		const struct delayed *d = &delayed[i];
		struct rt_state s;
		struct rt_mail *m;

		rt_init(&s);
		m = add(&s, 0);
		if (d->looked >= 0)
			look(&s, d->looked);
		see(&s, m, 1, d->seen, d->arrived_ms == -1 ? 0 : at(0).wall_ms + d->arrived_ms);
		if (m->delay.ms != d->ms)
			print_error("row %zu\n", i);
		assert_int_equal(m->delay.ms, d->ms);
		assert_int_equal(m->delay.min_ms, d->min_ms);
		assert_int_equal(m->delay.max_ms, d->seen * 1000);
		assert_int_equal(m->delay.skewed, d->skewed);
	}
}

/* Our own wall clock was set between: within one boot it does not matter; after another boot it is all there is. */
static void test_clock_was_set(void **state)
{
	struct rt_state s;
	struct rt_mail *m;
	struct stamp now = at(20);

	(void)state;
	rt_init(&s);
	m = add(&s, 0);
	now.wall_ms -= 86400000;
	rt_seen(&s, m, 1, &now, 0);
	assert_int_equal(m->delay.ms, 20000);

	m = add(&s, 0);
	now = at(30);
	strcpy(now.boot_id, "boot-2");
	now.boot_ms = 7;
	rt_seen(&s, m, 2, &now, 0);
	assert_int_equal(m->delay.ms, 30000);

	m = add(&s, 0);
	now.wall_ms = at(-500).wall_ms;
	rt_seen(&s, m, 3, &now, 0);
	assert_int_equal(m->delay.ms, 0); /* never negative */
}

/* POP3 says nothing of when a mail came: with two looks far apart only the two are known, and both survive the disk. */
static void test_a_store_that_does_not_tell(void **state)
{
	struct rt_state s, again;
	struct rt_mail *m;
	struct stamp now = at(300);
	const char *why = NULL;
	struct buf text;

	(void)state;
	rt_init(&s);
	m = add(&s, 0);
	m->has_looked = true;
	m->looked = at(5);
	rt_seen(&s, m, 1, &now, 0);
	assert_true(m->delay.untold);
	assert_int_equal(m->delay.min_ms, 5000);
	assert_int_equal(m->delay.max_ms, 300000);
	buf_init(&text, 65536);
	assert_true(rt_dump(&s, &text));
	assert_true(rt_load(&again, text.data, text.len, &why));
	assert_true(again.mail[0].delay.untold && again.delay.untold);
	buf_fini(&text);

	m = add(&s, 300);
	m->has_looked = true;
	m->looked = at(305);
	now = at(307);
	rt_seen(&s, m, 2, &now, 0);
	assert_false(m->delay.untold); /* near enough */
}

static void test_newest_delay_counts(void **state)
{
	struct rt_state s;

	(void)state;
	rt_init(&s);
	add(&s, 0);
	add(&s, 60);
	see(&s, &s.mail[1], 1, 61, 0);
	see(&s, &s.mail[0], 2, 90, 0); /* overtaken */
	assert_int_equal(s.delay.ms, 1000);
	assert_int_equal(s.arrived_run, 2);
}

/* A month of outage: what is under way is kept, the memory is bounded and says what it gave up. */
static void test_bounds(void **state)
{
	struct rt_state s, back;
	struct buf text;
	const char *why = "";

	(void)state;
	rt_init(&s);
	for (int64_t t = 0, i = 0; i < 300; i++, t += 700) {
		rt_answered(&s, add(&s, t), RT_ACCEPTED);
		look(&s, t + 650);
	}
	assert_true(s.n <= RT_MAILS_MAX);
	assert_int_equal(s.evicted, 300 - RT_MAILS_MAX);
	for (int i = 0; i < RT_OUTSTANDING_MAX; i++)
		assert_non_null(add(&s, 300000));
	assert_int_equal(counts(&s, 300000).outstanding, RT_OUTSTANDING_MAX);
	for (size_t i = 0; i < s.n; i++) { /* as large as it gets */
		strcpy(s.mail[i].sent.boot_id, "01234567-89ab-cdef-0123-456789abcdef");
		see(&s, &s.mail[i], UINT32_MAX, 300000, 0);
	}
	buf_init(&text, 65536);
	assert_true(rt_dump(&s, &text));
	assert_true(text.len < 49152);
	assert_true(rt_load(&back, text.data, text.len, &why));
	assert_int_equal(back.n, s.n);
	buf_fini(&text);
}

static void test_arrived_are_few(void **state)
{
	struct rt_state s;

	(void)state;
	rt_init(&s);
	for (int i = 0; i < 100; i++)
		see(&s, add(&s, i), (uint32_t)i + 1, i, 0);
	assert_true(s.n <= RT_ARRIVED_MAX + 1);
	assert_int_equal(s.mail[s.n - 1].token.run, 100);
	assert_int_equal(s.evicted, 0);
}

static void test_text_and_back(void **state)
{
	struct rt_state s, back;
	struct buf text, again;
	const char *why = "";

	(void)state;
	rt_init(&s);
	s.uidvalidity = 4000000000u;
	s.uidnext = 50001;
	add(&s, 0);
	rt_answered(&s, add(&s, 1), RT_ACCEPTED);
	see(&s, add(&s, 2), 9, 90, 0);
	look(&s, 300);
	rt_answered(&s, add(&s, 301), RT_ACCEPTED);
	look(&s, 700);
	buf_init(&text, 65536);
	buf_init(&again, 65536);
	assert_true(rt_dump(&s, &text));
	assert_true(rt_load(&back, text.data, text.len, &why));
	assert_int_equal(back.n, 4);
	assert_int_equal(back.mail[0].phase, RT_UNCONFIRMED);
	assert_int_equal(back.mail[1].phase, RT_LOST);
	assert_int_equal(back.mail[2].phase, RT_ARRIVED);
	assert_int_equal(back.mail[2].uid, 9);
	assert_int_equal(back.mail[3].phase, RT_LATE);
	assert_int_equal(back.uidvalidity, 4000000000u);
	assert_int_equal(back.delay.ms, 88000);
	assert_true(rt_dump(&back, &again));
	assert_string_equal(buf_str(&text), buf_str(&again));
	buf_fini(&text);
	buf_fini(&again);
}

static void test_damaged_text(void **state)
{
	static const char *const damaged[] = {
		"x", "{}", "[]", "null", "{\"v\":2}",
		"{\"v\":1,\"run\":1,\"uidvalidity\":1,\"uidnext\":1,\"arrived_run\":0}",
		"{\"v\":1,\"run\":-1,\"uidvalidity\":1,\"uidnext\":1,\"arrived_run\":0,\"mails\":[]}",
		"{\"v\":1,\"run\":1,\"uidvalidity\":4294967296,\"uidnext\":1,\"arrived_run\":0,\"mails\":[]}",
		"{\"v\":1,\"run\":1,\"uidvalidity\":1,\"uidnext\":1,\"arrived_run\":0,\"delay\":5,\"mails\":[]}",
		"{\"v\":1,\"run\":1,\"uidvalidity\":1,\"uidnext\":1,\"arrived_run\":0,\"mails\":[{}]}",
		"{\"v\":1,\"run\":1,\"uidvalidity\":1,\"uidnext\":1,\"arrived_run\":0,\"mails\":[{\"token\":"
		"\"00000000000000000000000000000000\",\"run\":1,\"phase\":\"gone\",\"sent\":{\"wall_ms\":1}}]}",
		"{\"v\":1,\"run\":1,\"uidvalidity\":1,\"uidnext\":1,\"arrived_run\":0,\"mails\":[{\"token\":"
		"\"0000000000000000000000000000000x\",\"run\":1,\"phase\":\"sent\",\"sent\":{\"wall_ms\":1}}]}",
		"{\"v\":1,\"run\":1,\"uidvalidity\":1,\"uidnext\":1,\"arrived_run\":0,\"mails\":[{\"token\":"
		"\"00000000000000000000000000000000\",\"run\":1,\"phase\":\"lost\",\"sent\":{\"wall_ms\":1}}]}",
	};
	struct rt_state s;

	(void)state;
	for (size_t i = 0; i < sizeof(damaged) / sizeof(damaged[0]); i++) {
		const char *why = NULL;

		if (rt_load(&s, damaged[i], strlen(damaged[i]), &why))
			print_error("%s\n", damaged[i]);
		assert_false(rt_load(&s, damaged[i], strlen(damaged[i]), &why));
		assert_non_null(why);
		assert_int_equal(s.n, 0);
		assert_int_equal(s.uidvalidity, 0);
	}
	assert_true(rt_load(&s, "", 0, NULL));
}

static struct rt_mail *add_by(struct rt_state *s, size_t way, int64_t when)
{
	struct token t;
	struct stamp now = at(when);

	t.run = s->run + 1;
	snprintf(t.hex, sizeof(t.hex), "%032llx", (unsigned long long)t.run);
	return rt_add_by(s, way, &t, &now);
}

/* Each way has its own five under way, its own newest arrival, and its own lost ones. */
static void test_ways(void **state)
{
	struct rt_state s, one, again;
	struct rt_counts c;
	struct stamp now = at(700);
	const char *why = NULL;
	struct buf text;

	(void)state;
	rt_init(&s);
	assert_int_equal(rt_way(&s, "mx1"), 0); /* takes the place of the one without a name */
	assert_int_equal(rt_way(&s, "mx2"), 1);
	assert_int_equal(rt_way(&s, "MX1"), 0);
	for (int i = 0; i < RT_OUTSTANDING_MAX; i++)
		rt_answered(&s, add_by(&s, 0, i), RT_ACCEPTED);
	assert_null(add_by(&s, 0, 9));
	rt_answered(&s, add_by(&s, 1, 10), RT_ACCEPTED);
	see(&s, &s.mail[5], 1, 11, 0);
	rt_looked(&s, &now, &limits);

	rt_of_way(&s, 0, &one);
	rt_count(&one, &now, &limits, &c);
	assert_int_equal(c.lost_open, 5); /* what came by the other says nothing of them */
	assert_false(one.has_delay);
	rt_of_way(&s, 1, &one);
	rt_count(&one, &now, &limits, &c);
	assert_int_equal(c.lost, 0);
	assert_int_equal(one.delay.ms, 1000);

	buf_init(&text, 65536);
	assert_true(rt_dump(&s, &text));
	assert_true(rt_load(&again, text.data, text.len, &why));
	buf_fini(&text);
	assert_int_equal(again.ways, 2);
	assert_string_equal(again.way[1].name, "mx2");
	assert_int_equal(again.way[1].arrived_run, 6);
	assert_int_equal(again.mail[5].way, 1);
}

static bool is_mx2(const char *name, const void *arg)
{
	(void)arg;
	return strcmp(name, "mx2") == 0;
}

static void test_a_way_goes(void **state)
{
	struct rt_state s;
	char name[32];

	(void)state;
	rt_init(&s);
	assert_int_equal(rt_way(&s, "mx1"), 0);
	assert_int_equal(rt_way(&s, "mx2"), 1);
	add_by(&s, 0, 0);
	add_by(&s, 1, 1);
	rt_drop_ways(&s, is_mx2, NULL); /* one is under way by it */
	assert_int_equal(s.ways, 2);
	see(&s, &s.mail[0], 1, 2, 0);
	rt_drop_ways(&s, is_mx2, NULL);
	assert_int_equal(s.ways, 1);
	assert_string_equal(s.way[0].name, "mx2");
	assert_int_equal(s.n, 1);
	assert_int_equal(s.mail[0].way, 0);
	for (int i = 1; i < RT_WAYS_MAX; i++) {
		snprintf(name, sizeof(name), "other%d", i);
		assert_int_equal(rt_way(&s, name), i);
	}
	assert_int_equal(rt_way(&s, "one too many"), RT_WAYS_MAX);
}

static void test_damaged_ways(void **state)
{
	static const char *const bad[] = {"[]", "[{}]", "[{\"arrived_run\":-1}]", "[{\"arrived_run\":0,\"delay\":5}]",
					  "[1,2,3,4,5,6,7,8,9]"};
	struct rt_state s;
	const char *why;
	char text[300];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(text, sizeof(text), "{\"v\":1,\"run\":1,\"uidvalidity\":1,\"uidnext\":1,\"arrived_run\":0,\"mails\":[],\"ways\":%s}",
			 bad[i]);
		assert_false(rt_load(&s, text, strlen(text), &why));
		assert_int_equal(s.ways, 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_life),
		cmocka_unit_test(test_refused_and_unconfirmed),
		cmocka_unit_test(test_outstanding_limit),
		cmocka_unit_test(test_lost_then_flowing),
		cmocka_unit_test(test_delay_between_looks),
		cmocka_unit_test(test_clock_was_set),
		cmocka_unit_test(test_a_store_that_does_not_tell),
		cmocka_unit_test(test_newest_delay_counts),
		cmocka_unit_test(test_ways),
		cmocka_unit_test(test_a_way_goes),
		cmocka_unit_test(test_damaged_ways),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_arrived_are_few),
		cmocka_unit_test(test_text_and_back),
		cmocka_unit_test(test_damaged_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
