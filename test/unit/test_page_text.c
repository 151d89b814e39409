/* A page as one short text: what is cut, what never is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "drivers/gsm/gsm7.h"
#include "drivers/gsm/utf8.h"
#include "notifiers/notifier.h"
#include "notifiers/sms/text.h"
#include "notifiers/text/words.h"

#define T0 1795290251000LL /* 2026-11-21 19:44:11 UTC */

static const struct page base = {.id = "1",
				 .to = "+81",
				 .kind = PAGE_NEW,
				 .incident = "K7Q2M",
				 .check = "mx1",
				 .host = "mx1",
				 .state = "CRITICAL",
				 .text = "connection refused",
				 .since_wall_ms = T0,
				 .at_wall_ms = T0};

static void expect(struct page p, size_t max, const char *text)
{
	char *s = page_text(&p, max, NULL);

	assert_string_equal(s, text);
	free(s);
}

static void kinds(void **state)
{
	(void)state;
	struct page p = base;

	expect(p, 160, "CRITICAL mx1: connection refused, since 19:44 #K7Q2M");
	p.kind = PAGE_REPEAT;
	expect(p, 160, "(again) CRITICAL mx1: connection refused, since 19:44 #K7Q2M");
	p.resend = true;
	expect(p, 160, "(again) CRITICAL mx1: connection refused, since 19:44 #K7Q2M");
	p = base;
	p.kind = PAGE_ACK;
	expect(p, 160, "ACK CRITICAL mx1: connection refused #K7Q2M");
	p.kind = PAGE_NOTICE;
	expect(p, 160, "NOTICE CRITICAL mx1: connection refused #K7Q2M");
	p.kind = PAGE_TEST;
	expect(p, 160, "TEST: connection refused #K7Q2M");
	p.kind = PAGE_RECOVERED;
	p.state = "";
	p.at_wall_ms = T0 + 12 * 60000;
	expect(p, 160, "OK mx1 after 12 min: connection refused #K7Q2M");
}

static void places(void **state)
{
	(void)state;
	struct page p = base;

	p.host = "relay.example.com";
	expect(p, 160, "CRITICAL mx1 (relay.example.com): connection refused, since 19:44 #K7Q2M");
	p.text = "relay.example.com:25 refuses";
	expect(p, 160, "CRITICAL mx1: relay.example.com:25 refuses, since 19:44 #K7Q2M");
	p.text = "no route to relay.example.com.";
	expect(p, 160, "CRITICAL mx1: no route to relay.example.com, since 19:44 #K7Q2M");
	/* another host's name that merely holds it */
	p.text = "mail.relay.example.com refuses";
	expect(p, 160,
	       "CRITICAL mx1 (relay.example.com): mail.relay.example.com refuses, since 19:44 #K7Q2M");
	p.host = "10.0.0.1";
	p.text = "10.0.0.12 refuses";
	expect(p, 160, "CRITICAL mx1 (10.0.0.1): 10.0.0.12 refuses, since 19:44 #K7Q2M");
	p.host = "";
	p.text = "connection refused";
	p.at_wall_ms = T0 + 86400000;
	expect(p, 160, "CRITICAL mx1: connection refused, since 11-21 19:44 #K7Q2M");
	p.incident = "";
	p.since_wall_ms = 0;
	expect(p, 160, "CRITICAL mx1: connection refused");
	p.text = "";
	expect(p, 160, "CRITICAL mx1");
	p.check = p.state = "";
	p.text = "only a text.";
	expect(p, 160, "only a text");
}

static void one_line(void **state)
{
	(void)state;
	struct page p = base;

	p.text = "first\tline. \nsecond";
	expect(p, 160, "CRITICAL mx1: first line, since 19:44 #K7Q2M");
	p.text = "\nnothing first";
	expect(p, 160, "CRITICAL mx1 since 19:44 #K7Q2M");
}

