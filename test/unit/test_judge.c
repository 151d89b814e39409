/*
 * The judge, cell by cell: the two tables of doc/judge.md, and then a night of a check in
 * milliseconds. The expectations are written from the tables, not from the code.
 */
#include "unit.h"

#include "monitord/rules/judge.h"

enum { MAX = 3 };

static struct stamp at(int64_t s)
{
	return (struct stamp){ .wall_ms = 1700000000000 + s * 1000, .boot_ms = 1000000 + s * 1000, .boot_id = "boot" };
}

/* --- table 1: what a run found ---------------------------------------------------------------------- */

/* The situations a check can be in when a result comes. */
enum situation { NEW, FINE, SOFT, SOFT_UNMEASURED, OPEN, OPEN_DOUBT, QUIET, HELD, OPEN_UNMEASURED, SITUATIONS };
static const char *const situation_names[] = { "new",	"fine",	 "soft", "soft, unmeasured", "open", "open, in doubt",
					       "quiet", "held", "open, unmeasured" };
enum input { IN_OK, IN_WARNING, IN_CRITICAL, IN_UNKNOWN, IN_UNMEASURED, IN_STALE, INPUTS };
static const char *const input_names[] = { "OK", "WARNING", "CRITICAL", "UNKNOWN", "not measured", "stale" };

static struct judge in_situation(enum situation s)
{
	struct stamp t = at(0);
	struct judge j;
	judge_init(&j, 40, &t);
	if (s == NEW)
		return j;
	j.ever = true;
	j.state = NAG_OK;
	if (s == SOFT) {
		j.state = NAG_CRITICAL;
		j.attempt = 1;
	} else if (s == SOFT_UNMEASURED) {
		j.state = NAG_UNKNOWN;
		j.measured = false;
		j.unmeasured = 1;
	} else if (s == OPEN || s == QUIET || s == HELD || s == OPEN_DOUBT) {
		j.state = j.hard = NAG_CRITICAL;
		j.attempt = MAX;
		j.said = s != HELD;
		j.said_state = s != HELD ? NAG_CRITICAL : NAG_OK;
		j.said_measured = true;
		j.said_suppressed = s == QUIET;
		j.paged = s == OPEN || s == OPEN_DOUBT;
		j.opened = s != HELD ? 40 : 0;
	}
	if (s == OPEN_DOUBT) {
		j.state = NAG_UNKNOWN;
		j.measured = false;
		j.unmeasured = 1;
	} else if (s == OPEN_UNMEASURED) {
		j.state = j.hard = NAG_UNKNOWN;
		j.measured = j.hard_measured = false;
		j.unmeasured = 3;
		j.said = j.paged = true;
		j.said_state = NAG_UNKNOWN;
		j.opened = 40;
	}
	return j;
}

static enum judge_step feed(struct judge *j, enum input in, int max, const struct stamp *now)
{
	switch (in) {
	case IN_OK:
		return judge_result(j, max, NAG_OK, true, now);
	case IN_WARNING:
		return judge_result(j, max, NAG_WARNING, true, now);
	case IN_CRITICAL:
		return judge_result(j, max, NAG_CRITICAL, true, now);
	case IN_UNKNOWN:
		return judge_result(j, max, NAG_UNKNOWN, true, now);
	case IN_UNMEASURED:
		return judge_result(j, max, NAG_OK, false, now);
	default:
		return judge_stale(j, max, now);
	}
}

struct cell {
	enum nag_state hard;
	bool measured;  /* hard_measured */
	int attempt, unmeasured;
	enum judge_step step;
	bool new_since; /* since moves to now */
};
#define OK_(step, since) { NAG_OK, true, 0, 0, step, since }
#define C_(a, u, step, since) { NAG_CRITICAL, true, a, u, step, since }
#define NOT_(a, step, since) { NAG_UNKNOWN, false, a, 3, step, since }

