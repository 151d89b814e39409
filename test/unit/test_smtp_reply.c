/* SMTP replies: lines, codes, ends, limits, extensions; and the same bytes cut in every way. */
#include "unit.h"

#include "probes/smtp/reply.h"

static const struct {
	const char *bytes;
	enum smtp_reply_state state;
	int code;
	size_t lines, used;
	const char *text;
} cases[] = {
    {"220 mx ESMTP\r\n", SMTP_REPLY_DONE, 220, 1, 14, "220 mx ESMTP"},
    {"220 mx\n", SMTP_REPLY_DONE, 220, 1, 7, "220 mx"},
    {"220\r\n", SMTP_REPLY_DONE, 220, 1, 5, "220"},
    {"220 \r\n", SMTP_REPLY_DONE, 220, 1, 6, "220 "},
    {"220-wait\r\n220 mx\r\n", SMTP_REPLY_DONE, 220, 2, 18, "220-wait\n220 mx"},
    {"250-a\r\n250-b\r\n250-c\r\n250 d\r\nrest", SMTP_REPLY_DONE, 250, 4, 28, "250-a\n250-b\n250-c\n250 d"},
    {"220-wait\r\n", SMTP_REPLY_MORE, 220, 1, 10, "220-wait"},
    {"22", SMTP_REPLY_MORE, 0, 0, 2, ""},
    {"", SMTP_REPLY_MORE, 0, 0, 0, ""},
    /* the last line's code counts when they differ */
    {"250-a\r\n550 b\r\n", SMTP_REPLY_DONE, 550, 2, 14, "250-a\n550 b"},
    {"554 5.7.1 go away\r\n", SMTP_REPLY_DONE, 554, 1, 19, "554 5.7.1 go away"},
    {"SSH-2.0-OpenSSH_9.2\r\n", SMTP_REPLY_BAD, 0, 1, 21, "SSH-2.0-OpenSSH_9.2"},
    {"\r\n", SMTP_REPLY_BAD, 0, 1, 2, ""},
    {"HTTP/1.1 400 Bad\r\n", SMTP_REPLY_BAD, 0, 1, 18, "HTTP/1.1 400 Bad"},
    {"100 low\r\n", SMTP_REPLY_BAD, 0, 1, 9, "100 low"},
    {"600 high\r\n", SMTP_REPLY_BAD, 0, 1, 10, "600 high"},
    {"22x mx\r\n", SMTP_REPLY_BAD, 0, 1, 8, "22x mx"},
    {"2200 mx\r\n", SMTP_REPLY_BAD, 0, 1, 9, "2200 mx"},
    {"220-ok\r\nnonsense\r\n", SMTP_REPLY_BAD, 220, 2, 18, "220-ok\nnonsense"},
    /* what could move a terminal's cursor or end a string is shown as '?' */
    {"220 a\x1b[2Jb\tc\r\r\n", SMTP_REPLY_DONE, 220, 1, 15, "220 a?[2Jb?c?"},
};

static void same(const struct smtp_reply *r, size_t i, size_t used)
{
	assert_int_equal(r->state, cases[i].state);
	assert_int_equal(r->code, cases[i].code);
	assert_int_equal(r->lines, cases[i].lines);
	assert_int_equal(used, cases[i].used);
	assert_string_equal(buf_str(&r->text), cases[i].text);
	assert_int_equal(r->state == SMTP_REPLY_BAD, r->why != NULL);
}

static void test_whole(void **state)
{
	struct smtp_reply r;
	size_t i, used;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		smtp_reply_init(&r);
		smtp_reply_feed(&r, cases[i].bytes, strlen(cases[i].bytes), &used);
		same(&r, i, used);
		smtp_reply_fini(&r);
	}
}

/* In two pieces at every place, and byte by byte: always the same. */
static void test_pieces(void **state)
{
	struct smtp_reply r;
	size_t i, cut, at, n, used, total;

	(void)state;
	smtp_reply_init(&r);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		n = strlen(cases[i].bytes);
		for (cut = 0; cut <= n; cut++) {
			smtp_reply_reset(&r);
			smtp_reply_feed(&r, cases[i].bytes, cut, &total);
			if (total == cut) {
				smtp_reply_feed(&r, cases[i].bytes + cut, n - cut, &used);
				total += used;
			}
			same(&r, i, total);
		}
		smtp_reply_reset(&r);
		for (at = total = 0; at < n; at++, total += used)
			smtp_reply_feed(&r, cases[i].bytes + at, 1, &used);
		same(&r, i, total);
	}
	smtp_reply_fini(&r);
}

