/* Budgets; see budget.h. Called by pagerd/sources.c. */
#include "budget.h"

bool budget_spend(struct budget *b, int64_t limit, int64_t span_ms, int64_t now)
{
	size_t max = limit < BUDGET_MAX ? (size_t)limit : BUDGET_MAX;
	/* the limit-th newest: when it is too young, all behind it are */
	int64_t then = b->n >= max ? b->spent[(b->at + BUDGET_MAX - max) % BUDGET_MAX] : now - span_ms;

	if (max == 0 || now - then < span_ms) {
		b->folded++;
		b->last_folded = now;
		return false;
	}
	b->spent[b->at] = now;
	b->at = (b->at + 1) % BUDGET_MAX;
	b->n += b->n < BUDGET_MAX;
	return true;
}

bool budget_is_over(const struct budget *b, int64_t span_ms, int64_t now)
{
	return b->folded > 0 && now - b->last_folded >= span_ms;
}
