/* Dependencies beyond parents: which states count, any against all, what is asked before a page leaves. */
#include "unit.h"

#include "monitord/rules/depends.h"

struct pair {
	struct check *c, *on, *other;
	struct depend v[2];
};

static struct pair make(unsigned when, bool notification, bool execution)
{
	struct pair p = {.c = check_new("c", CHECK_NET), .on = check_new("on", CHECK_NET), .other = check_new("other", CHECK_NET)};
	p.v[0] = (struct depend){.on = p.on, .when = when, .notification = notification, .execution = execution};
	p.v[1] = (struct depend){.on = p.other, .when = 1u << NAG_CRITICAL, .notification = true};
	p.c->depends = calloc(2, sizeof *p.c->depends);
	memcpy(p.c->depends, p.v, sizeof p.v);
	p.c->ndepends = 2;
	return p;
}

static void end(struct pair *p)
{
	check_free(p->c);
	check_free(p->on);
	check_free(p->other);
}

static void is_in(struct check *c, enum nag_state state, bool measured, enum nag_state hard)
{
	c->judge.ever = c->has_run = true;
	c->judge.state = state;
	c->judge.measured = measured;
	c->judge.hard = hard;
}

static void which_states_count(void **state)
{
	(void)state;
	static const struct {
		unsigned when;
		enum nag_state result;
		bool measured;
		enum nag_state confirmed;
		bool fails;
	} cases[] = {
	    {1u << NAG_CRITICAL, NAG_OK, true, NAG_OK, false},
	    {1u << NAG_CRITICAL, NAG_CRITICAL, true, NAG_CRITICAL, true},
	    {1u << NAG_CRITICAL, NAG_CRITICAL, true, NAG_OK, true}, /* not confirmed yet: c must not be faster */
	    {1u << NAG_CRITICAL, NAG_WARNING, true, NAG_WARNING, false},
	    {1u << NAG_CRITICAL, NAG_UNKNOWN, true, NAG_UNKNOWN, false},
	    {1u << NAG_CRITICAL | 1u << NAG_UNKNOWN, NAG_UNKNOWN, true, NAG_UNKNOWN, true},
	    {1u << NAG_UNKNOWN, NAG_UNKNOWN, false, NAG_OK, false}, /* a run that measured nothing */
	    {1u << NAG_UNKNOWN, NAG_UNKNOWN, false, NAG_UNKNOWN, true},
	    {1u << NAG_CRITICAL, NAG_UNKNOWN, false, NAG_CRITICAL, true}, /* it still stands */
	    {1u << NAG_OK, NAG_OK, true, NAG_OK, true}, /* a standby that is needed only while the other is down */
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct pair p = make(cases[i].when, true, false);
		assert_false(depends_fails(&p.v[0])); /* nothing is known of it */
		is_in(p.on, cases[i].result, cases[i].measured, cases[i].confirmed);
		if (depends_fails(&p.v[0]) != cases[i].fails)
			fail_msg("case %zu", i);
		end(&p);
	}
}

static void any_one_is_enough_for_what_it_suppresses(void **state)
{
	(void)state;
	char text[160];
	struct pair p = make(1u << NAG_WARNING, false, true);
	is_in(p.on, NAG_OK, true, NAG_OK);
	is_in(p.other, NAG_OK, true, NAG_OK);
	assert_null(depends_mute(p.c));
	assert_null(depends_hold(p.c));
	is_in(p.on, NAG_WARNING, true, NAG_WARNING);
	assert_null(depends_mute(p.c)); /* its runs only */
	assert_ptr_equal(depends_hold(p.c)->on, p.on);
	is_in(p.other, NAG_CRITICAL, true, NAG_CRITICAL);
	assert_ptr_equal(depends_mute(p.c)->on, p.other);
	assert_string_equal(depends_text(depends_mute(p.c), text, sizeof text), "depends on other, which is CRITICAL");
	end(&p);
}

static void who_must_be_asked(void **state)
{
	(void)state;
	struct pair p = make(1u << NAG_CRITICAL, false, true);
	p.c->turned_ms = 5000;
	is_in(p.on, NAG_OK, true, NAG_OK);
	is_in(p.other, NAG_OK, true, NAG_OK);
	p.on->last_run.boot_ms = 1; /* suppresses no page: need not be known */
	p.other->last_run.boot_ms = 4999;
	assert_ptr_equal(depends_unsure(p.c), p.other);
	p.other->last_run.boot_ms = 5000;
	assert_null(depends_unsure(p.c));
	end(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(which_states_count),
	    cmocka_unit_test(any_one_is_enough_for_what_it_suppresses),
	    cmocka_unit_test(who_must_be_asked),
	};
	return cmocka_run_group_tests_name("depends", tests, NULL, NULL);
}
