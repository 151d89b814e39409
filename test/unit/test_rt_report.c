/* What a round trip says: which side is blamed, what stands first, what is only a note; and the mail it sends. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "probes/roundtrip/message.h"
#include "probes/roundtrip/report.h"

static const struct rt_thresholds limits = {
	.warning_ms = 60000, .critical_ms = 300000, .lost_critical = 2,
	.limits = {.late_ms = 60000, .lost_ms = 1800000, .hold_ms = 1800000},
};

struct scene {
	struct rt_state state;
	struct rt_findings found;
	struct result result;
	struct stamp now;
};

static int begin(void **state)
{
	struct scene *s = calloc(1, sizeof(*s));

	s->now = (struct stamp){.wall_ms = 1795256600000, .boot_ms = 100000000, .boot_id = "b"};
	s->found.smtp.seconds = 0.1;
	s->found.store.seconds = 0.02;
	result_init(&s->result);
	*state = s;
	return 0;
}

static int end(void **state)
{
	struct scene *s = *state;

	result_fini(&s->result);
	free(s);
	return 0;
}

static void mail(struct scene *s, enum rt_phase phase, int64_t sent_s_ago, int64_t settled_s_ago)
{
	struct rt_mail *m = &s->state.mail[s->state.n++];

	m->token.run = ++s->state.run;
	snprintf(m->token.hex, sizeof(m->token.hex), "%032llx", (unsigned long long)m->token.run);
	m->phase = phase;
	m->sent = m->settled = s->now;
	m->sent.boot_ms -= sent_s_ago * 1000;
	m->settled.boot_ms -= settled_s_ago * 1000;
}

static void arrived(struct scene *s, int64_t ms)
{
	mail(s, RT_ARRIVED, 1, 0);
	s->state.has_delay = s->found.arrived = true;
	s->state.arrived_run = s->found.arrived_run = s->state.run;
	s->state.delay = s->found.delay = (struct rt_delay){.max_ms = ms, .ms = ms};
	s->found.narrived = 1;
}

static void hop(struct scene *s, const char *by, int64_t ms)
{
	struct received *w = &s->found.way;
	struct hop *h = &w->hop[w->n];

	snprintf(h->by, sizeof(h->by), "%s", by);
	h->has_time = h->has_delay = true;
	h->delay_ms = ms;
	h->skew = ms < 0;
	if (!h->skew && (w->n == 0 || w->slowest < 0 || ms > w->hop[w->slowest].delay_ms))
		w->slowest = (int)w->n;
	w->n++;
}

static void fails(struct rt_side *side, enum nag_state state, const char *layer, const char *why)
{
	side->failed = true;
	side->state = state;
	side->seconds = -1;
	snprintf(side->layer, sizeof(side->layer), "%s", layer);
	snprintf(side->why, sizeof(side->why), "%s", why);
}

static void expect(struct scene *s, enum nag_state state, const char *layer, const char *text)
{
	rt_report(&s->state, &s->found, &limits, &s->now, &s->result);
	assert_string_equal(buf_str(&s->result.text), text);
	assert_int_equal(s->result.state, state);
	assert_string_equal(s->result.layer, layer);
}

static void test_arrived(void **state)
{
	struct scene *s = *state;

	arrived(s, 420);
	hop(s, "mx1", 0);
	hop(s, "store", 0);
	expect(s, NAG_OK, "", "0.42 s, 2 hops");
	assert_non_null(strstr(buf_str(&s->result.more), "hop 1 mx1: under 1 s\nhop 2 store: under 1 s\n"));
	assert_true(s->result.measured);
}

static void test_slow_hop_and_skew(void **state)
{
	struct scene *s = *state;

	arrived(s, 72000);
	hop(s, "mx1", 71000);
	hop(s, "mx2", -3600000);
	expect(s, NAG_WARNING, "delay", "1 min, 2 hops, slowest hop mx1 1 min");
	assert_non_null(strstr(buf_str(&s->result.more), "hop 2 mx2: clock skew, its time is 1 h before the step before\n"));
}

static void test_too_slow(void **state)
{
	arrived(*state, 300001);
	expect(*state, NAG_CRITICAL, "delay", "5 min");
}

/* With a clock that cannot be right only the lower end is judged. */
static void test_store_clock_off(void **state)
{
	struct scene *s = *state;

	arrived(s, 90000);
	s->found.delay = s->state.delay = (struct rt_delay){.min_ms = 5000, .max_ms = 90000, .ms = 90000, .skewed = true};
	expect(s, NAG_OK, "", "between 5.00 s and 1 min (the store's clock is off)");
}

