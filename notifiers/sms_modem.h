/*
 * A GSM modem as the SMS line uses it: opened (again), woken, unlocked, watched, and made to send one PDU at
 * a time. Blocking with deadlines (CLOCK_BOOTTIME ms). Nothing here knows pages; notify_sms.c does.
 */
#ifndef NOTIFIERS_SMS_MODEM_H
#define NOTIFIERS_SMS_MODEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../drivers/at.h"
#include "../drivers/pdu.h"
#include "sms_sim.h"

struct sms_conf {
	char *device; /* path, usb:VID:PID[:SERIAL][@INTERFACE], or "simulated" */
	int64_t baud;
	int flow; /* 0 none, 1 rtscts */
	char *pin_file, *state_dir, *smsc, *phone_file;
	int64_t validity_ms;
	bool status_report, reject_duplicates;
	int64_t wait_cmgs_ms, wait_late_ms, check_interval_ms;
	int64_t max_parts;
};

struct modem_calls {
	void (*received)(void *arg, const char *from, const char *text);
	void (*report)(void *arg, uint8_t mr, const char *to, uint8_t status);
	void (*health)(void *arg, bool ok, const char *text);
};

enum { MODEM_TODO_MAX = 32, MODEM_WHY_MAX = 400 };

/* What is stored in the modem and waits to be read. */
struct modem_todo {
	char memory[4];
	int index;
};

struct modem {
	const struct sms_conf *conf;
	const char *line;
	struct modem_calls calls;
	void *arg;
	struct sms_sim *sim;
	struct at *at;          /* NULL: closed */
	bool up;                /* woken, unlocked and set up */
	bool owes;              /* a final result of AT+CMGS is outstanding: no other command may be sent */
	int64_t owed_until;     /* how long it is listened for */
	struct at_answer sent;  /* the answer to AT+CMGS */
	struct at_answer a;     /* the answer to anything else */
	int rung;               /* of the reset ladder, the next one */
	int64_t settled_at;     /* until then the last rung may still take effect */
	bool exhausted;         /* the whole ladder did not help */
	int64_t next_try, backoff_ms, next_check;
	int creg, cereg, csq;
	char memory[4];         /* storage that CMGR reads from; "" as the modem chose */
	struct modem_todo todo[MODEM_TODO_MAX];
	size_t ntodo;
	bool sweep;             /* something may be stored that nobody announced */
	bool reset_seen;        /* the modem restarted by itself */
	bool healthy;           /* as last said */
	char said[MODEM_WHY_MAX + 80];
	char why[MODEM_WHY_MAX]; /* why it is not up */
};

void modem_init(struct modem *m, const struct sms_conf *conf, const char *line,
		const struct modem_calls *calls, void *arg);
void modem_fini(struct modem *m);
/* Brings it up if it is not, as far as that goes by the deadline; climbs the reset ladder. False: m->why says
 * why. */
bool modem_bring_up(struct modem *m, int64_t deadline);
/* The descriptor to poll (-1: none) and in how many ms modem_idle wants to be called. */
int modem_fd(const struct modem *m, int *wait_ms);
/* Reads what came, serves what is stored, checks health when it is time. Not while it owes a result: then it
 * only listens (see modem_await). */
void modem_idle(struct modem *m);
/* Hands out what was read and not yet looked at; poll() does not see that. */
void modem_settle(struct modem *m);
bool modem_registered(const struct modem *m);
/* Asks for registration and signal now. False: it does not answer (and is no longer up). */
bool modem_ask_registration(struct modem *m, int64_t deadline);
void modem_say_health(struct modem *m, bool force);
/* Closes the device; the next try comes after the back-off. */
void modem_down(struct modem *m, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

enum modem_sent {
	MODEM_SENT,     /* +CMGS; *mr is set */
	MODEM_NOT_SENT, /* it stopped before the last byte: sending again is safe */
	MODEM_FAILED,   /* the modem answered an error: m->sent.final and .code */
	MODEM_UNKNOWN   /* all bytes left and no result came */
};

/* Sends one part; the modem must be up and owe nothing. Why it failed is in m->why. */
enum modem_sent modem_send(struct modem *m, const struct pdu_part *part, int64_t deadline, uint8_t *mr);
/* Waits for the result it owes. MODEM_UNKNOWN: still none; when owed_until has passed or the device went, the
 * debt is forgotten (m->owes is false). */
enum modem_sent modem_await(struct modem *m, int64_t deadline, uint8_t *mr);

/* --- among the files of the modem -------------------------------------------------------------------- */
enum { MODEM_COMMAND_MS = 5000 }; /* for an answer; most come in milliseconds, a SIM may take seconds */
int64_t modem_within(int64_t ms, int64_t deadline); /* so many ms from now, the deadline at the latest */
void modem_because(struct modem *m, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* sms_setup.c: of a modem that answers. False: m->why says why. */
bool modem_set_up(struct modem *m, int64_t deadline);
/* sms_inbox.c */
void modem_unasked(void *arg, const char *line, const char *pdu);
/* Reads, tells and deletes what is stored. */
void modem_serve_inbox(struct modem *m);

#endif