/* A plugin's own state is not said twice. */
static void said_once(void **state)
{
	(void)state;
	static const struct {
		const char *text, *shown;
	} v[] = {
	    {"CRITICAL - disk full", "CRITICAL mx1: disk full"},
	    {"CRITICAL: disk full", "CRITICAL mx1: disk full"},
	    {"DISK CRITICAL - free space: 0", "CRITICAL mx1: free space: 0"},
	    {"FILE_AGE CRITICAL: /x is 9 s old", "CRITICAL mx1: /x is 9 s old"},
	    {"WARNING - disk full", "CRITICAL mx1: WARNING - disk full"},
	    {"CRITICAL disk", "CRITICAL mx1: CRITICAL disk"},
	    {"CRITICAL-ity is high", "CRITICAL mx1: CRITICAL-ity is high"},
	    {"CRITICAL - ", "CRITICAL mx1: CRITICAL -"},
	    {"Disk CRITICAL - full", "CRITICAL mx1: Disk CRITICAL - full"},
	};

	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		struct page p = base;

		p.since_wall_ms = 0;
		p.incident = "";
		p.text = v[i].text;
		expect(p, 160, v[i].shown);
	}
}

static void shortening(void **state)
{
	(void)state;
	struct page p = base;

	p.host = "relay";
	expect(p, 56, "CRITICAL mx1 (relay): connection r... since 19:44 #K7Q2M");
	expect(p, 41, "CRITICAL mx1 (relay) since 19:44 #K7Q2M");
	expect(p, 39, "CRITICAL mx1 (relay) since 19:44 #K7Q2M");
	expect(p, 38, "CRITICAL mx1: co... since 19:44 #K7Q2M");
	expect(p, 31, "CRITICAL mx1 since 19:44 #K7Q2M");
	expect(p, 30, "CRITICAL mx since 19:44 #K7Q2M");
}

/* Whatever the lengths and the alphabet: never too long, state and id always there, and as much of the reason
 * as fits. */
static void always_fits(void **state)
{
	(void)state;
	static const char *const unit[] = {"x",	   "{", "\xC3\xA4", "\xE3\x81\x82", "\xF0\x9F\x98\x80",
					   "\x80", " ."};
	char text[4000], check[128];

	for (size_t u = 0; u < sizeof(unit) / sizeof(unit[0]); u++) {
		for (size_t n = 0; n < 400; n += 7) {
			struct page p = base;
			char *s;

			text[0] = '\0';
			for (size_t i = 0; i < n; i++)
				strcat(text, unit[u]);
			memset(check, 'c', sizeof(check) - 1);
			check[n % 120 + 1] = '\0';
			p.text = text;
			p.check = check;
			s = page_text(&p, 160, u <= 2 ? gsm7_count : utf8_utf16_units);
			assert_non_null(s);
			assert_in_range(u <= 2 ? gsm7_count(s) : utf8_utf16_units(s), 1, 160);
			assert_memory_equal(s, "CRITICAL c", 10);
			assert_string_equal(s + strlen(s) - 19, " since 19:44 #K7Q2M");
			if (u < 2 && n > 200)
				assert_true((u == 0 ? strlen(s) : gsm7_count(s)) >= 159);
			free(s);
		}
	}
}

static void sms(void **state)
{
	(void)state;
	struct page p = base;
	char long_text[2000] = "", *s;

	p.lang = "ja";
	s = sms_text(&p, 1);
	assert_string_equal(s, "障害 mx1: 接続拒否 19:44から #K7Q2M");
	free(s);
	p.lang = "";
	p.text = "\xE2\x80\x9Cslow\xE2\x80\x9D \xE2\x82\xAC";
	s = sms_text(&p, 1);
	assert_string_equal(s, "CRITICAL mx1: \"slow\" \xE2\x82\xAC, since 19:44 #K7Q2M");
	free(s);
	for (int i = 0; i < 150; i++)
		strcat(long_text, "\xE3\x81\x82");
	p.text = long_text;
	for (size_t parts = 1; parts <= 3; parts++) {
		s = sms_text(&p, parts);
		assert_in_range(utf8_utf16_units(s), 60, parts == 1 ? 70 : parts * 67);
		free(s);
	}
}

/* --- Japanese --- */

static void expect_ja(struct page p, size_t max, const char *text)
{
	char *s;

	p.lang = "ja";
	s = page_text(&p, max, utf8_utf16_units);
	assert_string_equal(s, text);
	assert_true(utf8_utf16_units(s) <= max);
	free(s);
}

