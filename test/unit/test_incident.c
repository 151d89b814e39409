/* The incident machine: every cell of state x input, and the stories that go through several.
 * pagerd/rules/incident.c */
#include "unit.h"

#include "pagerd/rules/incident.h"
#include "pagerd/store/record.h"
#include "lib/json.h"

enum { MIN = 60000 };

/* a wants recoveries and repeats every 30 min, b wants neither */
static const struct contact_view who[] = {
    {.name = "a", .repeat_ms = 30 * MIN, .recovery = true},
    {.name = "b", .repeat_ms = 0, .recovery = false},
};

static struct stamp at(int64_t ms)
{
	return (struct stamp){.wall_ms = 1700000000000 + ms, .boot_ms = 1000 + ms, .boot_id = "boot"};
}

static bool give_at(struct incident *i, uint64_t change, enum event_kind kind, enum nag_state state,
		    bool suppressed, const char *text, int64_t ms)
{
	struct stamp now = at(ms);
	struct event e = {.check = "mx1",
			  .host = "mx1.example",
			  .change = change,
			  .opened = i->opened,
			  .kind = kind,
			  .state = state,
			  .measured = true,
			  .suppressed = suppressed,
			  .since = at(0),
			  .at = now};
	e.text = (char *)(uintptr_t)text;
	return incident_event(i, &e, who, 2, &now);
}

static bool give(struct incident *i, uint64_t change, enum event_kind kind, enum nag_state state,
		 bool suppressed)
{
	const char *text = kind == EVENT_RECOVERY ? "220 ready"
			   : kind == EVENT_NOTICE ? "a note"
						  : "connection refused";
	return give_at(i, change, kind, state, suppressed, text, (int64_t)change * MIN);
}

static struct incident *fresh(void)
{
	struct incident *i = incident_new("mx1", 10);
	assert_non_null(i);
	return i;
}

/* The line takes page n (or does with it what o says). */
static void answer_at(struct incident *i, struct call *c, enum outcome o, int64_t ms)
{
	struct stamp now = at(ms);
	struct attempt *a = call_begin(c, "modem1", "+1", &now);
	unsigned n = a->n;
	incident_settle(i, who, 2, &now);
	call_outcome(c, n, o, "", &now, 2 * MIN);
	incident_settle(i, who, 2, &now);
}

static void send_all(struct incident *i, int64_t ms)
{
	for (size_t k = 0; k < i->ncalls; k++)
		if (i->calls[k]->phase == CALL_WAITING)
			answer_at(i, i->calls[k], OUTCOME_SENT, ms);
}

static void ack(struct incident *i)
{
	char why[200];
	struct stamp now = at(15 * MIN);
	assert_true(incident_ack(i, "a", "on it", who, 2, &now, why, sizeof why));
}

static struct call *last_of(const struct incident *i, const char *contact)
{
	for (size_t k = i->ncalls; k-- > 0;)
		if (strcmp(i->calls[k]->contact, contact) == 0)
			return i->calls[k];
	return NULL;
}

static size_t waiting(const struct incident *i, const char *contact)
{
	size_t n = 0;
	for (size_t k = 0; k < i->ncalls; k++)
		n += i->calls[k]->phase == CALL_WAITING && strcmp(i->calls[k]->contact, contact) == 0;
	return n;
}

/* --- the table ------------------------------------------------------------------------------------- */

/* An incident in that state; those who are to be told were told. Changes up to 19 are used up, 12 is free. */
static struct incident *in_phase(enum inc_phase p)
{
	struct incident *i = fresh();
	switch (p) {
	case INC_NONE:
		break;
	case INC_QUIET:
		give(i, 13, EVENT_PROBLEM, NAG_WARNING, true);
		break;
	case INC_NOTICE:
		give(i, 13, EVENT_NOTICE, NAG_CRITICAL, false);
		break;
	default:
		give(i, 13, EVENT_PROBLEM, NAG_WARNING, false);
	}
	send_all(i, 14 * MIN);
	if (p == INC_ACKED)
		ack(i);
	if (p == INC_RECOVERED)
		give(i, 14, EVENT_RECOVERY, NAG_OK, false);
	send_all(i, 15 * MIN);
	assert_int_equal(i->phase, p);
	return i;
}

