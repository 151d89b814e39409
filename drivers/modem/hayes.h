/*
 * An analog modem that dials: woken, set up, made to dial touch tones or to call another modem, and always
 * hung up. Blocking with deadlines (CLOCK_BOOTTIME ms). Nothing here knows pages or the rules of redialling
 * (redial.h); the notifiers that dial do (notifiers/dial/).
 *
 * A call of touch tones:  hayes_ready, hayes_dial, hayes_hang_up.
 * A call for data:        hayes_ready, hayes_call, then hayes_read/hayes_write, hayes_hang_up.
 */
#ifndef DRIVERS_MODEM_HAYES_H
#define DRIVERS_MODEM_HAYES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "result.h"

struct hayes;

struct hayes_settings {
	const char *device; /* as serial_open takes it */
	const char *line;   /* the line's name, for the log */
	int baud;
	bool rtscts;
	const char *init; /* behind AT, after ATE0V1Q0: "X4&D2"; "" none */
	char tone;	  /* 'T' touch tones, 'P' pulses */
	size_t piece_max; /* characters of a command line */
	/* S registers */
	int dial_tone_s; /* S6: how long dial tone is waited for; off the hook so long when it is not listened
			    for */
	int answer_s;	 /* S7: how long an answer is waited for, by "@" and by a data call */
	int pause_s;	 /* S8: of a comma */
	int lost_ds;	 /* S10: tenths of a second without carrier until it hangs up */
	int tone_ms;	 /* S11: of a touch tone and of the gap behind it */
	bool (*stop)(void); /* asked all along: true makes everything end soon, hung up; may be NULL */
};

/* Opens and locks the device; says nothing to it yet. The settings are copied, their strings are not. NULL
 * and a reason. */
struct hayes *hayes_open(const struct hayes_settings *set, char *why, size_t size);
/* Hangs up if anything may be off the hook, and closes. NULL is allowed. */
void hayes_close(struct hayes *h);
int hayes_fd(const struct hayes *h); /* for poll() */
const char *hayes_path(const struct hayes *h);
bool hayes_gone(const struct hayes *h); /* the device went away: close it and open it again */

/* Wakes it, ends whatever an earlier life left (a call, half a command, a dial under way), sets it up. To be
 * called before each call: what the modem lost or what was changed behind our back is set again. False and a
 * reason. */
bool hayes_ready(struct hayes *h, int64_t deadline, char *why, size_t size);
/* Asks AT. False: no answer, or gone. */
bool hayes_alive(struct hayes *h, int64_t deadline);
/* Lifts the receiver, listens for dial tone, hangs up: HAYES_OK there is one, HAYES_NO_DIALTONE, or what else
 * came. */
enum hayes_result hayes_listen(struct hayes *h, int64_t deadline);
/* Reads what the modem says by itself. False: gone. */
bool hayes_idle(struct hayes *h);
/* Somebody calls this line (RING within the last seconds): dialling now would take that call. */
bool hayes_rings(const struct hayes *h);

/* What a dial came to. */
struct hayes_call {
	enum hayes_result result;
	int speed;	/* of CONNECT; 0: not told */
	int wait_s;	/* of DELAYED; 0: not told */
	size_t given;	/* characters of the dial string that were given to the modem */
	size_t dialled; /* of those, in commands that it answered with OK */
};

/* Dials all of s (tidy, see result.h) in pieces and stays off the hook; HAYES_OK: every piece was. Whatever
 * the result, hang up then. */
struct hayes_call hayes_dial(struct hayes *h, const char *s, int64_t deadline);
/* Calls another modem: HAYES_CONNECT, and the line carries bytes both ways. Anything else: hang up. */
struct hayes_call hayes_call(struct hayes *h, const char *s, int64_t deadline);

/* While connected. Like serial_read: bytes, 0 nothing there, -1 over: the device went or the other side hung
 * up (NO CARRIER, which is among the bytes as well). */
ssize_t hayes_read(struct hayes *h, void *buf, size_t size);
/* 1: something to read, 0: the deadline came, -1: gone, over or stopped. */
int hayes_wait(struct hayes *h, int64_t deadline);
bool hayes_write(struct hayes *h, const void *data, size_t len, int64_t deadline, char *why, size_t size);

/* On the hook, whatever state it was in: DTR down and up, a byte that ends a dial under way, the escape from
 * a data call, ATH. Takes up to about 5 s when the modem is silent. False: it did not say OK, nobody knows.
 * The next hayes_ready does it again. */
bool hayes_hang_up(struct hayes *h);
bool hayes_off_hook(const struct hayes *h); /* it may be */

#endif
