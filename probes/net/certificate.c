/*
 * Reads certificates with OpenSSL (see certificate.h). Called by tls_trust.c and pem.c.
 */
#include "certificate.h"

#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tls_trust.h"

static int64_t seconds(const ASN1_TIME *t)
{
	struct tm tm;

	return ASN1_TIME_to_tm(t, &tm) ? (int64_t)timegm(&tm) : 0;
}

void certificate_name(const X509_NAME *name, char *out, size_t size)
{
	if (X509_NAME_get_text_by_NID((X509_NAME *)name, NID_commonName, out, (int)size) <= 0)
		X509_NAME_oneline(name, out, (int)size);
}

bool certificate_carries(X509 *leaf, const char *name)
{
	char bare[64];
	size_t n = strlen(name);

	if (X509_check_ip_asc(leaf, name, 0) == 1)
		return true;
	if (n > 2 && n < sizeof(bare) && name[0] == '[') {
		snprintf(bare, sizeof(bare), "%.*s", (int)(n - 2), name + 1);
		return X509_check_ip_asc(leaf, bare, 0) == 1;
	}
	return X509_check_host(leaf, name, n, 0, NULL) == 1;
}

void certificate_keep_first(struct tls_report *report, const X509 *x)
{
	int64_t end = seconds(X509_get0_notAfter(x));

	if (report->seen && end >= report->not_after)
		return;
	report->seen = true;
	report->not_before = seconds(X509_get0_notBefore(x));
	report->not_after = end;
	certificate_name(X509_get_subject_name(x), report->subject, sizeof(report->subject));
	certificate_name(X509_get_issuer_name(x), report->issuer, sizeof(report->issuer));
}