static const char *apply(struct incident *i, enum inc_input in)
{
	char why[200];
	struct stamp now = at(20 * MIN), late = at(60 * MIN);
	switch (in) {
	case IN_PROBLEM:
		give(i, 20, EVENT_PROBLEM, NAG_CRITICAL, false);
		break;
	case IN_PROBLEM_SUPPRESSED:
		give(i, 20, EVENT_PROBLEM, NAG_CRITICAL, true);
		break;
	case IN_PROBLEM_LATE:
		give(i, 12, EVENT_PROBLEM, NAG_CRITICAL, false);
		break;
	case IN_RECOVERY:
		give(i, 20, EVENT_RECOVERY, NAG_OK, false);
		break;
	case IN_RECOVERY_SUPPRESSED:
		give(i, 20, EVENT_RECOVERY, NAG_OK, true);
		break;
	case IN_RECOVERY_LATE:
		give(i, 12, EVENT_RECOVERY, NAG_OK, false);
		break;
	case IN_NOTICE:
		give(i, 20, EVENT_NOTICE, NAG_WARNING, false);
		break;
	case IN_NOTICE_SUPPRESSED:
		give(i, 20, EVENT_NOTICE, NAG_WARNING, true);
		break;
	case IN_ACK:
		return incident_ack(i, "a", "", who, 2, &now, why, sizeof why) ? "" : "refused";
	case IN_REPEAT:
		incident_repeat(i, who, 2, &late);
		break;
	}
	return "";
}

/* What an input makes of an incident, and which pages wait afterwards: "a:kind b:kind", "-" none. */
struct cell {
	enum inc_phase from;
	enum inc_input in;
	enum inc_phase to;
	const char *pages;
};

static const struct cell cells[] = {
    {INC_NONE, IN_PROBLEM, INC_OPEN, "a:new b:new"},
    {INC_NONE, IN_PROBLEM_SUPPRESSED, INC_QUIET, "-"},
    {INC_NONE, IN_PROBLEM_LATE, INC_OPEN, "a:new b:new"},
    {INC_NONE, IN_RECOVERY, INC_RECOVERED, "a:recovered"},
    {INC_NONE, IN_RECOVERY_SUPPRESSED, INC_RECOVERED, "-"},
    {INC_NONE, IN_RECOVERY_LATE, INC_RECOVERED, "a:recovered"},
    {INC_NONE, IN_NOTICE, INC_NOTICE, "a:notice b:notice"},
    {INC_NONE, IN_NOTICE_SUPPRESSED, INC_NOTICE, "-"},
    {INC_NONE, IN_ACK, INC_NONE, "refused"},
    {INC_NONE, IN_REPEAT, INC_NONE, "-"},

    {INC_QUIET, IN_PROBLEM, INC_OPEN, "a:new b:new"},
    {INC_QUIET, IN_PROBLEM_SUPPRESSED, INC_QUIET, "-"},
    {INC_QUIET, IN_PROBLEM_LATE, INC_OPEN, "a:new b:new"},
    {INC_QUIET, IN_RECOVERY, INC_RECOVERED, "-"},
    {INC_QUIET, IN_RECOVERY_SUPPRESSED, INC_RECOVERED, "-"},
    {INC_QUIET, IN_RECOVERY_LATE, INC_QUIET, "-"},
    {INC_QUIET, IN_NOTICE, INC_QUIET, "a:notice b:notice"},
    {INC_QUIET, IN_NOTICE_SUPPRESSED, INC_QUIET, "-"},
    {INC_QUIET, IN_ACK, INC_ACKED, "-"},
    {INC_QUIET, IN_REPEAT, INC_QUIET, "-"},

    {INC_OPEN, IN_PROBLEM, INC_OPEN, "a:new b:new"}, /* WARNING -> CRITICAL */
    {INC_OPEN, IN_PROBLEM_SUPPRESSED, INC_OPEN, "-"},
    {INC_OPEN, IN_PROBLEM_LATE, INC_OPEN, "-"},
    {INC_OPEN, IN_RECOVERY, INC_RECOVERED, "a:recovered"},
    {INC_OPEN, IN_RECOVERY_SUPPRESSED, INC_RECOVERED, "-"},
    {INC_OPEN, IN_RECOVERY_LATE, INC_OPEN, "-"},
    {INC_OPEN, IN_NOTICE, INC_OPEN, "a:notice b:notice"},
    {INC_OPEN, IN_NOTICE_SUPPRESSED, INC_OPEN, "-"},
    {INC_OPEN, IN_ACK, INC_ACKED, "b:ack"}, /* a is who acknowledged */
    {INC_OPEN, IN_REPEAT, INC_OPEN, "a:repeat"},

    {INC_ACKED, IN_PROBLEM, INC_OPEN, "a:new b:new"}, /* worse than what was acknowledged */
    {INC_ACKED, IN_PROBLEM_SUPPRESSED, INC_ACKED, "-"},
    {INC_ACKED, IN_PROBLEM_LATE, INC_ACKED, "-"},
    {INC_ACKED, IN_RECOVERY, INC_RECOVERED, "a:recovered"},
    {INC_ACKED, IN_RECOVERY_SUPPRESSED, INC_RECOVERED, "-"},
    {INC_ACKED, IN_RECOVERY_LATE, INC_ACKED, "-"},
    {INC_ACKED, IN_NOTICE, INC_ACKED, "a:notice b:notice"},
    {INC_ACKED, IN_NOTICE_SUPPRESSED, INC_ACKED, "-"},
    {INC_ACKED, IN_ACK, INC_ACKED, "-"},
    {INC_ACKED, IN_REPEAT, INC_ACKED, "-"},

    {INC_RECOVERED, IN_PROBLEM, INC_OPEN, "a:new b:new"},
    {INC_RECOVERED, IN_PROBLEM_SUPPRESSED, INC_RECOVERED, "-"},
    {INC_RECOVERED, IN_PROBLEM_LATE, INC_RECOVERED, "-"}, /* both know already */
    {INC_RECOVERED, IN_RECOVERY, INC_RECOVERED, "-"},
    {INC_RECOVERED, IN_RECOVERY_SUPPRESSED, INC_RECOVERED, "-"},
    {INC_RECOVERED, IN_RECOVERY_LATE, INC_RECOVERED, "-"},
    {INC_RECOVERED, IN_NOTICE, INC_RECOVERED, "a:notice b:notice"},
    {INC_RECOVERED, IN_NOTICE_SUPPRESSED, INC_RECOVERED, "-"},
    {INC_RECOVERED, IN_ACK, INC_RECOVERED, "refused"},
    {INC_RECOVERED, IN_REPEAT, INC_RECOVERED, "-"},

    {INC_NOTICE, IN_PROBLEM, INC_OPEN, "a:new b:new"},
    {INC_NOTICE, IN_PROBLEM_SUPPRESSED, INC_QUIET, "-"},
    {INC_NOTICE, IN_PROBLEM_LATE, INC_OPEN, "a:new b:new"},
    {INC_NOTICE, IN_RECOVERY, INC_RECOVERED, "a:recovered"},
    {INC_NOTICE, IN_RECOVERY_SUPPRESSED, INC_RECOVERED, "-"},
    {INC_NOTICE, IN_RECOVERY_LATE, INC_RECOVERED, "a:recovered"},
    {INC_NOTICE, IN_NOTICE, INC_NOTICE, "a:notice b:notice"},
    {INC_NOTICE, IN_NOTICE_SUPPRESSED, INC_NOTICE, "-"},
    {INC_NOTICE, IN_ACK, INC_NOTICE, "-"},
    {INC_NOTICE, IN_REPEAT, INC_NOTICE, "-"},
};

