/*
 * The AT dialogue with a modem: one command at a time, its answer told apart from what the modem says
 * unasked. Blocking with deadlines (CLOCK_BOOTTIME ms), never longer. Parsing is in atparse.h, pure.
 */
#ifndef DRIVERS_GSM_AT_H
#define DRIVERS_GSM_AT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buf.h"
#include "atparse.h"
#include "drivers/serial/serial.h"

struct at;

enum at_final {
	AT_OK,
	AT_ERROR,   /* ERROR, or how a call ended */
	AT_CME,     /* +CME ERROR, see code */
	AT_CMS,     /* +CMS ERROR, see code */
	AT_TIMEOUT, /* no final result by the deadline: the modem may still be busy with it */
	AT_PROMPT,  /* at_prompt only */
	AT_GONE     /* the device went away */
};

enum { AT_ANSWER_LINES = 64, AT_ANSWER_MAX = 32768 };

struct at_answer {
	enum at_final final;
	int code;                  /* of +CME/+CMS ERROR; -1: none */
	char said[24];             /* with AT_ERROR: the line, "ERROR", "NO CARRIER" */
	struct buf text;           /* the lines of the answer, one after the other, NUL-separated */
	size_t n;                  /* how many */
	const char *line[AT_ANSWER_LINES];
};

/* Called for each unsolicited line; pdu: the hex line after it where one belongs to it, else NULL. Must not
 * send commands; it takes a note, and the caller acts when the dialogue is idle. */
typedef void at_unasked(void *arg, const char *line, const char *pdu);

/* Takes ownership of the line. */
struct at *at_new(struct serial *s, at_unasked *unasked, void *arg);
void at_free(struct at *at); /* closes the line; NULL is allowed */
struct serial *at_serial(const struct at *at);

void at_answer_init(struct at_answer *a);
void at_answer_fini(struct at_answer *a);

/* Sends command (without CR) and collects the lines that start with prefix until the final result; NULL:
 * every line that is neither unsolicited nor the echo. a is reset first. */
enum at_final at_command(struct at *at, const char *command, const char *prefix, int64_t deadline,
			 struct at_answer *a);
/* Sends a command that is answered by a prompt: AT_PROMPT, or how it ended. */
enum at_final at_prompt(struct at *at, const char *command, int64_t deadline, struct at_answer *a);
/* Sends raw bytes. *sent: all of them reached the device. */
bool at_raw(struct at *at, const char *bytes, size_t len, int64_t deadline, bool *sent);
/* Waits for the final result of what was sent before, collecting lines with prefix. May be called again after
 * AT_TIMEOUT; what was collected is kept unless fresh. */
enum at_final at_result(struct at *at, const char *prefix, int64_t deadline, bool fresh, struct at_answer *a);
/* Reads what is there without waiting and hands out the unsolicited lines. False: the device is gone. */
bool at_idle(struct at *at);
/* Forgets half a line and everything received, for a new start after a mess. */
void at_resync(struct at *at);
/* "ERROR", "+CMS ERROR 41 (temporary failure)", "no answer", into out; returns out. */
char *at_final_text(const struct at_answer *a, char *out, size_t size);

#endif