static const struct cell runs[SITUATIONS][INPUTS] = {
	/*                   OK                       WARNING / CRITICAL / UNKNOWN / not measured / stale */
	[NEW] = { OK_(JUDGE_SOFT, true), { NAG_OK, true, 1, 0, JUDGE_SOFT, true }, { NAG_OK, true, 1, 0, JUDGE_SOFT, true },
		  { NAG_OK, true, 1, 0, JUDGE_SOFT, true }, { NAG_OK, true, 0, 1, JUDGE_SOFT, true }, NOT_(0, JUDGE_HARD, true) },
	[FINE] = { OK_(JUDGE_SAME, false), { NAG_OK, true, 1, 0, JUDGE_SOFT, true }, { NAG_OK, true, 1, 0, JUDGE_SOFT, true },
		   { NAG_OK, true, 1, 0, JUDGE_SOFT, true }, { NAG_OK, true, 0, 1, JUDGE_SOFT, true }, NOT_(0, JUDGE_HARD, true) },
	[SOFT] = { OK_(JUDGE_SOFT, true), { NAG_OK, true, 2, 0, JUDGE_SOFT, false }, { NAG_OK, true, 2, 0, JUDGE_SAME, false },
		   { NAG_OK, true, 2, 0, JUDGE_SOFT, false }, { NAG_OK, true, 1, 1, JUDGE_SOFT, false }, NOT_(1, JUDGE_HARD, false) },
	[SOFT_UNMEASURED] = { OK_(JUDGE_SOFT, true), { NAG_OK, true, 1, 0, JUDGE_SOFT, false },
			      { NAG_OK, true, 1, 0, JUDGE_SOFT, false }, { NAG_OK, true, 1, 0, JUDGE_SOFT, false },
			      { NAG_OK, true, 0, 2, JUDGE_SAME, false }, NOT_(0, JUDGE_HARD, false) },
	[OPEN] = { OK_(JUDGE_HARD, false), { NAG_WARNING, true, 3, 0, JUDGE_HARD, false }, C_(3, 0, JUDGE_SAME, false),
		   { NAG_UNKNOWN, true, 3, 0, JUDGE_HARD, false }, C_(3, 1, JUDGE_SOFT, false), NOT_(3, JUDGE_HARD, false) },
	[OPEN_DOUBT] = { OK_(JUDGE_HARD, false), { NAG_WARNING, true, 3, 0, JUDGE_HARD, false }, C_(3, 0, JUDGE_SOFT, false),
			 { NAG_UNKNOWN, true, 3, 0, JUDGE_HARD, false }, C_(3, 2, JUDGE_SAME, false), NOT_(3, JUDGE_HARD, false) },
	[QUIET] = { OK_(JUDGE_HARD, false), { NAG_WARNING, true, 3, 0, JUDGE_HARD, false }, C_(3, 0, JUDGE_SAME, false),
		    { NAG_UNKNOWN, true, 3, 0, JUDGE_HARD, false }, C_(3, 1, JUDGE_SOFT, false), NOT_(3, JUDGE_HARD, false) },
	/* nobody was told of it: its end is only a new beginning */
	[HELD] = { OK_(JUDGE_HARD, true), { NAG_WARNING, true, 3, 0, JUDGE_HARD, false }, C_(3, 0, JUDGE_SAME, false),
		   { NAG_UNKNOWN, true, 3, 0, JUDGE_HARD, false }, C_(3, 1, JUDGE_SOFT, false), NOT_(3, JUDGE_HARD, false) },
	/* that it could be measured again says nothing yet about what it measures: attempts are counted */
	[OPEN_UNMEASURED] = { OK_(JUDGE_HARD, false), { NAG_UNKNOWN, false, 1, 0, JUDGE_SOFT, false },
			      { NAG_UNKNOWN, false, 1, 0, JUDGE_SOFT, false }, { NAG_UNKNOWN, false, 1, 0, JUDGE_SOFT, false },
			      NOT_(0, JUDGE_SAME, false), NOT_(0, JUDGE_SAME, false) },
};

