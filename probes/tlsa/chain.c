/*
 * See chain.h. Called by record.c and by the probe's judge.
 */
#include "chain.h"

#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <stdio.h>

#include "lib/clock.h"
#include "probes/net/certificate.h"
#include "probes/net/tls_trust.h"

static X509 *read_der(const unsigned char *der, int len)
{
	const unsigned char *p = der;

	return d2i_X509(NULL, &p, len);
}

static STACK_OF(X509) * untrusted(const struct tls_shown *shown)
{
	STACK_OF(X509) *all = sk_X509_new_null();

	for (size_t i = 1; all && i < shown->n; i++) {
		X509 *x = read_der(shown->v[i].der, shown->v[i].len);

		if (x && !sk_X509_push(all, x))
			X509_free(x);
	}
	return all;
}

/* With the anchor alone as trusted, whether it is a root or not. */
static bool leads_to(X509 *leaf, X509 *anchor, STACK_OF(X509) * rest, int64_t now, char *why, size_t size)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	bool ok = false;

	snprintf(why, size, "out of memory");
	if (store && ctx && X509_STORE_add_cert(store, anchor) &&
	    X509_STORE_CTX_init(ctx, store, leaf, rest)) {
		X509_STORE_CTX_set_flags(ctx, X509_V_FLAG_PARTIAL_CHAIN);
		X509_STORE_CTX_set_time(ctx, 0, (time_t)now);
		X509_STORE_CTX_set_purpose(ctx, X509_PURPOSE_SSL_SERVER);
		ok = X509_verify_cert(ctx) == 1;
		snprintf(why, size, "%s", X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx)));
	}
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	return ok;
}

bool tlsa_chain(const struct tls_shown *shown, const unsigned char *der, int len, const char *const *names,
		size_t nnames, int64_t now, char *why, size_t size)
{
	X509 *leaf = shown->n ? read_der(shown->v[0].der, shown->v[0].len) : NULL,
	     *anchor = read_der(der, len);
	STACK_OF(X509) *rest = untrusted(shown);
	bool ok = false, named = false;

	snprintf(why, size, "a certificate that cannot be read");
	for (size_t i = 0; leaf && i < nnames; i++)
		named |= certificate_carries(leaf, names[i]);
	if (leaf && anchor && rest)
		ok = leads_to(leaf, anchor, rest, now, why, size);
	if (ok && !named) {
		snprintf(why, size, "the certificate is not for %s", nnames ? names[0] : "any name");
		ok = false;
	}
	sk_X509_pop_free(rest, X509_free);
	X509_free(anchor);
	X509_free(leaf);
	return ok;
}

int64_t tlsa_not_after(const struct tls_shown *shown)
{
	X509 *leaf = shown->n ? read_der(shown->v[0].der, shown->v[0].len) : NULL;
	struct tm tm = {0};
	int64_t at = 0;

	if (leaf && ASN1_TIME_to_tm(X509_get0_notAfter(leaf), &tm))
		at = (int64_t)timegm(&tm);
	X509_free(leaf);
	return at;
}
