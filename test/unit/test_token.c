/* The proof that a mail is our own: known HMACs from another implementation, and every way to get it wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "probes/roundtrip/token.h"

static const char key[] = "0123456789abcdef0123";
enum { KEY_LEN = sizeof(key) - 1 };

/* made with Python's hmac module */
#define TOKEN "000102030405060708090a0b0c0d0e0f"
#define MAC "9610031ea6a696565c8a57e512ea435b1b17b093a132b5dc89b7edd66459ffc0"
#define GOOD "v1 mx1 7 " TOKEN " " MAC

static void test_value(void **state)
{
	static const uint8_t random[TOKEN_BYTES] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
	struct token t;
	struct buf out;

	(void)state;
	token_make(random, 7, &t);
	assert_string_equal(t.hex, TOKEN);
	buf_init(&out, TOKEN_VALUE_MAX);
	assert_true(token_value(key, KEY_LEN, "mx1", &t, &out));
	assert_string_equal(buf_str(&out), GOOD);

	buf_reset(&out);
	memset(t.hex, 'f', 32);
	t.run = 0;
	assert_true(token_value(key, KEY_LEN, "mail \xc3\xa4", &t, &out));
	assert_string_equal(buf_str(&out), "v1 mail=20=C3=A4 0 ffffffffffffffffffffffffffffffff "
					   "29020e164b1b999cb03c2cf50c7d5db57897977d9731e28630116e21b9e96efb");
	buf_fini(&out);
}

static void test_no_room(void **state)
{
	struct token t = {.hex = TOKEN, .run = 7};
	struct buf out;

	(void)state;
	buf_init(&out, sizeof(GOOD) - 2);
	assert_false(token_value(key, KEY_LEN, "mx1", &t, &out));
	assert_int_equal(out.len, 0);
	buf_fini(&out);
}

struct judged {
	const char *value, *check;
	enum token_verdict verdict;
};

static const struct judged judged[] = {
	{GOOD, "mx1", TOKEN_OURS},
	{" " GOOD "\r\n", "mx1", TOKEN_OURS},
	{"v1 mx1\r\n\t7 " TOKEN "\r\n " MAC "\r\n", "mx1", TOKEN_OURS},
	/* another check's mail, and one that only claims to be */
	{GOOD, "mx2", TOKEN_OTHER},
	{"v1 mx2 7 " TOKEN " " MAC, "mx2", TOKEN_FORGED},
	/* one thing changed */
	{"v1 mx1 8 " TOKEN " " MAC, "mx1", TOKEN_FORGED},
	{"v1 mx1 7 100102030405060708090a0b0c0d0e0f " MAC, "mx1", TOKEN_FORGED},
	{"v1 mx1 7 " TOKEN " 9610031ea6a696565c8a57e512ea435b1b17b093a132b5dc89b7edd66459ffc1", "mx1", TOKEN_FORGED},
	{"v1 mx1 7 " TOKEN " 0000000000000000000000000000000000000000000000000000000000000000", "mx1", TOKEN_FORGED},
	/* another form */
	{"", "mx1", TOKEN_MALFORMED},
	{"v2 mx1 7 " TOKEN " " MAC, "mx1", TOKEN_MALFORMED},
	{GOOD " x", "mx1", TOKEN_MALFORMED},
	{"v1 mx1 7 " TOKEN, "mx1", TOKEN_MALFORMED},
	{"v1 mx1 07 " TOKEN " " MAC, "mx1", TOKEN_MALFORMED},
	{"v1 mx1 -7 " TOKEN " " MAC, "mx1", TOKEN_MALFORMED},
	{"v1 mx1 99999999999999999999 " TOKEN " " MAC, "mx1", TOKEN_MALFORMED},
	{"v1 mx1 7 000102030405060708090A0B0C0D0E0F " MAC, "mx1", TOKEN_MALFORMED},
	{"v1 mx1 7 " TOKEN "00 " MAC, "mx1", TOKEN_MALFORMED},
	{"v1 mx1 7 " TOKEN " 9610031ea6a696565c8a57e512ea435b1b17b093a132b5dc89b7edd66459ffc", "mx1", TOKEN_MALFORMED},
};

static void test_verdicts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(judged) / sizeof(judged[0]); i++) {
		struct token t = {.hex = "", .run = 0};
		enum token_verdict v = token_verify(key, KEY_LEN, judged[i].check, judged[i].value,
						    strlen(judged[i].value), &t);

		if (v != judged[i].verdict)
			print_error("%s for %s\n", judged[i].value, judged[i].check);
		assert_int_equal(v, judged[i].verdict);
		if (v == TOKEN_OURS) {
			assert_string_equal(t.hex, TOKEN);
			assert_int_equal(t.run, 7);
		}
	}
}

static void test_other_key(void **state)
{
	struct token t;

	(void)state;
	assert_int_equal(token_verify("0123456789abcdef0124", KEY_LEN, "mx1", GOOD, strlen(GOOD), &t), TOKEN_FORGED);
	assert_int_equal(token_verify(key, KEY_LEN - 1, "mx1", GOOD, strlen(GOOD), &t), TOKEN_FORGED);
}

static void test_nul_and_length(void **state)
{
	char with_nul[] = GOOD, longest[2000];
	struct token t;

	(void)state;
	with_nul[5] = '\0';
	assert_int_equal(token_verify(key, KEY_LEN, "mx1", with_nul, sizeof(with_nul) - 1, &t), TOKEN_MALFORMED);
	memset(longest, ' ', sizeof(longest));
	memcpy(longest, GOOD, strlen(GOOD));
	assert_int_equal(token_verify(key, KEY_LEN, "mx1", longest, sizeof(longest), &t), TOKEN_MALFORMED);
}

/* A name of any length and content stays one word that the header can hold, and verifies. */
static void test_names(void **state)
{
	char name[300], escaped[TOKEN_CHECK_MAX + 1];
	static const char *const names[] = {"", "a b", "\n", "v1 x 1", "(", "\xff"};
	struct token t = {.hex = TOKEN, .run = 1}, back;
	struct buf out;

	(void)state;
	memset(name, '\xe3', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	token_check_name(name, escaped, sizeof(escaped));
	assert_int_equal(strlen(escaped), TOKEN_CHECK_MAX);
	for (size_t i = 0; i <= sizeof(names) / sizeof(names[0]); i++) {
		const char *n = i < sizeof(names) / sizeof(names[0]) ? names[i] : name;

		buf_init(&out, TOKEN_VALUE_MAX);
		assert_true(token_value(key, KEY_LEN, n, &t, &out));
		assert_null(strpbrk(buf_str(&out), "\r\n\t"));
		assert_int_equal(token_verify(key, KEY_LEN, n, out.data, out.len, &back), TOKEN_OURS);
		buf_fini(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_value),      cmocka_unit_test(test_no_room),
		cmocka_unit_test(test_verdicts),   cmocka_unit_test(test_other_key),
		cmocka_unit_test(test_nul_and_length), cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