static void every_result_in_every_situation(void **state)
{
	(void)state;
	struct stamp now = at(60);
	for (int s = 0; s < SITUATIONS; s++) {
		for (int in = 0; in < INPUTS; in++) {
			struct judge j = in_situation((enum situation)s), before = j;
			const struct cell *want = &runs[s][in];
			enum judge_step step = feed(&j, (enum input)in, MAX, &now);
			bool good = j.hard == want->hard && j.hard_measured == want->measured && j.attempt == want->attempt &&
				    j.unmeasured == want->unmeasured && step == want->step &&
				    j.since.wall_ms == (want->new_since ? now : before.since).wall_ms;
			if (!good)
				fail_msg("%s x %s: hard %s%s attempt %d unmeasured %d step %d since %lld", situation_names[s],
					 input_names[in], nag_name(j.hard), j.hard_measured ? "" : " (not measured)", j.attempt,
					 j.unmeasured, (int)step, (long long)(j.since.wall_ms - at(0).wall_ms));
			assert_true(j.ever);
			assert_int_equal(j.stale, in == IN_STALE);
			/* a result never says anything by itself */
			assert_int_equal(j.change, before.change);
			assert_int_equal(j.said, before.said);
		}
	}
}

/* --- table 2: what is said -------------------------------------------------------------------------- */

enum standing { NOTHING, OVER_PAGED, OVER_QUIET, OVER_HUSHED, UNSAID, PAGED, SAID_QUIET, OTHER_PAGED, OTHER_QUIET, STANDINGS };
static const char *const standing_names[] = { "no problem, nothing said", "over, paged", "over, only quiet",
					      "over, paged then hushed", "problem, unsaid", "problem, paged",
					      "problem, said quietly", "problem, another state paged",
					      "problem, another state said quietly" };
enum circumstance { FREE, PARENT, DOWNTIME, HOLD, FLAPS, CIRCUMSTANCES };
static const char *const circumstance_names[] = { "free", "below a parent", "in downtime", "held", "flapping" };
static const struct judge_env envs[] = {
	{ .mute = NULL }, { .mute = "below gw" }, { .mute = "in downtime", .downtime = true }, { .hold = true },
	{ .flapping = true, .flap_state = NAG_CRITICAL },
};

static struct judge in_standing(enum standing s)
{
	struct judge j = in_situation(s >= UNSAID ? HELD : FINE);
	j.said = s != NOTHING && s != UNSAID;
	if (!j.said)
		return j;
	j.opened = 38;
	j.said_state = s == OTHER_PAGED || s == OTHER_QUIET ? NAG_WARNING : NAG_CRITICAL;
	j.said_measured = true;
	j.said_suppressed = s == OVER_QUIET || s == OVER_HUSHED || s == SAID_QUIET || s == OTHER_QUIET;
	j.paged = s == OVER_PAGED || s == OVER_HUSHED || s == PAGED || s == OTHER_PAGED;
	return j;
}

/* '.' nothing, 'P' a problem that pages, 'p' one that does not, 'R' and 'r' recoveries, 'N' and 'n' notices within the
 * problem. */
static const char said[STANDINGS][CIRCUMSTANCES + 1] = {
	/*               free, parent, downtime, held, flapping */
	[NOTHING] = "....P",
	[OVER_PAGED] = "RRRRN",
	[OVER_QUIET] = "rrrrP",
	[OVER_HUSHED] = "RRRRP",
	[UNSAID] = "Ppp.P",
	[PAGED] = "..p.N", /* a downtime that begins: tell pagerd to be quiet from here on */
	[SAID_QUIET] = "P...P", /* what muted it is over and it is still there: it pages now */
	[OTHER_PAGED] = "Ppp.N",
	[OTHER_QUIET] = "Ppp.P",
};

static char letter(bool any, const struct judge_say *say)
{
	if (!any)
		return '.';
	char c = say->kind == EVENT_PROBLEM ? 'P' : say->kind == EVENT_NOTICE ? 'N' : 'R';
	return say->suppressed ? (char)(c + 'a' - 'A') : c;
}

