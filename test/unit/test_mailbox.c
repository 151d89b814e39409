/* What check_imap and check_pop3 share: the match of -e, escapes, logins; and what POP3 answers say. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "probes/mailbox/conf.h"
#include "probes/net/sasl.h"
#include "probes/pop3/reply.h"

static enum mailbox_match match(const char *text, bool all, size_t n, char **expect)
{
	struct mailbox_conf o = {.all = all, .expect = {.v = expect, .n = n}};

	return mailbox_match(&o, "+OK", text, strlen(text));
}

static void test_match(void **state)
{
	char *two[] = {"+OK D", "* OK"};

	(void)state;
	assert_int_equal(match("+OK ready", false, 0, NULL), MAILBOX_MATCH);
	assert_int_equal(match("+O", false, 0, NULL), MAILBOX_MORE);
	assert_int_equal(match("-ERR", false, 0, NULL), MAILBOX_NO_MATCH);
	assert_int_equal(match("* OK", false, 2, two), MAILBOX_MATCH);
	assert_int_equal(match("* OK", true, 2, two), MAILBOX_NO_MATCH);
	assert_int_equal(match("+OK", false, 2, two), MAILBOX_MORE);
	assert_int_equal(match("", false, 2, two), MAILBOX_MORE);
	two[1] = "+OK";
	assert_int_equal(match("+OK Dovecot", true, 2, two), MAILBOX_MATCH);
	assert_int_equal(match("+OK", true, 2, two), MAILBOX_MORE);
}

static void test_escapes(void **state)
{
	struct mailbox_conf o = {.escape = true};
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	assert_true(mailbox_unescape(&o, "a\\r\\n\\t\\\\b\\x\\", &b));
	assert_string_equal(buf_str(&b), "a\r\n\t\\b\\x\\");
	buf_reset(&b);
	o.escape = false;
	assert_true(mailbox_unescape(&o, "a\\n", &b));
	assert_string_equal(buf_str(&b), "a\\n");
	buf_fini(&b);
}

static bool answer(enum sasl m, int step, const char *challenge, const char *user, const char *password,
		   struct buf *out)
{
	buf_reset(out);
	return sasl_answer(m, step, challenge, strlen(challenge), user, password, out);
}

/* The examples of RFC 2195, RFC 4616 and RFC 1939. */
static void test_logins(void **state)
{
	char long_name[600], digest[33];
	struct buf b;

	(void)state;
	buf_init(&b, SASL_ANSWER_MAX);
	assert_true(answer(SASL_CRAM_MD5, 0, "PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+",
			   "tim", "tanstaaftanstaaf", &b));
	assert_string_equal(buf_str(&b), "dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw");
	assert_true(answer(SASL_PLAIN, 0, "", "tim", "tanstaaftanstaaf", &b));
	assert_string_equal(buf_str(&b), "AHRpbQB0YW5zdGFhZnRhbnN0YWFm");
	assert_true(answer(SASL_LOGIN, 0, "VXNlcm5hbWU6", "tim", "x", &b));
	assert_string_equal(buf_str(&b), "dGlt");
	assert_true(answer(SASL_LOGIN, 1, "UGFzc3dvcmQ6", "tim", "x", &b));
	assert_string_equal(buf_str(&b), "eA==");
	assert_false(answer(SASL_LOGIN, 2, "", "tim", "x", &b));
	assert_false(answer(SASL_PLAIN, 1, "", "tim", "x", &b));
	assert_false(answer(SASL_CRAM_MD5, 0, "no base64!", "tim", "x", &b));
	memset(long_name, 'a', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	assert_false(answer(SASL_PLAIN, 0, "", long_name, "x", &b));
	long_name[512] = '\0';
	assert_true(answer(SASL_PLAIN, 0, "", long_name, long_name, &b));
	buf_fini(&b);
	assert_true(sasl_apop("+OK POP3 server ready <1896.697170952@dbc.mtview.ca.us>", "tanstaaf", digest));
	assert_string_equal(digest, "c4c9334bac560ecc979e58001b3e22fb");
	assert_true(sasl_apop("+OK <no end", "tanstaaf", digest));
	assert_string_equal(digest, "");
}

static void test_choice(void **state)
{
	(void)state;
	assert_int_equal(sasl_choose(1U << SASL_PLAIN | 1U << SASL_LOGIN, NULL), SASL_PLAIN);
	assert_int_equal(sasl_choose(1U << SASL_PLAIN | 1U << SASL_CRAM_MD5, NULL), SASL_CRAM_MD5);
	assert_int_equal(sasl_choose(1U << SASL_PLAIN | 1U << SASL_LOGIN, "login"), SASL_LOGIN);
	assert_int_equal(sasl_choose(1U << SASL_PLAIN, "CRAM-MD5"), SASL_NONE);
	assert_int_equal(sasl_choose(0, NULL), SASL_NONE);
}

static void test_pop3_status(void **state)
{
	static const struct {
		const char *line;
		enum pop3_status status;
		const char *text;
	} all[] = {
	    {"+OK", POP3_OK, ""},
	    {"+ok  two words", POP3_OK, "two words"},
	    {"-ERR [AUTH] no", POP3_ERR, "[AUTH] no"},
	    {"+OKAY", POP3_NONSENSE, "+OKAY"},
	    {"+ abc", POP3_CHALLENGE, "+ abc"},
	    {"+", POP3_CHALLENGE, "+"},
	    {"", POP3_NONSENSE, ""},
	    {"* OK", POP3_NONSENSE, "* OK"},
	    {"+OK \x1b[2J", POP3_OK, "?[2J"},
	};
	char text[20];

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		assert_int_equal(pop3_status(all[i].line, strlen(all[i].line)), all[i].status);
		assert_string_equal(pop3_text(all[i].line, strlen(all[i].line), text, sizeof(text)),
				    all[i].text);
	}
	assert_true(pop3_code("-ERR [in-use] x", 15, "IN-USE"));
	assert_false(pop3_code("-ERR [IN-USER]", 14, "IN-USE"));
	assert_false(pop3_code("+OK [IN-USE]", 12, "IN-USE"));
	assert_false(pop3_code("-ERR [IN-USE", 12, "IN-USE"));
}