static void pages_text(const struct incident *i, char *out, size_t size)
{
	size_t n = 0;
	out[0] = '\0';
	for (size_t k = 0; k < i->ncalls; k++)
		if (i->calls[k]->phase == CALL_WAITING)
			n += (size_t)snprintf(out + n, size - n, "%s%s:%s", n ? " " : "",
					      i->calls[k]->contact, page_kind_name(i->calls[k]->kind));
	if (!n)
		snprintf(out, size, "-");
}

static void cell_by_cell(void **state)
{
	(void)state;
	bool seen[6][10] = {{false}};
	for (size_t k = 0; k < sizeof cells / sizeof *cells; k++) {
		char got[300];
		struct incident *i = in_phase(cells[k].from);
		const char *answer = apply(i, cells[k].in);
		pages_text(i, got, sizeof got);
		if (*answer)
			snprintf(got, sizeof got, "%s", answer);
		if (i->phase != cells[k].to || strcmp(got, cells[k].pages) != 0)
			fail_msg("%s x input %d: now %s with %s; should be %s with %s",
				 inc_phase_name(cells[k].from), (int)cells[k].in, inc_phase_name(i->phase),
				 got, inc_phase_name(cells[k].to), cells[k].pages);
		assert_false(seen[cells[k].from][cells[k].in]);
		seen[cells[k].from][cells[k].in] = true;
		incident_free(i);
	}
	for (int p = 0; p < 6; p++)
		for (int in = 0; in < 10; in++)
			if (!seen[p][in])
				fail_msg("no test of %s x input %d", inc_phase_name((enum inc_phase)p), in);
}

/* --- stories --------------------------------------------------------------------------------------- */

