/*
 * The proof over a configuration, pure: a table of small ones with their complaints, random ones against the
 * definition taken word by word, and large ones for its cost.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/clock.h"
#include "lib/config/config.h"

/* --- configurations in a few words ---
 * check NAME [PARENT...] [@ CONTACT...]
 * depends CHECK...            of the check above
 * line NAME [NEED...]
 * contact NAME
 * route LINE [NEED...]        of the contact above
 * default CONTACT...
 * last LINE [NEED...]
 */
static void add_name(char ***v, size_t *n, const char *name)
{
	*v = realloc(*v, (*n + 1) * sizeof(**v));
	(*v)[(*n)++] = strdup(name);
}

static void rest(char **save, char ***v, size_t *n)
{
	for (char *w; (w = strtok_r(NULL, " ", save)) && strcmp(w, "@") != 0;)
		add_name(v, n, w);
}

static struct conf_route route(char **save, struct mark at)
{
	struct conf_route r = {.at = at};
	snprintf(r.line, sizeof(r.line), "%s", strtok_r(NULL, " ", save));
	rest(save, &r.needs, &r.nneeds);
	return r;
}

static void add_line(struct config *conf, char *text, struct mark at)
{
	char *save, *verb = strtok_r(text, " ", &save);
	if (strcmp(verb, "check") == 0) {
		conf->checks = realloc(conf->checks, (conf->nchecks + 1) * sizeof(*conf->checks));
		struct conf_check *k = &conf->checks[conf->nchecks++];
		*k = (struct conf_check){.at = at};
		snprintf(k->name, sizeof(k->name), "%s", strtok_r(NULL, " ", &save));
		rest(&save, &k->parents, &k->nparents);
		rest(&save, &k->contacts, &k->ncontacts);
	} else if (strcmp(verb, "depends") == 0) {
		struct conf_check *k = &conf->checks[conf->nchecks - 1];
		for (char *w; (w = strtok_r(NULL, " ", &save));) {
			k->depends = realloc(k->depends, (k->ndepends + 1) * sizeof(*k->depends));
			k->depends[k->ndepends] = (struct conf_depend){.when = 1u << NAG_CRITICAL, .notification = true, .at = at};
			snprintf(k->depends[k->ndepends++].check, sizeof(k->depends->check), "%s", w);
		}
	} else if (strcmp(verb, "line") == 0) {
		conf->lines = realloc(conf->lines, (conf->nlines + 1) * sizeof(*conf->lines));
		struct conf_line *k = &conf->lines[conf->nlines++];
		*k = (struct conf_line){.at = at};
		snprintf(k->name, sizeof(k->name), "%s", strtok_r(NULL, " ", &save));
		rest(&save, &k->needs, &k->nneeds);
	} else if (strcmp(verb, "contact") == 0) {
		conf->contacts = realloc(conf->contacts, (conf->ncontacts + 1) * sizeof(*conf->contacts));
		struct conf_contact *k = &conf->contacts[conf->ncontacts++];
		*k = (struct conf_contact){.at = at};
		snprintf(k->name, sizeof(k->name), "%s", strtok_r(NULL, " ", &save));
	} else if (strcmp(verb, "route") == 0) {
		struct conf_contact *k = &conf->contacts[conf->ncontacts - 1];
		k->routes = realloc(k->routes, (k->nroutes + 1) * sizeof(*k->routes));
		k->routes[k->nroutes] = route(&save, at);
		k->routes[k->nroutes].number = (unsigned)k->nroutes + 1;
		k->nroutes++;
	} else if (strcmp(verb, "last") == 0) {
		conf->has_last_resort = true;
		conf->last_resort = route(&save, at);
	} else {
		assert_string_equal(verb, "default");
		rest(&save, &conf->default_contacts, &conf->ndefault_contacts);
	}
}

static struct config *make(const char *text)
{
	struct config *conf = calloc(1, sizeof(*conf));
	char *copy = strdup(text), *save;
	int line = 0;
	for (char *s = strtok_r(copy, "\n", &save); s; s = strtok_r(NULL, "\n", &save))
		add_line(conf, s, (struct mark){"t", ++line, 1});
	free(copy);
	return conf;
}

static char *prove(const struct config *conf)
{
	struct complaints c;
	struct buf out;
	complaints_init(&c);
	buf_init(&out, 1 << 20);
	config_prove(conf, &c);
	for (size_t i = 0; i < c.n; i++) {
		complaint_format(&c.v[i], &out);
		buf_puts(&out, "\n");
	}
	complaints_fini(&c);
	char *text = strdup(buf_str(&out));
	buf_fini(&out);
	return text;
}

