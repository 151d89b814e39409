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
	if (j->hard == NAG_OK && j->attempt == 0 && j->unmeasured == 0)
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

static bool say_problem(struct judge *j, bool suppressed, struct judge_say *say)
{
	j->change++;
	if (!j->said)
		j->opened = j->change;
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

bool judge_settle(struct judge *j, const struct judge_env *env, const struct stamp *now,
		  struct judge_say *say)
{
	if (!judge_problem(j)) {
		if (j->said)
			return say_recovery(j, now, say);
		return false;
	}
	bool news = !j->said || j->said_state != j->hard || j->said_measured != j->hard_measured;
	if (env->mute) {
		bool tell_downtime = env->downtime && j->said && !j->said_suppressed;
		return news || tell_downtime ? say_problem(j, true, say) : false;
	}
	if (env->hold)
		return false;
	return news || j->said_suppressed ? say_problem(j, false, say) : false;
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