static void the_same_event_again_changes_nothing(void **state)
{
	(void)state;
	struct incident *i = fresh();
	assert_true(give(i, 10, EVENT_PROBLEM, NAG_CRITICAL, false));
	send_all(i, 11 * MIN);
	assert_false(give(i, 10, EVENT_PROBLEM, NAG_CRITICAL, false));
	assert_int_equal(i->ncalls, 2);
	assert_true(give(i, 11, EVENT_RECOVERY, NAG_OK, false));
	assert_false(give(i, 10, EVENT_PROBLEM, NAG_CRITICAL, false));
	assert_false(give(i, 11, EVENT_RECOVERY, NAG_OK, false));
	assert_int_equal(i->ncalls, 3);
	assert_int_equal(i->phase, INC_RECOVERED);
	incident_free(i);
}

static void so_many_changes_that_old_ones_are_forgotten(void **state)
{
	(void)state;
	struct incident *i = fresh();
	for (uint64_t k = 0; k < 3 * INC_CHANGES_KEPT; k++) {
		assert_true(give(i, 10 + k, EVENT_PROBLEM, k % 2 ? NAG_WARNING : NAG_CRITICAL, false));
		send_all(i, (int64_t)(10 + k) * MIN);
	}
	for (uint64_t k = 0; k < 3 * INC_CHANGES_KEPT; k++)
		assert_false(give(i, 10 + k, EVENT_PROBLEM, NAG_UNKNOWN, false));
	assert_true(i->ncalls <= INC_CALLS_KEPT);
	assert_true(i->nchanges <= INC_CHANGES_KEPT);
	assert_int_equal(i->contacts[0].told, TOLD_YES);
	incident_free(i);
}

static void same_state_again_pages_nobody(void **state)
{
	(void)state;
	struct incident *i = fresh();
	give(i, 10, EVENT_PROBLEM, NAG_CRITICAL, false);
	send_all(i, 11 * MIN);
	give(i, 12, EVENT_PROBLEM, NAG_CRITICAL, false);
	assert_int_equal(i->ncalls, 2);
	incident_free(i);
}

static void a_page_that_waits_is_rewritten_when_it_gets_worse(void **state)
{
	(void)state;
	struct incident *i = fresh();
	give(i, 10, EVENT_PROBLEM, NAG_WARNING, false);
	give_at(i, 11, EVENT_PROBLEM, NAG_CRITICAL, false, "timed out", 11 * MIN);
	assert_int_equal(i->ncalls, 2);
	assert_int_equal(waiting(i, "a"), 1);
	assert_int_equal(last_of(i, "a")->state, NAG_CRITICAL);
	assert_string_equal(last_of(i, "a")->text, "timed out");
	incident_free(i);
}

/* The same problem, named: it goes with whatever page comes next, in the language of who reads it. */
static void name_it(struct incident *i, uint64_t change, const struct contact_view *view, int64_t ms)
{
	struct stamp now = at(ms);
	char text[] = "mail loop: x", ja[] = "メールループ: x";
	const struct event e = {.check = "mx1",
				.change = change,
				.opened = i->opened,
				.kind = EVENT_PROBLEM,
				.state = i->state,
				.measured = true,
				.named = true,
				.since = at(0),
				.at = now,
				.text = text,
				.text_ja = ja};
	assert_true(incident_event(i, &e, view, 2, &now));
}

static void a_name_found_late_goes_with_the_next_page(void **state)
{
	(void)state;
	struct contact_view view[2] = {who[0], who[1]};
	struct stamp later = at(90 * MIN);
	char why[100];
	struct incident *i = fresh();
	view[0].ja = true;
	view[1].repeat_ms = 30 * MIN;
	give(i, 10, EVENT_PROBLEM, NAG_CRITICAL, false);
	answer_at(i, last_of(i, "a"), OUTCOME_SENT, 11 * MIN);
	name_it(i, 12, view, 12 * MIN); /* b's page has not left yet */
	assert_int_equal(i->ncalls, 2);
	assert_int_equal(last_of(i, "b")->kind, PAGE_NEW);
	assert_string_equal(last_of(i, "b")->text, "mail loop: x");
	send_all(i, 13 * MIN);
	incident_repeat(i, view, 2, &later);
	assert_int_equal(i->ncalls, 4);
	assert_string_equal(last_of(i, "a")->text, "メールループ: x");
	assert_string_equal(last_of(i, "b")->text, "mail loop: x");
	send_all(i, 91 * MIN);
	/* it is kept over a restart, and the end says it too */
	cJSON *v = record_make(i);
	incident_free(i);
	i = record_read(v, why, sizeof why);
	cJSON_Delete(v);
	assert_non_null(i);
	struct event over = {
	    .check = "mx1", .change = 99, .opened = i->opened, .kind = EVENT_RECOVERY, .measured = true, .at = later};
	char text[] = "220 ready";
	over.text = text;
	assert_true(incident_event(i, &over, view, 2, &later));
	assert_string_equal(last_of(i, "a")->text, "was CRITICAL: メールループ: x; now: 220 ready");
	incident_free(i);
}

