/*
 * The pure parts of the lines that dial: a modem's answers, dial strings in pieces, the rules of redialling
 * and their memory, 2-touch text, templates. The dialogue itself, over a pty and heard by multimon-ng, is in
 * test_dtmf.py.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "drivers/modem/redial.h"
#include "drivers/modem/result.h"
#include "notifiers/dial/code.h"
#include "notifiers/dial/freeword.h"

/* --- what a modem answers ---------------------------------------------------------------------------- */

static void answers(void **state)
{
	static const struct {
		const char *line;
		enum hayes_result result;
		int speed, wait_s;
	} t[] = {
	    {"OK", HAYES_OK, 0, 0},
	    {"ok ", HAYES_OK, 0, 0},
	    {"\xff\x81OK", HAYES_OK, 0, 0},
	    {"OKAY", HAYES_OTHER, 0, 0},
	    {"ATDT0312OK", HAYES_OTHER, 0, 0},
	    {"TDT0312;", HAYES_OTHER, 0, 0},
	    {"", HAYES_OTHER, 0, 0},
	    {"CONNECT", HAYES_CONNECT, 0, 0},
	    {"CONNECT 2400", HAYES_CONNECT, 2400, 0},
	    {"CONNECT 33600/ARQ/V34/LAPM", HAYES_CONNECT, 33600, 0},
	    {"CONNECT/REL", HAYES_CONNECT, 0, 0},
	    {"CONNECTED", HAYES_OTHER, 0, 0},
	    {"CONNECT 99999999999999999999", HAYES_CONNECT, 0, 0},
	    {"BUSY", HAYES_BUSY, 0, 0},
	    {"NO DIALTONE", HAYES_NO_DIALTONE, 0, 0},
	    {"NO DIAL TONE", HAYES_NO_DIALTONE, 0, 0},
	    {"NO LINE", HAYES_NO_DIALTONE, 0, 0},
	    {"NO ANSWER", HAYES_NO_ANSWER, 0, 0},
	    {"NO CARRIER", HAYES_NO_CARRIER, 0, 0},
	    {"NO CARRIER NOW", HAYES_OTHER, 0, 0},
	    {"DELAYED", HAYES_DELAYED, 0, 0},
	    {"DELAYED 00:01:30", HAYES_DELAYED, 0, 90},
	    {"DELAYED 02:05", HAYES_DELAYED, 0, 125},
	    {"DELAYED: 45", HAYES_DELAYED, 0, 45},
	    {"DELAYED 99:99:99", HAYES_DELAYED, 0, 86400},
	    {"DELAYED 1:2:3:4:5", HAYES_DELAYED, 0, 3723},
	    {"BLACKLISTED", HAYES_BLACKLISTED, 0, 0},
	    {"BLACKLISTED 0312345678", HAYES_BLACKLISTED, 0, 0},
	    {"VOICE", HAYES_VOICE, 0, 0},
	    {"LINE IN USE", HAYES_IN_USE, 0, 0},
	    {"ERROR", HAYES_ERROR, 0, 0},
	    {"RING", HAYES_RING, 0, 0},
	    {"RINGING", HAYES_OTHER, 0, 0},
	    {"CARRIER 2400", HAYES_OTHER, 0, 0},
	    {"+FCERROR", HAYES_OTHER, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct hayes_said s = hayes_classify(t[i].line);

		if (s.result != t[i].result || s.speed != t[i].speed || s.wait_s != t[i].wait_s)
			fail_msg("\"%s\": %s %d %d", t[i].line, hayes_text(s.result), s.speed, s.wait_s);
	}
}

/* --- dial strings ------------------------------------------------------------------------------------ */

static void dial_strings(void **state)
{
	static const char *const good[] = {"03-1234 5678", "0,W(03)1234.5678@*12#ABCDabcd!", "T0312P9", ""};
	static const char *const bad[] = {"+81312345678", "0312;",	  "0312x",
					  "03\r12",	  "\xe3\x82\xa2", "0312/3"};
	char why[200];
	struct buf b;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(dial_string_ok(good[i], why, sizeof(why)));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		why[0] = '\0';
		assert_false(dial_string_ok(bad[i], why, sizeof(why)));
		assert_true(strlen(why) > 10);
	}
	buf_init(&b, 20);
	assert_true(dial_string_tidy("(03) 12-34,w.a#", &b));
	assert_string_equal(buf_str(&b), "031234,WA#");
	assert_int_equal(dial_string_digits(buf_str(&b)), 8);
	assert_false(dial_string_tidy("01234567890", &b));
	buf_fini(&b);
}