static void japanese_kinds(void **state)
{
	(void)state;
	struct page p = base;

	expect_ja(p, 70, "障害 mx1: 接続拒否 19:44から #K7Q2M");
	p.code = "4711";
	p.resend = true;
	expect_ja(p, 70, "(again) 障害 mx1: 接続拒否 19:44から #K7Q2M 返信 ACK 4711");
	p = base;
	p.kind = PAGE_REPEAT;
	p.host = "relay.example.com";
	p.at_wall_ms = T0 + 86400000;
	expect_ja(p, 70, "(again) 障害 mx1(relay.example.com): 接続拒否 11/21 19:44から #K7Q2M");
	p = base;
	p.kind = PAGE_ACK;
	p.text = "acknowledged by kei: on it";
	expect_ja(p, 70, "対応中 障害 mx1: 対応者 kei: on it #K7Q2M");
	p.kind = PAGE_RECOVERED;
	p.state = "OK";
	p.text = "was CRITICAL: connection refused; now: answers in 0.012 s";
	p.at_wall_ms = T0 + (2 * 60 + 5) * 60000;
	expect_ja(p, 70, "復旧 mx1 2時間5分後: 前は障害: 接続拒否; 今: 応答 0.012秒 #K7Q2M");
	p.kind = PAGE_TEST;
	p.text = "this is a test page of the mail monitor: nothing is wrong";
	expect_ja(p, 70, "テスト: メール監視の試験です。異常はありません #K7Q2M");
	p = base;
	p.kind = PAGE_DIGEST;
	p.check = p.host = p.state = p.incident = "";
	p.since_wall_ms = 0;
	p.text = "relay1 down, 14 checks behind it";
	expect_ja(p, 70, "relay1停止、その先14件");
}

/* What our probes say, as they say it. */
static void japanese_words(void **state)
{
	(void)state;
	static const struct {
		const char *en, *ja;
	} v[] = {
	    {"192.0.2.1:25 refuses the connection", "192.0.2.1:25 接続拒否"},
	    {"mx1:25 no answer in the connect for 10 s", "mx1:25 10秒応答なし(接続)"},
	    {"mx1:25 no answer in EHLO for 5.5 s", "mx1:25 5.5秒応答なし(EHLO)"},
	    {"mx1:25 answers RCPT TO: 550 no such user", "mx1:25 RCPT TOの応答: 550 no such user"},
	    {"mx1:25 cannot be found: no such name", "mx1:25 名前が見つからない"},
	    {"420 deferred, oldest deferred 2 h 5 min", "遅延キュー 420通, 最古の遅延 2時間5分"},
	    {"at least 1200 deferred (+40/min)", "遅延キュー 1200通以上 (+40/分)"},
	    {"/var: 3% free, not above 5%", "/var: 空き3%, 下限5%"},
	    {"/var: will be full in 40 min, growing 3 MiB a minute", "/var: あと40分で満杯, 毎分3MiB増加"},
	    {"mail waits in deferred for 4 d 3 h", "deferredでメールが4日3時間待ち"},
	    {"2 lost, later mail arrives", "往復メール2通消失(後続は到着)"},
	    {"recovered after 45 s", "45秒で復旧"},
	    {"mx1:25 timed out after 20.0 s", "mx1:25 20.0秒でタイムアウト"},
	    {"load over 1 min is above 8: load average: 9.10, 4.00, 2.00", "1分負荷が8超: 負荷: 9.10, 4.00, 2.00"},
	    {"0 processes with command name 'qmgr'", "プロセス0個、名前 'qmgr'"},
	    {"/var/log/mail.log is not there", "/var/log/mail.log がない"},
	    {"/var/log/mail.log is 900 seconds old and 12 bytes", "/var/log/mail.log は900秒前、12バイト"},
	    {"1200 MiB of 24106 MiB available (5 %)", "空きメモリ1200/24106MiB (5%)"},
	    {"192.0.2.1 is on zen.example (127.0.0.2)", "192.0.2.1 がzen.exampleに掲載(127.0.0.2)"},
	    {"192.0.2.9 may not send for lab.test: softfail", "192.0.2.9 はlab.testの送信元に許可なし: softfail"},
	    {"client 192.0.2.7 sends 900 messages a minute, usual are 12", "client 192.0.2.7 が毎分900通送信(通常12)"},
	    {"mx1:25: 2 of 5 connects answered", "mx1:25: 接続5回中2回応答"},
	    {"nothing proves that line modem reaches +819012345678", "回線modemが+819012345678に届く証拠なし"},
	    {"the other ops host ops2 is silent for 30 s: it is dead, or the link to it is cut",
	     "もう一方の監視機ops2 が30秒沈黙: 停止か回線断"},
	    /* unknown words, and known ones within longer ones, stay */
	    {"disk fuller than ever", "disk fuller than ever"},
	    {"untimed out", "untimed out"},
	    {"certificates are fine", "certificates are fine"},
	    {"550 5.7.1 \xE3\x81\x82 timed out", "550 5.7.1 \xE3\x81\x82 タイムアウト"},
	};

	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		char out[400];
		japanese(v[i].en, out, sizeof(out));
		assert_string_equal(out, v[i].ja);
		/* whatever the room, only whole characters */
		for (size_t size = 1; size < 40; size++) {
			japanese(v[i].en, out, size);
			assert_true(strlen(out) < size);
			assert_true(utf8_utf16_units(out) != SIZE_MAX);
		}
	}
}

