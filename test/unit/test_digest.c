/* What a digest says. pagerd/rules/digest.c */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "pagerd/rules/digest.h"

enum { MANY = 212 };

static char names[MANY][32];
static struct digest_item items[MANY];

/* 40 on relay1, 38 on relay2, the rest on 67 hosts of two each, over three minutes. */
static void make_storm(void)
{
	static char hosts[MANY][32];
	for (int k = 0; k < MANY; k++) {
		if (k < 40)
			snprintf(hosts[k], sizeof hosts[k], "relay1");
		else if (k < 78)
			snprintf(hosts[k], sizeof hosts[k], "relay2");
		else
			snprintf(hosts[k], sizeof hosts[k], "store%02d", (k - 78) / 2);
		snprintf(names[k], sizeof names[k], "check %d", k);
		items[k] = (struct digest_item){.cause = hosts[k],
						.check = names[k],
						.id = "K7Q2M",
						.text = "connection refused",
						.state = NAG_CRITICAL,
						.made_wall_ms = 1700000000000 + k * 180000 / (MANY - 1)};
	}
}

static const char *text_of(const struct digest *d)
{
	static char out[1100];
	struct buf b;
	buf_init(&b, 1024);
	digest_text(d, &b);
	snprintf(out, sizeof out, "%s", buf_str(&b));
	buf_fini(&b);
	return out;
}

static void a_storm_says_how_many_and_where(void **state)
{
	struct digest d = {.class = PACE_ALARM, .items = items, .n = MANY};
	(void)state;
	make_storm();
	const char *s = text_of(&d);
	const char *begin = "CRITICAL: 212 checks in 3 min: relay1 40, relay2 38, store00 2, ";
	assert_memory_equal(s, begin, strlen(begin));
	assert_true(strlen(s) <= 150);
	/* what is not named is counted */
	int named = 78, more;
	for (const char *at = strstr(s, "store"); at; at = strstr(at + 1, "store"))
		named += 2;
	assert_int_equal(sscanf(strrchr(s, ',') + 1, "%d more", &more), 1);
	assert_int_equal(named + more, MANY);
}

static void what_is_news_to_the_contact_stands_first(void **state)
{
	struct digest_item v[5] = {
	    {.cause = "relay1", .check = "a", .id = "AAAAA", .state = NAG_CRITICAL, .made_wall_ms = 1},
	    {.cause = "relay1", .check = "b", .id = "BBBBB", .state = NAG_CRITICAL, .made_wall_ms = 1},
	    {.cause = "relay1", .check = "c", .id = "CCCCC", .state = NAG_CRITICAL, .made_wall_ms = 1},
	    {.cause = "mx9",
	     .check = "mx9 smtp",
	     .id = "DDDDD",
	     .state = NAG_WARNING,
	     .made_wall_ms = 1,
	     .fresh = true},
	    {.cause = "mx8", .check = "mx8 smtp", .id = "EEEEE", .state = NAG_CRITICAL, .made_wall_ms = 1},
	};
	struct digest d = {.class = PACE_ALARM, .items = v, .n = 5, .told = 3};
	(void)state;
	assert_string_equal(text_of(&d),
			    "CRITICAL: 5 checks in 1 s (8 in all): mx9 smtp, relay1 3, mx8 smtp");
}

static void few_come_with_their_ids(void **state)
{
	struct digest_item v[3] = {
	    {.cause = "relay1",
	     .check = "relay1 smtp",
	     .id = "AAAAA",
	     .state = NAG_CRITICAL,
	     .made_wall_ms = 1},
	    {.cause = "mx9", .check = "mx9 smtp", .id = "DDDDD", .state = NAG_WARNING, .made_wall_ms = 2001},
	    {.cause = "mx8", .check = "mx8 smtp", .id = "EEEEE", .state = NAG_CRITICAL, .made_wall_ms = 1},
	};
	struct digest d = {.class = PACE_ALARM, .items = v, .n = 3};
	(void)state;
	assert_string_equal(
	    text_of(&d), "CRITICAL: 3 checks in 2 s: mx8 smtp #EEEEE, relay1 smtp #AAAAA, mx9 smtp #DDDDD");
}

