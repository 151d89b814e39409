/* The schedule; see sched.h. Called by the core only. */
#include "sched.h"

int64_t sched_spread(const char *name, int64_t span_ms)
{
	uint64_t h = 14695981039346656037u; /* FNV-1a, 64 bits */
	for (const unsigned char *p = (const unsigned char *)name; *p; p++)
		h = (h ^ *p) * 1099511628211u;
	/* its low bits are poor for names that differ in the last character only */
	h ^= h >> 33;
	h *= 0xff51afd7ed558ccdu;
	h ^= h >> 33;
	return span_ms > 0 ? (int64_t)(h % (uint64_t)span_ms) : 0;
}

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

void sched_first(struct sched_slot *s, const char *name, int64_t last_ms, bool hurry, int64_t now_ms)
{
	int64_t span = least(hurry ? s->retry_ms : s->interval_ms, SCHED_SPREAD_MAX_MS);
	int64_t spread = now_ms + sched_spread(name, hurry ? least(span, 5000) : span);
	s->due_ms = spread;
	/* it ran not long ago (a restart): go on in its rhythm */
	if (!hurry && last_ms != SCHED_NEVER && last_ms + s->interval_ms > spread && last_ms <= now_ms)
		s->due_ms = last_ms + s->interval_ms;
	s->waiting_ms = SCHED_NEVER;
}

void sched_retime(struct sched_slot *s, int64_t interval_ms, int64_t retry_ms, int64_t now_ms)
{
	s->interval_ms = interval_ms;
	s->retry_ms = retry_ms;
	s->due_ms = least(s->due_ms, now_ms + interval_ms);
}

void sched_now(struct sched_slot *s, int64_t now_ms)
{
	if (s->running)
		s->again = true;
	else
		s->due_ms = least(s->due_ms, now_ms);
}

/* Due times that passed unused. The owed start itself stays owed. */
static void skip(struct sched_slot *s, int64_t now_ms)
{
	if (s->due_ms == SCHED_NEVER || s->interval_ms <= 0)
		return;
	int64_t missed = (now_ms - s->due_ms) / s->interval_ms;
	if (now_ms < s->due_ms || missed <= 0)
		return;
	s->skipped += (uint64_t)missed;
	s->due_ms += missed * s->interval_ms;
}

/* Due times that passed while its own last run was in the way. */
static void skip_past(struct sched_slot *s, int64_t now_ms)
{
	if (s->due_ms > now_ms || s->interval_ms <= 0)
		return;
	int64_t missed = (now_ms - s->due_ms) / s->interval_ms + 1;
	s->skipped += (uint64_t)missed;
	s->due_ms += missed * s->interval_ms;
}

struct sched_slot *sched_next(struct sched_slot *const *slots, size_t n, int64_t now_ms, int64_t *wake_ms)
{
	struct sched_slot *best = NULL;
	*wake_ms = SCHED_NEVER;
	for (size_t i = 0; i < n; i++) {
		struct sched_slot *s = slots[i];
		if (s->due_ms > now_ms) {
			if (!s->running)
				*wake_ms = least(*wake_ms, s->due_ms);
			continue;
		}
		if (s->running) {
			skip_past(s, now_ms);
			continue;
		}
		if (s->waiting_ms == SCHED_NEVER)
			s->waiting_ms = s->due_ms;
		skip(s, now_ms);
		if (s->blocked)
			continue;
		if (s->host && s->host->free_ms > now_ms) {
			*wake_ms = least(*wake_ms, s->host->free_ms);
			continue;
		}
		if (!best || s->waiting_ms < best->waiting_ms)
			best = s;
	}
	return best;
}

void sched_started(struct sched_slot *s, int64_t now_ms, int64_t gap_ms)
{
	int64_t owed = s->waiting_ms == SCHED_NEVER ? s->due_ms : s->waiting_ms;
	s->late_ms = now_ms > owed ? now_ms - owed : 0;
	s->running = true;
	s->started_ms = now_ms;
	s->waiting_ms = SCHED_NEVER;
	/* the planned start, not the real one, carries the rhythm */
	if (s->due_ms == SCHED_NEVER || s->due_ms > now_ms)
		s->due_ms = now_ms;
	s->due_ms += s->interval_ms;
	if (s->host)
		s->host->free_ms = now_ms + gap_ms;
}

void sched_ended(struct sched_slot *s, bool retry, bool at_once, int64_t now_ms)
{
	s->running = false;
	skip_past(s, now_ms);
	if (retry && s->retry_ms < s->interval_ms) {
		int64_t next = s->started_ms + s->retry_ms;
		s->due_ms = least(s->due_ms, next > now_ms ? next : now_ms);
	}
	if (at_once || s->again)
		s->due_ms = least(s->due_ms, now_ms);
	s->again = false;
}

void sched_skip(struct sched_slot *s, int64_t now_ms)
{
	s->waiting_ms = SCHED_NEVER;
	s->due_ms = now_ms + s->interval_ms;
	s->again = false;
	s->skipped++;
}

void sched_not_before(struct sched_slot *s, int64_t ms)
{
	if (s->due_ms < ms)
		s->due_ms = ms;
}

int64_t sched_overdue(const struct sched_slot *s, int64_t now_ms)
{
	if (s->running || s->due_ms == SCHED_NEVER)
		return 0;
	int64_t owed = s->waiting_ms == SCHED_NEVER ? s->due_ms : s->waiting_ms;
	if (s->host && s->host->free_ms > owed)
		owed = s->host->free_ms;
	return now_ms > owed ? now_ms - owed : 0;
}
