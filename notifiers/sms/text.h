/*
 * A page as SMS parts, and the little memory the SMS line needs between pages: which message reference
 * belongs to which page, and how often a page failed. Pure.
 */
#ifndef NOTIFIERS_SMS_TEXT_H
#define NOTIFIERS_SMS_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drivers/gsm/pdu.h"
#include "notifiers/notifier.h"

enum { SMS_ID_MAX = 160 };

/* The page's text for at most max_parts parts: GSM-7 with polite replacements if the text allows it at all,
 * else UCS-2. Owned by the caller. */
char *sms_text(const struct page *p, size_t max_parts);

/* The same for a preview: its alphabet, and how many parts it takes. */
void sms_preview(const struct page *p, size_t max_parts, struct preview *out);

/* Which page a status report is about. Bounded: the last 64 parts. */
enum { SMS_REFS_MAX = 64 };

struct sms_ref {
	char id[SMS_ID_MAX];
	char to[PDU_ADDRESS_MAX + 2];
	uint8_t mr;
	unsigned part, nparts;
	bool delivered;
};

struct sms_refs {
	struct sms_ref v[SMS_REFS_MAX];
	size_t n; /* ever added */
};

void sms_refs_add(struct sms_refs *r, const char *id, const char *to, uint8_t mr, unsigned part,
		  unsigned nparts);
/* The report's page, NULL when unknown. Numbers are compared by their last eight digits: networks rewrite
 * prefixes. With delivered, marks the part; *all: every part of the page that was sent is delivered. */
const struct sms_ref *sms_refs_report(struct sms_refs *r, uint8_t mr, const char *to, bool delivered,
				      bool *all);

/* Counts failures of a page; the last 16 pages. Returns how many it has had, this one included. */
enum { SMS_TRIES_MAX = 16 };

struct sms_tries {
	struct {
		char id[SMS_ID_MAX];
		unsigned n;
	} v[SMS_TRIES_MAX];
	size_t next;
};

unsigned sms_tries_count(struct sms_tries *t, const char *id);

#endif