static void everything_said_in_every_circumstance(void **state)
{
	(void)state;
	struct stamp now = at(60);
	for (int s = 0; s < STANDINGS; s++) {
		for (int e = 0; e < CIRCUMSTANCES; e++) {
			struct judge j = in_standing((enum standing)s), before = j;
			struct judge_say say = { 0 };
			char got = letter(judge_settle(&j, &envs[e], &now, &say), &say);
			if (got != said[s][e])
				fail_msg("%s x %s: '%c' instead of '%c'", standing_names[s], circumstance_names[e], got, said[s][e]);
			if (got == '.') {
				assert_memory_equal(&j, &before, sizeof j);
				continue;
			}
			assert_int_equal(j.change, before.change + 1);
			assert_int_equal(say.change, j.change);
			assert_int_equal(say.opened, before.said ? 38 : j.change);
			assert_int_equal(say.previous, before.said ? before.said_state : NAG_OK);
			assert_int_equal(say.since.wall_ms, before.since.wall_ms);
			assert_int_equal(j.said, say.kind != EVENT_RECOVERY);
			assert_int_equal(j.flap_said, e == FLAPS);
			assert_int_equal(say.flapping, e == FLAPS ? EVENT_FLAPS_STARTED : EVENT_FLAPS_NOT);
			if (e == FLAPS)
				assert_int_not_equal(say.state, NAG_OK);
			if (say.kind == EVENT_RECOVERY)
				assert_int_equal(j.since.wall_ms, now.wall_ms);
			/* said is said: nothing more follows from the same circumstances */
			assert_false(judge_settle(&j, &envs[e], &now, &say));
		}
	}
}

/* Once it was said that it flaps: what is said while that lasts, and when it ends. "rP": two events, the second when asked
 * again. */
static const char *const flapping_said[STANDINGS][2][4] = {
	/*              it goes on: free, parent, downtime, held        it ended: the same */
	[OVER_PAGED] = { { "n", "n", "n", "n" }, { "R", "R", "R", "R" } },
	[OVER_HUSHED] = { { "n", "n", "n", "n" }, { "R", "R", "R", "R" } },
	[PAGED] = { { "", "", "p", "" }, { "rP", "rp", "rp", "" } },
	[SAID_QUIET] = { { "P", "", "", "" }, { "rP", "rp", "rp", "" } },
	[OTHER_PAGED] = { { "n", "p", "p", "" }, { "rP", "rp", "rp", "" } },
	[OTHER_QUIET] = { { "P", "p", "p", "" }, { "rP", "rp", "rp", "" } },
};

static void settle_all_of_it(struct judge *j, const struct judge_env *env, char *got)
{
	struct judge_say say = { 0 };
	struct stamp now = at(60);
	for (int n = 0; n < 4; n++) {
		bool any = judge_settle(j, env, &now, &say);
		got[n] = any ? letter(any, &say) : '\0';
		if (!any)
			return;
		if (say.flapping == EVENT_FLAPS_STOPPED)
			assert_true(say.kind == EVENT_RECOVERY && say.state == NAG_OK && say.opened == 38);
		else if (!env->flapping)
			assert_int_equal(say.opened, j->change); /* a new incident */
	}
	fail_msg("it never ends: %.4s", got);
}

static void everything_said_of_one_that_flaps(void **state)
{
	(void)state;
	for (int s = 0; s < STANDINGS; s++)
		for (int ended = 0; ended < 2; ended++)
			for (int e = FREE; e <= HOLD; e++) {
				const char *want = flapping_said[s][ended][e];
				struct judge j = in_standing((enum standing)s);
				struct judge_env env = envs[e];
				char got[5] = "";
				if (!want)
					continue;
				j.flap_said = true;
				j.paged = true;
				env.flapping = !ended;
				settle_all_of_it(&j, &env, got);
				if (strcmp(got, want) != 0)
					fail_msg("%s x %s, %s: \"%s\" instead of \"%s\"", standing_names[s],
						 circumstance_names[e], ended ? "ended" : "goes on", got, want);
				assert_int_equal(j.flap_said, !ended || !*want);
			}
}

