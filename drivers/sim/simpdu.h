/*
 * The network's side of the SMS data units, for the simulated modem only: reads SUBMIT strictly, writes
 * DELIVER and STATUS-REPORT. Written apart from pdu.c and gsm7.c on purpose, so that an error there is not
 * repeated here.
 */
#ifndef DRIVERS_SIM_SIMPDU_H
#define DRIVERS_SIM_SIMPDU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SIMPDU_HEX_MAX = 400, SIMPDU_TEXT_MAX = 700 };

struct simpdu {
	char to[24];
	char text[SIMPDU_TEXT_MAX]; /* UTF-8 */
	bool report, reject_duplicates;
	unsigned ref, part, nparts; /* nparts 1: not concatenated */
	const char *alphabet;       /* "gsm7" "ucs2" "8bit" */
};

/* tpdu_len: what AT+CMGS= said. False and a reason: a real modem answers +CMS ERROR: 304. */
bool simpdu_submit(const char *hex, size_t tpdu_len, struct simpdu *out, const char **why);
/* Hex with an empty centre's address; text is cut to one part. wall_s: the centre's time stamp (UTC). Returns
 * the octets of the TPDU. */
size_t simpdu_deliver(const char *from, const char *text, int64_t wall_s, char hex[SIMPDU_HEX_MAX]);
struct simpdu_part {
	unsigned ref, part, nparts;
	bool wide; /* the reference has 16 bits */
};

/* The same as one part of a long message. */
size_t simpdu_deliver_part(const char *from, const char *text, const struct simpdu_part *part, int64_t wall_s,
			   char hex[SIMPDU_HEX_MAX]);
size_t simpdu_report(unsigned mr, const char *to, unsigned status, int64_t wall_s, char hex[SIMPDU_HEX_MAX]);

#endif
