/*
 * The answers of sasl.h, with OpenSSL's digests. Called by the sessions of the mail protocols.
 */
#include "sasl.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { PART_MAX = 512, CHALLENGE_MAX = 1024, MD5_BYTES = 16 };

const char *sasl_name(enum sasl m)
{
	static const char *const names[SASL_MECHANISMS] = {"", "CRAM-MD5", "PLAIN", "LOGIN"};

	return names[m];
}

enum sasl sasl_choose(unsigned offered, const char *wanted)
{
	for (int m = SASL_NONE + 1; m < SASL_MECHANISMS; m++)
		if ((offered & 1U << m) && (!wanted || strcasecmp(wanted, sasl_name((enum sasl)m)) == 0))
			return (enum sasl)m;
	return SASL_NONE;
}

static bool encode(const void *bytes, size_t n, struct buf *out)
{
	unsigned char text[(2 * PART_MAX + 2) / 3 * 4 + 8];
	bool ok;

	if ((n + 2) / 3 * 4 >= sizeof(text))
		return false;
	EVP_EncodeBlock(text, bytes, (int)n);
	ok = buf_puts(out, (char *)text);
	explicit_bzero(text, sizeof(text));
	return ok;
}

/* The bytes of a challenge; *n is their number. */
static bool decode(const char *text, size_t len, unsigned char *out, size_t *n)
{
	int got;

	*n = 0;
	if (len == 0)
		return true;
	if (len % 4 || len > CHALLENGE_MAX)
		return false;
	got = EVP_DecodeBlock(out, (const unsigned char *)text, (int)len);
	if (got < 0)
		return false;
	*n = (size_t)got - (text[len - 1] == '=') - (len > 1 && text[len - 2] == '=');
	return true;
}

static void hex(const unsigned char *bytes, char out[33])
{
	for (int i = 0; i < MD5_BYTES; i++)
		snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

static bool plain(const char *user, const char *password, struct buf *out)
{
	char both[2 * PART_MAX + 3];
	size_t u = strlen(user), p = strlen(password);
	bool ok;

	both[0] = '\0';
	memcpy(both + 1, user, u + 1);
	memcpy(both + 2 + u, password, p);
	ok = encode(both, u + p + 2, out);
	explicit_bzero(both, sizeof(both));
	return ok;
}

static bool cram_md5(const char *challenge, size_t n, const char *user, const char *password, struct buf *out)
{
	unsigned char bytes[CHALLENGE_MAX + 4], digest[EVP_MAX_MD_SIZE];
	char text[PART_MAX + 40], digits[33];
	size_t len;
	unsigned size = 0;

	if (!decode(challenge, n, bytes, &len) ||
	    !HMAC(EVP_md5(), password, (int)strlen(password), bytes, len, digest, &size) || size != MD5_BYTES)
		return false;
	hex(digest, digits);
	snprintf(text, sizeof(text), "%s %s", user, digits);
	return encode(text, strlen(text), out);
}

bool sasl_answer(enum sasl m, int step, const char *challenge, size_t n, const char *user,
		 const char *password, struct buf *out)
{
	if (strlen(user) > PART_MAX || strlen(password) > PART_MAX)
		return false;
	switch (m) {
	case SASL_PLAIN:
		return step == 0 && plain(user, password, out);
	case SASL_LOGIN:
		return step < 2 &&
		       encode(step == 0 ? user : password, strlen(step == 0 ? user : password), out);
	case SASL_CRAM_MD5:
		return step == 0 && cram_md5(challenge, n, user, password, out);
	default:
		return false;
	}
}

bool sasl_apop(const char *greeting, const char *password, char out[33])
{
	const char *from = strchr(greeting, '<'), *end = from ? strchr(from, '>') : NULL;
	unsigned char digest[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *ctx;
	bool ok;

	out[0] = '\0';
	if (!end)
		return true;
	ctx = EVP_MD_CTX_new();
	ok = ctx && EVP_DigestInit_ex(ctx, EVP_md5(), NULL) == 1 &&
	     EVP_DigestUpdate(ctx, from, (size_t)(end + 1 - from)) == 1 &&
	     EVP_DigestUpdate(ctx, password, strlen(password)) == 1 &&
	     EVP_DigestFinal_ex(ctx, digest, NULL) == 1;
	EVP_MD_CTX_free(ctx);
	if (ok)
		hex(digest, out);
	return ok;
}