/* From the first change to the last, whatever comes between: at the end people know what is. */
static void the_last_state_is_never_lost(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed < 3000; seed++) {
		unsigned r = seed * 2654435761u;
		struct judge j = in_situation(FINE);
		struct judge_env env = { 0 };
		bool known = false; /* what people believe: a problem is there */
		enum nag_state known_state = NAG_OK;
		for (int k = 0; k < 60; k++) {
			struct judge_say say;
			struct stamp now = at(k);
			r = r * 1664525u + 1013904223u;
			judge_result(&j, 1, k < 59 ? (enum nag_state)(r >> 28 & 3) : seed & 1 ? NAG_CRITICAL : NAG_OK, true, &now);
			env.flapping = k < 59 && (r >> 20 & 3) != 0;
			env.flap_state = NAG_CRITICAL;
			while (judge_settle(&j, &env, &now, &say)) {
				if (say.kind == EVENT_PROBLEM && !say.suppressed)
					known = true, known_state = say.state;
				else if (say.kind == EVENT_RECOVERY)
					known = false;
			}
		}
		assert_int_equal(known, seed & 1);
		if (known)
			assert_int_equal(known_state, NAG_CRITICAL);
		assert_false(j.flap_said);
	}
}

/* --- single rules ----------------------------------------------------------------------------------- */

static void one_attempt_is_hard_at_once(void **state)
{
	(void)state;
	struct judge j = in_situation(FINE);
	struct stamp now = at(1);
	assert_int_equal(judge_result(&j, 1, NAG_CRITICAL, true, &now), JUDGE_HARD);
	assert_true(judge_problem(&j) && judge_is_hard(&j) && !judge_retrying(&j, 1));
	/* but what could not be measured needs three, even then */
	j = in_situation(FINE);
	assert_int_equal(judge_result(&j, 1, NAG_UNKNOWN, false, &now), JUDGE_SOFT);
	assert_int_equal(judge_result(&j, 1, NAG_UNKNOWN, false, &now), JUDGE_SAME);
	assert_true(judge_retrying(&j, 1));
	assert_int_equal(judge_result(&j, 1, NAG_UNKNOWN, false, &now), JUDGE_HARD);
	assert_int_equal(judge_unmeasured_max(1), 3);
	assert_int_equal(judge_unmeasured_max(5), 5);
}

static void unmeasured_runs_neither_confirm_nor_refute(void **state)
{
	(void)state;
	struct judge j = in_situation(FINE);
	struct stamp now = at(1);
	const enum input story[] = { IN_CRITICAL, IN_UNMEASURED, IN_CRITICAL, IN_UNMEASURED, IN_UNMEASURED };
	for (size_t i = 0; i < sizeof story / sizeof *story; i++) {
		feed(&j, story[i], MAX, &now);
		assert_false(judge_problem(&j));
	}
	assert_int_equal(feed(&j, IN_CRITICAL, MAX, &now), JUDGE_HARD);
	assert_int_equal(j.hard, NAG_CRITICAL);
}

static void a_lowered_maximum_counts_at_once(void **state)
{
	(void)state;
	struct judge j = in_situation(FINE);
	struct stamp now = at(1);
	feed(&j, IN_CRITICAL, 5, &now);
	feed(&j, IN_CRITICAL, 5, &now);
	assert_false(judge_problem(&j));
	assert_int_equal(feed(&j, IN_CRITICAL, 2, &now), JUDGE_HARD);
	assert_int_equal(j.attempt, 2);
}

static void down_as_children_see_it(void **state)
{
	(void)state;
	static const struct {
		enum situation s;
		bool down;
	} cases[] = { { NEW, false },	    { FINE, false },	  { SOFT, true },      { SOFT_UNMEASURED, false }, { OPEN, true },
		      { OPEN_DOUBT, true }, { QUIET, true }, { HELD, true }, { OPEN_UNMEASURED, false } };
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct judge j = in_situation(cases[i].s);
		if (judge_down(&j) != cases[i].down)
			fail_msg("%s: down %d", situation_names[cases[i].s], judge_down(&j));
	}
	struct judge j = in_situation(OPEN);
	struct stamp now = at(1);
	feed(&j, IN_WARNING, MAX, &now);
	assert_false(judge_down(&j)); /* it answers */
}

