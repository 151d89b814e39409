/* Lines of monitorctl feed: what Nagios and send_nsca write, and what is neither. */
#include "unit.h"

#include "monitord/ctl/feed.h"

struct row {
	const char *line, *host, *service;
	int state;
	const char *output;
};

static void good_lines(void **state)
{
	(void)state;
	static const struct row rows[] = {
	    {"[1700000000] PROCESS_SERVICE_CHECK_RESULT;mx1;backup;2;failed: disk; full | age=3h", "mx1",
	     "backup", 2, "failed: disk; full | age=3h"},
	    {"PROCESS_SERVICE_CHECK_RESULT;mx1;backup;0;", "mx1", "backup", 0, ""},
	    {"[1700000000] PROCESS_HOST_CHECK_RESULT;mx1;1;gone", "mx1", "", 2, "gone"},
	    {"[1700000000] PROCESS_HOST_CHECK_RESULT;mx1;2;far", "mx1", "", 2, "far"},
	    {"[1700000000] PROCESS_HOST_CHECK_RESULT;mx1;0;here", "mx1", "", 0, "here"},
	    {"mx1\tbackup\t1\tlate\tby 2 h", "mx1", "backup", 1, "late\tby 2 h"},
	    {"mx1\t3\t2\ta service called 3", "mx1", "3", 2, "a service called 3"},
	    {"mx1\t1\tgone", "mx1", "", 2, "gone"},
	    {"mx1\t1\tgone\tlong ago", "mx1", "", 2, "gone\tlong ago"},
	    {"mx1\tlong\t2\tone\\ntwo \\\\n", "mx1", "long", 2, "one\ntwo \\n"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct feed_line l;
		const char *why = NULL;
		char text[200];
		snprintf(text, sizeof text, "%s", rows[i].line);
		if (!feed_parse(text, &l, &why))
			fail_msg("%s: %s", rows[i].line, why);
		assert_string_equal(l.host, rows[i].host);
		assert_string_equal(l.service, rows[i].service);
		assert_string_equal(l.output, rows[i].output);
		assert_int_equal(l.state, rows[i].state);
	}
}

static void bad_lines(void **state)
{
	(void)state;
	static const struct {
		const char *line, *why;
	} rows[] = {
	    {"backup failed", "neither"},
	    {"[1700000000] ACKNOWLEDGE_SVC_PROBLEM;mx1;backup;1;1;0;me;ok", "neither"},
	    {"PROCESS_SERVICE_CHECK_RESULT;mx1;backup;4;x", "0 to 3"},
	    {"PROCESS_SERVICE_CHECK_RESULT;mx1;backup;CRITICAL;x", "0 to 3"},
	    {"PROCESS_SERVICE_CHECK_RESULT;mx1;backup", "are needed"},
	    {"PROCESS_SERVICE_CHECK_RESULT;;backup;1;x", "are needed"},
	    {"PROCESS_HOST_CHECK_RESULT;mx1;3;x", "0 to 2"},
	    {"mx1\tbackup\tbad\tx", "0 to 3"},
	    {"mx1\tx", "are needed"},
	    {"[1700000000", "neither"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct feed_line l;
		const char *why = "";
		char text[200];
		snprintf(text, sizeof text, "%s", rows[i].line);
		if (feed_parse(text, &l, &why) || !strstr(why, rows[i].why))
			fail_msg("%s: %s", rows[i].line, why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(good_lines), cmocka_unit_test(bad_lines)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
