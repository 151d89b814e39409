/* What a person's message says, and what follows from it: tables, from the header's promises. */
#include "unit.h"

#include "pagerd/rules/answer.h"
#include "pagerd/rules/number.h"

static void messages(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		enum answer_verb verb;
		const char *code, *comment;
	} v[] = {
	    {"ACK 4821", ANSWER_ACK, "4821", ""},
	    {"ack 4821", ANSWER_ACK, "4821", ""},
	    {"Ack4821.", ANSWER_ACK, "4821", ""},
	    {"4821", ANSWER_ACK, "4821", ""},
	    {" \n 4821 \n", ANSWER_ACK, "4821", ""},
	    {"48213", ANSWER_ACK, "48213", ""},
	    {"482135 on it", ANSWER_ACK, "482135", "on it"},
	    {"ACK: 4821, on my way", ANSWER_ACK, "4821", "on my way"},
	    {"ACK #4821\nback at 9\n", ANSWER_ACK, "4821", "back at 9"},
	    {"OK 4821", ANSWER_ACK, "4821", ""},
	    {"ＡＣＫ\u3000４８２１", ANSWER_ACK, "4821", ""},
	    {"４８２１\u3000対応します", ANSWER_ACK, "4821", "対応します"},
	    {"了解4821", ANSWER_ACK, "4821", ""},
	    {"確認\u3000４８２１\u3002", ANSWER_ACK, "4821", ""},
	    {"\u00a04821\u00a0thanks", ANSWER_ACK, "4821", "thanks"},
	    {"4821, 10 minutes", ANSWER_ACK, "4821", "10 minutes"},
	    /* no code */
	    {"ack", ANSWER_ACK, "", ""},
	    {"ok thanks", ANSWER_ACK, "", "thanks"},
	    {"ACK 482", ANSWER_ACK, "", "482"},
	    {"ACK K7Q2M", ANSWER_ACK, "", "K7Q2M"},
	    {"4821s", ANSWER_NONE, "", ""},
	    {"4821:30", ANSWER_NONE, "", ""},
	    {"2026-11-21 ok", ANSWER_NONE, "", ""},
	    {"48215678", ANSWER_NONE, "", ""},
	    {"acknowledging 4821", ANSWER_NONE, "", ""},
	    {"okay 4821", ANSWER_NONE, "", ""},
	    {"please ack 4821", ANSWER_NONE, "", ""},
	    {"hello", ANSWER_NONE, "", ""},
	    {"", ANSWER_NONE, "", ""},
	    {"help, it burns", ANSWER_NONE, "", ""},
	    /* the other verbs */
	    {"STATUS", ANSWER_STATUS, "", ""},
	    {"status?", ANSWER_STATUS, "", ""},
	    {"?", ANSWER_STATUS, "", ""},
	    {"？", ANSWER_STATUS, "", ""},
	    {"状況", ANSWER_STATUS, "", ""},
	    {"Help", ANSWER_HELP, "", ""},
	    {"ヘルプ", ANSWER_HELP, "", ""},
	};
	for (size_t i = 0; i < sizeof v / sizeof *v; i++) {
		struct answer a;
		answer_parse(v[i].text, &a);
		if (a.verb != v[i].verb || strcmp(a.code, v[i].code) != 0 ||
		    (v[i].verb == ANSWER_ACK && strcmp(a.comment, v[i].comment) != 0) || a.quoted)
			fail_msg("\"%s\": verb %d code \"%s\" comment \"%s\" quoted %d", v[i].text, a.verb,
				 a.code, a.comment, a.quoted);
	}
}

static void forwarded_and_quoted(void **state)
{
	(void)state;
	static const char *const v[] = {
	    "> ACK 4821",
	    ">4821",
	    "Fwd: 4821",
	    "FW: ACK 4821",
	    "Re: ACK 4821",
	    "転送: 4821",
	    "\"4821\"",
	    "\u201c4821\u201d",
	    "\u300c4821\u300d",
	    "4821 look:\n> CRITICAL mx1: connection refused",
	    "4821 CRITICAL mx1: connection refused, since 19:44 #K7Q2M",
	    "＞４８２１",
	};
	for (size_t i = 0; i < sizeof v / sizeof *v; i++) {
		struct answer a;
		answer_parse(v[i], &a);
		if (!a.quoted)
			fail_msg("\"%s\" is not taken for a quote", v[i]);
	}
	assert_true(answer_echoes("4821 mx1: connection refused", "connection refused"));
	assert_true(answer_echoes("ACK 4821 \"remote host said: 450 too busy\"",
				  "remote host said: 450 too busy, since 12:00"));
	assert_false(answer_echoes("4821 it was refused", "connection refused"));
	assert_false(answer_echoes("4821", ""));
}