static void one_place_names_it_first_and_its_checks(void **state)
{
	(void)state;
	make_storm();
	struct digest d = {.class = PACE_RECOVERED, .items = items, .n = 40};
	const char *begin = "relay1: 40 recovered: check 0, check 1, ";
	assert_memory_equal(text_of(&d), begin, strlen(begin));
	d.n = 3;
	assert_string_equal(text_of(&d),
			    "relay1: 3 recovered: check 0 #K7Q2M, check 1 #K7Q2M, check 2 #K7Q2M");
}

static void a_parent_stands_for_those_behind_it(void **state)
{
	struct digest_item v[4] = {
	    {.cause = "relay1",
	     .check = "relay1 ping",
	     .id = "A",
	     .state = NAG_CRITICAL,
	     .made_wall_ms = 1,
	     .behind = 13},
	    {.cause = "relay1", .check = "relay1 smtp", .id = "B", .state = NAG_CRITICAL, .made_wall_ms = 1},
	    {.cause = "mx9", .check = "mx9 smtp", .id = "D", .state = NAG_CRITICAL, .made_wall_ms = 1},
	    {.cause = "mx8", .check = "mx8 smtp", .id = "E", .state = NAG_CRITICAL, .made_wall_ms = 1},
	};
	struct digest d = {.class = PACE_ALARM, .items = v, .n = 4};
	(void)state;
	const char *begin = "CRITICAL: 4 checks in 1 s: relay1 ping down, 14 checks behind it, ";
	assert_memory_equal(text_of(&d), begin, strlen(begin));
}

static void each_class_has_its_words(void **state)
{
	struct digest_item v[3] = {
	    {.cause = "x", .check = "x", .id = "A", .text = "the cellar is wet", .state = NAG_CRITICAL},
	    {.cause = "y", .check = "y", .id = "B", .text = "the roof too", .state = NAG_WARNING},
	    {.cause = "z", .check = "z", .id = "C", .text = "and the attic", .state = NAG_WARNING},
	};
	struct digest d = {.class = PACE_NOTICE, .items = v, .n = 3};
	(void)state;
	assert_string_equal(text_of(&d), "3 notices: the cellar is wet; the roof too; and the attic");
	d.class = PACE_REPEAT;
	assert_string_equal(text_of(&d), "CRITICAL: 3 checks still fail: x #A, y #B, z #C");
	d.class = PACE_ACK;
	assert_string_equal(text_of(&d), "3 acknowledged: x #A, y #B, z #C");
}

static void a_budget_that_is_used_up_is_said(void **state)
{
	(void)state;
	make_storm();
	struct digest d = {.class = PACE_ALARM, .items = items, .n = MANY, .folded = MANY};
	const char *end = "; more is folded: 212 incidents, see monitorctl status", *s = text_of(&d);
	assert_string_equal(s + strlen(s) - strlen(end), end);
	assert_true(strlen(s) <= 155);
}

static void the_long_text_has_a_line_each_as_far_as_there_is_room(void **state)
{
	(void)state;
	make_storm();
	struct digest d = {.class = PACE_ALARM, .items = items, .n = MANY};
	struct buf b;
	buf_init(&b, RESULT_LONG_MAX + 1024);
	digest_more(&d, &b);
	const char *begin = "#K7Q2M check 0 CRITICAL: connection refused\n";
	assert_memory_equal(buf_str(&b), begin, strlen(begin));
	size_t lines = 0, more = 0;
	for (const char *s = buf_str(&b); *s; s++)
		lines += *s == '\n';
	assert_int_equal(sscanf(strstr(buf_str(&b), "and "), "and %zu more", &more), 1);
	assert_int_equal(lines - 1 + more, MANY);
	assert_false(b.full);
	buf_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_storm_says_how_many_and_where),
	    cmocka_unit_test(what_is_news_to_the_contact_stands_first),
	    cmocka_unit_test(few_come_with_their_ids),
	    cmocka_unit_test(one_place_names_it_first_and_its_checks),
	    cmocka_unit_test(a_parent_stands_for_those_behind_it),
	    cmocka_unit_test(each_class_has_its_words),
	    cmocka_unit_test(a_budget_that_is_used_up_is_said),
	    cmocka_unit_test(the_long_text_has_a_line_each_as_far_as_there_is_room),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
