/*
 * The certificates of a PEM file as a report: the one that ends first counts. Used by the cert probe.
 */
#ifndef PROBES_CERT_PEM_H
#define PROBES_CERT_PEM_H

#include <stddef.h>

#include "probes/net/tls_trust.h"

enum { PEM_CERTS_MAX = 1000 };

enum pem_found {
	PEM_GOOD,
	PEM_NONE, /* the file can be read and holds no certificate, or a broken one */
	PEM_LOCAL /* it cannot be read */
};

/* name: what the first certificate must carry; NULL: any. The chain is not judged. */
enum pem_found pem_look(const char *path, const char *name, struct tls_report *out, char *why, size_t size);

#endif
