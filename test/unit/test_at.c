/* The AT parser, line by line and parameter by parameter; the dialogue itself, over a pty, is in
 * test_sms.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/gsm/atparse.h"

/* All lines and prompts of the bytes, joined by '|'; a prompt shows as "<prompt>". */
static void split(const char *bytes, size_t len, char *out, size_t size)
{
	struct at_lines l;
	size_t n = 0;

	at_lines_init(&l);
	out[0] = '\0';
	for (size_t i = 0; i < len; i++) {
		enum at_fed f = at_lines_feed(&l, bytes[i]);

		if (f != AT_FED_NOTHING && n < size)
			n += (size_t)snprintf(out + n, size - n, "%s%s", n > 0 ? "|" : "",
					      f == AT_FED_PROMPT ? "<prompt>" : l.line);
	}
}

static void lines(void **state)
{
	(void)state;
	static const struct {
		const char *bytes, *lines;
	} t[] = {
		{"\r\nOK\r\n", "OK"},
		{"AT\r\r\nOK\r\n", "AT|OK"},
		{"\r\n> ", "<prompt>"},
		{"\r\n+CMTI: \"SM\",1\r\n\r\n> ", "+CMTI: \"SM\",1|<prompt>"},
		{"\r\n>\r\n", ">"},
		{"a > b\r\n", "a > b"},
		{"\r\n+CMGS: 4\r\n\r\nOK\r\nRING\r\n", "+CMGS: 4|OK|RING"},
		{"\x01\x02OK\r\n", "OK"},
		{"half", ""},
		{"\n\n\r\r", ""},
		{"> > x\r\n", "<prompt>|<prompt>|x"},
	};
	char out[256];

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		split(t[i].bytes, strlen(t[i].bytes), out, sizeof(out));
		assert_string_equal(out, t[i].lines);
	}
}

static void overlong(void **state)
{
	(void)state;
	struct at_lines l;
	char out[64] = "";

	at_lines_init(&l);
	for (int i = 0; i < 5000; i++)
		assert_int_equal(at_lines_feed(&l, 'x'), AT_FED_NOTHING);
	assert_int_equal(at_lines_feed(&l, '\n'), AT_FED_NOTHING);
	assert_int_equal(l.dropped, 1);
	for (const char *p = "OK\r"; *p != '\0'; p++)
		if (at_lines_feed(&l, *p) == AT_FED_LINE)
			snprintf(out, sizeof(out), "%.60s", l.line);
	assert_string_equal(out, "OK");
}

static void kinds(void **state)
{
	(void)state;
	static const struct {
		const char *line;
		enum at_kind kind;
		int code;
	} t[] = {
		{"OK", AT_LINE_OK, -1}, {"ERROR", AT_LINE_ERROR, -1}, {"+CME ERROR: 10", AT_LINE_CME, 10},
		{"+CMS ERROR: 500", AT_LINE_CMS, 500},
		{"+CMS ERROR:38", AT_LINE_CMS, 38}, {"+CME ERROR: SIM PIN required", AT_LINE_CME, -1},
		{"+CMS ERROR: 99999999", AT_LINE_CMS, -1},
		{"+CMS ERROR:", AT_LINE_CMS, -1}, {"OKAY", AT_LINE_OTHER, -1}, {"ok", AT_LINE_OTHER, -1},
		{"NO CARRIER", AT_LINE_ERROR, -1},
		{"COMMAND NOT SUPPORT", AT_LINE_ERROR, -1}, {"+CMGS: 1", AT_LINE_OTHER, -1},
		{"", AT_LINE_OTHER, -1},
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		int code = 7;

		assert_int_equal(at_classify(t[i].line, &code), t[i].kind);
		assert_int_equal(code, t[i].code);
	}
}

static void unsolicited(void **state)
{
	(void)state;
	static const char *const yes[] = {"RING", "+CMTI: \"SM\",3", "^BOOT:1,0", "^RSSI:17", "+CREG: 5",
	 "+CDS: 25", "+CDSI: \"SR\",1", "RDY",
					  "+CEREG: 1,\"0001\""};
	static const char *const no[] = {"OK", "+CMGS: 3", "+CSQ: 17,99", "simmodem", "+CMGR: 0,,23", "0004"};

	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		assert_true(at_unsolicited(yes[i]));
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		assert_false(at_unsolicited(no[i]));
	assert_true(at_pdu_follows("+CDS: 25"));
	assert_true(at_pdu_follows("+CMGL: 1,1,,23"));
	assert_false(at_pdu_follows("+CMTI: \"SM\",3"));
	assert_false(at_pdu_follows("+CDSI: \"SM\",3"));
}

static void parameters(void **state)
{
	(void)state;
	char out[16];

	assert_int_equal(at_number("+CSQ: 17,99", 0, -1), 17);
	assert_int_equal(at_number("+CSQ: 17,99", 1, -1), 99);
	assert_int_equal(at_number("+CSQ: 17,99", 2, -1), -1);
	assert_int_equal(at_number("+CSQ:17", 0, -1), 17);
	assert_int_equal(at_number("+X: \"5\"", 0, -1), -1);
	assert_int_equal(at_number("+X: ,7", 0, -1), -1);
	assert_int_equal(at_number("+X: ,7", 1, -1), 7);
	assert_int_equal(at_number("+X: \"a,b\",7", 1, -1), 7);
	assert_int_equal(at_number("no colon", 0, -1), -1);
	assert_int_equal(at_number("+X: 99999999999999999999999999", 0, -1), -1);
	assert_int_equal(at_number("+X: 5x", 0, -1), -1);
	assert_true(at_param("+CMTI: \"SM\",3", 0, out, sizeof(out)));
	assert_string_equal(out, "SM");
	assert_true(at_param("+CPIN: SIM PIN", 0, out, sizeof(out)));
	assert_string_equal(out, "SIM PIN");
	assert_false(at_param("+CPIN: SIM PIN", 1, out, sizeof(out)));
	assert_true(at_param("+X: \"longer than the buffer is\"", 0, out, sizeof(out)));
	assert_int_equal(strlen(out), 15);
}

static void registration(void **state)
{
	(void)state;
	static const struct {
		const char *line;
		int stat;
	} t[] = {{"+CREG: 0,1", 1}, {"+CREG: 2,5,\"00C3\",\"1A2B\"", 5}, {"+CREG: 5", 5},
	{"+CREG: 1,\"00C3\",\"1A2B\"", 1}, {"+CEREG: 0,7", 7},
		 {"+CREG: 0,0", 0}, {"+CREG:", -1}, {"+CREG: x", -1}, {"+CREG: 99", -1}};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		assert_int_equal(at_registration(t[i].line), t[i].stat);
	for (int s = -1; s < 12; s++)
		assert_int_equal(at_registered(s), s == 1 || s == 5 || s == 6 || s == 7);
	assert_string_equal(at_registration_text(2), "searching for a network");
	assert_string_equal(at_registration_text(-1), "registration unknown");
	assert_string_equal(at_registration_text(77), "registration unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines), cmocka_unit_test(overlong), cmocka_unit_test(kinds),
		cmocka_unit_test(unsolicited),
		cmocka_unit_test(parameters), cmocka_unit_test(registration),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
