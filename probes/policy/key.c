/*
 * Keys through OpenSSL: RSA as SubjectPublicKeyInfo (or bare RSAPublicKey, as RFC 6376 wrote it), Ed25519 as
 * 32 bytes (RFC 8463).
 */
#include "key.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { BASE64_MAX = 16384 };

/* White space within is allowed. Returns the number of bytes, -1 when it is no base64. */
static int decode(const char *text, unsigned char *out)
{
	char *clean = malloc(BASE64_MAX + 1);
	size_t n = 0, pad = 0;
	int len = -1;

	for (; clean && *text && n < BASE64_MAX; text++)
		if (!strchr(" \t\r\n", *text))
			clean[n++] = *text;
	if (clean && !*text && n > 0 && n % 4 == 0) {
		while (pad < 2 && clean[n - 1 - pad] == '=')
			pad++;
		len = EVP_DecodeBlock(out, (unsigned char *)clean, (int)n);
	}
	free(clean);
	return len < 0 ? -1 : len - (int)pad;
}

static enum dkim_key read_rsa(const unsigned char *der, int len, int *bits, const char **why)
{
	const unsigned char *p = der;
	EVP_PKEY *key = d2i_PUBKEY(NULL, &p, len);
	enum dkim_key found = DKIM_KEY_BAD;

	if (!key) {
		p = der;
		key = d2i_PublicKey(EVP_PKEY_RSA, NULL, &p, len);
	}
	*why = "it is no RSA key";
	if (key && EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA && p == der + len) {
		*bits = EVP_PKEY_get_bits(key);
		found = DKIM_KEY_RSA;
	}
	EVP_PKEY_free(key);
	ERR_clear_error();
	return found;
}

enum dkim_key dkim_key_read(const char *base64, const char *k, int *bits, const char **why)
{
	unsigned char *der = malloc(BASE64_MAX);
	int len = der ? decode(base64, der) : -1;
	enum dkim_key found = DKIM_KEY_BAD;

	*bits = 0;
	*why = "it is no base64";
	if (len > 0 && (!k || strcasecmp(k, "rsa") == 0)) {
		found = read_rsa(der, len, bits, why);
	} else if (len > 0 && strcasecmp(k, "ed25519") == 0) {
		*why = "an Ed25519 key has 32 bytes";
		found = len == 32 ? DKIM_KEY_ED25519 : DKIM_KEY_BAD;
	} else if (len > 0) {
		found = DKIM_KEY_UNKNOWN;
	}
	free(der);
	return found;
}
