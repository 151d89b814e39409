/* Texts of /proc, in which processes write their own names: whatever they say, what leaves is bounded and
 * printable. */
#include <stdlib.h>
#include <string.h>

#include "probes/memory/kernel.h"
#include "probes/process/match.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *s, size_t room)
{
	size_t n = strnlen(s, room);

	if (n >= room)
		abort();
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct proc_units u = {100, 4096, 1e6};
	char *text = malloc(size + 1);
	double a, b;
	struct psi psi;
	struct proc p;

	memcpy(text, data, size);
	text[size] = '\0';
	if (proc_parse_stat(text, &u, &p)) {
		proc_parse_status(text, &p);
		proc_parse_cmdline(text, size, &p);
		check_text(p.comm, sizeof p.comm);
		check_text(p.args, sizeof p.args);
		check_text(p.state, sizeof p.state);
		if (p.age_s < 0 || p.pid <= 0)
			abort();
	}
	if (psi_parse(text, &psi) && (psi.some < 0 || psi.some > 100 || psi.full < 0 || psi.full > 100))
		abort();
	if (filenr_parse(text, &a, &b) && b <= 0)
		abort();
	if (kernel_value(text, "MemTotal", &a) && a < 0)
		abort();
	free(text);
	return 0;
}
