/*
 * The judge; see judge.h and doc/judge.md. Called by the core (core.c) for every result, for every
 * check that went without one, and whenever circumstances change.
 */
#include "judge.h"

void judge_init(struct judge *j, uint64_t change, const struct stamp *now)
{
	*j = (struct judge){.state = NAG_UNKNOWN,
			    .measured = true,
			    .hard = NAG_OK,
			    .hard_measured = true,
			    .since = *now,
			    .change = change,
			    .opened = 0};
}

int judge_unmeasured_max(int max_attempts)
{
	return max_attempts > JUDGE_UNMEASURED_MIN ? max_attempts : JUDGE_UNMEASURED_MIN;
}

bool judge_problem(const struct judge *j)
{
	return j->hard != NAG_OK;
}

bool judge_is_hard(const struct judge *j)
{
	return j->ever && j->state == j->hard && j->measured == j->hard_measured;
}

bool judge_retrying(const struct judge *j, int max_attempts)
{
	if (!j->ever || j->stale)
		return false;
	if (!j->measured)
		return j->unmeasured < judge_unmeasured_max(max_attempts);
	return j->state != NAG_OK && j->attempt < max_attempts;
}

bool judge_down(const struct judge *j)
{
	if (!j->ever)
		return false;
	if (j->measured)
		return j->state == NAG_CRITICAL;
	/* nothing was measured just now: what was confirmed before still holds */
	return j->hard == NAG_CRITICAL && j->hard_measured;
}

static enum judge_step step_of(const struct judge *before, const struct judge *after)
{
	if (before->hard != after->hard || before->hard_measured != after->hard_measured)
		return JUDGE_HARD;
	if (!before->ever || before->state != after->state || before->measured != after->measured)
		return JUDGE_SOFT;
	return JUDGE_SAME;
}

/* All was well until now: this is when the problem was first seen. */
static void problem_begins(struct judge *j, const struct stamp *now)
{
	if (j->hard == NAG_OK && j->attempt == 0 && j->unmeasured == 0 && !j->flap_said)
		j->since = *now;
}

static void take_ok(struct judge *j, const struct stamp *now)
{
	/* of a problem that was said, since stays until its recovery is: judge_settle moves it */
	if (!j->ever || (j->state != NAG_OK && !j->said))
		j->since = *now;
	j->attempt = j->unmeasured = 0;
	j->hard = NAG_OK;
	j->hard_measured = true;
}

static void take_problem(struct judge *j, int max, enum nag_state state, const struct stamp *now)
{
	problem_begins(j, now);
	j->unmeasured = 0;
	if (j->attempt < max)
		j->attempt++;
	if (j->attempt < max)
		return;
	j->attempt = max; /* the maximum may have been lowered */
	j->hard = state;
	j->hard_measured = true;
}

static void take_unmeasured(struct judge *j, int max, const struct stamp *now)
{
	problem_begins(j, now);
	/* neither confirms nor refutes: the attempts stay where they are */
	if (j->unmeasured < judge_unmeasured_max(max))
		j->unmeasured++;
	if (j->unmeasured < judge_unmeasured_max(max))
		return;
	j->hard = NAG_UNKNOWN;
	j->hard_measured = false;
}

enum judge_step judge_result(struct judge *j, int max_attempts, enum nag_state state, bool measured,
			     const struct stamp *now)
{
	struct judge before = *j;
	int max = max_attempts < 1 ? 1 : max_attempts;
	if (!measured)
		take_unmeasured(j, max, now);
	else if (state == NAG_OK)
		take_ok(j, now);
	else
		take_problem(j, max, state, now);
	j->state = measured ? state : NAG_UNKNOWN;
	j->measured = measured;
	j->stale = false;
	j->ever = true;
	return step_of(&before, j);
}

enum judge_step judge_stale(struct judge *j, int max_attempts, const struct stamp *now)
{
	struct judge before = *j;
	problem_begins(j, now);
	j->unmeasured = judge_unmeasured_max(max_attempts < 1 ? 1 : max_attempts);
	j->state = j->hard = NAG_UNKNOWN;
	j->measured = j->hard_measured = false;
	j->stale = j->ever = true;
	return step_of(&before, j);
}

static void fill(struct judge_say *say, const struct judge *j, enum event_kind kind, bool suppressed)
{
	*say = (struct judge_say){.kind = kind,
				  .state = j->hard,
				  .measured = j->hard_measured,
				  .previous = j->said ? j->said_state : NAG_OK,
				  .suppressed = suppressed,
				  .change = j->change,
				  .opened = j->opened,
				  .since = j->since};
}

