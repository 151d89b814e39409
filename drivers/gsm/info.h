/*
 * What a GSM modem tells of itself: registration, signal, operator, storage (27.007, 27.005). For the SMS
 * line and the probe of modems. Blocking with deadlines (CLOCK_BOOTTIME ms).
 */
#ifndef DRIVERS_GSM_INFO_H
#define DRIVERS_GSM_INFO_H

#include "at.h"

struct gsm_info {
	int creg, cereg;  /* -1: not told */
	int csq;	  /* 0 to 31; 99: not known */
	long used, total; /* messages stored, and places for them; -1: not told */
	char memory[4];	  /* the storage that is read, "SM" */
	char operator[48];
};

enum { GSM_COMMAND_MS = 5000 }; /* for an answer; most come in milliseconds, a SIM may take seconds */

void gsm_info_init(struct gsm_info *i);
/* Registration and signal. AT_OK, or AT_TIMEOUT, AT_GONE when the modem is silent; what a modem does not know
 * is left unknown. */
enum at_final gsm_ask_network(struct at *at, struct at_answer *a, struct gsm_info *i, int64_t deadline);
/* Operator and storage. */
enum at_final gsm_ask_details(struct at *at, struct at_answer *a, struct gsm_info *i, int64_t deadline);
/* Whether an SMS can be sent. */
bool gsm_registered(const struct gsm_info *i);
/* The state to speak of: of the two that say registered if one does. */
int gsm_registration(const struct gsm_info *i);
/* Signal in dBm (27.007, 8.5); 0: not known. */
int gsm_dbm(int csq);

#endif
