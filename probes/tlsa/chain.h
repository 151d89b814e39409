/*
 * The chain of a certificate that a TLSA record of usage 2 anchors (RFC 7671, 5.2): from the server's own to
 * the anchor, valid now, for one of the names. Pure but for OpenSSL.
 */
#ifndef PROBES_TLSA_CHAIN_H
#define PROBES_TLSA_CHAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tls_shown;

/* anchor: a certificate in DER. False: why says what is wrong. */
bool tlsa_chain(const struct tls_shown *shown, const unsigned char *anchor, int len, const char *const *names,
		size_t nnames, int64_t now, char *why, size_t size);
/* The end of validity of the server's own certificate, seconds since 1970; 0: it cannot be read. */
int64_t tlsa_not_after(const struct tls_shown *shown);

#endif
