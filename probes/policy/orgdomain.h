/*
 * The organisational domain (RFC 7489, 3.2): one label below what the public suffix list knows as a place
 * where anybody registers. From libpsl's list, built in or the newer one of package publicsuffix. Used by the
 * dmarc probe.
 */
#ifndef PROBES_POLICY_ORGDOMAIN_H
#define PROBES_POLICY_ORGDOMAIN_H

#include <stdbool.h>
#include <stddef.h>

/* "a.b.example.co.jp" -> "example.co.jp". False: there is none ("co.jp" itself), or it does not fit. */
bool org_domain(const char *domain, char *out, size_t size);

#endif
