/* Received headers: dates in all their forms, hops in the order of travel, clocks that disagree. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/buf.h"
#include "probes/roundtrip/received.h"

struct dated {
	const char *text;
	int64_t seconds; /* as date(1) says; -1: no date */
};

static const struct dated dated[] = {
	{"Sat, 21 Nov 2026 19:23:20 +0900 (JST)", 1795256600},
	{" Sat , 21 Nov 2026\r\n\t19:23:20 -0330", 1795301600},
	{"21 Nov 2026 19:23:20 +0900", 1795256600},
	{"Sat, 21 nov 2026 19:23:20 JST", 1795256600},
	{"(a (nested \\) one)) Tue, 29 Feb 2000 (leap) 23:59:59 GMT", 951868799},
	{"Tue, 29 Feb 00 23:59:59 +0000", 951868799},
	{"Fri, 31 Dec 99 00:00 EST", 946616400},
	{"Fri, 31 Dec 1999 00:00:00 -0500", 946616400},
	{"Thu, 1 Jan 1970 00:00:00 +0000", 0},
	{"Thu, 1 Jan 1970 00:00:00 Nowhere", 0},
	{"Tue, 31 Dec 2024 23:59:60 +0000", 1735689600},
	/* none */
	{"", -1},
	{"Sat", -1},
	{"Sat 21 Nov 2026 19:23:20 +0900", -1},
	{"Sat, 31 Nov 2026 19:23:20 +0900", -1},
	{"Thu, 29 Feb 1900 19:23:20 +0900", -1},
	{"Sat, 0 Nov 2026 19:23:20 +0900", -1},
	{"Sat, 21 Nov 2026 24:00:00 +0900", -1},
	{"Sat, 21 Nov 2026 19:60:00 +0900", -1},
	{"Sat, 21 Nov 2026 19:23:20 +09", -1},
	{"Sat, 21 Nov 2026 19:23:20 +0960", -1},
	{"Sat, 21 Nov 20261 19:23:20 +0900", -1},
	{"Sat, 21 Novem 2026 19:23:20 +0900", -1},
	{"99999999999 Nov 2026 19:23:20 +0900", -1},
	{"2026-11-21 19:23:20", -1},
};

static void test_dates(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(dated) / sizeof(dated[0]); i++) {
		int64_t ms = -1000;
		bool ok = received_date(dated[i].text, strlen(dated[i].text), &ms);

		if (ok != (dated[i].seconds >= 0) || (ok && ms != dated[i].seconds * 1000))
			print_error("%s: %d %lld\n", dated[i].text, ok, (long long)ms);
		assert_int_equal(ok, dated[i].seconds >= 0);
		if (ok)
			assert_int_equal(ms, dated[i].seconds * 1000);
	}
}

/* as Dovecot's LMTP and two Postfix wrote them, newest first */
static const char way[] =
	"Return-Path: <a@lab.test>\r\n"
	"Received: from store.lab.test\r\n"
	"\tby store.lab.test with LMTP\r\n"
	"\tid iHzYIo7vAWs6NAAAg+zDdQ\r\n"
	"\t(envelope-from <a@lab.test>)\r\n"
	"\tfor <user@lab.test>; Sat, 21 Nov 2026 19:24:00 +0900\r\n"
	"X-Note: Received: from nobody by nobody; Sat, 21 Nov 2026 10:00:00 +0000\r\n"
	"received: from mx1.lab.test (mx1.lab.test [192.0.2.1] (may be forged; by liar))\r\n"
	"\tby mx2.lab.test (Postfix) with ESMTPS id 4jX08J6XYcz1cjq1\r\n"
	"\tfor <user@lab.test>; Sat, 21 Nov 2026 10:23:58 +0000 (UTC)\r\n"
	"Received: from ops (localhost [127.0.0.1])\r\n"
	" by mx1.lab.test (Postfix) with ESMTP id 1; Sat, 21 Nov 2026 19:23:21 +0900 (JST)\r\n"
	"Subject: x\r\n"
	"\r\n"
	"Received: from body by body; Sat, 21 Nov 2026 19:23:21 +0900\r\n";

static void test_way(void **state)
{
	struct received r;

	(void)state;
	received_parse(way, sizeof(way) - 1, 1795256600400, &r); /* sent at 19:23:20.4 */
	assert_int_equal(r.n, 3);
	assert_string_equal(r.hop[0].by, "mx1.lab.test");
	assert_string_equal(r.hop[0].from, "ops");
	assert_int_equal(r.hop[0].delay_ms, 600);
	assert_string_equal(r.hop[1].by, "mx2.lab.test");
	assert_string_equal(r.hop[1].from, "mx1.lab.test");
	assert_int_equal(r.hop[1].delay_ms, 37000);
	assert_string_equal(r.hop[2].by, "store.lab.test");
	assert_int_equal(r.hop[2].delay_ms, 2000);
	assert_int_equal(r.slowest, 1);
	assert_false(r.skew);
}

static void test_sent_unknown(void **state)
{
	struct received r;

	(void)state;
	received_parse(way, sizeof(way) - 1, 0, &r);
	assert_int_equal(r.n, 3);
	assert_false(r.hop[0].has_delay);
	assert_true(r.hop[1].has_delay);
}