static void test_pop3_stat(void **state)
{
	uint64_t n, size;

	(void)state;
	assert_true(pop3_stat("+OK 2 320", 9, &n, &size) && n == 2 && size == 320);
	assert_true(pop3_stat("+OK 0 0 more", 12, &n, &size) && n == 0);
	assert_false(pop3_stat("+OK 2", 5, &n, &size));
	assert_false(pop3_stat("+OK 2 ", 6, &n, &size));
	assert_false(pop3_stat("+OK -2 3", 8, &n, &size));
	assert_false(pop3_stat("+OK 99999999999999999999 3", 26, &n, &size));
	assert_false(pop3_stat("-ERR 2 320", 10, &n, &size));
}

static void test_pop3_capability(void **state)
{
	static const char *const lines[] = {"TOP", "STLS", "sasl CRAM-MD5 XOAUTH2 PLAIN ", "USER"};
	struct pop3_can can = {0};

	(void)state;
	pop3_capability("STLSX", 5, &can);
	assert_false(can.stls);
	for (size_t i = 0; i < 4; i++)
		pop3_capability(lines[i], strlen(lines[i]), &can);
	assert_true(can.stls && can.user);
	assert_int_equal(can.sasl, 1U << SASL_CRAM_MD5 | 1U << SASL_PLAIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_match),	    cmocka_unit_test(test_escapes),
	    cmocka_unit_test(test_logins),	    cmocka_unit_test(test_choice),
	    cmocka_unit_test(test_pop3_status),	    cmocka_unit_test(test_pop3_stat),
	    cmocka_unit_test(test_pop3_capability),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