static void pieces(void **state)
{
	static const struct {
		const char *s;
		size_t max;
		const char *commands;
	} t[] = {
	    {"0312345678", 40, "ATDT0312345678;"},
	    {"0312345678", 15, "ATDT0312345678;"},
	    {"0312345678", 14, "ATDT031234567;ATDT8;"},
	    {"0312@123#", 40, "ATDT0312@;ATDT123#;"},
	    {"0312@", 40, "ATDT0312@;"},
	    {"0312@@1", 40, "ATDT0312@;ATDT@;ATDT1;"},
	    {"0312345678", 9, ""},
	    {"", 40, ""},
	};
	char one[64], all[256];

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		size_t at = 0;

		all[0] = '\0';
		while (dial_piece(t[i].s, &at, 'T', t[i].max, one, sizeof(one))) {
			assert_true(strlen(one) <= t[i].max);
			strncat(all, one, sizeof(all) - strlen(all) - 1);
		}
		assert_string_equal(all, t[i].commands);
	}
}

/* --- redialling -------------------------------------------------------------------------------------- */

enum { JAPAN, JAPAN15, CAUTIOUS, NONE };

static struct stamp at(int64_t ms)
{
	struct stamp s = {.wall_ms = 1795290000000 + ms, .boot_ms = 1000000 + ms, .boot_id = "one"};

	return s;
}

static int64_t wait_at(const struct redial *r, int rules, int64_t ms)
{
	struct stamp now = at(ms);

	return redial_wait(r, &redial_rules[rules], "03-1234-5678", &now);
}

static void dialled_at(struct redial *r, int64_t ms)
{
	struct stamp now = at(ms);

	redial_dialled(r, "0312345678", &now);
}

/* Art. 11: the first call and two redials, and never more than three in any three minutes. */
static void japan(void **state)
{
	struct redial r = {0};

	(void)state;
	assert_int_equal(wait_at(&r, JAPAN, 0), 0);
	dialled_at(&r, 0);
	assert_int_equal(wait_at(&r, JAPAN, 1000), 0);
	dialled_at(&r, 1000);
	dialled_at(&r, 100000);
	assert_int_equal(wait_at(&r, JAPAN, 100000), 80000);
	assert_int_equal(wait_at(&r, JAPAN, 179999), 1);
	assert_int_equal(wait_at(&r, JAPAN, 180000), 0);
	dialled_at(&r, 180000);
	assert_int_equal(wait_at(&r, JAPAN, 180000), 1000);
	assert_int_equal(wait_at(&r, JAPAN, 181000), 0);
	/* another number is another matter, an answered call the end of it */
	{
		struct stamp now = at(180000);

		assert_int_equal(redial_wait(&r, &redial_rules[JAPAN], "0398765432", &now), 0);
		redial_answered(&r, "(03) 1234-5678");
		assert_int_equal(redial_wait(&r, &redial_rules[JAPAN], "0312345678", &now), 0);
	}
}

/* An hour of dialling as fast as the rules allow, judged by counting. */
static void an_hour(void **state)
{
	static const struct {
		int rules, in_window;
	} t[] = {{JAPAN, 3}, {CAUTIOUS, 2}, {JAPAN15, 16}};

	(void)state;
	for (size_t k = 0; k < sizeof(t) / sizeof(t[0]); k++) {
		struct redial r = {0};
		int64_t dials[4000];
		size_t n = 0;

		for (int64_t ms = 0; ms < 3600000; ms += 1000) {
			if (wait_at(&r, t[k].rules, ms) > 0)
				continue;
			dialled_at(&r, ms);
			dials[n++] = ms;
		}
		for (size_t i = 0; i < n; i++) {
			size_t in = 0;

			for (size_t j = i; j < n && dials[j] < dials[i] + 180000; j++)
				in++;
			assert_true(in <= (size_t)t[k].in_window);
		}
		/* and not more careful than they ask: a full window's worth each window */
		assert_true(n >= (size_t)(t[k].in_window * 3600 / 200));
	}
}

