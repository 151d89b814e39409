/*
 * A GSM modem as the SMS line uses it: opened (again), woken, unlocked, watched, and made to send one PDU at
 * a time. Blocking with deadlines (CLOCK_BOOTTIME ms). Nothing here knows pages; notify_sms.c does.
 */
#ifndef NOTIFIERS_SMS_MODEM_H
#define NOTIFIERS_SMS_MODEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drivers/gsm/at.h"
#include "drivers/gsm/info.h"
#include "drivers/gsm/pdu.h"
#include "drivers/gsm/ussd.h"
#include "lib/contract/line.h"
#include "join.h"
#include "sim.h"

enum sms_call { SMS_CALL_NEVER, SMS_CALL_CRITICAL, SMS_CALL_ALARMS };

struct sms_conf {
	char *device; /* path, usb:VID:PID[:SERIAL][@INTERFACE], or "simulated" */
	int64_t baud;
	int flow; /* 0 none, 1 rtscts */
	char *pin_file, *state_dir, *smsc, *phone_file;
	int64_t validity_ms;
	bool status_report, reject_duplicates;
	int64_t wait_cmgs_ms, wait_late_ms, check_interval_ms;
	int64_t max_parts;
	char *reset_socket, *reset_usb, *reset_power;
	char *ussd, *ussd_balance, *ussd_validity;
	bool ussd_packed;
	int ussd_order;
	int64_t ussd_interval_ms;
	int call; /* enum sms_call */
	int64_t call_ms, call_pause_ms;
};

struct modem;

struct modem_calls {
	void (*received)(void *arg, const struct received *r);
	void (*report)(void *arg, uint8_t mr, const char *to, uint8_t status);
	void (*health)(void *arg, bool ok, const char *text, const struct modem *m);
};

enum { MODEM_TODO_MAX = 32, MODEM_KEPT_MAX = 64, MODEM_WHY_MAX = 400, MODEM_DROPS_MAX = 64 };

/* A message that was told and stays stored until the pager has taken it. */
struct modem_kept {
	char id[20];
	char *from, *text;
	int64_t at_wall_ms, told_ms;
	bool taken; /* to be deleted */
	struct sms_place place[JOIN_PLACES];
	size_t nplaces;
};

enum modem_voice { VOICE_UNTRIED, VOICE_YES, VOICE_NONE };

/* The prepaid service's last answer. */
struct modem_ussd {
	bool waiting;        /* asked, and the answer has not come */
	int64_t next, until; /* when it is asked again; how long the answer is awaited */
	char line[USSD_TEXT_MAX * 4 + 32]; /* an answer of several lines, so far */
	char text[USSD_TEXT_MAX];
	char error[160];     /* why there is none */
	int64_t at_wall_ms;  /* of the answer; 0: none yet */
	bool has_balance, has_validity;
	double balance;
	int64_t valid_until_wall_ms;
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
	struct gsm_info info;
	char memory[4];         /* storage that CMGR reads from; "" as the modem chose */
	struct sms_place todo[MODEM_TODO_MAX]; /* stored and not yet read */
	size_t ntodo;
	struct join join;
	struct modem_kept kept[MODEM_KEPT_MAX];
	size_t nkept;
	bool any_taken;         /* one of them is to be deleted */
	struct sms_place drops[MODEM_DROPS_MAX]; /* to be deleted */
	size_t ndrops;
	/* errors that call for mending: how many in a row, and until when it does not count as good */
	unsigned ills, restarted;
	int64_t ill_until;
	char ill[MODEM_WHY_MAX];
	struct modem_ussd ussd;
	enum modem_voice voice;
	char call_said[24];     /* how the call ended, said unasked */
	char usb[64];           /* its USB device when it was last open; "": none */
	int64_t accepted_wall_ms, delivered_wall_ms; /* the last message the network took, a phone had; 0 never */
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
/* The network took a message: whatever was wrong is over. */
void modem_proved(struct modem *m);
/* It answered a message with an error that calls for mending (why is in m->why): it is set up again, restarted
 * when that does not help, and meanwhile says that it is not well. */
void modem_ails(struct modem *m);
/* Asks for registration and signal now. False: it does not answer (and is no longer up). */
bool modem_ask_registration(struct modem *m, int64_t deadline);
bool modem_ask_details(struct modem *m, int64_t deadline); /* operator and storage */
void modem_say_health(struct modem *m, bool force);
/* The message of that id may be deleted. */
void modem_taken(struct modem *m, const char *id);
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
enum { MODEM_COMMAND_MS = GSM_COMMAND_MS };
int64_t modem_within(int64_t ms, int64_t deadline); /* so many ms from now, the deadline at the latest */
void modem_because(struct modem *m, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
enum { MODEM_BACKOFF_MIN_MS = 1000 };
void modem_close(struct modem *m);
void modem_back_off(struct modem *m);
/* setup.c: of a modem that answers. False: m->why says why. */
bool modem_set_up(struct modem *m, int64_t deadline);
/* inbox.c */
void modem_unasked(void *arg, const char *line, const char *pdu);
/* Reads, tells and deletes what is stored. hard: incomplete messages too, for the storage is full. */
void modem_serve_inbox(struct modem *m, bool hard);
bool modem_inbox_waits(const struct modem *m, int64_t now);
void modem_inbox_init(struct modem *m);
void modem_inbox_fini(struct modem *m);
/* All that is stored will be read and told again, by the same ids: it may be another SIM. */
void modem_forget_inbox(struct modem *m);
/* Whether the dialogue can go on after a command; a silent modem is looked at again. */
bool modem_ask(struct modem *m, const char *command, const char *prefix, int64_t ms);

/* balance.c: asks the prepaid service when it is time, as far as nobody waits. */
void modem_ussd_idle(struct modem *m, int64_t now);
int64_t modem_ussd_next(const struct modem *m); /* when it wants to be called; INT64_MAX: never */
/* A line of its answer. False: it belongs to somebody else. */
bool modem_ussd_line(struct modem *m, const char *line);

/* call.c: rings a phone for ms (the deadline at the latest) and hangs up; what became of it in words. */
void modem_ring(struct modem *m, const char *to, int64_t ms, int64_t deadline, char *how, size_t size);
/* reset.c: asks the helper that may ("usb 1-1.2", "power gsm1"). False: no socket, or a reason in why. */
bool modem_ask_reset(const char *socket, const char *what, const char *name, char *why, size_t size);

#endif