static void a_removed_check_takes_back_what_it_said(void **state)
{
	(void)state;
	struct stamp now = at(9);
	struct judge_say say;
	struct judge j = in_situation(OPEN);
	assert_true(judge_removed(&j, &now, &say));
	assert_int_equal(say.kind, EVENT_RECOVERY);
	assert_false(say.suppressed);
	assert_int_equal(say.opened, 40);
	assert_int_equal(say.change, 41);
	assert_int_equal(j.change, 41);
	j = in_situation(QUIET);
	assert_true(judge_removed(&j, &now, &say) && say.suppressed);
	j = in_situation(HELD);
	assert_false(judge_removed(&j, &now, &say));
	j = in_situation(SOFT);
	assert_false(judge_removed(&j, &now, &say));
}

/* --- a night ------------------------------------------------------------------------------------------ */

struct minute {
	int from, to;
	enum input in;
	int env;
};

/* Plays stretches of minutes and writes down what is said, as "MINUTE LETTER STATE ". */
static void play(const struct minute *story, size_t n, int max, char *out, size_t size)
{
	struct stamp t = at(0);
	struct judge j;
	size_t len = 0;
	judge_init(&j, 0, &t);
	out[0] = '\0';
	for (size_t k = 0; k < n; k++) {
		for (int m = story[k].from; m < story[k].to; m++) {
			struct stamp now = at(m * 60);
			struct judge_say say;
			feed(&j, story[k].in, max, &now);
			bool any = judge_settle(&j, &envs[story[k].env], &now, &say);
			if (any)
				len += (size_t)snprintf(out + len, size - len, "%d%c%s ", m, letter(true, &say), nag_name(say.state));
		}
	}
}

static void a_night_in_milliseconds(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		int max;
		struct minute story[8];
		const char *want;
	} nights[] = {
		{ "quiet", 3, { { 0, 480, IN_OK, FREE } }, "" },
		{ "two bad minutes", 3, { { 0, 10, IN_OK, FREE }, { 10, 12, IN_CRITICAL, FREE }, { 12, 480, IN_OK, FREE } }, "" },
		{ "relay dies", 3, { { 0, 10, IN_OK, FREE }, { 10, 100, IN_CRITICAL, FREE }, { 100, 480, IN_OK, FREE } },
		  "12PCRITICAL 100ROK " },
		{ "gets worse", 2,
		  { { 0, 5, IN_WARNING, FREE }, { 5, 50, IN_CRITICAL, FREE }, { 50, 60, IN_WARNING, FREE }, { 60, 61, IN_OK, FREE } },
		  "1PWARNING 5PCRITICAL 50PWARNING 60ROK " },
		{ "dies in downtime, outlives it", 1,
		  { { 0, 10, IN_OK, FREE }, { 10, 60, IN_CRITICAL, DOWNTIME }, { 60, 90, IN_CRITICAL, FREE }, { 90, 99, IN_OK, FREE } },
		  "10pCRITICAL 60PCRITICAL 90ROK " },
		{ "dies and recovers in downtime", 1,
		  { { 0, 10, IN_CRITICAL, DOWNTIME }, { 10, 20, IN_OK, DOWNTIME }, { 20, 30, IN_OK, FREE } }, "0pCRITICAL 10rOK " },
		{ "paged, downtime set, recovers in it", 1,
		  { { 0, 5, IN_CRITICAL, FREE }, { 5, 9, IN_CRITICAL, DOWNTIME }, { 9, 12, IN_OK, DOWNTIME } },
		  "0PCRITICAL 5pCRITICAL 9ROK " },
		{ "paged, downtime set and over", 1,
		  { { 0, 5, IN_CRITICAL, FREE }, { 5, 9, IN_CRITICAL, DOWNTIME }, { 9, 12, IN_CRITICAL, FREE } },
		  "0PCRITICAL 5pCRITICAL 9PCRITICAL " },
		{ "below a dead gateway that returns", 2,
		  { { 0, 5, IN_OK, FREE }, { 5, 30, IN_CRITICAL, PARENT }, { 30, 31, IN_CRITICAL, HOLD }, { 31, 40, IN_CRITICAL, FREE },
		    { 40, 41, IN_OK, FREE } },
		  "6pCRITICAL 31PCRITICAL 40ROK " },
		{ "gateway and all return", 2,
		  { { 0, 5, IN_OK, FREE }, { 5, 30, IN_CRITICAL, PARENT }, { 30, 31, IN_CRITICAL, HOLD }, { 31, 40, IN_OK, FREE } },
		  "6pCRITICAL 31rOK " },
		{ "paged before the gateway died", 1,
		  { { 0, 5, IN_CRITICAL, FREE }, { 5, 30, IN_CRITICAL, PARENT }, { 30, 35, IN_CRITICAL, FREE }, { 35, 36, IN_OK, FREE } },
		  "0PCRITICAL 35ROK " },
		{ "stale, then well", 3, { { 0, 5, IN_OK, FREE }, { 5, 6, IN_STALE, FREE }, { 6, 9, IN_OK, FREE } },
		  "5PUNKNOWN 6ROK " },
		{ "cannot be measured, then broken", 2,
		  { { 0, 5, IN_UNMEASURED, FREE }, { 5, 9, IN_CRITICAL, FREE }, { 9, 10, IN_OK, FREE } },
		  "2PUNKNOWN 6PCRITICAL 9ROK " },
	};
	for (size_t i = 0; i < sizeof nights / sizeof *nights; i++) {
		char got[400];
		play(nights[i].story, 8, nights[i].max, got, sizeof got);
		if (strcmp(got, nights[i].want) != 0)
			fail_msg("%s: \"%s\" instead of \"%s\"", nights[i].name, got, nights[i].want);
	}
}