static const struct {
	const char *conf, *wrong;
} cases[] = {
	/* a route without needs always remains */
	{"check mx\ncontact op\nroute modem\nroute mail mx\nline modem\nline mail\ndefault op", ""},
	/* the only route needs what it reports on */
	{"check mx\ncontact op\nroute mail mx\nline mail\ndefault op",
	 "t:1:1: checks.mx: no route of contact \"op\" remains when \"mx\" is down: each needs it, or a check below it\n"},
	/* the line's needs count as the route's own */
	{"check mx\ncontact op\nroute mail\nline mail mx\ndefault op",
	 "t:1:1: checks.mx: no route of contact \"op\" remains when \"mx\" is down: each needs it, or a check below it\n"},
	/* two routes over two relays: each alone may die */
	{"check mx1\ncheck mx2\ncontact op\nroute a mx1\nroute b mx2\nline a\nline b\ndefault op", ""},
	/* ... but not what both hang on */
	{"check gw\ncheck mx1 gw\ncheck mx2 gw\ncontact op\nroute a mx1\nroute b mx2\nline a\nline b\ndefault op",
	 "t:1:1: checks.gw: no route of contact \"op\" remains when \"gw\" is down: each needs it, or a check below it\n"},
	/* over several levels, and only for those whom the check concerns */
	{"check core @ night\ncheck gw core\ncheck mx gw @ day\ncontact day\nroute a mx\ncontact night\nroute b mx\n"
	 "line a\nline b\ndefault day",
	 "t:2:1: checks.gw: no route of contact \"day\" remains when \"gw\" is down: each needs it, or a check below it\n"
	 "t:3:1: checks.mx: no route of contact \"day\" remains when \"mx\" is down: each needs it, or a check below it\n"
	 "t:1:1: checks.core: no route of contact \"night\" remains when \"core\" is down: each needs it, or a check below it\n"},
	/* self takes all below it, and concerns the default contacts */
	{"check lamp @ other\ncheck mx self @ other\ncontact op\nroute a mx\ncontact other\nroute b\nline a\nline b\ndefault op",
	 "t:3:1: contacts.op: no route of contact \"op\" remains when \"self\" (this host's own link) is down: each needs it, or a "
	 "check below it\n"},
	{"check mx\ncontact op\nroute a self\nroute b\nline a\nline b\ndefault op", ""},
	/* needing something unrelated is allowed */
	{"check mx\ncheck web @ op\ncontact op\nroute a mx\ncontact other\nroute b\nline a\nline b\ndefault other", ""},
	/* names */
	{"check mx1 gww\ncheck gw", "t:1:1: checks.mx1.parents \"gww\": there is no such check; did you mean \"gw\"?\n"},
	{"check mx1 zzzzzzz", "t:1:1: checks.mx1.parents \"zzzzzzz\": there is no such check\n"},
	{"check mx\nline a my\nlast a mz\ncontact op\nroute b mz",
	 "t:2:1: lines.a.needs \"my\": there is no such check; did you mean \"mx\"?\n"
	 "t:5:1: contacts.op.routes[1].needs \"mz\": there is no such check; did you mean \"mx\"?\n"
	 "t:3:1: last_resort.needs \"mz\": there is no such check; did you mean \"mx\"?\n"},
	/* loops */
	{"check a a", "t:1:1: checks.a.parents: make a loop: a -> a\n"},
	{"check a b\ncheck b c\ncheck c a\ncheck d a", "t:1:1: checks.a.parents: make a loop: a -> b -> c -> a\n"},
	{"check d a\ncheck a b\ncheck b a", "t:2:1: checks.a.parents: make a loop: a -> b -> a\n"},
	{"check a b b2\ncheck b a\ncheck b2 a",
	 "t:1:1: checks.a.parents: make a loop: a -> b -> a\nt:1:1: checks.a.parents: make a loop: a -> b2 -> a\n"},
	{"check a b c\ncheck b d\ncheck c d\ncheck d self", ""},
	/* what depends on a check goes down with it, and so on; loops go through both */
	{"check db\ncheck mx\ndepends db\ncontact op\nroute a mx\nline a\ndefault op",
	 "t:1:1: checks.db: no route of contact \"op\" remains when \"db\" is down: each needs it, or a check below it\n"
	 "t:2:1: checks.mx: no route of contact \"op\" remains when \"mx\" is down: each needs it, or a check below it\n"},
	{"check a\ndepends b self\ncheck b\ncheck c a", ""},
	{"check a\ndepends bb\ncheck b", "t:2:1: checks.a.depends_on \"bb\": there is no such check; did you mean \"b\"?\n"},
	{"check a\ndepends a", "t:1:1: checks.a.depends_on: make a loop: a -> a\n"},
	{"check a b\ncheck b\ndepends a", "t:1:1: checks.a.parents: make a loop: a -> b -> a\n"},
	/* the last resort's line is monitord's alone */
	{"check mx\nline a\nline spare\ncontact op\nroute a\nroute spare\ndefault op\nlast spare",
	 "t:6:1: contacts.op.routes[2].line \"spare\": is the line of last_resort, which monitord keeps for itself: no contact "
	 "may use it\n"},
	{"check mx\nline a\nline spare\ncontact op\nroute a\ndefault op\nlast spare", ""},
	/* nothing at all */
	{"", ""},
	{"contact op\ndefault op", ""},
};

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct config *conf = make(cases[i].conf);
		char *wrong = prove(conf);
		if (strcmp(wrong, cases[i].wrong) != 0)
			fail_msg("case %zu:\n%s\n--- says\n%s--- and not\n%s", i, cases[i].conf, wrong, cases[i].wrong);
		free(wrong);
		config_free(conf);
	}
}