static void test_store_does_not_tell(void **state)
{
	struct scene *s = *state;

	arrived(s, 90000);
	s->found.delay = s->state.delay = (struct rt_delay){.min_ms = 5000, .max_ms = 90000, .ms = 90000, .untold = true};
	expect(s, NAG_OK, "", "between 5.00 s and 1 min (the store does not tell when)");
}

static void test_first_run(void **state)
{
	mail(*state, RT_PENDING, 5, 0);
	expect(*state, NAG_OK, "", "1 on the way for 5.00 s; none has arrived yet");
}

static void test_late(void **state)
{
	struct scene *s = *state;

	arrived(s, 400);
	s->found.arrived = false;
	mail(s, RT_LATE, 90, 0);
	mail(s, RT_PENDING, 5, 0);
	expect(s, NAG_WARNING, "delay", "1 late, on the way for 1 min; 1 more on the way; the last took 0.40 s");
}

static void test_late_beyond_critical(void **state)
{
	mail(*state, RT_LATE, 301, 0);
	expect(*state, NAG_CRITICAL, "delay", "1 late, on the way for 5 min; none has arrived yet");
}

static void test_lost(void **state)
{
	mail(*state, RT_LOST, 1900, 100);
	expect(*state, NAG_CRITICAL, "lost", "1 lost; none has arrived yet");
}

static void test_lost_but_flowing(void **state)
{
	mail(*state, RT_LOST, 1900, 100);
	arrived(*state, 400);
	expect(*state, NAG_WARNING, "lost", "1 lost, later mail arrives; 0.40 s");
}

static void test_many_lost_though_flowing(void **state)
{
	mail(*state, RT_LOST, 1900, 100);
	mail(*state, RT_LOST, 1900, 100);
	arrived(*state, 400);
	expect(*state, NAG_CRITICAL, "lost", "2 lost, later mail arrives; 0.40 s");
}

static void test_lost_long_ago(void **state)
{
	mail(*state, RT_LOST, 9000, 1801);
	arrived(*state, 400);
	expect(*state, NAG_OK, "", "0.40 s");
}

static void test_duplicate(void **state)
{
	struct scene *s = *state;

	arrived(s, 400);
	s->state.mail[0].phase = RT_DUPLICATE;
	expect(s, NAG_WARNING, "duplicate", "1 arrived more than once; 0.40 s");
}

static void test_found_again(void **state)
{
	struct scene *s = *state;

	arrived(s, 400);
	s->found.found = 1;
	s->found.found_ms = 3 * 3600 * 1000;
	s->found.narrived = 2;
	expect(s, NAG_OK, "", "1 arrived after 3 h, was counted lost; 0.40 s; 2 arrived");
}

static void test_relay_failed(void **state)
{
	struct scene *s = *state;

	arrived(s, 400);
	s->found.arrived = false;
	fails(&s->found.smtp, NAG_CRITICAL, "refused", "relay mx1 port 25 refuses the connection");
	expect(s, NAG_CRITICAL, "refused", "relay mx1 port 25 refuses the connection; the last took 0.40 s");
}

static void test_relay_limits_us(void **state)
{
	struct scene *s = *state;

	fails(&s->found.smtp, NAG_WARNING, "limited", "relay mx1 port 25 limits us");
	expect(s, NAG_WARNING, "limited", "relay mx1 port 25 limits us");
}

/* The store is blamed, the relay is not, and nothing is called late that nobody could look for. */
static void test_store_failed(void **state)
{
	struct scene *s = *state;

	mail(s, RT_LATE, 301, 0);
	fails(&s->found.store, NAG_CRITICAL, "refused", "IMAP store port 143: connection refused");
	expect(s, NAG_CRITICAL, "store-refused",
	       "store failed: IMAP store port 143: connection refused; the relay took a mail in 0.10 s");
	assert_null(strstr(buf_str(&s->result.text), "late"));
}

static void test_store_failed_held_back(void **state)
{
	struct scene *s = *state;

	s->found.smtp.seconds = -1;
	s->found.held_back = true;
	fails(&s->found.store, NAG_CRITICAL, "timeout", "IMAP store port 143: timed out in greeting");
	expect(s, NAG_CRITICAL, "store-timeout", "store failed: IMAP store port 143: timed out in greeting; "
	       "nothing sent while 5 are on the way");
}

static void test_both_failed(void **state)
{
	struct scene *s = *state;

	fails(&s->found.smtp, NAG_CRITICAL, "timeout", "relay mx1 port 25 says nothing");
	fails(&s->found.store, NAG_CRITICAL, "refused", "IMAP store port 143: connection refused");
	expect(s, NAG_CRITICAL, "timeout",
	       "relay mx1 port 25 says nothing; store failed: IMAP store port 143: connection refused");
}

