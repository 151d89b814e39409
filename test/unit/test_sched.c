/* The schedule: spread, rhythm, no overlap, gaps at a host, lateness; and an hour of 1,000 checks. */
#include "unit.h"

#include "monitord/rules/sched.h"

static struct sched_slot slot(int64_t interval, int64_t retry, int64_t due)
{
	return (struct sched_slot){
	    .interval_ms = interval, .retry_ms = retry, .due_ms = due, .waiting_ms = SCHED_NEVER};
}

static void spread_is_even_and_the_same_everywhere(void **state)
{
	(void)state;
	int bins[60] = {0};
	for (int i = 0; i < 6000; i++) {
		char name[32];
		snprintf(name, sizeof name, "relay%d", i);
		int64_t p = sched_spread(name, 60000);
		assert_in_range(p, 0, 59999);
		assert_int_equal(p, sched_spread(name, 60000));
		bins[p / 1000]++;
	}
	for (int i = 0; i < 60; i++)
		assert_in_range(bins[i], 50, 160); /* 100 expected */
	assert_int_equal(sched_spread("x", 0), 0);
}

static void first_runs(void **state)
{
	(void)state;
	struct sched_slot s = slot(30000, 5000, 0);
	sched_first(&s, "mx1", SCHED_NEVER, false, 1000000);
	assert_in_range(s.due_ms, 1000000, 1029999);
	/* a daily check is not silent for a day */
	s = slot(86400000, 60000, 0);
	sched_first(&s, "certificate", SCHED_NEVER, false, 1000000);
	assert_in_range(s.due_ms, 1000000, 1000000 + SCHED_SPREAD_MAX_MS - 1);
	/* it ran two hours before the restart: go on in its rhythm */
	sched_first(&s, "certificate", 1000000 - 7200000, false, 1000000);
	assert_int_equal(s.due_ms, 1000000 - 7200000 + 86400000);
	/* unless something is wrong with it */
	sched_first(&s, "certificate", 1000000 - 7200000, true, 1000000);
	assert_in_range(s.due_ms, 1000000, 1004999);
	/* or its time is long past */
	sched_first(&s, "certificate", 1000000 - 90000000, false, 1000000);
	assert_in_range(s.due_ms, 1000000, 1000000 + SCHED_SPREAD_MAX_MS - 1);
	/* a last run in the future is a broken clock */
	sched_first(&s, "certificate", 2000000, false, 1000000);
	assert_in_range(s.due_ms, 1000000, 1000000 + SCHED_SPREAD_MAX_MS - 1);
}

static void rhythm_stays_though_starts_are_late(void **state)
{
	(void)state;
	struct sched_slot s = slot(1000, 500, 100), *v[] = {&s};
	int64_t wake;
	assert_null(sched_next(v, 1, 99, &wake));
	assert_int_equal(wake, 100);
	assert_ptr_equal(sched_next(v, 1, 130, &wake), &s);
	sched_started(&s, 130, 0);
	assert_int_equal(s.late_ms, 30);
	assert_int_equal(s.due_ms, 1100);
	sched_ended(&s, false, false, 200);
	assert_int_equal(s.due_ms, 1100);
	assert_int_equal(s.skipped, 0);
}

static void never_two_runs_at_once(void **state)
{
	(void)state;
	struct sched_slot s = slot(1000, 1000, 0), *v[] = {&s};
	int64_t wake;
	assert_ptr_equal(sched_next(v, 1, 0, &wake), &s);
	sched_started(&s, 0, 0);
	assert_null(sched_next(v, 1, 999, &wake));
	assert_null(sched_next(v, 1, 3500, &wake)); /* still running: 1000, 2000 and 3000 passed */
	assert_int_equal(s.skipped, 3);
	sched_ended(&s, false, false, 3500);
	assert_null(sched_next(v, 1, 3500, &wake));
	assert_int_equal(wake, 4000);
	/* asked for while it runs: once more, right after, but not beside it */
	assert_ptr_equal(sched_next(v, 1, 4000, &wake), &s);
	sched_started(&s, 4000, 0);
	sched_now(&s, 4010);
	assert_null(sched_next(v, 1, 4010, &wake));
	sched_ended(&s, false, false, 4100);
	assert_ptr_equal(sched_next(v, 1, 4100, &wake), &s);
}

static void retries(void **state)
{
	(void)state;
	struct sched_slot s = slot(60000, 10000, 0), *v[] = {&s};
	int64_t wake;
	sched_next(v, 1, 0, &wake);
	sched_started(&s, 0, 0);
	sched_ended(&s, true, false, 3000);
	assert_int_equal(s.due_ms, 10000); /* from the start of the run, not from its end */
	sched_next(v, 1, 10000, &wake);
	sched_started(&s, 10000, 0);
	sched_ended(&s, true, false, 25000); /* longer than the retry interval */
	assert_int_equal(s.due_ms, 25000);
	sched_next(v, 1, 25000, &wake);
	sched_started(&s, 25000, 0);
	sched_ended(&s, false, false, 26000);
	assert_int_equal(s.due_ms, 85000);
	sched_next(v, 1, 85000, &wake);
	sched_started(&s, 85000, 0);
	sched_ended(&s, false, true, 86000); /* its prober died */
	assert_int_equal(s.due_ms, 86000);
}

