/*
 * Tokens of the round trip (see token.h). Called by check_roundtrip and its
 * state; promises that a verdict of TOKEN_OURS needs the key.
 */
#include "token.h"

#include <ctype.h>
#include <inttypes.h>
#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

enum { HMAC_BYTES = 32, HMAC_HEX = 2 * HMAC_BYTES, RUN_DIGITS = 20 };

static void to_hex(const uint8_t *bytes, size_t n, char *out)
{
	for (size_t i = 0; i < n; i++)
		snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

static bool all_hex(const char *s, size_t n)
{
	return strspn(s, "0123456789abcdef") == n && s[n] == '\0';
}

void token_make(const uint8_t random[TOKEN_BYTES], uint64_t run, struct token *t)
{
	to_hex(random, TOKEN_BYTES, t->hex);
	t->run = run;
}

bool token_hex_ok(const char *hex)
{
	return all_hex(hex, 2 * TOKEN_BYTES);
}

void token_check_name(const char *check, char *out, size_t size)
{
	size_t n = 0;

	for (const unsigned char *p = (const unsigned char *)check; *p; p++) {
		bool plain = *p < 128 && (isalnum(*p) || strchr("._-", *p));

		if (n + (plain ? 1 : 3) > TOKEN_CHECK_MAX || n + 4 > size)
			break;
		if (plain)
			out[n++] = (char)*p;
		else
			n += (size_t)snprintf(out + n, size - n, "=%02X", *p);
	}
	if (n == 0)
		out[n++] = '-'; /* a field may not be empty */
	out[n] = '\0';
}

static bool sign(const void *key, size_t key_len, const char *text, char hex[HMAC_HEX + 1])
{
	uint8_t mac[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	if (!HMAC(EVP_sha256(), key, (int)key_len, (const uint8_t *)text, strlen(text), mac, &len) ||
	    len != HMAC_BYTES)
		return false;
	to_hex(mac, HMAC_BYTES, hex);
	return true;
}

bool token_value(const void *key, size_t key_len, const char *check, const struct token *t, struct buf *out)
{
	char name[TOKEN_CHECK_MAX + 1], mac[HMAC_HEX + 1], text[TOKEN_VALUE_MAX];

	token_check_name(check, name, sizeof(name));
	snprintf(text, sizeof(text), "v1 %s %" PRIu64 " %s", name, t->run, t->hex);
	return sign(key, key_len, text, mac) && buf_printf(out, "%s %s", text, mac);
}

/* Splits into exactly five words; folding and runs of blanks count as one blank. text is changed. */
static bool split(char *text, char *word[5])
{
	char *save = NULL;
	int n = 0;

	for (char *w = strtok_r(text, " \t\r\n", &save); w; w = strtok_r(NULL, " \t\r\n", &save)) {
		if (n == 5)
			return false;
		word[n++] = w;
	}
	return n == 5;
}

static bool read_run(const char *s, uint64_t *run)
{
	size_t n = strspn(s, "0123456789");

	return n > 0 && n < RUN_DIGITS && s[n] == '\0' && (n == 1 || s[0] != '0') && sscanf(s, "%" SCNu64, run) == 1;
}

enum token_verdict token_verify(const void *key, size_t key_len, const char *check, const char *value, size_t len,
				struct token *t)
{
	char text[TOKEN_VALUE_MAX], again[TOKEN_VALUE_MAX], name[TOKEN_CHECK_MAX + 1], mac[HMAC_HEX + 1], *word[5];

	if (len >= sizeof(text) || memchr(value, '\0', len))
		return TOKEN_MALFORMED;
	memcpy(text, value, len);
	text[len] = '\0';
	if (!split(text, word) || strcmp(word[0], "v1") != 0 || !read_run(word[2], &t->run) ||
	    !token_hex_ok(word[3]) || !all_hex(word[4], HMAC_HEX))
		return TOKEN_MALFORMED;
	memcpy(t->hex, word[3], sizeof(t->hex));
	token_check_name(check, name, sizeof(name));
	if (strcmp(word[1], name) != 0)
		return TOKEN_OTHER;
	snprintf(again, sizeof(again), "v1 %s %" PRIu64 " %s", name, t->run, t->hex);
	if (!sign(key, key_len, again, mac) || CRYPTO_memcmp(mac, word[4], HMAC_HEX) != 0)
		return TOKEN_FORGED;
	return TOKEN_OURS;
}
