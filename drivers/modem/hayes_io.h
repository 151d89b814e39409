/*
 * Lines and commands under hayes.c, for it alone: what a modem says comes in as classified lines, a command
 * goes out and its result is waited for. Nothing here knows calls.
 */
#ifndef DRIVERS_MODEM_HAYES_IO_H
#define DRIVERS_MODEM_HAYES_IO_H

#include "drivers/gsm/atparse.h"
#include "drivers/serial/serial.h"
#include "hayes.h"

enum { HAYES_COMMAND_MAX = 128 };

struct hayes {
	struct serial *s;
	struct hayes_settings set;
	struct at_lines lines;
	char in[512]; /* read and not yet looked at */
	size_t in_at, in_len;
	bool known;    /* what it is doing: false after opening and after a mess */
	bool off_hook; /* it may be */
	bool connected;
	bool over;	 /* the other side hung up */
	bool in_vain;	 /* hanging up was the last thing tried, and not confirmed */
	bool hanging_up; /* nothing stops that */
	bool complained; /* about a register, once */
	size_t lost_at;	 /* how much of "\r\nNO CARRIER\r\n" stood at the end of the stream */
	int64_t rang_at; /* 0: never */
};

int64_t hayes_within(int64_t ms, int64_t deadline); /* so many ms from now, the deadline at the latest */
/* Waits for bytes in h->in: HAYES_OTHER there are, or why not. */
enum hayes_result hayes_fill(struct hayes *h, int64_t deadline);
/* The next line, classified; HAYES_TIMEOUT, _GONE, _STOPPED when there is none. */
struct hayes_said hayes_next_line(struct hayes *h, int64_t deadline);
/* The next result, whatever else is said before it. */
struct hayes_said hayes_next_result(struct hayes *h, int64_t deadline);
/* Throws away what is being said, until it is quiet. */
void hayes_drain(struct hayes *h);
enum hayes_result hayes_put(struct hayes *h, const char *bytes, size_t len);
/* Sends a command (without CR) and waits for its result. What was said before belongs to something else. */
struct hayes_said hayes_command(struct hayes *h, const char *text, int64_t deadline);

#endif
