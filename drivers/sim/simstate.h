/*
 * What the files of the simulated modem share: its state. Private to them; from below: simfault.c (which
 * faults are on), simcore.c (what it says and when, power), simstore.c (messages), simvoice.c (calls, USSD),
 * simat.c (commands), simmodem.c (bytes, control).
 */
#ifndef DRIVERS_SIM_SIMSTATE_H
#define DRIVERS_SIM_SIMSTATE_H

#include "simmodem.h"

enum { SIM_SLOTS_MAX = 50, SIM_QUEUE_MAX = 256, SIM_LINE_MAX = 600, SIM_USSD_MAX = 600 };

enum sim_fault_name {
	SIM_SLOW, SIM_SLOWBYTES, SIM_HALFECHO, SIM_CMS, SIM_CMS_CMD, SIM_CME, SIM_LATE, SIM_HANG, SIM_HANG_CMGS,
	SIM_HANG_SENT, SIM_VANISH, SIM_VANISH_CMGS, SIM_VANISH_PROMPT, SIM_UNPLUG, SIM_NEWNAME, SIM_LOCKED,
	SIM_NOPROMPT, SIM_LOSTPROMPT, SIM_GARBAGE, SIM_URC, SIM_LOST, SIM_SWALLOW, SIM_FULL, SIM_NFAULTS
};

struct sim_fault_state {
	bool on;
	long value;
	long left;     /* -1: until cleared */
	long skip;     /* so often it does not happen yet */
	char text[16]; /* of hang: what cures it; of unplug: the step */
};

struct sim_chunk {
	int64_t due;
	char *bytes;
	size_t len, at; /* at: sent already */
	bool final;     /* the modem is busy until this was sent */
	bool call;      /* the end of the call that is on */
};

struct sim_slot {
	bool used, read, report;
	char hex[SIMPDU_HEX_MAX];
	size_t octets; /* of the TPDU */
};

enum sim_mode { SIM_COMMAND, SIM_PDU };

struct sim {
	struct sim_options o;
	char pin[16], smsc[24];
	struct sim_calls calls;
	void *arg;
	enum sim_mode mode;
	bool echo, ready; /* ready: the PIN was given */
	int tries, cmee, creg, cereg, csq, creg_urc, cereg_urc;
	int cnmi_mt, cnmi_ds;
	int booting; /* ignores everything until boot_until */
	int64_t boot_until;
	int busy;    /* final results on their way */
	int64_t byte_at; /* with slowbytes: when the next byte may leave */
	char line[SIM_LINE_MAX + 1];
	size_t len;
	size_t cmgs_len; /* octets announced by AT+CMGS */
	unsigned mr;
	int report_status; /* what status reports say; -1: none is sent */
	int64_t report_ms;
	bool no_cds;
	char operator[32];
	struct sim_slot slot[SIM_SLOTS_MAX];
	/* the prepaid service and the far phone's bell */
	char ussd[SIM_USSD_MAX], ussd_form[8], ussd_code[64];
	int ussd_status;
	int64_t ussd_ms;
	char voice[12]; /* none, ring, busy, noanswer, nocarrier, connect */
	int64_t voice_ms;
	bool in_call;
	char call_to[32], call_end[16];
	int64_t call_at, call_ms;
	struct sim_fault_state fault[SIM_NFAULTS];
	struct sim_chunk queue[SIM_QUEUE_MAX];
	size_t nqueue;
	/* for tests */
	long accepted, refused, violations, lost_incoming, resets, pins, rings, ussds;
};

/* simfault.c */
bool sim_faulty(struct sim *s, enum sim_fault_name f, long *value); /* counts it */
bool sim_hangs(const struct sim *s);
void sim_cure(struct sim *s, const char *by);
/* Takes a note of the fault; what must happen at once is for the caller. The number of the fault, -1. */
int sim_fault_set(struct sim *s, const char *spec);
extern const char *const sim_fault_names[SIM_NFAULTS];

/* simcore.c */
void sim_say(struct sim *s, int64_t due, bool final, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
void sim_note(struct sim *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void sim_reset_session(struct sim *s);
void sim_drop_queue(struct sim *s);
/* When the answer to a command that came now is due; what disturbs it is said before. */
int64_t sim_answer_time(struct sim *s, int64_t now);
void sim_answer(struct sim *s, int64_t now, const char *text);
void sim_ok(struct sim *s, int64_t now);
void sim_info(struct sim *s, int64_t now, const char *text);
void sim_fail(struct sim *s, int64_t now, const char *kind, int code, const char *words);
/* The fault "unplug" at this step: true when the modem went away. */
bool sim_unplugged(struct sim *s, const char *step, int64_t now);
/* The call that is on ends in that way. */
void sim_call_over(struct sim *s, const char *how, int64_t now);

/* simstore.c */
/* A message into the storage; the slot (from 1), 0 when full. */
int sim_store(struct sim *s, const char *hex, size_t octets, bool report);
int sim_stored(const struct sim *s);
/* A message arrives for this SIM. */
void sim_arrive(struct sim *s, const char *hex, size_t octets, int64_t now);
void sim_pdu(struct sim *s, int64_t now);
/* A command of 27.005. False: it is none. */
bool sim_sms_command(struct sim *s, const char *c, int64_t now);

/* simvoice.c. False: no such command, or no such setting. */
bool sim_voice_command(struct sim *s, const char *c, int64_t now);
bool sim_voice_set(struct sim *s, const char *name, const char *value);

/* simat.c */
void sim_command(struct sim *s, char *line, int64_t now);

#endif
