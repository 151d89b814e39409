/*
 * HMAC-SHA256 (RFC 2104), nonces, and a comparison that takes the same time whatever differs. The only file
 * of lib and the daemons that includes OpenSSL.
 */
#ifndef LIB_HMAC_H
#define LIB_HMAC_H

#include <stdbool.h>
#include <stddef.h>

enum { HMAC_HEX = 64, NONCE_HEX = 32 };

/* As hex digits. False: it cannot be had (out of memory); out is then "". */
bool hmac_hex(const void *key, size_t key_len, const void *bytes, size_t len, char out[HMAC_HEX + 1]);
bool hmac_equal(const char *a, const char *b, size_t n);
/* 128 random bits as hex digits. False: the kernel gives none. */
bool nonce_hex(char out[NONCE_HEX + 1]);

#endif
