/* The mail a page becomes: header words, quoted-printable, addresses. What mail programs make of it is tested
 * end to end. */
#include "unit.h"

#include "notifiers/email/message.h"

static struct page page_of(const char *text, const char *more)
{
	return (struct page){.id = "01J:a/b",
			     .to = "oncall@example.net",
			     .kind = PAGE_NEW,
			     .incident = "K7Q2M",
			     .check = "mx1",
			     .host = "mx1.lab.test",
			     .state = "CRITICAL",
			     .text = text,
			     .more = more,
			     .since_wall_ms = 1795289212000,
			     .at_wall_ms = 1795289272000,
			     .deadline_ms = 60000};
}

static void test_header_text(void **state)
{
	static const struct {
		const char *text, *out;
		size_t used;
	} cases[] = {
	    {"plain", "plain", 9},
	    {"", "", 9},
	    {"ä", "=?UTF-8?B?w6Q=?=", 9},
	    {"=?x?=", "=?UTF-8?B?PT94Pz0=?=", 9}, /* looks like an encoded word: must not be decoded */
	    {"tab\there", "=?UTF-8?B?dGFiCWhlcmU=?=", 9},
	    {"line\nbreak: x", "=?UTF-8?B?bGluZQpicmVhazogeA==?=", 9}, /* never a header of its own */
	    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa bbbbbbbbbbbbbbbbbbbbbbbbbbbbbb cccccccccccccccccccccccccccccc",
	     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa bbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\r\n "
	     "cccccccccccccccccccccccccccccc",
	     9},
	    {"ああああああああああああああああああ", /* 54 bytes: 39 and 15 */
	     "=?UTF-8?B?44GC44GC44GC44GC44GC44GC44GC44GC44GC44GC44GC44GC44GC?=\r\n "
	     "=?UTF-8?B?44GC44GC44GC44GC44GC?=",
	     4},
	    {"xああああああああああああああ", /* 43 bytes: a character would be split at 39 */
	     "=?UTF-8?B?eOOBguOBguOBguOBguOBguOBguOBguOBguOBguOBguOBguOBgg==?=\r\n =?UTF-8?B?44GC44GC?=", 4},
	    {"ä", "\r\n =?UTF-8?B?w6Q=?=", 13}, /* no room for a whole word */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf b;

		buf_init(&b, 4096);
		email_header_text(&b, cases[i].text, cases[i].used);
		assert_string_equal(buf_str(&b), cases[i].out);
		buf_fini(&b);
	}
}

static void test_quoted(void **state)
{
	static const struct {
		const char *text, *out;
	} cases[] = {
	    {"", ""},
	    {"a", "a\r\n"},
	    {"a\n\nb\n", "a\r\n\r\nb\r\n"},
	    {"a\r\nb", "a\r\nb\r\n"},
	    {".", "=2E\r\n"},
	    {"..x\n.", "=2E.x\r\n=2E\r\n"},
	    {"From me", "=46rom me\r\n"},
	    {"blank \ntab\t\n", "blank=20\r\ntab=09\r\n"},
	    {"1=1 ä \x01", "1=3D1 =C3=A4 =01\r\n"},
	    {"0123456789012345678901234567890123456789012345678901234567890123456789012345",
	     "012345678901234567890123456789012345678901234567890123456789012345678901234=\r\n5\r\n"},
	    /* what begins a line after a soft break is quoted as at any other start */
	    {"012345678901234567890123456789012345678901234567890123456789012345678901234.",
	     "012345678901234567890123456789012345678901234567890123456789012345678901234=\r\n=2E\r\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf b;

		buf_init(&b, 4096);
		email_quoted(&b, cases[i].text);
		assert_string_equal(buf_str(&b), cases[i].out);
		buf_fini(&b);
	}
}

static void test_address(void **state)
{
	static const struct {
		const char *address;
		bool ok;
	} cases[] = {
	    {"a@b", true},
	    {"a.b+c@d-e.example", true},
	    {"a@[192.0.2.1]", false},
	    {"", false},
	    {"a", false},
	    {"@b", false},
	    {"a@", false},
	    {"a@b@c", false},
	    {"a b@c", false},
	    {"a@b\r\nDATA", false},
	    {"<a@b>", false},
	    {"\"a\"@b", false},
	    {"ä@b", false},
	    {"a@.b", false},
	    {"a@b.", false},
	    {"a,b@c", false},
	};
	char why[200], big[300];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		why[0] = '\0';
		if (email_address_ok(cases[i].address, why, sizeof(why)) != cases[i].ok)
			fail_msg("%s", cases[i].address);
		assert_int_equal(why[0] == '\0', cases[i].ok);
	}
	memset(big, 'x', sizeof(big));
	memcpy(big + 200, "@b", 3);
	assert_true(email_address_ok(big, why, sizeof(why)));
	memset(big, 'x', sizeof(big));
	memcpy(big + 260, "@b", 3);
	assert_false(email_address_ok(big, why, sizeof(why)));
}

static void test_message(void **state)
{
	struct page p = page_of("connect refused", "line two\n");
	struct buf b;
	const char *body;

	(void)state;
	buf_init(&b, EMAIL_MESSAGE_MAX);
	assert_true(email_message(&b, &p, "monitord@lab.test", "ops.lab.test", 1795289272000));
	assert_int_equal(
	    strncmp(buf_str(&b),
		    "Date: Sat, 21 Nov 2026 19:27:52 +0000\r\n"
		    "From: monitord <monitord@lab.test>\r\nTo: <oncall@example.net>\r\nSubject: ",
		    100),
	    0);
	assert_non_null(strstr(buf_str(&b), "\r\nMessage-ID: <page.01J_a_b@ops.lab.test>\r\n"));
	assert_non_null(strstr(buf_str(&b), "\r\nReferences: <incident.K7Q2M@ops.lab.test>\r\n"));
	assert_non_null(strstr(buf_str(&b), "\r\nAuto-Submitted: auto-generated\r\n"));
	body = strstr(buf_str(&b), "\r\n\r\n");
	assert_non_null(body);
	assert_int_equal(strncmp(body, "\r\n\r\nconnect refused\r\n", 21), 0);
	assert_null(strstr(body, "may have reached you"));
	assert_non_null(strstr(body, "\r\nline two\r\n"));
	buf_reset(&b);
	p.resend = true;
	assert_true(email_message(&b, &p, "monitord@lab.test", "ops.lab.test", 1795289272000));
	assert_non_null(strstr(buf_str(&b), "may have reached you"));
	buf_fini(&b);
	/* too small a buffer is said, not overrun */
	buf_init(&b, 200);
	assert_false(email_message(&b, &p, "monitord@lab.test", "ops.lab.test", 1795289272000));
	buf_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_header_text),
	    cmocka_unit_test(test_quoted),
	    cmocka_unit_test(test_address),
	    cmocka_unit_test(test_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
