/* Long messages that come in: in any order, twice, with a part missing, too many at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "notifiers/sms/join.h"

struct seen {
	struct join j;
	char told[40][600];
	size_t ntold;
	int dropped[200];
	size_t ndropped;
	bool busy;
};

static bool tell(void *arg, const struct join_whole *w)
{
	struct seen *s = arg;

	if (s->busy)
		return false;
	snprintf(s->told[s->ntold++], sizeof(s->told[0]), "%s: %s", w->from, w->text);
	for (size_t i = 0; i < w->nplaces; i++)
		s->dropped[s->ndropped++] = w->place[i].index;
	return true;
}

static void drop(void *arg, const struct sms_place *where)
{
	struct seen *s = arg;

	s->dropped[s->ndropped++] = where->index;
}

static void setup(struct seen *s)
{
	static const struct join_calls calls = {tell, drop};

	memset(s, 0, sizeof(*s));
	join_init(&s->j, &calls, s);
}

/* Part part of nparts of message ref, read from place index; index -1: handed over. */
static void take(struct seen *s, const char *from, unsigned ref, unsigned part, unsigned nparts,
		 const char *text, int index, int64_t now)
{
	struct sms_place where = {.memory = "SM", .index = index};
	struct pdu_in in;

	if (index < 0)
		where.memory[0] = '\0';
	pdu_in_init(&in);
	in.kind = PDU_DELIVER;
	snprintf(in.from, sizeof(in.from), "%s", from);
	buf_puts(&in.text, text);
	in.parts = nparts > 0;
	in.ref = ref;
	in.part = part;
	in.nparts = nparts;
	join_take(&s->j, &in, &where, now);
	pdu_in_fini(&in);
}

static void alone(void **state)
{
	struct seen s;

	(void)state;
	setup(&s);
	take(&s, "+1", 0, 0, 0, "short", 3, 1);
	assert_string_equal(s.told[0], "+1: short");
	assert_int_equal(s.ndropped, 1);
	assert_int_equal(s.dropped[0], 3);
	/* more parts than are joined: each by itself */
	take(&s, "+1", 7, 2, 200, "of many", 4, 1);
	assert_string_equal(s.told[1], "+1: of many");
	join_fini(&s.j);
}

static void any_order_and_twice(void **state)
{
	struct seen s;

	(void)state;
	setup(&s);
	take(&s, "+1", 0x1234, 3, 3, "c", 5, 1);
	take(&s, "+1", 0x1234, 1, 3, "a", 6, 2);
	take(&s, "+2", 0x1234, 2, 3, "other", 7, 2); /* another sender */
	take(&s, "+1", 0x1234, 1, 3, "a", 8, 3);     /* the network sent it twice */
	take(&s, "+1", 0x1234, 1, 3, "a", 6, 3);     /* the same, read again */
	assert_int_equal(s.ntold, 0);
	assert_int_equal(s.ndropped, 0);
	take(&s, "+1", 0x1234, 2, 3, "b", 9, 4);
	assert_int_equal(s.ntold, 1);
	assert_string_equal(s.told[0], "+1: abc");
	assert_int_equal(s.ndropped, 4); /* 5, 6, 8, 9 */
	for (size_t i = 0; i < s.ndropped; i++)
		assert_true(s.dropped[i] == 5 || s.dropped[i] == 6 || s.dropped[i] == 8 || s.dropped[i] == 9);
	/* a late copy of a part that was told is no new message */
	take(&s, "+1", 0x1234, 2, 3, "b", 10, 5);
	assert_int_equal(s.ntold, 1);
	assert_int_equal(s.dropped[4], 10);
	join_fini(&s.j);
}

static void a_part_is_missing(void **state)
{
	struct seen s;

	(void)state;
	setup(&s);
	assert_int_equal(join_next(&s.j), -1);
	take(&s, "+1", 1, 1, 4, "ack ", 1, 1000);
	take(&s, "+1", 1, 4, 4, "K7Q2M", 2, 2000);
	assert_int_equal(join_next(&s.j), 2000 + JOIN_MS);
	join_expire(&s.j, 2000 + JOIN_MS - 1, false);
	assert_int_equal(s.ntold, 0);
	join_expire(&s.j, 2000 + JOIN_MS, false);
	assert_int_equal(s.ntold, 1);
	assert_string_equal(s.told[0], "+1: ack [...]K7Q2M");
	assert_int_equal(s.ndropped, 2);
	assert_int_equal(join_next(&s.j), -1);
	join_fini(&s.j);
}

static void a_reference_is_used_again(void **state)
{
	struct seen s;

	(void)state;
	setup(&s);
	take(&s, "+1", 1, 1, 2, "old", 1, 1);
	take(&s, "+1", 1, 1, 2, "new ", 2, 2);
	assert_int_equal(s.ntold, 1);
	assert_string_equal(s.told[0], "+1: old[...]");
	take(&s, "+1", 1, 2, 2, "one", 3, 3);
	assert_string_equal(s.told[1], "+1: new one");
	join_fini(&s.j);
}

static void bounded(void **state)
{
	struct seen s;

	(void)state;
	setup(&s);
	for (unsigned i = 0; i < JOIN_MESSAGES + 3; i++)
		take(&s, "+1", i, 1, 2, "x", (int)i, i);
	assert_int_equal(s.ntold, 3); /* the oldest, as far as they are there */
	assert_int_equal(s.ndropped, 3);
	assert_int_equal(s.dropped[0], 0);
	join_expire(&s.j, 100, true);
	assert_int_equal(s.ntold, JOIN_MESSAGES + 3);
	join_fini(&s.j);
}

static void the_modem_starts_again(void **state)
{
	struct seen s;

	(void)state;
	setup(&s);
	take(&s, "+1", 1, 1, 2, "a", 1, 1);
	take(&s, "+2", 9, 1, 2, "p", -1, 1); /* handed over: nowhere else */
	join_restart(&s.j);
	take(&s, "+1", 1, 1, 2, "a", 4, 2); /* it lies elsewhere now */
	take(&s, "+1", 1, 2, 2, "b", 5, 3);
	take(&s, "+2", 9, 2, 2, "q", -1, 3);
	assert_int_equal(s.ntold, 2);
	assert_string_equal(s.told[0], "+1: ab");
	assert_string_equal(s.told[1], "+2: pq");
	assert_int_equal(s.ndropped, 2);
	assert_true(s.dropped[0] == 4 && s.dropped[1] == 5);
	join_fini(&s.j);
}

static void told_later(void **state)
{
	struct seen s;

	(void)state;
	setup(&s);
	s.busy = true;
	take(&s, "+1", 1, 1, 2, "a", 1, 1);
	take(&s, "+1", 1, 2, 2, "b", 2, 1);
	take(&s, "+1", 0, 0, 0, "alone", 3, 1);
	assert_int_equal(s.ntold + s.ndropped, 0);
	s.busy = false;
	take(&s, "+1", 1, 1, 2, "a", 1, 2);
	take(&s, "+1", 1, 2, 2, "b", 2, 2);
	assert_string_equal(s.told[0], "+1: ab");
	assert_int_equal(s.ndropped, 2);
	join_fini(&s.j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(alone),
					   cmocka_unit_test(any_order_and_twice),
					   cmocka_unit_test(a_part_is_missing),
					   cmocka_unit_test(a_reference_is_used_again),
					   cmocka_unit_test(bounded),
					   cmocka_unit_test(the_modem_starts_again),
					   cmocka_unit_test(told_later)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
