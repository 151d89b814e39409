/*
 * The telephone line of the soft modem (softmodem.c), on Debian's spandsp: touch tones and silence as audio,
 * and a data call as two V.22bis modems that hear each other. Needs no clock: who calls it says when.
 */
#ifndef TEST_FAKE_SOFTLINE_H
#define TEST_FAKE_SOFTLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct softline;

/* told: a byte came out at one end; here: at the calling modem's, else at the terminal's. */
struct softline *softline_new(void (*told)(bool here, char byte));
/* What follows goes into this file (8000 Hz, 16 bit, mono); NULL: nowhere. The file is the caller's. */
void softline_record(struct softline *l, FILE *f);
/* Each returns how many ms it takes. */
int softline_silence(struct softline *l, int ms);
int softline_digit(struct softline *l, char digit, int ms);

void softline_connect(struct softline *l); /* both modems begin to train */
void softline_end(struct softline *l);
bool softline_up(const struct softline *l);	 /* begun and not ended */
bool softline_trained(const struct softline *l); /* both ends */
enum { SOFTLINE_BLOCK_MS = 20 };
void softline_block(struct softline *l);
/* Queues bytes at the calling modem (here) or at the answering one; how many it took. */
size_t softline_send(struct softline *l, bool here, const char *bytes, size_t n);

#endif
