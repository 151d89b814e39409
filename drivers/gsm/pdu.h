/*
 * SMS protocol data units (3GPP TS 23.040) as the hex strings that AT+CMGS takes and +CMGR, +CMT and +CDS
 * give: SUBMIT is made, DELIVER and STATUS-REPORT are read. Pure: no I/O, no clock, no memory of its own but
 * struct buf.
 */
#ifndef DRIVERS_GSM_PDU_H
#define DRIVERS_GSM_PDU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buf.h"

enum {
	PDU_PARTS_MAX = 10,   /* of one page; a longer text is no page */
	PDU_ADDRESS_MAX = 20, /* digits (23.040, 9.1.2.5) */
	PDU_OCTETS_MAX = 176, /* SMSC address and TPDU */
	PDU_TEXT_MAX = 800,   /* bytes of UTF-8 in one received part */
	PDU_SINGLE_GSM7 = 160, PDU_PART_GSM7 = 153, /* septets */
	PDU_SINGLE_UCS2 = 70, PDU_PART_UCS2 = 67    /* UTF-16 units */
};

struct pdu_submit {
	const char *smsc; /* service centre, digits with or without '+'; NULL or "": the one on the SIM */
	const char *to;        /* digits, '+' first for an international number */
	const char *text;      /* UTF-8 */
	int64_t validity_ms;   /* 0: the centre's own default */
	bool report;           /* ask for a status report */
	bool reject_duplicates;
	uint8_t ref;           /* of the concatenation; must differ between messages to one phone */
	size_t max_parts;      /* 1 to PDU_PARTS_MAX */
};

struct pdu_part {
	char hex[PDU_OCTETS_MAX * 2 + 1];
	size_t tpdu_octets; /* what AT+CMGS= takes: the service centre's octets are not counted */
};

/* An address: optional '+', then 1 to 20 digits (the first not 0 after '+'). False and a reason in why. */
bool pdu_address_ok(const char *to, char *why, size_t size);
/* Makes the parts; how many, 0 with a reason in why. GSM-7 when the text allows, else UCS-2. Neither an ESC
 * pair nor a surrogate pair is split over two parts. */
size_t pdu_submit(const struct pdu_submit *s, struct pdu_part parts[PDU_PARTS_MAX], char *why, size_t size);
/* The relative validity octet (23.040, 9.2.3.12.1) of at least that time, at most 63 weeks. */
uint8_t pdu_validity(int64_t ms);

enum pdu_kind { PDU_DELIVER, PDU_REPORT };

struct pdu_in {
	enum pdu_kind kind;
	char from[PDU_ADDRESS_MAX + 2]; /* DELIVER: sender (may be a name); REPORT: the recipient */
	int64_t at_wall_ms;             /* the centre's time stamp; 0 when it is nonsense */
	/* DELIVER */
	struct buf text;                /* UTF-8 */
	bool parts;                     /* one of several; then: */
	unsigned ref, part, nparts;
	/* REPORT */
	uint8_t mr;
	uint8_t status;                 /* TP-ST, 23.040, 9.2.3.15 */
};

void pdu_in_init(struct pdu_in *in);
void pdu_in_fini(struct pdu_in *in);
/* Reads hex (with the service centre's address before the TPDU). False and a reason in *why. */
bool pdu_read(struct pdu_in *in, const char *hex, size_t len, const char **why);

/* What a TP-ST means. */
enum pdu_delivery { PDU_DELIVERED, PDU_STILL_TRYING, PDU_FAILED };
enum pdu_delivery pdu_delivery(uint8_t status);

/* Hex to octets; how many, SIZE_MAX when it is no hex, odd, or does not fit. */
size_t pdu_unhex(const char *hex, size_t len, uint8_t *out, size_t max);

#endif