static void clocks_and_reboots(void **state)
{
	struct redial r = {0};
	struct stamp now = at(0);

	(void)state;
	for (int64_t i = 0; i < 3; i++)
		dialled_at(&r, i * 1000);
	/* the wall clock jumps: nothing changes */
	now = at(3000);
	now.wall_ms += 86400000LL * 365;
	assert_int_equal(redial_wait(&r, &redial_rules[JAPAN], "0312345678", &now), 177000);
	now.wall_ms -= 2 * 86400000LL * 365;
	assert_int_equal(redial_wait(&r, &redial_rules[JAPAN], "0312345678", &now), 177000);
	/* another boot: dialled at the boot, whatever the wall clock says */
	now = (struct stamp){.wall_ms = 1, .boot_ms = 20000, .boot_id = "two"};
	assert_int_equal(redial_wait(&r, &redial_rules[JAPAN], "0312345678", &now), 160000);
	now.wall_ms = 4000000000000;
	assert_int_equal(redial_wait(&r, &redial_rules[JAPAN], "0312345678", &now), 160000);
	now.boot_ms = 180000;
	assert_int_equal(redial_wait(&r, &redial_rules[JAPAN], "0312345678", &now), 0);
}

static void rests(void **state)
{
	struct redial r = {0};
	struct stamp now = at(0);

	(void)state;
	dialled_at(&r, 0);
	redial_rest(&r, "0312345678", &now, 1800000);
	assert_int_equal(wait_at(&r, NONE, 0), 1800000);
	assert_int_equal(wait_at(&r, JAPAN, 1799000), 1000);
	assert_int_equal(wait_at(&r, NONE, 1800000), 0);
	redial_undone(&r, "0312345678");
	assert_int_equal(r.v[0].n, 0);
	/* many numbers: the one that was quiet for longest makes room */
	for (int i = 0; i < 3 * REDIAL_NUMBERS_MAX; i++) {
		char number[16];

		now = at(2000000 + i);
		snprintf(number, sizeof(number), "%d", 1000 + i);
		redial_dialled(&r, number, &now);
	}
	assert_int_equal(r.n, REDIAL_NUMBERS_MAX);
	now = at(2000000 + 3 * REDIAL_NUMBERS_MAX);
	for (int i = 0; i < 2; i++)
		redial_dialled(&r, "1191", &now);
	assert_true(redial_wait(&r, &redial_rules[JAPAN], "1191", &now) > 0);
}

static void on_the_disk(void **state)
{
	char dir[] = "/tmp/dial.XXXXXX", why[300];
	struct stamp now = at(3000);
	struct redial r = {0}, back;
	char *path;

	(void)state;
	assert_non_null(mkdtemp(dir));
	path = redial_path(dir, "pots/1");
	assert_non_null(strstr(path, "/redial-pots_1.json"));
	redial_load(&back, path, &redial_rules[JAPAN], &now, why, sizeof(why));
	assert_string_equal(why, "");
	assert_int_equal(redial_wait(&back, &redial_rules[JAPAN], "0312345678", &now), 0);
	for (int64_t i = 0; i < 3; i++)
		dialled_at(&r, i * 1000);
	redial_rest(&r, "99", &now, 5000);
	assert_true(redial_keep(&r, path, why, sizeof(why)));
	redial_load(&back, path, &redial_rules[JAPAN], &now, why, sizeof(why));
	assert_string_equal(why, "");
	assert_int_equal(redial_wait(&back, &redial_rules[JAPAN], "0312345678", &now), 177000);
	assert_int_equal(redial_wait(&back, &redial_rules[JAPAN], "99", &now), 5000);
	/* a damaged one is taken for the worst, for every number */
	assert_int_equal(truncate(path, 40), 0);
	redial_load(&back, path, &redial_rules[JAPAN], &now, why, sizeof(why));
	assert_non_null(strstr(why, "is damaged"));
	assert_int_equal(redial_wait(&back, &redial_rules[JAPAN], "7", &now), 180000);
	unlink(path);
	rmdir(dir);
	assert_false(redial_keep(&r, path, why, sizeof(why)));
	assert_non_null(strstr(why, "No such file"));
	free(path);
}

/* --- 2-touch text ------------------------------------------------------------------------------------ */