static void test_local_failure_is_not_measured(void **state)
{
	struct scene *s = *state;

	fails(&s->found.store, NAG_UNKNOWN, "local", "IMAP store port 143: imap_password_file: no such file");
	rt_report(&s->state, &s->found, &limits, &s->now, &s->result);
	assert_int_equal(s->result.state, NAG_UNKNOWN);
	assert_false(s->result.measured);
}

static void test_forged_and_undeleted(void **state)
{
	struct scene *s = *state;

	arrived(s, 400);
	s->found.forged = 1;
	snprintf(s->found.undeleted, sizeof(s->found.undeleted), "STORE: NO read-only");
	expect(s, NAG_WARNING, "delete", "1 with our token but not our signature, left alone; "
	       "cannot delete our mail: STORE: NO read-only; 0.40 s");
}

static void test_perfdata(void **state)
{
	struct scene *s = *state;
	struct buf out;

	arrived(s, 420);
	hop(s, "mx1", 0);
	mail(s, RT_PENDING, 3, 0);
	rt_report(&s->state, &s->found, &limits, &s->now, &s->result);
	buf_init(&out, 2000);
	result_perfdata(&s->result, &out);
	assert_non_null(strstr(buf_str(&out), "time=0.42s;60;300;0"));
	assert_non_null(strstr(buf_str(&out), "smtp=0.1s"));
	assert_non_null(strstr(buf_str(&out), "hops=1;"));
	assert_non_null(strstr(buf_str(&out), "pending=1;"));
	assert_non_null(strstr(buf_str(&out), "lost=0;"));
	buf_fini(&out);
}

/* --- the mail --- */

static void test_addresses(void **state)
{
	static const char *const good[] = {"a@b", "monitor+x@mx.example.com", "u@[192.0.2.1]", "u@[IPv6:2001:db8::1]"};
	static const char *const bad[] = {"", "@", "a@", "@b", "a", "a b@c", "<a@b>", "a@b\r\nRCPT TO:<c@d>", "a@b c",
					  "\"a b\"@c", "\xc3\xa4@b", "a@b,c@d", "a@b@c d", "a(x)@b"};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(rt_address_ok(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(rt_address_ok(bad[i]));
}

static void test_message(void **state)
{
	static const char key[] = "0123456789abcdef0123";
	struct rt_letter l = {.from = "a@lab.test", .to = "user@lab.test", .check = "mx1", .key = key,
			      .key_len = sizeof(key) - 1, .wall_ms = 1795256600999,
			      .token = {.hex = "000102030405060708090a0b0c0d0e0f", .run = 7}};
	struct buf out;

	(void)state;
	buf_init(&out, RT_MESSAGE_MAX);
	assert_true(rt_message(&l, &out));
	assert_non_null(strstr(buf_str(&out),
		"X-Monitord-Token: v1 mx1 7 000102030405060708090a0b0c0d0e0f "
		"9610031ea6a696565c8a57e512ea435b1b17b093a132b5dc89b7edd66459ffc0\r\n"
		"From: a@lab.test\r\nTo: user@lab.test\r\nDate: Sat, 21 Nov 2026 10:23:20 +0000\r\n"
		"Message-ID: <000102030405060708090a0b0c0d0e0f.7.monitord@lab.test>\r\n"
		"Subject: monitord round trip mx1 7\r\nAuto-Submitted: auto-generated\r\n"));
	for (const char *p = out.data; (p = strchr(p, '\n')); p++)
		assert_true(p[-1] == '\r' && p[1] != '.');
	buf_fini(&out);
	buf_init(&out, 300);
	assert_false(rt_message(&l, &out));
	buf_fini(&out);
}

#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_arrived), T(test_slow_hop_and_skew), T(test_too_slow), T(test_store_clock_off), T(test_store_does_not_tell), T(test_first_run),
		T(test_late), T(test_late_beyond_critical), T(test_lost), T(test_lost_but_flowing),
		T(test_many_lost_though_flowing), T(test_lost_long_ago), T(test_duplicate), T(test_found_again),
		T(test_relay_failed), T(test_relay_limits_us), T(test_store_failed), T(test_store_failed_held_back),
		T(test_both_failed), T(test_local_failure_is_not_measured), T(test_forged_and_undeleted), T(test_perfdata),
		cmocka_unit_test(test_addresses), cmocka_unit_test(test_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
