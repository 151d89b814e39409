/*
 * Any bytes as a Postfix queue file: the reader must end, within its bounds, and say something that holds.
 * Also the id in front of the first newline as a file name.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "probes/queue/postfix_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct bytes {
	const uint8_t *data;
	size_t size;
	unsigned reads;
	uint64_t todo, done;
};

static ssize_t read_at(void *arg, uint64_t off, void *to, size_t n)
{
	struct bytes *b = arg;

	b->reads++;
	if (off >= b->size)
		return 0;
	if (n > b->size - off)
		n = b->size - (size_t)off;
	memcpy(to, b->data + off, n);
	return (ssize_t)n;
}

static void rcpt(void *arg, const char *address, bool done)
{
	struct bytes *b = arg;

	assert(strlen(address) < POSTFIX_ADDRESS_MAX);
	if (done)
		b->done++;
	else
		b->todo++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes b = {.data = data, .size = size};
	struct postfix_source src = {.read_at = read_at, .rcpt = rcpt, .arg = &b};
	struct postfix_file f;
	char name[80];
	size_t n = 0, stem;

	postfix_file_read(&src, &f);
	assert(b.reads <= POSTFIX_FILE_READS && b.todo + b.done <= POSTFIX_FILE_RECORDS);
	assert(b.todo == f.todo && b.done == f.done);
	assert(memchr(f.sender, 0, sizeof(f.sender)) && memchr(f.client, 0, sizeof(f.client)));
	assert(memchr(f.account, 0, sizeof(f.account)) && f.arrival_ms >= 0 && f.end != POSTFIX_FILE_IO);

	while (n < size && n < sizeof(name) - 1 && data[n] && data[n] != '\n')
		n++;
	memcpy(name, data, n);
	name[n] = '\0';
	if (postfix_id_ok(name, &stem))
		assert(stem < n && postfix_id_time_ms(name) >= 0);
	return 0;
}