static void freeword(void **state)
{
	static const struct {
		const char *text, *codes;
		size_t lost;
	} t[] = {
	    /* the vectors of the manuals */
	    {"おはよう", "15618513", 0},
	    {"ウエノエキ 17-30", "1314551422889607699800", 0},
	    /* the same in every width */
	    {"オハヨウ", "15618513", 0},
	    {"ｵﾊﾖｳ", "15618513", 0},
	    {"がパヴー", "21046105130469", 0},
	    {"ｶﾞﾊﾟ", "21046105", 0},
	    {"か\xe3\x82\x99", "2104", 0},
	    {"しゃっちょ", "3281434285", 0},
	    {"ＡＢｃ１２", "1617189697", 0},
	    {"?!/¥&()*#", "676860767782848687", 0},
	    {"漢", "88", 1},
	    {"a~\xff.", "16698888", 1},
	    {"", "", 0},
	};
	struct buf b;

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		size_t lost;

		buf_init(&b, 256);
		lost = freeword_encode(t[i].text, &b);
		assert_string_equal(buf_str(&b), t[i].codes);
		assert_int_equal(lost, t[i].lost);
		assert_int_equal(freeword_count(t[i].text), strlen(t[i].codes) / 2);
		buf_fini(&b);
	}
}

/* The table as it is printed in the manuals, row by row; "." where there is nothing. */
static void freeword_table(void **state)
{
	static const char *const rows[10][10] = {
	    {"ア", "イ", "ウ", "エ", "オ", "A", "B", "C", "D", "E"},
	    {"カ", "キ", "ク", "ケ", "コ", "F", "G", "H", "I", "J"},
	    {"サ", "シ", "ス", "セ", "ソ", "K", "L", "M", "N", "O"},
	    {"タ", "チ", "ツ", "テ", "ト", "P", "Q", "R", "S", "T"},
	    {"ナ", "ニ", "ヌ", "ネ", "ノ", "U", "V", "W", "X", "Y"},
	    {"ハ", "ヒ", "フ", "ヘ", "ホ", "Z", "?", "!", "ー", "/"},
	    {"マ", "ミ", "ム", "メ", "モ", "¥", "&", ".", ".", "."},
	    {"ヤ", "(", "ユ", ")", "ヨ", "*", "#", " ", ".", "."},
	    {"ラ", "リ", "ル", "レ", "ロ", "1", "2", "3", "4", "5"},
	    {"ワ", "ヲ", "ン", "゛", "゜", "6", "7", "8", "9", "0"},
	};
	struct buf b;

	(void)state;
	for (int r = 0; r < 10; r++) {
		for (int c = 0; c < 10; c++) {
			const char code[3] = {"1234567890"[r], "1234567890"[c], '\0'};

			if (strcmp(rows[r][c], ".") == 0)
				continue;
			buf_init(&b, 8);
			assert_int_equal(freeword_encode(rows[r][c], &b), 0);
			assert_string_equal(buf_str(&b), code);
			buf_fini(&b);
		}
	}
}

/* Every voiced kana is its plain one and a mark. */
static void voiced(void **state)
{
	static const char *const plain[] = {"カキクケコサシスセソタチツテトハヒフヘホ", "ハヒフヘホ"};
	static const char *const with[] = {"ガギグゲゴザジズゼゾダヂヅデドバビブベボ", "パピプペポ"};
	static const char *const mark[] = {"04", "05"};

	(void)state;
	for (int k = 0; k < 2; k++) {
		for (size_t i = 0; i < strlen(plain[k]); i += 3) {
			char p[4], v[4];
			struct buf a, b;

			snprintf(p, sizeof(p), "%.3s", plain[k] + i);
			snprintf(v, sizeof(v), "%.3s", with[k] + i);
			buf_init(&a, 8);
			buf_init(&b, 8);
			freeword_encode(p, &a);
			freeword_encode(v, &b);
			assert_int_equal(b.len, 4);
			assert_memory_equal(buf_str(&b), buf_str(&a), 2);
			assert_string_equal(buf_str(&b) + 2, mark[k]);
			buf_fini(&a);
			buf_fini(&b);
		}
	}
	assert_true(freeword_has_kanji("遅延"));
	assert_false(freeword_has_kanji("ちえん é OK…"));
}