/* On a small screen a page says what is wrong, also when it is a repeat with a code. */
static void reason_survives(void **state)
{
	(void)state;
	static const struct {
		const char *check, *host, *text, *must;
	} v[] = {
	    {"trunk relay", "relay.example.org", "refuses the connection", "接続拒否"},
	    {"trunk relay", "relay.example.org", "timed out after 20.0 s waiting for the greeting", "20.0秒でタイムアウト"},
	    {"mail host", "mx1.example.co.jp", "0 processes with command name 'qmgr'", "プロセス0個"},
	    {"mail host", "mx1.example.co.jp", "/var: will be full in 40 min", "/var: あと40分"},
	    {"mail host", "mx1.example.co.jp", "load over 1 min is above 8: load average: 9.10", "1分負荷が8超"},
	};

	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		struct page p = base;
		char *s;

		p.kind = PAGE_REPEAT;
		p.lang = "ja";
		p.code = "4711";
		p.check = v[i].check;
		p.host = v[i].host;
		p.text = v[i].text;
		s = page_text(&p, 70, utf8_utf16_units);
		if (!strstr(s, v[i].must) || !strstr(s, "(again)") || !strstr(s, v[i].check) || !strstr(s, "4711"))
			fail_msg("%s", s);
		free(s);
	}
}

static void reply_code(void **state)
{
	(void)state;
	struct page p = base;

	p.code = "4711";
	expect(p, 160, "CRITICAL mx1: connection refused, since 19:44 #K7Q2M reply ACK 4711");
	expect(p, 57, "CRITICAL mx1: connec... since 19:44 #K7Q2M reply ACK 4711");
}

/* --- templates --- */

static void templates(void **state)
{
	(void)state;
	struct page p = base;

	p.template = "{state} {check}@{host}: {text} {since} #{id}";
	p.host = "relay";
	expect(p, 160, "CRITICAL mx1@relay: connection refused since 19:44 #K7Q2M");
	expect(p, 53, "CRITICAL mx1@relay: connection ... since 19:44 #K7Q2M");
	/* a few letters say nothing: the host gives way */
	expect(p, 50, "CRITICAL mx1: connection ref... since 19:44 #K7Q2M");
	expect(p, 35, "CRITICAL mx1: since 19:44 #K7Q2M");
	p.host = "";
	expect(p, 160, "CRITICAL mx1: connection refused since 19:44 #K7Q2M");
	p.resend = true;
	p.code = "4711";
	expect(p, 160, "(again) CRITICAL mx1: connection refused since 19:44 #K7Q2M reply ACK 4711");
	/* the '@' of a field's own stays */
	p = base;
	p.template = "{state} {check}@{host}: {text} {since} #{id}";
	p.check = "from root@";
	p.host = "";
	expect(p, 160, "CRITICAL from root@: connection refused since 19:44 #K7Q2M");
	p = base;
	p.template = "#{id} {text} | {check} ({host}) {state} {since} {code} No{number}";
	p.code = "4711";
	p.number = 12;
	expect(p, 160, "#K7Q2M connection refused | mx1 (mx1) CRITICAL since 19:44 reply ACK 4711 No12");
	p.kind = PAGE_RECOVERED;
	p.state = "OK";
	p.at_wall_ms = T0 + 60000;
	p.code = "";
	p.lang = "ja";
	expect(p, 160, "#K7Q2M 接続拒否 | mx1 (mx1) 復旧 1分後 No12");
	/* about no check: the usual layout */
	p.kind = PAGE_TEST;
	expect(p, 160, "テスト: 接続拒否 #K7Q2M");
	/* one that nobody checked is not used */
	p = base;
	p.template = "{state} {unknown}";
	expect(p, 160, "CRITICAL mx1: connection refused, since 19:44 #K7Q2M");
}

