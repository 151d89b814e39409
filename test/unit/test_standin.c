/* Who pages a check that two ops hosts watch: the table of doc/peers.md, and two hosts played against each other. */
#include "unit.h"

#include "monitord/rules/judge.h"
#include "monitord/rules/standin.h"

/* 'P' page, 'w' wait, 'm' mute; by claim: none, fine, pages, quiet, blind */
static const struct {
	enum standin_link link;
	bool primary, we_page;
	const char *want;
} rows[] = {
    {LINK_UNHEARD, true, false, "wwwww"}, {LINK_UNHEARD, true, true, "wwwww"},
    {LINK_UNHEARD, false, false, "wwwww"}, {LINK_UNHEARD, false, true, "wwwww"},
    {LINK_ALIVE, true, false, "PPmPP"},	  {LINK_ALIVE, true, true, "PPPPP"},
    {LINK_ALIVE, false, false, "wwmmP"},  {LINK_ALIVE, false, true, "PPmmP"},
    {LINK_PLANNED, true, false, "PPmmP"}, {LINK_PLANNED, true, true, "PPPPP"},
    {LINK_PLANNED, false, false, "PPmmP"}, {LINK_PLANNED, false, true, "PPPPP"},
    {LINK_SILENT, true, false, "PPPPP"},  {LINK_SILENT, true, true, "PPPPP"},
    {LINK_SILENT, false, false, "PPPPP"}, {LINK_SILENT, false, true, "PPPPP"},
};

static void every_cell(void **state)
{
	(void)state;
	assert_int_equal(sizeof rows / sizeof *rows, 4 * 2 * 2);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		for (int c = CLAIM_NONE; c <= CLAIM_BLIND; c++) {
			char got = "Pwm"[standin_decide(rows[i].primary, rows[i].link, (enum standin_claim)c, rows[i].we_page)];
			if (got != rows[i].want[c])
				fail_msg("row %zu, claim %s: %c", i, standin_claim_name((enum standin_claim)c), got);
		}
}

static void names_and_back(void **state)
{
	(void)state;
	enum standin_claim c;
	for (int i = CLAIM_NONE; i <= CLAIM_BLIND; i++) {
		assert_true(standin_claim_from_name(standin_claim_name((enum standin_claim)i), &c));
		assert_int_equal(c, i);
	}
	assert_false(standin_claim_from_name("", &c) || standin_claim_from_name("Pages", &c));
}

/* Both page only when they cannot hear each other; whoever dies, the other pages. */
static void of_two_that_hear_each_other_one_pages(void **state)
{
	(void)state;
	for (int first = 0; first < 2; first++) {
		/* who sees the problem first pages or waits; the other hears of it then */
		enum standin_do one = standin_decide(first == 0, LINK_ALIVE, CLAIM_FINE, false);
		assert_int_equal(one, first == 0 ? STANDIN_PAGE : STANDIN_WAIT);
		assert_int_equal(standin_decide(first != 0, LINK_ALIVE, CLAIM_PAGES, false), STANDIN_MUTE);
		/* both page, and hear each other again: exactly one goes on */
		assert_int_equal(standin_decide(true, LINK_ALIVE, CLAIM_PAGES, true), STANDIN_PAGE);
		assert_int_equal(standin_decide(false, LINK_ALIVE, CLAIM_PAGES, true), STANDIN_MUTE);
		assert_int_equal(standin_decide(first == 0, LINK_SILENT, CLAIM_PAGES, false), STANDIN_PAGE);
	}
}

/* A problem opens with the number that the other opened it with, be ours behind or beyond; its id is then the same. */
static void the_number_is_the_others(void **state)
{
	(void)state;
	static const struct {
		uint64_t ours, theirs, change, opened;
	} cases[] = {{7, 8, 8, 8}, {7, 0, 8, 8}, {3, 8, 8, 8}, {9, 8, 10, 8}, {8, 8, 9, 8}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct judge j;
		struct stamp now = {.wall_ms = 1700000000000, .boot_ms = 1000};
		struct judge_say say;
		struct judge_env env = {.mute = "paged by a", .open_as = cases[i].theirs};
		judge_init(&j, cases[i].ours, &now);
		judge_result(&j, 1, NAG_CRITICAL, true, &now);
		assert_true(judge_settle(&j, &env, &now, &say));
		assert_int_equal(say.change, cases[i].change);
		assert_int_equal(say.opened, cases[i].opened);
		/* and keeps it when it is ours to page */
		env = (struct judge_env){.mute = NULL};
		assert_true(judge_settle(&j, &env, &now, &say));
		assert_int_equal(say.opened, cases[i].opened);
		assert_int_equal(say.change, cases[i].change + 1);
		assert_false(say.suppressed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_cell),
	    cmocka_unit_test(names_and_back),
	    cmocka_unit_test(of_two_that_hear_each_other_one_pages),
	    cmocka_unit_test(the_number_is_the_others),
	};
	return cmocka_run_group_tests_name("standin", tests, NULL, NULL);
}
