/* The board; see board.h. */
#include "notifiers/modbus/board.h"

#include <stdio.h>

#include "lib/clock.h"

enum { TRIES = 3 };

static int64_t limit(const struct board *b, int64_t deadline)
{
	int64_t at = clock_boot_ms() + b->answer_limit_ms;

	return at < deadline ? at : deadline;
}

static int unit_of(const struct board *b, const struct mb_point *at)
{
	return at->unit >= 0 ? at->unit : b->unit;
}

static bool read_back(const struct board *b, struct mb *m, const struct mb_point *at, uint16_t value,
		      int64_t deadline, struct mb_error *e)
{
	uint16_t is;

	if (!mb_read(m, unit_of(b, at), at->table, at->address, 1, &is, limit(b, deadline), e))
		return false;
	if (is == value)
		return true;
	e->fault = MB_GARBAGE;
	snprintf(e->text, sizeof(e->text), "%s:%d was written %u and reads %u", mb_table_name(at->table),
		 at->address, value, is);
	return false;
}

static bool write_once(const struct board *b, const struct mb_point *at, uint16_t value, int64_t deadline,
		       struct mb_error *e)
{
	struct mb *m = mb_open(&b->target, limit(b, deadline), e);
	bool ok = m != NULL &&
		  mb_write(m, unit_of(b, at), at->table, at->address, value, limit(b, deadline), e) &&
		  (!b->verify || read_back(b, m, at, value, deadline, e));

	mb_close(m);
	return ok;
}

/* The same value once more harms nobody. */
static bool again(const struct mb_error *e, int64_t deadline)
{
	bool passing = e->fault == MB_TIMEOUT || e->fault == MB_GARBAGE || e->fault == MB_GONE ||
		       (e->fault == MB_EXCEPTION && (e->exception == 5 || e->exception == 6));

	return passing && clock_boot_ms() < deadline;
}

bool board_write(const struct board *b, const struct mb_point *at, uint16_t value, int64_t deadline,
		 struct mb_error *e)
{
	for (int i = 0; i < TRIES; i++) {
		if (write_once(b, at, value, deadline, e))
			return true;
		if (!again(e, deadline))
			return false;
	}
	return false;
}

bool board_try(const struct board *b, const struct mb_point *at, int64_t deadline, struct mb_error *e)
{
	struct mb *m = mb_open(&b->target, limit(b, deadline), e);
	uint16_t is;
	bool ok = m != NULL && (at == NULL || mb_read(m, unit_of(b, at), at->table, at->address, 1, &is,
						      limit(b, deadline), e));

	mb_close(m);
	return ok;
}