static void test_limits(void **state)
{
	char line[SMTP_LINE_MAX + 8];
	struct smtp_reply r;
	size_t i, used;

	(void)state;
	smtp_reply_init(&r);
	memset(line, 'x', sizeof(line));
	memcpy(line, "220 ", 4);
	assert_int_equal(smtp_reply_feed(&r, line, SMTP_LINE_MAX, &used), SMTP_REPLY_MORE);
	assert_int_equal(smtp_reply_feed(&r, "x", 1, &used), SMTP_REPLY_BAD);
	assert_string_equal(r.why, "a line without end");

	smtp_reply_reset(&r);
	for (i = 0; i < SMTP_REPLY_LINES_MAX; i++)
		assert_int_equal(smtp_reply_feed(&r, "250-x\r\n", 7, &used), SMTP_REPLY_MORE);
	assert_int_equal(smtp_reply_feed(&r, "250-x\r\n", 7, &used), SMTP_REPLY_BAD);
	assert_string_equal(r.why, "a reply without end");

	smtp_reply_reset(&r);
	line[3] = '-';
	for (i = 0; r.state == SMTP_REPLY_MORE; i++)
		smtp_reply_line(&r, line, 1000);
	assert_string_equal(r.why, "a reply without end");
	assert_int_equal(i, SMTP_REPLY_MAX / 1001 + 1);
	assert_true(r.text.len <= SMTP_REPLY_MAX);
	smtp_reply_fini(&r);
}

static void test_offers(void **state)
{
	static const char ehlo[] = "250-mx.example SIZE is not here\r\n250-PIPELINING\r\n250-SIZE "
				   "10240000\r\n250-AUTH PLAIN LOGIN\r\n"
				   "250-AUTH=CRAM-MD5\r\n250-starttls\r\n250 8BITMIME\r\n";
	static const struct {
		const char *want;
		bool offers;
	} t[] = {
	    {"PIPELINING", true},
	    {"pipelining", true},
	    {"SIZE", true},
	    {"SIZE 10240000", true},
	    {"SIZE 5", false},
	    {"STARTTLS", true},
	    {"8BITMIME", true},
	    {"8BITMIM", false},
	    {"8BITMIMEX", false},
	    {"DSN", false},
	    {"AUTH", true},
	    {"AUTH PLAIN", true},
	    {"AUTH LOGIN PLAIN", true},
	    {"auth login", true},
	    {"AUTH CRAM-MD5", true},
	    {"AUTH PLAIN CRAM-MD5", false},
	    {"AUTH GSSAPI", false},
	    {"mx.example", false},
	    {"is", false},
	    {"", false},
	    {"PLAIN", false},
	};
	struct smtp_reply r;
	size_t i, used;

	(void)state;
	smtp_reply_init(&r);
	assert_false(smtp_reply_offers(&r, "SIZE"));
	smtp_reply_feed(&r, ehlo, strlen(ehlo), &used);
	assert_int_equal(r.state, SMTP_REPLY_DONE);
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		if (smtp_reply_offers(&r, t[i].want) != t[i].offers)
			fail_msg("%s: not %d", t[i].want, t[i].offers);
	smtp_reply_fini(&r);
}

static void test_first(void **state)
{
	char out[12];

	(void)state;
	assert_string_equal(smtp_reply_first("550 5.7.1 no", out, sizeof(out)), "5.7.1 no");
	assert_string_equal(smtp_reply_first("550-one\n550 two", out, sizeof(out)), "one");
	assert_string_equal(smtp_reply_first("550", out, sizeof(out)), "");
	assert_string_equal(smtp_reply_first("", out, sizeof(out)), "");
	assert_string_equal(smtp_reply_first("5\n550 x", out, sizeof(out)), "");
	assert_string_equal(smtp_reply_first("550 0123456789abcdef", out, sizeof(out)), "0123456789a");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_whole),  cmocka_unit_test(test_pieces), cmocka_unit_test(test_limits),
	    cmocka_unit_test(test_offers), cmocka_unit_test(test_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
