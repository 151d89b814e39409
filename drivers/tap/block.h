/*
 * The blocks of the Telocator Alphanumeric Protocol (TAP 1.8): what a page looks like on the wire. Pure; the
 * dialogue around it is session.h. Bytes here have seven bits; parity is added and taken off at the modem.
 */
#ifndef DRIVERS_TAP_BLOCK_H
#define DRIVERS_TAP_BLOCK_H

#include <stdbool.h>
#include <stddef.h>

enum {
	TAP_STX = 0x02,
	TAP_ETX = 0x03,
	TAP_EOT = 0x04,
	TAP_ACK = 0x06,
	TAP_NAK = 0x15,
	TAP_ETB = 0x17,
	TAP_SUB = 0x1A,
	TAP_ESC = 0x1B,
	TAP_RS = 0x1E,
	TAP_US = 0x1F
};

enum {
	TAP_DATA_MAX = 250,		  /* characters between STX and the end of a block */
	TAP_BLOCK_MAX = TAP_DATA_MAX + 6, /* with STX, ETX, three of the checksum, CR */
	TAP_BLOCKS_MAX = 32
};

struct tap_block {
	char bytes[TAP_BLOCK_MAX];
	size_t len;
};

/* Two fields, the pager's id and the message, as blocks: ETX ends the last one, ETB one behind whose end the
 * transaction goes on with another field, US one within a field. Control characters that would be mistaken go
 * as SUB and the character + 0x40. data_max: as TAP_DATA_MAX, less for terminals that want it so. How many;
 * 0 when it does not fit into so many, or holds a byte that is not seven bits. */
size_t tap_blocks(const char *pager, const char *message, size_t data_max, struct tap_block *out, size_t max);
/* The three characters behind STX ... ETX: the sum of all of them, twelve bits, four to a character from '0'
 * on. */
void tap_checksum(const char *bytes, size_t n, char out[3]);
/* The byte with even parity in its eighth bit. */
char tap_even_parity(char c);

#endif
