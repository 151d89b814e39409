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

#include "../../drivers/gsm7.h"
#include "../../drivers/utf8.h"
#include "../../notifiers/notifier.h"
#include "../../notifiers/sms_text.h"

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
	expect(p, 160, "REPEAT CRITICAL mx1: connection refused, since 19:44 #K7Q2M");
	p.resend = true;
	expect(p, 160, "(again) REPEAT CRITICAL mx1: connection refused, since 19:44 #K7Q2M");
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
	};

	setenv("TZ", "UTC", 1);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