struct skewed {
	int64_t sent_ms;
	int64_t delay_ms;
	bool skew;
};

/* mx1's line says 19:23:21 = ...601 s: the fraction it cut off is neither delay nor skew */
static const struct skewed skewed[] = {
	{1795256601000, 0, false},
	{1795256601999, 0, false},
	{1795256602001, -1001, true},
	{1795260201000, -3600000, true},
	{1795256501000, 100000, false},
};

static void test_skew(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(skewed) / sizeof(skewed[0]); i++) {
		struct received r;

		received_parse(way, sizeof(way) - 1, skewed[i].sent_ms, &r);
		assert_true(r.hop[0].has_delay);
		assert_int_equal(r.hop[0].delay_ms, skewed[i].delay_ms);
		assert_int_equal(r.hop[0].skew, skewed[i].skew);
		assert_int_equal(r.skew, skewed[i].skew);
		if (skewed[i].skew)
			assert_int_equal(r.slowest, 1); /* never the skewed one */
	}
}

/* By our own clock the whole way took less than mx2 claims for its step. */
static void test_bound(void **state)
{
	struct received r;

	(void)state;
	received_parse(way, sizeof(way) - 1, 1795256600400, &r);
	received_bound(&r, 36000);
	assert_int_equal(r.hop[1].delay_ms, 36000);
	assert_false(r.skew);
	received_bound(&r, 1500);
	assert_int_equal(r.hop[0].delay_ms, 600);
	assert_true(r.hop[1].skew);
	assert_int_equal(r.hop[2].delay_ms, 1500);
	assert_int_equal(r.slowest, 2);
	assert_true(r.skew);
}

static void test_odd_lines(void **state)
{
	static const char odd[] =
		"Received: by a; nonsense\n"
		"Received: (from root@localhost) by b (8.17) id 1; Sat, 21 Nov 2026 10:23:58 +0000; not this\n"
		"Received:\n"
		"Received : from c;by;;from; Sat, 21 Nov 2026 10:23:50 +0000\n"
		"Received: from [IPv6:2001:db8::1]<script> by d\x01\x80 with x";
	struct received r;

	(void)state;
	received_parse(odd, sizeof(odd) - 1, 0, &r);
	assert_int_equal(r.n, 5);
	assert_string_equal(r.hop[0].from, "[IPv6:2001:db8::1]");
	assert_string_equal(r.hop[0].by, "d");
	assert_false(r.hop[0].has_time);
	assert_string_equal(r.hop[1].from, "c");
	assert_true(r.hop[1].has_time);
	assert_false(r.hop[2].has_time);
	assert_string_equal(r.hop[3].by, "b");
	assert_string_equal(r.hop[3].from, "");
	assert_false(r.hop[3].has_time); /* what stands behind the last ';' is no date */
	assert_string_equal(r.hop[4].by, "a");
	assert_int_equal(r.slowest, -1);
	/* no time, no delay, and none for the next either but against the last known time */
	assert_false(r.hop[1].has_delay);
}

static void test_many_hops(void **state)
{
	struct received r;
	struct buf b;

	(void)state;
	buf_init(&b, 100000);
	for (int i = 40; i-- > 0;)
		buf_printf(&b, "Received: by host%d; Sat, 21 Nov 2026 10:%02d:00 +0000\r\n", i, i);
	received_parse(b.data, b.len, 1795256600400, &r);
	assert_int_equal(r.n, RECEIVED_HOPS_MAX);
	assert_int_equal(r.dropped, 40 - RECEIVED_HOPS_MAX);
	assert_string_equal(r.hop[RECEIVED_HOPS_MAX - 1].by, "host39");
	assert_string_equal(r.hop[0].by, "host8");
	assert_false(r.hop[0].has_delay); /* what came before it was dropped */
	assert_int_equal(r.hop[1].delay_ms, 60000);
	buf_fini(&b);
}

static void test_header_next(void **state)
{
	static const char h[] = "A: 1\r\nX-T: one\r\n two\r\nX-Tx: no\r\nX-t : three\nX-T\r\n\nX-T: body\n";
	const char *v;
	size_t pos = 0, n;

	(void)state;
	assert_true(header_next(h, sizeof(h) - 1, "X-T", &pos, &v, &n));
	assert_int_equal(n, strlen(" one\r\n two\r\n"));
	assert_memory_equal(v, " one\r\n two\r\n", n);
	assert_true(header_next(h, sizeof(h) - 1, "X-T", &pos, &v, &n));
	assert_memory_equal(v, " three\n", n);
	assert_false(header_next(h, sizeof(h) - 1, "X-T", &pos, &v, &n));
	assert_false(header_next("", 0, "X-T", &(size_t){0}, &v, &n));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dates), cmocka_unit_test(test_way),       cmocka_unit_test(test_sent_unknown),
		cmocka_unit_test(test_skew),  cmocka_unit_test(test_odd_lines), cmocka_unit_test(test_many_hops),
		cmocka_unit_test(test_header_next), cmocka_unit_test(test_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