static void downtimes(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		enum answer_verb verb;
		int64_t span;
		const char *code, *name;
	} v[] = {
	    {"DOWN 2h", ANSWER_DOWN, 7200000, "", ""},
	    {"down 2h 4821", ANSWER_DOWN, 7200000, "4821", ""},
	    {"Down 90 min mx1 smtp", ANSWER_DOWN, 5400000, "", "mx1 smtp"},
	    {"DOWN 1d #K7Q2M", ANSWER_DOWN, 86400000, "", "K7Q2M"},
	    {"DOWN 30m spool disk.", ANSWER_DOWN, 1800000, "", "spool disk"},
	    {"ＤＯＷＮ\u3000２時間\u3000４８２１", ANSWER_DOWN, 7200000, "4821", ""},
	    {"停止30分", ANSWER_DOWN, 1800000, "", ""},
	    {"DOWN 2", ANSWER_DOWN, -1, "", "2"},
	    {"DOWN", ANSWER_DOWN, -1, "", ""},
	    {"DOWN mx1", ANSWER_DOWN, -1, "", "mx1"},
	    {"UP", ANSWER_UP, -1, "", ""},
	    {"up 4821", ANSWER_UP, -1, "4821", ""},
	    {"UP mx1 smtp", ANSWER_UP, -1, "", "mx1 smtp"},
	    {"downstairs 2h", ANSWER_NONE, -1, "", ""},
	    {"update 4821", ANSWER_NONE, -1, "", ""},
	};
	for (size_t i = 0; i < sizeof v / sizeof *v; i++) {
		struct answer a;
		answer_parse(v[i].text, &a);
		if (a.verb != v[i].verb || a.span_ms != v[i].span || strcmp(a.code, v[i].code) != 0 ||
		    strcmp(a.name, v[i].name) != 0)
			fail_msg("\"%s\": verb %d span %lld code \"%s\" name \"%s\"", v[i].text, a.verb,
				 (long long)a.span_ms, a.code, a.name);
	}
}

static void long_texts_are_cut_between_characters(void **state)
{
	(void)state;
	char text[4096] = "4821 ";
	struct answer a;
	for (size_t n = 5; n + 3 < sizeof text; n += 3)
		memcpy(text + n, "あ", 4);
	answer_parse(text, &a);
	size_t n = strlen(a.comment);
	assert_true(n > INC_COMMENT_MAX - 5 && n % 3 == 0 && n < sizeof a.comment);
}

static void decisions(void **state)
{
	(void)state;
	enum { A = 1, S = 2, D = 4, STRANGER = 8, ECHO = 16 };
	static const struct {
		const char *text;
		int flags;
		enum answer_target target;
		unsigned wrong;
		enum answer_do what;
	} v[] = {
	    {"4821", A, TARGET_LIVE, 0, ANS_ACK},
	    {"4821", A, TARGET_USED, 0, ANS_ALREADY},
	    {"4821", A, TARGET_OVER, 0, ANS_OVER},
	    {"4821", A, TARGET_WRONG, 0, ANS_WRONG},
	    {"4821", A, TARGET_WRONG, ANSWER_WRONG_MAX, ANS_IGNORE},
	    {"4821", A, TARGET_LIVE, ANSWER_WRONG_MAX, ANS_IGNORE},
	    {"4821", A, TARGET_LIVE, ANSWER_WRONG_MAX - 1, ANS_ACK},
	    {"ACK", A, TARGET_NONE, 0, ANS_HINT},
	    {"4821", S | D, TARGET_LIVE, 0, ANS_MAY_NOT},
	    {"4821", A | STRANGER, TARGET_LIVE, 0, ANS_IGNORE},
	    {"HELP", STRANGER, TARGET_NONE, 0, ANS_IGNORE},
	    {"4821 connection refused", A | ECHO, TARGET_LIVE, 0, ANS_QUOTED},
	    {"CRITICAL mx1: connection refused", A | ECHO, TARGET_NONE, 0, ANS_QUOTED},
	    {"> 4821", A, TARGET_LIVE, 0, ANS_QUOTED},
	    {"hello", A, TARGET_NONE, 0, ANS_HINT},
	    {"STATUS", S, TARGET_NONE, 0, ANS_STATUS},
	    {"STATUS", A, TARGET_NONE, 0, ANS_MAY_NOT},
	    {"HELP", 0, TARGET_NONE, 0, ANS_HELP},
	    {"DOWN 2h", D, TARGET_LIVE, 0, ANS_DOWN},
	    {"DOWN 2h 4821", D, TARGET_USED, 0, ANS_DOWN},
	    {"DOWN 2h", D, TARGET_NONE, 0, ANS_WHICH},
	    {"DOWN 2h mx7", D, TARGET_WRONG, 0, ANS_WRONG},
	    {"DOWN 2h 4821", D, TARGET_OVER, 0, ANS_OVER},
	    {"DOWN 2h", A | S, TARGET_LIVE, 0, ANS_MAY_NOT},
	    {"DOWN 8d", D, TARGET_LIVE, 0, ANS_SPAN},
	    {"DOWN 0m", D, TARGET_LIVE, 0, ANS_SPAN},
	    {"DOWN", D, TARGET_LIVE, 0, ANS_SPAN},
	    {"UP", D, TARGET_LIVE, 0, ANS_UP},
	    {"UP 4821", D, TARGET_OVER, 0, ANS_UP},
	    {"UP", D, TARGET_NONE, 0, ANS_WHICH},
	};
	for (size_t i = 0; i < sizeof v / sizeof *v; i++) {
		struct answer a;
		struct answer_facts f = {.known = !(v[i].flags & STRANGER),
					 .may_ack = v[i].flags & A,
					 .may_status = v[i].flags & S,
					 .may_downtime = v[i].flags & D,
					 .echo = v[i].flags & ECHO,
					 .target = v[i].target,
					 .wrong = v[i].wrong,
					 .limit = 20};
		answer_parse(v[i].text, &a);
		enum answer_do what = answer_decide(&a, &f);
		if (what != v[i].what)
			fail_msg("row %zu, \"%s\": %d and not %d", i, v[i].text, what, v[i].what);
		assert_int_equal(answer_is_answered(what, &f), what != ANS_IGNORE);
		f.answers = 20;
		assert_false(answer_is_answered(what, &f));
	}
}