static void a_name_found_late_pages_nobody_who_acts(void **state)
{
	(void)state;
	struct incident *i = in_phase(INC_ACKED);
	size_t before = i->ncalls;
	name_it(i, 20, who, 20 * MIN);
	assert_int_equal(i->ncalls, before);
	assert_int_equal(i->phase, INC_ACKED);
	assert_string_equal(i->text, "mail loop: x");
	incident_free(i);
}

static void opened_and_closed_unseen_is_one_page_that_says_both(void **state)
{
	(void)state;
	struct incident *i = fresh();
	give(i, 10, EVENT_PROBLEM, NAG_CRITICAL, false);
	give(i, 14, EVENT_RECOVERY, NAG_OK, false);
	/* also for b, who wants no recoveries: it would have come and gone unseen */
	assert_int_equal(waiting(i, "a"), 1);
	assert_int_equal(waiting(i, "b"), 1);
	const struct call *c = last_of(i, "b");
	assert_int_equal(c->kind, PAGE_RECOVERED);
	assert_int_equal(c->state, NAG_OK);
	assert_non_null(strstr(c->text, "was CRITICAL: "));
	assert_non_null(strstr(c->text, "connection refused"));
	assert_non_null(strstr(c->text, "220 ready"));
	send_all(i, 15 * MIN);
	assert_true(incident_is_over(i));
	incident_free(i);
}

static void a_failed_page_counts_as_unseen(void **state)
{
	(void)state;
	struct incident *i = fresh();
	give(i, 10, EVENT_PROBLEM, NAG_CRITICAL, false);
	answer_at(i, last_of(i, "b"), OUTCOME_RETRY, 11 * MIN);
	give(i, 14, EVENT_RECOVERY, NAG_OK, false);
	assert_int_equal(last_of(i, "b")->kind, PAGE_RECOVERED);
	incident_free(i);
}

static void recovered_while_the_page_is_in_flight(void **state)
{
	(void)state;
	for (int o = OUTCOME_SENT; o <= OUTCOME_UNKNOWN; o++) {
		struct incident *i = fresh();
		struct stamp now = at(11 * MIN);
		give(i, 10, EVENT_PROBLEM, NAG_CRITICAL, false);
		struct call *b = last_of(i, "b");
		unsigned n = call_begin(b, "modem1", "+1", &now)->n;
		incident_settle(i, who, 2, &now);
		give(i, 14, EVENT_RECOVERY, NAG_OK, false);
		assert_int_equal(waiting(i, "b"), 0); /* not decided yet */
		assert_false(incident_is_over(i));
		call_outcome(b, n, (enum outcome)o, "", &now, 2 * MIN);
		incident_settle(i, who, 2, &now);
		/* only a page that surely arrived makes the closing one needless */
		assert_int_equal(waiting(i, "b"), o == OUTCOME_SENT ? 0 : 1);
		assert_int_equal(b->phase, o == OUTCOME_SENT ? CALL_SENT : CALL_MERGED);
		incident_free(i);
	}
}

static void recovery_only_to_those_who_want_it_and_know(void **state)
{
	(void)state;
	struct incident *i = fresh();
	give(i, 10, EVENT_PROBLEM, NAG_CRITICAL, false);
	send_all(i, 11 * MIN);
	give(i, 14, EVENT_RECOVERY, NAG_OK, false);
	assert_int_equal(waiting(i, "a"), 1);
	assert_int_equal(waiting(i, "b"), 0);
	assert_int_equal(last_of(i, "a")->kind, PAGE_RECOVERED);
	incident_free(i);
}

static void whoever_may_have_got_it_hears_of_the_recovery(void **state)
{
	(void)state;
	struct incident *i = fresh();
	give(i, 10, EVENT_PROBLEM, NAG_CRITICAL, false);
	answer_at(i, last_of(i, "a"), OUTCOME_UNKNOWN, 11 * MIN);
	assert_int_equal(i->contacts[0].told, TOLD_MAYBE);
	give(i, 14, EVENT_RECOVERY, NAG_OK, false);
	assert_int_equal(last_of(i, "a")->kind, PAGE_RECOVERED);
	assert_int_equal(waiting(i, "a"), 1);
	incident_free(i);
}

static void a_suppressed_recovery_still_closes_what_nobody_saw(void **state)
{
	(void)state;
	struct incident *i = fresh();
	give(i, 10, EVENT_PROBLEM, NAG_CRITICAL, false);
	answer_at(i, last_of(i, "a"), OUTCOME_SENT, 11 * MIN);
	give(i, 14, EVENT_RECOVERY, NAG_OK, true);
	assert_int_equal(waiting(i, "a"), 0);
	assert_int_equal(waiting(i, "b"), 1);
	incident_free(i);
}