static void a_start_that_is_owed_is_not_forgotten(void **state)
{
	(void)state;
	struct sched_slot s = slot(1000, 1000, 0), *v[] = {&s};
	int64_t wake;
	s.blocked = true; /* its prober is down */
	assert_null(sched_next(v, 1, 5500, &wake));
	assert_int_equal(s.skipped, 5);
	assert_int_equal(sched_overdue(&s, 5500), 5500);
	assert_null(sched_next(v, 1, 90000, &wake));
	assert_int_equal(sched_overdue(&s, 90000), 90000); /* and not only since the last skipped one */
	s.blocked = false;
	assert_ptr_equal(sched_next(v, 1, 90500, &wake), &s);
	sched_started(&s, 90500, 0);
	assert_int_equal(s.late_ms, 90500);
	assert_int_equal(sched_overdue(&s, 91000), 0);
}

static void gap_at_a_host(void **state)
{
	(void)state;
	struct sched_host h = {0};
	struct sched_slot s[10], *v[10];
	int64_t wake, now = 1000;
	for (int i = 0; i < 10; i++) {
		s[i] = slot(60000, 60000, 900 + i);
		s[i].host = &h;
		v[i] = &s[i];
	}
	for (int i = 0; i < 10; i++) {
		struct sched_slot *n = sched_next(v, 10, now, &wake);
		assert_ptr_equal(n, &s[i]); /* who waits longest goes first */
		sched_started(n, now, 200);
		if (i == 9)
			break;
		assert_null(sched_next(v, 10, now + 199, &wake));
		assert_int_equal(wake, now + 200);
		assert_int_equal(sched_overdue(&s[9], now + 199),
				 0); /* waiting one's turn is not being late */
		now += 200;
	}
	assert_int_equal(s[9].late_ms, 1000 + 9 * 200 - 909);
}

/* An hour: 1,000 checks at 100 hosts, a run takes 10 ms to 3 s. Driven by wake times only. */
static void an_hour_of_a_thousand_checks(void **state)
{
	(void)state;
	enum { N = 1000, HOSTS = 100, GAP = 200, INTERVAL = 60000 };
	struct sched_slot *s = calloc(N, sizeof *s), **v = calloc(N, sizeof *v);
	struct sched_host hosts[HOSTS] = {0};
	int64_t *end = calloc(N, sizeof *end), last_at_host[HOSTS], worst = 0;
	int *runs = calloc(N, sizeof *runs);
	for (int i = 0; i < HOSTS; i++)
		last_at_host[i] = -GAP;
	for (int i = 0; i < N; i++) {
		char name[32];
		snprintf(name, sizeof name, "check%d", i);
		s[i] = slot(INTERVAL, INTERVAL, 0);
		s[i].host = &hosts[i % HOSTS];
		v[i] = &s[i];
		sched_first(&s[i], name, SCHED_NEVER, false, 0);
	}
	for (int64_t now = 0; now < 3600000;) {
		int64_t wake, next;
		for (int i = 0; i < N; i++)
			if (s[i].running && end[i] <= now)
				sched_ended(&s[i], false, false, now);
		struct sched_slot *n;
		while ((n = sched_next(v, N, now, &wake))) {
			int i = (int)(n - s);
			assert_false(n->running);
			assert_true(now - last_at_host[i % HOSTS] >= GAP);
			last_at_host[i % HOSTS] = now;
			sched_started(n, now, GAP);
			end[i] = now + 10 + (i * 7919) % 2990;
			runs[i]++;
			if (n->late_ms > worst)
				worst = n->late_ms;
		}
		next = wake;
		for (int i = 0; i < N; i++)
			if (s[i].running && end[i] < next)
				next = end[i];
		assert_true(next > now);
		now = next;
	}
	for (int i = 0; i < N; i++) {
		assert_in_range(runs[i], 59, 61);
		assert_int_equal(s[i].skipped, 0);
	}
	assert_in_range(worst, 0, 2 * 10 * GAP); /* ten checks a host: at worst a short queue */
	free(s), free(v), free(end), free(runs);
}

static void reload_shortens_the_wait(void **state)
{
	(void)state;
	struct sched_slot s = slot(3600000, 60000, 3600000);
	sched_retime(&s, 60000, 10000, 1000);
	assert_int_equal(s.due_ms, 61000);
	sched_retime(&s, 3600000, 10000, 2000);
	assert_int_equal(s.due_ms, 61000); /* never later than was planned */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(spread_is_even_and_the_same_everywhere),
	    cmocka_unit_test(first_runs),
	    cmocka_unit_test(rhythm_stays_though_starts_are_late),
	    cmocka_unit_test(never_two_runs_at_once),
	    cmocka_unit_test(retries),
	    cmocka_unit_test(a_start_that_is_owed_is_not_forgotten),
	    cmocka_unit_test(gap_at_a_host),
	    cmocka_unit_test(an_hour_of_a_thousand_checks),
	    cmocka_unit_test(reload_shortens_the_wait),
	};
	return cmocka_run_group_tests_name("sched", tests, NULL, NULL);
}
