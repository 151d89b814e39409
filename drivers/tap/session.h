/*
 * A call to a TAP 1.8 paging terminal as a state machine: wakes it, logs on, hands over pages, takes leave.
 * Pure: bytes of the line and the time go in, bytes for the line come out. notify_tap.c moves them.
 *
 *	tap_begin -> TAP_READY -> tap_page -> decided -> tap_page ... -> tap_bye -> TAP_OVER
 */
#ifndef DRIVERS_TAP_SESSION_H
#define DRIVERS_TAP_SESSION_H

#include <stdint.h>

#include "block.h"

struct tap_rules {
	const char *password; /* behind PG1; NULL or "": none */
	size_t data_max;      /* of one block; 0: as the protocol says */
	int64_t wake_ms, answer_ms,
	    bye_ms; /* between the CRs; for an answer; for the farewell. 0: 2 s, 10 s, 5 s */
};

enum tap_state {
	TAP_WAKE,  /* CRs are sent until "ID=" comes */
	TAP_LOGON, /* ESC PG1 was sent */
	TAP_GO,	   /* logged on; ESC [ p is waited for */
	TAP_READY, /* takes a page */
	TAP_BLOCK, /* a block was sent */
	TAP_BYE,   /* EOT was sent */
	TAP_OVER
};

enum tap_event { TAP_GOT_ID, TAP_GOT_ACK, TAP_GOT_NAK, TAP_GOT_RS, TAP_GOT_OFF, TAP_GOT_GO, TAP_LATE };

/* What became of the page at hand. */
enum tap_verdict {
	TAP_PENDING,
	TAP_TAKEN,    /* all of its blocks were acknowledged; RS at the end may still take that back */
	TAP_NOT_NOW,  /* nothing of it counts; another try may help */
	TAP_REJECTED, /* not this page, ever */
	TAP_DOUBT     /* its last block left and nothing was heard of it */
};

enum { TAP_TRIES = 3, TAP_OUT_MAX = 512, TAP_LINE_MAX = 128 };

struct tap {
	struct tap_rules rules;
	enum tap_state state;
	enum tap_verdict verdict;
	int64_t until; /* when TAP_LATE comes; INT64_MAX: never */
	unsigned tries;
	struct tap_block block[TAP_BLOCKS_MAX];
	size_t nblocks, at;
	char out[TAP_OUT_MAX]; /* for the line; the owner sets nout to 0 when it is written */
	size_t nout;
	char line[TAP_LINE_MAX]; /* what is being received */
	size_t nline;
	char esc;		 /* ESC, or '[' behind one; 0: none */
	int code;		 /* of the terminal's last message; 0: none */
	char said[TAP_LINE_MAX]; /* that message */
	char why[200];		 /* why it is over, or the page was not taken */
	bool bad_logon;		 /* it is the log-on that is refused */
	bool taken_back; /* RS came at the end: acknowledged pages of this call are rejected after all */
	bool parted;	 /* the terminal said farewell */
};

void tap_begin(struct tap *t, const struct tap_rules *rules, int64_t now);
/* Only in TAP_READY. False: it cannot be put into blocks, verdict and why say so. */
bool tap_page(struct tap *t, const char *pager, const char *message, int64_t now);
/* Takes leave, whatever state it is in. */
void tap_bye(struct tap *t, int64_t now);
/* Bytes of the line; an eighth bit is ignored. */
void tap_take(struct tap *t, const char *bytes, size_t n, int64_t now);
/* To be called when until has come. */
void tap_tick(struct tap *t, int64_t now);
/* The line is gone. */
void tap_lost(struct tap *t, const char *why);

#endif
