/* Regular expressions that people wrote: taken, found, and bounded whatever they are. */
#include "unit.h"

#include <string.h>

#include "lib/pattern.h"

static bool finds(const char *expression, unsigned flags, const char *text)
{
	char why[200] = "";
	struct pattern *p = pattern_new(expression, flags, why, sizeof why);
	assert_non_null(p);
	assert_string_equal(why, "");
	bool yes = pattern_finds(p, text, NULL, 0);
	pattern_free(p);
	return yes;
}

static void posix_ones_mean_the_same(void **state)
{
	(void)state;
	static const struct {
		const char *expression, *text;
		unsigned flags;
		bool found;
	} rows[] = {
	    {"", "", 0, true},
	    {"^/(a|b)$", "/b", 0, true},
	    {"^/(a|b)$", "/b\n", 0, false},
	    {"^/(a|b)$", "/", 0, false},
	    {"a.c", "a\nc", 0, true},
	    {"a.c", "a\nc", PATTERN_LINES, false},
	    {"^250 ok$", "250-x\n250 ok\n", PATTERN_LINES, true},
	    {"^250 ok$", "250-x\n250 ok\n", 0, false},
	    {"[]x]+", "]", 0, true},
	    {"[^]a]", "]a", 0, false},
	    {"[[:upper:]]{2,3}$", "aBC", 0, true},
	    {"(dovecot|postfix)/[a-z-]+(\\[[0-9]+\\])?: ", "postfix/smtpd[42]: connect", 0, true},
	    {"BACKUP", "/mnt/backup", PATTERN_NOCASE, true},
	    {"BACKUP", "/mnt/backup", 0, false},
	    {"\xff{2}", "a\xff\xff", 0, true},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (finds(rows[i].expression, rows[i].flags, rows[i].text) != rows[i].found)
			fail_msg("%s in \"%s\"", rows[i].expression, rows[i].text);
}

static void groups_are_told(void **state)
{
	(void)state;
	const char *text = "credit 12,50 until 03/09/27";
	struct pattern_group g[4];
	struct pattern *p = pattern_new("credit ([0-9,]+)( EUR)?.*/([0-9]+)/", 0, NULL, 0);
	assert_non_null(p);
	assert_int_equal(pattern_groups(p), 3);
	assert_true(pattern_finds(p, text, g, 4));
	assert_int_equal(g[0].len, 5);
	assert_memory_equal(text + g[0].start, "12,50", 5);
	assert_int_equal(g[1].start, SIZE_MAX);
	assert_memory_equal(text + g[2].start, "09", 2);
	assert_int_equal(g[3].start, SIZE_MAX);
	pattern_free(p);
}

static char *times(const char *text, size_t n, char *out)
{
	char *p = out;
	for (size_t i = 0; i < n; i++)
		p = stpcpy(p, text);
	return out;
}

/* Each of these takes the C library's compiler or search memory or time without a bound. */
static void nothing_grows_without_a_bound(void **state)
{
	(void)state;
	char text[8200], why[200];
	assert_false(pattern_ok("((((((a{100}){100}){100}){100}){100}){100})", 0, why, sizeof why));
	assert_non_null(strstr(why, "too large"));
	assert_false(pattern_ok(times("(", 4000, text), 0, why, sizeof why));
	assert_false(pattern_ok(times("a", 8000, text), 0, why, sizeof why));
	pattern_ok("^/++++++++++++++++++++++++++++++++++++++++++++v", 0, why, sizeof why);
	assert_false(finds("^(a*)*(a*)*(a*)*(a*)*b$", 0, times("a", 8000, text)));
	assert_false(finds("^(([a-z])+.)+[A-Z]([a-z])+$", 0, times("a", 8000, text)));
}

static void what_is_wrong_is_said(void **state)
{
	(void)state;
	char why[200] = "";
	assert_false(pattern_ok("ab(c", 0, why, sizeof why));
	assert_string_equal(why, "no regular expression: missing closing parenthesis (at character 4)");
	assert_false(pattern_ok("[", 0, NULL, 0));
	assert_false(pattern_ok("a{2,1}", 0, why, sizeof why));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(posix_ones_mean_the_same),
	    cmocka_unit_test(groups_are_told),
	    cmocka_unit_test(nothing_grows_without_a_bound),
	    cmocka_unit_test(what_is_wrong_is_said),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
