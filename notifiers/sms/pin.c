/*
 * The memory of PINs that were tried, for modem.c. The file holds a salt and a hash, never the PIN; four
 * digits are soon guessed from it, so it is readable by its owner only.
 */
#include "pin.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "drivers/gsm/atparse.h"
#include "lib/buf.h"
#include "lib/file.h"

enum { SALT = 16, HASH = 32, ROUNDS = 20000, RECORD_MAX = 256 };

const char *const sms_pin_queries[] = {"AT+CPINR", "AT^CPIN?", "AT+QPINC=\"SC\"", "AT+SPIC", "AT#PCT",
 "AT^SPIC", NULL};

int sms_pin_tries(const char *line)
{
	static const struct {
		const char *starts;
		size_t index;
	} table[] = {{"+CPINR: SIM PIN,", 1},
		     {"+CPINR: \"SIM PIN\",", 1},
		     {"^CPIN: SIM PIN,", 3},
		     {"+QPINC: \"SC\",", 1},
		     {"+SPIC:", 0},
		     {"#PCT:", 0},
		     {"^SPIC:", 0}};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		long v;

		if (strncmp(line, table[i].starts, strlen(table[i].starts)) != 0)
			continue;
		v = at_number(line, table[i].index, -1);
		return v >= 0 && v <= 10 ? (int)v : -1;
	}
	return -1;
}

static char *record_path(const char *dir, const char *line)
{
	char name[128];
	size_t n = (size_t)snprintf(name, sizeof(name), "sms-%.100s.pin", line);

	for (size_t i = 0; i < n && name[i] != '\0'; i++)
		if (name[i] == '/')
			name[i] = '_';
	return file_join(dir, name);
}

static bool hash(const uint8_t salt[SALT], const char *pin, char hex[2 * HASH + 1])
{
	uint8_t h[HASH];

	if (PKCS5_PBKDF2_HMAC(pin, (int)strlen(pin), salt, SALT, ROUNDS, EVP_sha256(), HASH, h) != 1)
		return false;
	for (size_t i = 0; i < HASH; i++)
		snprintf(hex + 2 * i, 3, "%02x", h[i]);
	return true;
}

bool sms_pin_allowed(const char *dir, const char *line, const char *pin, char *why, size_t size)
{
	char *path = record_path(dir, line), was[2 * HASH + 1], now[2 * HASH + 1], salt_hex[2 * SALT + 1];
	uint8_t salt[SALT];
	struct buf b;
	bool ok = true;
	unsigned v;

	buf_init(&b, RECORD_MAX);
	if (path == NULL || (!file_read(path, &b) && errno != ENOENT)) {
		snprintf(why, size, "the memory of refused PINs cannot be read (%s): no PIN is tried",
			 strerror(errno));
		ok = false;
	} else if (sscanf(buf_str(&b), "1 %32[0-9a-f] %64[0-9a-f]", salt_hex, was) == 2) {
		for (size_t i = 0; i < SALT; i++)
			salt[i] = sscanf(salt_hex + 2 * i, "%2x", &v) == 1 ? (uint8_t)v : 0;
		ok = hash(salt, pin, now) && strcmp(was, now) != 0;
		if (!ok)
			snprintf(why, size,
				 "this PIN was tried before and not accepted; put the right one into "
				 "pin_file (or remove %s)",
				 path);
	} else if (b.len > 0) {
		snprintf(why, size, "%s is damaged: no PIN is tried; remove it if the PIN is right", path);
		ok = false;
	}
	buf_fini(&b);
	free(path);
	return ok;
}

bool sms_pin_trying(const char *dir, const char *line, const char *pin, char *why, size_t size)
{
	char *path = record_path(dir, line), hex[2 * HASH + 1], record[RECORD_MAX] = "1 ";
	uint8_t salt[SALT];
	bool ok = path != NULL && getrandom(salt, sizeof(salt), 0) == SALT && hash(salt, pin, hex);

	for (size_t i = 0; i < SALT; i++)
		snprintf(record + 2 + 2 * i, 3, "%02x", salt[i]);
	if (ok) {
		snprintf(record + 2 + 2 * SALT, sizeof(record) - 2 - 2 * SALT, " %s\n", hex);
		ok = file_mkdirs(dir, 0750) && file_write_atomic(path, record, strlen(record), 0600);
	}
	if (!ok)
		snprintf(why, size, "%s: cannot remember the PIN as tried (%s): it is not tried",
			 path != NULL ? path : dir, strerror(errno));
	free(path);
	return ok;
}

void sms_pin_accepted(const char *dir, const char *line)
{
	char *path = record_path(dir, line);

	if (path != NULL)
		unlink(path);
	free(path);
}