/* Whatever comes, in whatever order: numbers only grow, every page has its end, nothing is said twice. */
static void a_thousand_random_nights(void **state)
{
	(void)state;
	uint64_t seed = 88172645463325252u;
	for (int night = 0; night < 1000; night++) {
		struct stamp t = at(0);
		struct judge j;
		uint64_t change = 0, opened = 0;
		bool open = false, paged = false;
		judge_init(&j, 0, &t);
		for (int m = 0; m < 300; m++) {
			seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
			struct stamp now = at(m * 60);
			struct judge_say say;
			feed(&j, (enum input)(seed % INPUTS), 1 + (int)(seed >> 8) % 4, &now);
			if (!judge_settle(&j, &envs[(seed >> 16) % CIRCUMSTANCES], &now, &say))
				continue;
			assert_int_equal(say.change, change + 1);
			change = say.change;
			if (say.kind == EVENT_PROBLEM) {
				assert_true(say.state != NAG_OK);
				if (!open)
					opened = say.change;
				open = true;
				paged = paged || !say.suppressed;
			} else if (say.kind == EVENT_NOTICE) {
				assert_true(open && say.flapping);
			} else {
				assert_true(open);
				/* a problem that outlives its flapping is told anew */
				assert_int_equal(say.suppressed, !paged || (say.flapping && judge_problem(&j)));
				open = paged = false;
			}
			assert_int_equal(say.opened, opened);
		}
		struct stamp now = at(99999);
		struct judge_say say;
		feed(&j, IN_OK, 1, &now);
		assert_int_equal(judge_settle(&j, &envs[FREE], &now, &say), open);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_result_in_every_situation),
		cmocka_unit_test(everything_said_in_every_circumstance),
		cmocka_unit_test(everything_said_of_one_that_flaps),
		cmocka_unit_test(the_last_state_is_never_lost),
		cmocka_unit_test(one_attempt_is_hard_at_once),
		cmocka_unit_test(unmeasured_runs_neither_confirm_nor_refute),
		cmocka_unit_test(a_lowered_maximum_counts_at_once),
		cmocka_unit_test(down_as_children_see_it),
		cmocka_unit_test(a_removed_check_takes_back_what_it_said),
		cmocka_unit_test(a_night_in_milliseconds),
		cmocka_unit_test(a_thousand_random_nights),
	};
	return cmocka_run_group_tests_name("judge", tests, NULL, NULL);
}
