/*
 * What the files of the simulated modem share: its state. Private to simmodem.c (time, bytes, control),
 * simat.c (commands) and simfault.c.
 */
#ifndef DRIVERS_SIMSTATE_H
#define DRIVERS_SIMSTATE_H

#include "simmodem.h"

enum { SIM_SLOTS_MAX = 50, SIM_QUEUE_MAX = 256, SIM_LINE_MAX = 600 };

enum sim_fault_name {
	SIM_SLOW, SIM_CMS, SIM_CME, SIM_LATE, SIM_HANG, SIM_VANISH, SIM_VANISH_CMGS, SIM_VANISH_PROMPT,
	SIM_NOPROMPT,
	SIM_GARBAGE, SIM_URC, SIM_LOST, SIM_SWALLOW, SIM_NFAULTS
};

struct sim_fault_state {
	bool on;
	long value;
	long left;     /* -1: until cleared */
	long skip;     /* so often it does not happen yet */
	char text[16]; /* of hang: what cures it */
};

struct sim_chunk {
	int64_t due;
	char *bytes;
	size_t len;
	bool final; /* the modem is busy until this was sent */
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
	char line[SIM_LINE_MAX + 1];
	size_t len;
	size_t cmgs_len; /* octets announced by AT+CMGS */
	unsigned mr;
	int report_status; /* what status reports say; -1: none is sent */
	int64_t report_ms;
	bool no_cds;
	struct sim_slot slot[SIM_SLOTS_MAX];
	struct sim_fault_state fault[SIM_NFAULTS];
	struct sim_chunk queue[SIM_QUEUE_MAX];
	size_t nqueue;
	/* for tests */
	long accepted, refused, violations, lost_incoming, resets, pins;
};

/* simmodem.c */
void sim_say(struct sim *s, int64_t due, bool final, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
void sim_note(struct sim *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A message into the storage; the slot (from 1), 0 when full. */
int sim_store(struct sim *s, const char *hex, size_t octets, bool report);
/* simat.c */
void sim_command(struct sim *s, char *line, int64_t now);
void sim_pdu(struct sim *s, int64_t now);
/* simfault.c */
bool sim_faulty(struct sim *s, enum sim_fault_name f, long *value); /* counts it */
bool sim_hangs(const struct sim *s);
void sim_cure(struct sim *s, const char *by);

#endif