static void the_downtime_ends_and_it_is_still_down(void **state)
{
	(void)state;
	struct incident *i = fresh();
	give(i, 10, EVENT_PROBLEM, NAG_CRITICAL, true);
	assert_int_equal(i->ncalls, 0);
	give(i, 11, EVENT_PROBLEM, NAG_CRITICAL, false);
	assert_int_equal(waiting(i, "a") + waiting(i, "b"), 2);
	incident_free(i);
}

static void repeats_until_somebody_acts(void **state)
{
	(void)state;
	struct incident *i = fresh();
	struct stamp now = at(10 * MIN);
	give(i, 10, EVENT_PROBLEM, NAG_CRITICAL, false);
	/* not sent yet: nothing to repeat */
	assert_true(incident_repeat(i, who, 2, &now) == INT64_MAX);
	send_all(i, 10 * MIN);
	assert_int_equal(incident_repeat(i, who, 2, &now), 30 * MIN);
	now = at(40 * MIN - 1);
	assert_int_equal(incident_repeat(i, who, 2, &now), 1);
	assert_int_equal(waiting(i, "a"), 0);
	now = at(40 * MIN);
	incident_repeat(i, who, 2, &now);
	assert_int_equal(waiting(i, "a"), 1);
	assert_int_equal(waiting(i, "b"), 0); /* repeat: never */
	/* the repeat is still on its way: no second one however long it takes */
	now = at(400 * MIN);
	incident_repeat(i, who, 2, &now);
	assert_int_equal(waiting(i, "a"), 1);
	send_all(i, 400 * MIN);
	assert_int_equal(incident_repeat(i, who, 2, &now), 30 * MIN);
	ack(i);
	now = at(4000 * MIN);
	assert_true(incident_repeat(i, who, 2, &now) == INT64_MAX);
	assert_int_equal(waiting(i, "a"), 0);
	incident_free(i);
}

static void no_repeats_while_suppressed(void **state)
{
	(void)state;
	struct incident *i = fresh();
	struct stamp now = at(400 * MIN);
	give(i, 10, EVENT_PROBLEM, NAG_CRITICAL, false);
	send_all(i, 10 * MIN);
	give(i, 11, EVENT_PROBLEM, NAG_CRITICAL, true);
	assert_true(incident_repeat(i, who, 2, &now) == INT64_MAX);
	give(i, 12, EVENT_PROBLEM, NAG_CRITICAL, false);
	incident_repeat(i, who, 2, &now);
	assert_int_equal(waiting(i, "a"), 1);
	incident_free(i);
}

static void an_ack_drops_what_did_not_leave(void **state)
{
	(void)state;
	struct incident *i = fresh();
	give(i, 10, EVENT_PROBLEM, NAG_CRITICAL, false);
	answer_at(i, last_of(i, "a"), OUTCOME_SENT, 11 * MIN);
	ack(i);
	assert_int_equal(last_of(i, "b")->phase, CALL_ACKED);
	/* b was never told and need not be: somebody acted. a alone was told, so nobody else hears of the ack
	 */
	give(i, 14, EVENT_RECOVERY, NAG_OK, false);
	assert_int_equal(waiting(i, "b"), 0);
	assert_int_equal(waiting(i, "a"), 1);
	incident_free(i);
}

/* siren follows: it wants neither repeats nor recoveries, and hears of the end all the same */
static const struct contact_view with_siren[] = {
    {.name = "a", .repeat_ms = 30 * MIN, .recovery = true},
    {.name = "siren", .follows = true},
};

static struct incident *sounding(bool suppressed_later)
{
	struct incident *i = fresh();
	struct stamp now = at(10 * MIN);
	struct event e = {.check = "mx1", .host = "", .change = 10, .opened = 10, .kind = EVENT_PROBLEM, .state = NAG_CRITICAL,
			  .measured = true, .since = at(0), .at = now, .text = (char[]){"down"}};
	assert_true(incident_event(i, &e, with_siren, 2, &now));
	send_all(i, 11 * MIN);
	assert_int_equal(last_of(i, "siren")->phase, CALL_SENT);
	if (suppressed_later) {
		e.change = 11;
		e.kind = EVENT_RECOVERY;
		e.state = NAG_OK;
		e.suppressed = true;
		incident_event(i, &e, with_siren, 2, &now);
	}
	return i;
}

