/*
 * What the error codes of a GSM modem mean for a page: +CMS ERROR (3GPP TS 27.005, 3.2.5, with 24.011
 * and 23.040) and +CME ERROR (27.007, 9.2). Pure tables.
 */
#ifndef DRIVERS_GSM_CMS_H
#define DRIVERS_GSM_CMS_H

enum cms_class {
	CMS_AGAIN,        /* passes by itself: the same modem again, with back-off */
	CMS_MEND,         /* this modem needs mending; meanwhile the next one */
	CMS_MEMORY_FULL,  /* the same, and deleting messages mends it */
	CMS_SUBSCRIPTION, /* this SIM may not; next modem or route */
	CMS_RECIPIENT,    /* this number never */
	CMS_FEW_TRIES,    /* a few tries, then the next route */
	CMS_OUR_BUG,      /* the PDU is wrong: log it */
	CMS_SENT          /* the centre has it already */
};

/* code -1: an error without a number ("ERROR", or text). */
enum cms_class cms_class(int code);
enum cms_class cme_class(int code);
/* In words; "unknown error" for the rest. Static text. */
const char *cms_text(int code);
const char *cme_text(int code);

#endif
