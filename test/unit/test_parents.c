/* Who is blocked by whom. Worlds are written as lines "child: parent parent" and sets of what is down. */
#include "unit.h"

#include "monitord/rules/parents.h"

enum { MANY = 8 };

struct world {
	struct checks t;
	struct check *v[MANY];
	size_t n;
};

static struct check *get(struct world *w, const char *name)
{
	for (size_t i = 0; i < w->n; i++)
		if (strcmp(w->v[i]->name, name) == 0)
			return w->v[i];
	struct check *c = check_new(name, strcmp(name, "self") == 0 ? CHECK_SELF : CHECK_NET);
	c->judge.ever = true;
	c->judge.state = NAG_OK;
	c->has_run = true;
	w->v[w->n++] = c;
	return c;
}

static void down(struct check *c)
{
	c->judge.state = NAG_CRITICAL;
}

static struct world make(const char *spec)
{
	struct world w = {0};
	char copy[400], *line, *rest;
	w.t.self = get(&w, "self");
	snprintf(copy, sizeof copy, "%s", spec);
	for (line = strtok_r(copy, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		char *word, *more, *colon = strchr(line, ':');
		*colon = '\0';
		struct check *c = get(&w, line);
		for (word = strtok_r(colon + 1, " ", &more); word; word = strtok_r(NULL, " ", &more)) {
			if (strcmp(word, "self") == 0)
				c->below_self = true;
			else
				c->parents = realloc(c->parents, (c->nparents + 1) * sizeof *c->parents),
				c->parents[c->nparents++] = get(&w, word);
		}
	}
	return w;
}

static void end(struct world *w)
{
	for (size_t i = 0; i < w->n; i++)
		check_free(w->v[i]);
}

static void who_is_blocked(void **state)
{
	(void)state;
	static const struct {
		const char *spec, *down, *check;
		const char *by; /* NULL: not blocked */
	} cases[] = {
	    {"mx1:", "", "mx1", NULL},
	    {"mx1:", "self", "mx1", NULL}, /* not below self: it pages */
	    {"mx1: self", "", "mx1", NULL},
	    {"mx1: self", "self", "mx1", "self"},
	    {"mx1: gw", "", "mx1", NULL},
	    {"mx1: gw", "mx1", "mx1", NULL},
	    {"mx1: gw", "gw", "mx1", "gw"},
	    {"mx1: gw\ngw: self", "self", "mx1", "self"},    /* through its parent */
	    {"mx1: gw\ngw: self", "self gw", "mx1", "self"}, /* the root explains */
	    {"mx1: sw\nsw: gw", "gw", "mx1", "gw"},
	    {"mx1: sw\nsw: gw", "sw", "mx1", "sw"},
	    {"mx1: gw1 gw2", "gw1", "mx1", NULL}, /* there is another way */
	    {"mx1: gw1 gw2", "gw1 gw2", "mx1", "gw1"},
	    {"mx1: gw1 gw2\ngw1: self\ngw2: self", "self", "mx1", "self"},
	    {"mx1: gw1 gw2\ngw1: a\ngw2: b", "a", "mx1", NULL},
	    {"mx1: gw1 gw2\ngw1: a\ngw2: b", "a gw2", "mx1", "a"},
	    {"mx1: self gw", "self", "mx1", "self"},
	    {"mx1: self gw", "gw", "mx1", "gw"},
	    {"a: b\nb: a", "", "a", NULL}, /* a loop ends */
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct world w = make(cases[i].spec);
		char names[64], *name, *rest;
		const struct check *by = NULL;
		snprintf(names, sizeof names, "%s", cases[i].down);
		for (name = strtok_r(names, " ", &rest); name; name = strtok_r(NULL, " ", &rest))
			down(get(&w, name));
		bool blocked = parents_block(&w.t, get(&w, cases[i].check), &by);
		if (blocked != (cases[i].by != NULL) || (blocked && strcmp(by->name, cases[i].by) != 0))
			fail_msg("case %zu (%s; down %s): blocked %d by %s", i, cases[i].spec, cases[i].down,
				 blocked, by ? by->name : "nobody");
		end(&w);
	}
}

static void who_must_be_asked(void **state)
{
	(void)state;
	struct world w = make("mx1: gw1 gw2");
	struct check *mx1 = get(&w, "mx1"), *gw1 = get(&w, "gw1"), *gw2 = get(&w, "gw2");
	mx1->turned_ms = 5000;
	gw1->last_run.boot_ms = gw2->last_run.boot_ms = 6000;
	assert_null(parents_unsure(mx1));
	gw2->last_run.boot_ms = 4999; /* it may have died since */
	assert_ptr_equal(parents_unsure(mx1), gw2);
	down(gw2); /* known to be down: nothing to ask */
	assert_null(parents_unsure(mx1));
	gw1->has_run = false;
	assert_ptr_equal(parents_unsure(mx1), gw1);
	end(&w);
	w = make("mx1: self");
	get(&w, "mx1")->turned_ms = 5000;
	assert_null(parents_unsure(get(&w, "mx1")));
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(who_is_blocked),
	    cmocka_unit_test(who_must_be_asked),
	};
	return cmocka_run_group_tests_name("parents", tests, NULL, NULL);
}
