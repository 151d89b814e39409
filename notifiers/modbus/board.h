/*
 * The board a siren hangs on: writes one place and reads it back, again when a frame was lost. Called by
 * notify_modbus.c.
 */
#ifndef NOTIFIERS_MODBUS_BOARD_H
#define NOTIFIERS_MODBUS_BOARD_H

#include "drivers/modbus/target.h"

struct board {
	struct mb_target target;
	int unit; /* where a point names none */
	int64_t answer_limit_ms;
	bool verify;
};

/* False and *e. Nothing is left open. */
bool board_write(const struct board *b, const struct mb_point *at, uint16_t value, int64_t deadline,
		 struct mb_error *e);
/* Whether the board answers; at (may be NULL: it is only connected to) is read. */
bool board_try(const struct board *b, const struct mb_point *at, int64_t deadline, struct mb_error *e);

#endif
