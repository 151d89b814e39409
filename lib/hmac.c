/* HMAC-SHA256 and nonces; see hmac.h. */
#include "hmac.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sys/random.h>

static void to_hex(const unsigned char *bytes, size_t n, char *out)
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < n; i++) {
		out[2 * i] = digits[bytes[i] >> 4];
		out[2 * i + 1] = digits[bytes[i] & 15];
	}
	out[2 * n] = '\0';
}

bool hmac_hex(const void *key, size_t key_len, const void *bytes, size_t len, char out[HMAC_HEX + 1])
{
	unsigned char mac[HMAC_HEX / 2];
	unsigned int n = sizeof mac;
	out[0] = '\0';
	if (!HMAC(EVP_sha256(), key, (int)key_len, bytes, len, mac, &n) || n != sizeof mac)
		return false;
	to_hex(mac, sizeof mac, out);
	return true;
}

bool hmac_equal(const char *a, const char *b, size_t n)
{
	return CRYPTO_memcmp(a, b, n) == 0;
}

bool nonce_hex(char out[NONCE_HEX + 1])
{
	unsigned char bytes[NONCE_HEX / 2];
	out[0] = '\0';
	if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
		return false;
	to_hex(bytes, sizeof bytes, out);
	return true;
}
