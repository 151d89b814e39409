/*
 * What a modem says, as lines (ITU-T V.250, 3GPP TS 27.005/27.007). Pure: bytes go in, lines come out, and
 * lines are told apart; at.c does the talking. Bounded: a line beyond AT_LINE_MAX is dropped and counted.
 */
#ifndef DRIVERS_GSM_ATPARSE_H
#define DRIVERS_GSM_ATPARSE_H

#include <stdbool.h>
#include <stddef.h>

enum { AT_LINE_MAX = 1024 };

struct at_lines {
	/* the line that at_lines_feed just completed, NUL-terminated, without CR LF */
	char line[AT_LINE_MAX + 1];
	size_t len;
	bool overlong;
	unsigned long dropped; /* overlong lines */
};

enum at_fed { AT_FED_NOTHING, AT_FED_LINE, AT_FED_PROMPT };

void at_lines_init(struct at_lines *l);
/* One byte. AT_FED_LINE: a line that is not empty is complete in l->line until the next call. AT_FED_PROMPT:
 * "> " at the start of a line. */
enum at_fed at_lines_feed(struct at_lines *l, char byte);

enum at_kind {
	AT_LINE_OK,
	AT_LINE_ERROR, /* ERROR without a number; also NO CARRIER and its kin, which end a command */
	AT_LINE_CME,
	AT_LINE_CMS,
	AT_LINE_OTHER  /* an answer, an echo, or something unsolicited */
};

/* *code: the number behind +CME/+CMS ERROR, -1 when it has none (CMEE=2). */
enum at_kind at_classify(const char *line, int *code);
/* True for how a call ends: NO CARRIER, BUSY, NO ANSWER, NO DIALTONE. */
bool at_call_end(const char *line);
/* True when a PDU follows on the next line: +CMT: +CDS: +CMGR: +CMGL: +CBM: */
bool at_pdu_follows(const char *line);
/* True for what modems say unasked. A line that could be an answer as well (+CREG) is judged by who asked. */
bool at_unsolicited(const char *line);

/* The index-th parameter (from 0) of "+CSQ: a,b,c" as a number; dflt when it is absent or no number. Text in
 * quotes is no number. */
long at_number(const char *line, size_t index, long dflt);
/* The same as text without quotes, into out; false when absent. */
bool at_param(const char *line, size_t index, char *out, size_t size);
/* Registration out of a line of +CREG/+CEREG, be it an answer (n,stat,...) or unsolicited (stat,"lac",...);
 * -1: none. */
int at_registration(const char *line);
/* True when an SMS can be sent in that state: 1 home, 5 roaming, 6 and 7 SMS only. */
bool at_registered(int stat);
const char *at_registration_text(int stat);

#endif