static void numbers(void **state)
{
	(void)state;
	static const struct {
		const char *a, *b, *country;
		bool same;
	} v[] = {
	    {"+819012345678", "+819012345678", "", true},
	    {"+81 90-1234-5678", "+819012345678", "", true},
	    {"00819012345678", "+819012345678", "", true},
	    {"09012345678", "+819012345678", "81", true},
	    {"09012345678", "+819012345678", "", true},
	    {"09012345678", "+499012345678", "81", false},
	    {"09012345678", "+499012345678", "", true}, /* what naming the country cures */
	    {"9012345678", "+819012345678", "81", true},
	    {"09012345678", "09012345678", "", true},
	    {"+819012345678", "+819012345679", "", false},
	    {"12345678", "+819012345678", "", true},
	    {"2345678", "+819012345678", "", false},
	    {"345678", "+819012345678", "", false},
	    {"5678", "+819012345678", "81", false},
	    {"050", "+8150", "81", false},
	    {"110", "110", "81", true},
	    {"docomo", "docomo", "81", false},
	    {"+81901234567a", "+81901234567a", "", false},
	    {"", "", "81", false},
	    {"+", "+", "", false},
	    {"+8190123456781234567890123456", "+8190123456781234567890123456", "", false},
	};
	for (size_t i = 0; i < sizeof v / sizeof *v; i++) {
		if (number_same(v[i].a, v[i].b, v[i].country) != v[i].same ||
		    number_same(v[i].b, v[i].a, v[i].country) != v[i].same)
			fail_msg("%s and %s, country \"%s\"", v[i].a, v[i].b, v[i].country);
	}
}

static void codes(void **state)
{
	(void)state;
	char code[CODE_DIGITS_MAX + 1];
	uint64_t r = 88172645463325252u;
	for (int i = 0; i < 100000; i++) {
		int digits = CODE_DIGITS_MIN + i % 3;
		r ^= r << 13, r ^= r >> 7, r ^= r << 17;
		answer_code(r, digits, code);
		assert_int_equal(strlen(code), digits);
		assert_int_equal(strspn(code, "0123456789"), digits);
		assert_true(code[0] != '0');
	}
	assert_int_equal(answer_code_digits(0), 4);
	assert_int_equal(answer_code_digits(449), 4);
	assert_int_equal(answer_code_digits(450), 5);
	assert_int_equal(answer_code_digits(20000), 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(messages),	 cmocka_unit_test(forwarded_and_quoted),
	    cmocka_unit_test(downtimes), cmocka_unit_test(long_texts_are_cut_between_characters),
	    cmocka_unit_test(decisions), cmocka_unit_test(numbers),
	    cmocka_unit_test(codes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
