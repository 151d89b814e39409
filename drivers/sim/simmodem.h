/*
 * A simulated GSM modem with a phone at the far end: the AT dialogue of a real one, a SIM with a PIN, and
 * faults on demand. No I/O and no clock: bytes and times go in, bytes with times come out; simmodem_main.c
 * gives it a pty.
 */
#ifndef DRIVERS_SIM_SIMMODEM_H
#define DRIVERS_SIM_SIMMODEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buf.h"
#include "simpdu.h"

struct sim;

struct sim_message {
	const struct simpdu *sms;
	const char *pdu; /* hex as it came */
	unsigned mr;
};

struct sim_calls {
	/* A SUBMIT was accepted: the far phone has it. */
	void (*shown)(void *arg, const struct sim_message *m);
	/* The modem goes away (unplugged, or re-enumerates after a reset) for so many ms; 0: for ever. */
	void (*vanish)(void *arg, int64_t ms);
	/* The far phone begins or ends to ring. */
	void (*rings)(void *arg, const char *to, bool on);
	/* Another program holds the device's lock, or lets it go. */
	void (*lock)(void *arg, bool on);
	/* Something a tester wants to know: a PDU refused, a command sent too early. */
	void (*note)(void *arg, const char *text);
};

struct sim_options {
	const char *pin;  /* NULL: none asked for */
	int tries;        /* PIN tries left at the start */
	bool hide_tries;  /* the modem cannot tell how many */
	const char *smsc; /* the SIM's own centre; "" none: +CMS ERROR: 330 */
	int slots;        /* message storage, at most 50 */
};

struct sim *sim_new(const struct sim_options *o, const struct sim_calls *calls, void *arg);
void sim_free(struct sim *s);
/* Bytes from the computer. */
void sim_input(struct sim *s, const char *bytes, size_t len, int64_t now);
/* Appends what is due to out; returns in how many ms more will be, -1: nothing waits. */
int64_t sim_output(struct sim *s, int64_t now, struct buf *out);
/* Power was off: back to the start, faults and storage stay. */
void sim_power_on(struct sim *s, int64_t now);

/* One line of control, as sim_help says; the answer is one JSON line. False: it was not understood. */
bool sim_control(struct sim *s, const char *line, int64_t now, struct buf *answer);
/* NAME[=VALUE][*COUNT][+SKIP]; COUNT: how often it happens, else until it is cleared; SKIP: how often it does
 * not, before. False and a reason. */
bool sim_fault(struct sim *s, const char *spec, int64_t now, const char **why);
/* The fault newname: plugged in again, it has another name. Counts it. */
bool sim_renamed(struct sim *s);
extern const char sim_help[];

#endif
