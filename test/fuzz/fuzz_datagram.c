/* A datagram from the network: as it came (which must be refused without the key), and made with the key, so that what
 * lies behind the seal is reached. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json.h"
#include "monitord/peers/datagram.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool nonce(char out[NONCE_HEX + 1])
{
	snprintf(out, NONCE_HEX + 1, "%032x", 7);
	return true;
}

static enum datagram_verdict take(struct datagram_side *s, const char *bytes, size_t len)
{
	cJSON *say;
	bool proven;
	enum datagram_verdict v = datagram_open(s, bytes, len, &say, &proven);
	if ((say || proven) && v != DATAGRAM_FRESH)
		abort();
	cJSON_Delete(say);
	return v;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct datagram_side s;
	char why[160], out[DATAGRAM_MAX + 1], mac[HMAC_HEX + 1];
	if (!datagram_init(&s, "a", "b", "sixteen bytes or more", nonce, why, sizeof why))
		abort();
	enum datagram_verdict v = take(&s, (const char *)data, size);
	if (v != DATAGRAM_FORGED && v != DATAGRAM_BAD)
		abort();
	if (size > DATAGRAM_MAX - HMAC_HEX - 1 || !hmac_hex(s.key, s.key_len, data, size, mac))
		return 0;
	memcpy(out, mac, HMAC_HEX);
	out[HMAC_HEX] = ' ';
	memcpy(out + HMAC_HEX + 1, data, size);
	v = take(&s, out, size + HMAC_HEX + 1);
	/* what was taken is not taken again */
	if (v == DATAGRAM_FRESH && take(&s, out, size + HMAC_HEX + 1) != DATAGRAM_REPLAYED)
		abort();
	if (!datagram_seal(&s, NULL, out, sizeof out))
		abort();
	return 0;
}
