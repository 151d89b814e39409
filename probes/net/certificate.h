/*
 * What tls_trust.c (certificates that a server shows) and pem.c (those of a file) read of one certificate.
 */
#ifndef PROBES_NET_CERTIFICATE_H
#define PROBES_NET_CERTIFICATE_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>

struct tls_report;

/* Its CN, else all of the name. */
void certificate_name(const X509_NAME *name, char *out, size_t size);
/* Is it for this host name or address (in brackets or not)? */
bool certificate_carries(X509 *leaf, const char *name);
/* Writes validity, subject and issuer of the one that ends first of those told so far: the first with
 * report->seen false. */
void certificate_keep_first(struct tls_report *report, const X509 *x);

#endif