/* --- templates --------------------------------------------------------------------------------------- */

static void templates(void **state)
{
	static const char *const good[] = {"{number:3}{state}{id}{check}", "*{time}*{id:6}", "", "123"};
	static const char *const bad[] = {"{nunber}", "{number", "{number:0}", "{number:10}", "{}",
					  "}",	      "{to}",	 "1;2",	       "{state }"};
	char why[200];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(code_template_ok(good[i], why, sizeof(why)));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(code_template_ok(bad[i], why, sizeof(why)));
	assert_true(dial_template_ok("0,W{to}@{code}#", why, sizeof(why)));
	assert_false(dial_template_ok("{number}", why, sizeof(why)));
	assert_non_null(strstr(why, "{to} {access} {code}"));
}

static const char *code(const char *t, const struct page *p, enum code_check check, char *out, size_t size)
{
	struct buf b;

	buf_init(&b, 64);
	snprintf(out, size, "%s", code_of_page(t, p, check, &b) ? buf_str(&b) : "full");
	buf_fini(&b);
	return out;
}

static void codes(void **state)
{
	struct page p = {.incident = "2",
			 .check = "mx1",
			 .host = "",
			 .state = "CRITICAL",
			 .text = "",
			 .number = 12,
			 .since_wall_ms = 1795290251000,
			 .at_wall_ms = 1795290251000};
	char out[80];

	(void)state;
	setenv("TZ", "UTC", 1);
	assert_string_equal(code("{number:3}{state}", &p, CODE_MOD10, out, sizeof(out)), "0122");
	assert_string_equal(code("{number}*{time}", &p, CODE_MOD10, out, sizeof(out)), "12*1944");
	assert_string_equal(code("{id}{id:2}", &p, CODE_MOD10, out, sizeof(out)), "000202");
	/* 7992739871 is the textbook's number for Luhn: its check digit is 3 */
	assert_string_equal(code("7992739871{check}", &p, CODE_LUHN, out, sizeof(out)), "79927398713");
	assert_string_equal(code("123*4{check}", &p, CODE_MOD10, out, sizeof(out)), "123*40");
	p.number = 1234;
	assert_string_equal(code("{number:3}", &p, CODE_MOD10, out, sizeof(out)), "1234");
	p.state = "";
	assert_string_equal(code("{state}", &p, CODE_MOD10, out, sizeof(out)), "9");
	p.kind = PAGE_RECOVERED;
	assert_string_equal(code("{state}", &p, CODE_MOD10, out, sizeof(out)), "0");
	p.kind = PAGE_ACK;
	assert_string_equal(code("{state}", &p, CODE_MOD10, out, sizeof(out)), "8");
	p.kind = PAGE_DIGEST;
	p.state = "CRITICAL";
	assert_string_equal(code("{state}", &p, CODE_MOD10, out, sizeof(out)), "9");
	/* base 36, so that who knows the id can tell it from its digits: K7Q2M =
	 * ((((20*36+7)*36+26)*36+2)*36+22 */
	assert_int_equal(code_id_number("K7Q2M"), 33952702);
	assert_string_equal(
	    code("{number:9}{number:9}{number:9}{number:9}{number:9}{number:9}{number:9}{number:9}", &p,
		 CODE_MOD10, out, sizeof(out)),
	    "full");
}

static void whole_dial_strings(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 64);
	assert_true(dial_of_template("0,w{access},,{to}#{code}#", "0120-11", "(090) 1", "12*", &b));
	assert_string_equal(buf_str(&b), "0,W012011,,0901#12*#");
	buf_fini(&b);
	buf_init(&b, 8);
	assert_false(dial_of_template("{to}{to}", "", "12345", "", &b));
	buf_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(answers),	cmocka_unit_test(dial_strings),
	    cmocka_unit_test(pieces),	cmocka_unit_test(japan),
	    cmocka_unit_test(an_hour),	cmocka_unit_test(clocks_and_reboots),
	    cmocka_unit_test(rests),	cmocka_unit_test(on_the_disk),
	    cmocka_unit_test(freeword), cmocka_unit_test(freeword_table),
	    cmocka_unit_test(voiced),	cmocka_unit_test(templates),
	    cmocka_unit_test(codes),	cmocka_unit_test(whole_dial_strings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