/* A number that another ops host opened it with may be beyond ours, or behind. */
static void open_problem(struct judge *j, uint64_t as)
{
	j->change = as > j->change ? as : j->change + 1;
	j->opened = as ? as : j->change;
}

static bool say_problem(struct judge *j, const struct judge_env *env, bool suppressed, struct judge_say *say)
{
	if (j->said)
		j->change++;
	else
		open_problem(j, env->open_as);
	fill(say, j, EVENT_PROBLEM, suppressed);
	j->said = true;
	j->said_state = j->hard;
	j->said_measured = j->hard_measured;
	j->said_suppressed = suppressed;
	j->paged = j->paged || !suppressed;
	return true;
}

/* A problem that nobody was paged for is not worth a page when it ends; one that was, is, even in downtime:
 * or the incident would stay open for ever. */
static bool say_recovery(struct judge *j, const struct stamp *now, struct judge_say *say)
{
	j->change++;
	fill(say, j, EVENT_RECOVERY, !j->paged);
	j->said = j->said_suppressed = j->paged = false;
	j->since = *now;
	return true;
}

/* Within an open problem: a notice changes nothing of it. */
static bool say_within(struct judge *j, bool suppressed, enum event_flapping flapping, struct judge_say *say)
{
	j->change++;
	fill(say, j, EVENT_NOTICE, suppressed);
	say->flapping = flapping;
	j->said_state = j->hard;
	j->said_measured = j->hard_measured;
	return true;
}

/* One page says it. Who has an open problem hears it in that; else it opens one, be it just OK now. */
static bool flapping_begins(struct judge *j, const struct judge_env *env, struct judge_say *say)
{
	j->flap_said = true;
	if (j->said && j->paged && !j->said_suppressed) {
		say_within(j, false, EVENT_FLAPS_STARTED, say);
	} else {
		say_problem(j, env, false, say);
		say->flapping = EVENT_FLAPS_STARTED;
	}
	if (!judge_problem(j))
		say->state = env->flap_state;
	return true;
}

static bool is_news(const struct judge *j)
{
	return !j->said || j->said_state != j->hard || j->said_measured != j->hard_measured;
}

/* Muted, a problem is said once to be muted; the rest is recorded within it. */
static bool flapping_goes_on(struct judge *j, const struct judge_env *env, struct judge_say *say)
{
	bool problem = judge_problem(j), said = false;
	if (problem && env->mute && (is_news(j) || (env->downtime && !j->said_suppressed)))
		said = say_problem(j, env, true, say);
	else if (problem && (env->mute || env->hold))
		return false;
	else if (problem && j->said_suppressed)
		said = say_problem(j, env, false, say);
	else if (is_news(j))
		return say_within(j, true, EVENT_FLAPS, say);
	if (said)
		say->flapping = EVENT_FLAPS;
	return said;
}

/* What is then confirmed must be told, though it may be what the flapping problem was opened with: so that one ends
 * quietly, and the next question to the judge opens another. */
static bool flapping_ends(struct judge *j, const struct judge_env *env, const struct stamp *now,
			  struct judge_say *say)
{
	bool problem = judge_problem(j);
	struct stamp since = j->since;
	if (problem && env->hold && !env->mute)
		return false;
	j->flap_said = false;
	say_recovery(j, now, say);
	say->flapping = EVENT_FLAPS_STOPPED;
	if (problem) {
		say->state = NAG_OK;
		say->suppressed = true;
		j->since = since;
	}
	return true;
}

bool judge_settle(struct judge *j, const struct judge_env *env, const struct stamp *now,
		  struct judge_say *say)
{
	if (j->flap_said)
		return env->flapping ? flapping_goes_on(j, env, say) : flapping_ends(j, env, now, say);
	if (env->flapping && !env->mute && !env->hold)
		return flapping_begins(j, env, say);
	if (!judge_problem(j)) {
		if (j->said)
			return say_recovery(j, now, say);
		return false;
	}
	bool news = is_news(j);
	if (env->mute) {
		bool tell_downtime = env->downtime && j->said && !j->said_suppressed;
		return news || tell_downtime ? say_problem(j, env, true, say) : false;
	}
	if (env->hold)
		return false;
	return news || j->said_suppressed ? say_problem(j, env, false, say) : false;
}

bool judge_removed(struct judge *j, const struct stamp *now, struct judge_say *say)
{
	bool said = j->said;
	if (said) {
		j->hard = NAG_OK;
		j->hard_measured = true;
		say_recovery(j, now, say);
	}
	judge_init(j, j->change, now);
	return said;
}