static void a_siren_hears_that_somebody_acts(void **state)
{
	(void)state;
	struct incident *i = sounding(false);
	struct stamp now = at(15 * MIN);
	char why[200];
	assert_true(incident_ack(i, "nobody known", "", with_siren, 2, &now, why, sizeof why));
	assert_int_equal(waiting(i, "siren"), 1);
	assert_int_equal(last_of(i, "siren")->kind, PAGE_ACK);
	/* of people a alone was told: it is taken to be the one who acts */
	assert_int_equal(waiting(i, "a"), 0);
	incident_free(i);
}

static void a_siren_that_was_not_reached_hears_nothing(void **state)
{
	(void)state;
	struct incident *i = fresh();
	struct stamp now = at(15 * MIN);
	char why[200];
	give(i, 10, EVENT_PROBLEM, NAG_CRITICAL, false);
	assert_true(incident_ack(i, "a", "", with_siren, 2, &now, why, sizeof why));
	assert_null(last_of(i, "siren"));
	incident_free(i);
}

static void a_siren_hears_of_a_recovery_nobody_else_is_to_hear_of(void **state)
{
	(void)state;
	struct incident *i = sounding(true);
	assert_int_equal(waiting(i, "siren"), 1);
	assert_int_equal(last_of(i, "siren")->kind, PAGE_RECOVERED);
	assert_int_equal(waiting(i, "a"), 0);
	incident_free(i);
}

static void acknowledged_and_milder_is_quiet_worse_is_not(void **state)
{
	(void)state;
	struct incident *i = fresh();
	give(i, 10, EVENT_PROBLEM, NAG_WARNING, false);
	send_all(i, 11 * MIN);
	ack(i);
	send_all(i, 12 * MIN);
	give(i, 12, EVENT_PROBLEM, NAG_UNKNOWN, false); /* milder than WARNING */
	assert_int_equal(i->phase, INC_ACKED);
	assert_int_equal(waiting(i, "a"), 0);
	give(i, 13, EVENT_PROBLEM, NAG_CRITICAL, false);
	assert_int_equal(i->phase, INC_OPEN);
	assert_int_equal(waiting(i, "a"), 1);
	incident_free(i);
}

static void recovery_first_problem_late(void **state)
{
	(void)state;
	struct incident *i = fresh();
	give(i, 11, EVENT_RECOVERY, NAG_OK, false);
	assert_int_equal(waiting(i, "a"), 1);
	assert_int_equal(waiting(i, "b"), 0);
	give(i, 10, EVENT_PROBLEM, NAG_CRITICAL, false);
	assert_int_equal(i->phase, INC_RECOVERED);
	assert_int_equal(waiting(i, "a"), 1); /* knows that it is over */
	assert_int_equal(waiting(i, "b"), 1); /* knows nothing: one page that says both */
	assert_non_null(strstr(last_of(i, "b")->text, "was CRITICAL"));
	incident_free(i);
}

static void opened_again_it_is_told_again(void **state)
{
	(void)state;
	struct incident *i = in_phase(INC_RECOVERED);
	give(i, 20, EVENT_PROBLEM, NAG_CRITICAL, false);
	assert_int_equal(i->contacts[0].told, TOLD_NO);
	send_all(i, 21 * MIN);
	give(i, 22, EVENT_RECOVERY, NAG_OK, false);
	assert_int_equal(last_of(i, "a")->kind, PAGE_RECOVERED);
	assert_int_equal(waiting(i, "a"), 1);
	incident_free(i);
}

static void long_texts_keep_whole_characters(void **state)
{
	(void)state;
	struct incident *i = fresh();
	char text[RESULT_TEXT_MAX];
	for (size_t k = 0; k + 3 < sizeof text; k += 2)
		memcpy(text + k, "\xc3\xa9", 3);
	give_at(i, 10, EVENT_PROBLEM, NAG_CRITICAL, false, text, 10 * MIN);
	give_at(i, 11, EVENT_RECOVERY, NAG_OK, false, text, 11 * MIN);
	const char *s = last_of(i, "a")->text;
	assert_true(strlen(s) <= RESULT_TEXT_MAX);
	for (; *s; s++) {
		if ((unsigned char)*s == 0xc3)
			assert_int_equal((unsigned char)s[1], 0xa9);
		if ((unsigned char)*s == 0xa9)
			assert_int_equal((unsigned char)s[-1], 0xc3);
	}
	incident_free(i);
}

/* --- the record ------------------------------------------------------------------------------------ */