/* --- the definition, word by word --- */

static int number(const struct config *conf, const char *name)
{
	for (size_t i = 0; i < conf->nchecks; i++)
		if (strcmp(conf->checks[i].name, name) == 0)
			return (int)i;
	return -1;
}

/* Marks check i and all that have it as a parent, and so on. */
static void down_set(const struct config *conf, int i, bool *down)
{
	if (down[i])
		return;
	down[i] = true;
	for (size_t j = 0; j < conf->nchecks; j++)
		for (size_t p = 0; p < conf->checks[j].nparents; p++)
			if (number(conf, conf->checks[j].parents[p]) == i)
				down_set(conf, (int)j, down);
}

static bool needs_down(const struct config *conf, char *const *needs, size_t n, const bool *down)
{
	for (size_t i = 0; i < n; i++)
		if (down[number(conf, needs[i])])
			return true;
	return false;
}

static bool remains(const struct config *conf, const struct conf_contact *k, const bool *down)
{
	for (size_t i = 0; i < k->nroutes; i++) {
		const struct conf_line *line = config_line(conf, k->routes[i].line);
		if (!needs_down(conf, k->routes[i].needs, k->routes[i].nneeds, down) &&
		    !needs_down(conf, line->needs, line->nneeds, down))
			return true;
	}
	return false;
}

static uint32_t seed = 1;
static unsigned dice(unsigned n)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 16) % n;
}

static void random_text(struct buf *b)
{
	unsigned checks = 1 + dice(8), lines = 1 + dice(3);
	buf_reset(b);
	for (unsigned i = 0; i < checks; i++) {
		buf_printf(b, "check c%u", i);
		for (unsigned p = 0; p < i; p++)
			if (!dice(4))
				buf_printf(b, " c%u", p);
		buf_puts(b, "\n");
	}
	for (unsigned i = 0; i < lines; i++)
		buf_printf(b, dice(3) ? "line l%u\n" : "line l%u c%u\n", i, dice(checks));
	buf_puts(b, "contact op\n");
	for (unsigned i = 1 + dice(3); i; i--) {
		buf_printf(b, "route l%u", dice(lines));
		for (unsigned n = dice(3); n; n--)
			buf_printf(b, " c%u", dice(checks));
		buf_puts(b, "\n");
	}
	buf_puts(b, "default op\n");
}

static void test_against_the_definition(void **state)
{
	struct buf b;
	int lost = 0;
	(void)state;
	buf_init(&b, 65536);
	for (int round = 0; round < 3000; round++) {
		random_text(&b);
		struct config *conf = make(buf_str(&b));
		char *wrong = prove(conf);
		for (size_t i = 0; i < conf->nchecks; i++) {
			bool down[16] = {false};
			char name[32];
			down_set(conf, (int)i, down);
			snprintf(name, sizeof(name), "checks.c%zu: ", i);
			bool said = strstr(wrong, name) != NULL, left = remains(conf, &conf->contacts[0], down);
			if (said == left)
				fail_msg("%s\nc%zu: %s\n%s", buf_str(&b), i, left ? "a route remains" : "none remains", wrong);
			lost += !left;
		}
		free(wrong);
		config_free(conf);
	}
	assert_true(lost > 500); /* else the random configurations prove nothing */
	buf_fini(&b);
}

/* --- cost --- */

static void test_large(void **state)
{
	struct buf b;
	(void)state;
	buf_init(&b, 4 << 20);
	buf_puts(&b, "check c0\n");
	for (int i = 1; i < 10000; i++)
		buf_printf(&b, "check c%d c%d\n", i, i - 1); /* one chain, 10,000 deep */
	buf_puts(&b, "line a\nline b\n");
	for (int i = 0; i < 50; i++)
		buf_printf(&b, "contact k%d\nroute a c9999\nroute b c%d\n", i, 5000 + i);
	buf_puts(&b, "default k49");
	struct config *conf = make(buf_str(&b));
	struct complaints c;
	complaints_init(&c);
	int64_t before = clock_boot_ms();
	config_prove(conf, &c);
	int64_t took = clock_boot_ms() - before;
	/* k49's two routes need c9999 and c5049: c0 ... c5049 take both away */
	assert_int_equal(c.n + c.dropped, 5050);
	assert_true(took < 5000); /* milliseconds; measured: 30 */
	complaints_fini(&c);
	config_free(conf);
	buf_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_against_the_definition),
		cmocka_unit_test(test_large),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
