/*
 * What an analog modem answers (ITU-T V.250 verbose results, and what makers added), told apart; and the
 * strings it is made to dial. Pure: hayes.c does the talking.
 */
#ifndef DRIVERS_MODEM_RESULT_H
#define DRIVERS_MODEM_RESULT_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/buf.h"

enum hayes_result {
	/* what a modem says */
	HAYES_OK,
	HAYES_CONNECT,
	HAYES_BUSY,
	HAYES_NO_DIALTONE, /* no tone, or no line at all */
	HAYES_NO_ANSWER,
	HAYES_NO_CARRIER,
	HAYES_DELAYED,	   /* its own redial guard: not yet */
	HAYES_BLACKLISTED, /* its own redial guard: not this number any more */
	HAYES_VOICE,	   /* a person or a machine speaks */
	HAYES_IN_USE,	   /* another telephone on the line is off the hook */
	HAYES_ERROR,
	/* what it does not say */
	HAYES_TIMEOUT, /* nothing by the deadline */
	HAYES_GONE,    /* the device went away */
	HAYES_STOPPED, /* the program is to end */
	/* not the end of a command; only hayes_classify tells these */
	HAYES_RING,
	HAYES_OTHER
};

struct hayes_said {
	enum hayes_result result;
	int speed;  /* of CONNECT, bit/s; 0: not told */
	int wait_s; /* of DELAYED, 0: not told */
};

/* One line without its end. Case, blanks around it and line noise in front of it do not matter; half an echo,
 * a progress report (RINGING, CARRIER 2400, DIALING) and anything unknown are HAYES_OTHER. */
struct hayes_said hayes_classify(const char *line);
const char *hayes_text(enum hayes_result r); /* "BUSY", "no answer from the modem" */

enum { DIAL_STRING_MAX = 512, DIAL_PIECE_MIN = 10, DIAL_PIECES_MAX = 64 };

/* True for what may stand in a dial string: 0-9 * # A-D, pauses and waits (, W @ !), and T P in front of
 * digits; blanks, hyphens, dots and parentheses are for the reader. Not ";": it is put where it belongs. The
 * reason in why. */
bool dial_string_ok(const char *s, char *why, size_t size);
/* Takes out what is for the reader and makes letters capital. False when it is longer than out's maximum. */
bool dial_string_tidy(const char *s, struct buf *out);
/* How many digits (0-9 * # A-D) are in it. */
size_t dial_string_digits(const char *s);
/* The command for the next piece of s: "ATDT0312,,34;", at most max characters, without CR. tone: T or P.
 * *at: how far s is used up; it starts at 0. A piece ends behind an "@". The semicolon: the modem goes back
 * to taking commands. False when nothing is left. */
bool dial_piece(const char *s, size_t *at, char tone, size_t max, char *out, size_t size);

#endif