static void a_record_brings_everything_back(void **state)
{
	(void)state;
	for (int p = INC_QUIET; p <= INC_NOTICE; p++) {
		char why[200];
		struct incident *i = in_phase((enum inc_phase)p);
		cJSON *v = record_make(i);
		struct incident *j = record_read(v, why, sizeof why);
		if (!j)
			fail_msg("%s", why);
		cJSON *w = record_make(j);
		assert_true(cJSON_Compare(v, w, true));
		for (int in = 0; in < 10; in++) {
			/* and what comes next is decided alike */
			char got[2][300];
			struct incident *x = record_read(v, why, sizeof why),
					*y = in_phase((enum inc_phase)p);
			apply(x, (enum inc_input)in);
			apply(y, (enum inc_input)in);
			pages_text(x, got[0], sizeof got[0]);
			pages_text(y, got[1], sizeof got[1]);
			assert_string_equal(got[0], got[1]);
			assert_int_equal(x->phase, y->phase);
			incident_free(x);
			incident_free(y);
		}
		cJSON_Delete(v);
		cJSON_Delete(w);
		incident_free(i);
		incident_free(j);
	}
}

static void a_record_with_an_open_attempt_is_in_doubt(void **state)
{
	(void)state;
	char why[200];
	struct incident *i = fresh();
	struct stamp now = at(11 * MIN);
	give(i, 10, EVENT_PROBLEM, NAG_CRITICAL, false);
	call_begin(last_of(i, "a"), "modem1", "+1", &now);
	cJSON *v = record_make(i);
	struct incident *j = record_read(v, why, sizeof why);
	assert_non_null(j);
	assert_true(last_of(j, "a")->doubt);
	assert_int_equal(last_of(j, "a")->phase, CALL_WAITING);
	assert_false(last_of(j, "b")->doubt);
	incident_settle(j, who, 2, &now);
	assert_int_equal(j->contacts[0].told, TOLD_MAYBE);
	cJSON_Delete(v);
	incident_free(i);
	incident_free(j);
}

/* Takes members out one by one, at every depth: read whole or refused with a reason, never half. */
static void a_record_that_lacks_something(void **state)
{
	(void)state;
	static const char *const required[] = {"v",    "check", "opened_change", "phase",    "state",
					       "text", "since", "changes",	 "contacts", "pages"};
	struct incident *i = in_phase(INC_OPEN);
	for (size_t k = 0; k < sizeof required / sizeof *required; k++) {
		char why[200] = "";
		cJSON *v = record_make(i);
		cJSON_DeleteItemFromObjectCaseSensitive(v, required[k]);
		assert_null(record_read(v, why, sizeof why));
		assert_true(why[0]);
		cJSON_Delete(v);
	}
	char why[200] = "";
	cJSON *v = record_make(i);
	cJSON *page = cJSON_GetArrayItem(cJSON_GetObjectItem(v, "pages"), 0);
	cJSON_DeleteItemFromObjectCaseSensitive(page, "attempts");
	assert_null(record_read(v, why, sizeof why));
	cJSON_Delete(v);
	incident_free(i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(cell_by_cell),
	    cmocka_unit_test(the_same_event_again_changes_nothing),
	    cmocka_unit_test(so_many_changes_that_old_ones_are_forgotten),
	    cmocka_unit_test(same_state_again_pages_nobody),
	    cmocka_unit_test(a_page_that_waits_is_rewritten_when_it_gets_worse),
	    cmocka_unit_test(a_name_found_late_goes_with_the_next_page),
	    cmocka_unit_test(a_name_found_late_pages_nobody_who_acts),
	    cmocka_unit_test(opened_and_closed_unseen_is_one_page_that_says_both),
	    cmocka_unit_test(a_failed_page_counts_as_unseen),
	    cmocka_unit_test(recovered_while_the_page_is_in_flight),
	    cmocka_unit_test(recovery_only_to_those_who_want_it_and_know),
	    cmocka_unit_test(whoever_may_have_got_it_hears_of_the_recovery),
	    cmocka_unit_test(a_suppressed_recovery_still_closes_what_nobody_saw),
	    cmocka_unit_test(the_downtime_ends_and_it_is_still_down),
	    cmocka_unit_test(repeats_until_somebody_acts),
	    cmocka_unit_test(no_repeats_while_suppressed),
	    cmocka_unit_test(an_ack_drops_what_did_not_leave),
	    cmocka_unit_test(a_siren_hears_that_somebody_acts),
	    cmocka_unit_test(a_siren_that_was_not_reached_hears_nothing),
	    cmocka_unit_test(a_siren_hears_of_a_recovery_nobody_else_is_to_hear_of),
	    cmocka_unit_test(acknowledged_and_milder_is_quiet_worse_is_not),
	    cmocka_unit_test(recovery_first_problem_late),
	    cmocka_unit_test(opened_again_it_is_told_again),
	    cmocka_unit_test(long_texts_keep_whole_characters),
	    cmocka_unit_test(a_record_brings_everything_back),
	    cmocka_unit_test(a_record_with_an_open_attempt_is_in_doubt),
	    cmocka_unit_test(a_record_that_lacks_something),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