static void never_too_long(void **state)
{
	(void)state;
	struct page p = base;
	char check[120];

	memset(check, 'c', sizeof(check) - 1);
	check[sizeof(check) - 1] = '\0';
	p.check = check;
	p.code = "12345678901234567890123456789012";
	p.template = "{state} 1234567890 {check} 1234567890 {text} 1234567890 {id}";
	for (size_t max = 0; max < 200; max++) {
		char *s = page_text(&p, max, utf8_utf16_units);
		assert_non_null(s);
		assert_true(utf8_utf16_units(s) <= max);
		free(s);
	}
}

/* A person half asleep sees what and where in the first 40 characters. */
static void first_forty(void **state)
{
	(void)state;
	struct page p = base;
	char *s;

	p.resend = true;
	p.kind = PAGE_REPEAT;
	p.check = "relay1 smtp queue";
	p.text = "DEMO CRITICAL - something long that is wrong with it and goes on and on";
	s = page_text(&p, 160, NULL);
	assert_memory_equal(s, "(again) CRITICAL relay1 smtp queue (mx1): ", 42);
	free(s);
}

static void references(void **state)
{
	(void)state;
	static struct sms_refs r;
	bool all;

	sms_refs_add(&r, "a", "+819012345678", 5, 1, 2);
	sms_refs_add(&r, "a", "+819012345678", 6, 2, 2);
	sms_refs_add(&r, "b", "+819012340000", 7, 1, 1);
	assert_null(sms_refs_report(&r, 9, "+819012345678", true, &all));
	assert_null(sms_refs_report(&r, 5, "+819012340000", true, &all));
	assert_string_equal(sms_refs_report(&r, 6, "819012345678", true, &all)->id, "a");
	assert_false(all);
	assert_string_equal(sms_refs_report(&r, 5, "09012345678", true, &all)->id, "a");
	assert_true(all);
	assert_string_equal(sms_refs_report(&r, 7, "+819012340000", false, &all)->id, "b");
	assert_false(all);
	for (int i = 0; i < SMS_REFS_MAX; i++)
		sms_refs_add(&r, "c", "+1", (uint8_t)(100 + i), 1, 1);
	assert_null(sms_refs_report(&r, 5, "+819012345678", true, &all));
}

static void tries(void **state)
{
	(void)state;
	static struct sms_tries t;
	char id[16];

	assert_int_equal(sms_tries_count(&t, "a"), 1);
	assert_int_equal(sms_tries_count(&t, "a"), 2);
	assert_int_equal(sms_tries_count(&t, "b"), 1);
	for (int i = 0; i < SMS_TRIES_MAX; i++) {
		snprintf(id, sizeof(id), "x%d", i);
		assert_int_equal(sms_tries_count(&t, id), 1);
	}
	assert_int_equal(sms_tries_count(&t, "a"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(kinds),	 cmocka_unit_test(places),     cmocka_unit_test(one_line),
	    cmocka_unit_test(said_once), cmocka_unit_test(shortening), cmocka_unit_test(always_fits),
	    cmocka_unit_test(sms),	 cmocka_unit_test(references), cmocka_unit_test(tries),
	    cmocka_unit_test(japanese_kinds), cmocka_unit_test(japanese_words), cmocka_unit_test(reason_survives), cmocka_unit_test(reply_code),
	    cmocka_unit_test(templates), cmocka_unit_test(never_too_long), cmocka_unit_test(first_forty),
	};

	setenv("TZ", "UTC", 1);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
