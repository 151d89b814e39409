/*
 * The GSM 7-bit default alphabet with its extension table (3GPP TS 23.038, 6.2.1). Pure. A character of the
 * extension table costs two septets (ESC and itself). Septets are handed around one a byte; pack and unpack
 * make the octets of a PDU of them.
 */
#ifndef DRIVERS_GSM_GSM7_H
#define DRIVERS_GSM_GSM7_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buf.h"

enum { GSM7_ESC = 0x1B };

/* One character as septets: returns how many (1 or 2), 0 when the alphabet does not have it. */
int gsm7_septets(uint32_t cp, uint8_t out[2]);
/* How many septets the text needs; SIZE_MAX when a character is not in the alphabet. */
size_t gsm7_count(const char *utf8);
/* Text to septets, one a byte; how many, SIZE_MAX when one does not exist or they do not fit. */
size_t gsm7_encode(const char *utf8, uint8_t *septets, size_t max);
/* Septets to text. An ESC before a septet the table does not have shows that septet of the main table
 * (6.2.1.1 says a space or this); an ESC at the end shows nothing. */
void gsm7_decode(const uint8_t *septets, size_t n, struct buf *utf8);
/* Packs n septets, leaving `skip` (0 to 6) zero bits first (after a user data header). Octets written, 0 when
 * size is too small. */
size_t gsm7_pack(const uint8_t *septets, size_t n, unsigned skip, uint8_t *out, size_t size);
/* The reverse: at most n septets, fewer when the octets end. How many. */
size_t gsm7_unpack(const uint8_t *octets, size_t len, unsigned skip, size_t n, uint8_t *septets);
/* Replaces what the alphabet lacks by what people write instead (typographic quotes, dashes, accents it does
 * not have). What has no such form stays, and then the text needs UCS-2: gsm7_count tells. */
void gsm7_polite(const char *utf8, struct buf *out);

#endif
