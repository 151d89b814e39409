/*
 * See orgdomain.h. Called by check_dmarc. The list is opened for each question: it is small, and may be
 * renewed meanwhile.
 */
#include "orgdomain.h"

#include <ctype.h>
#include <libpsl.h>
#include <stdio.h>
#include <string.h>

/* The list knows lower case only, and no final dot. */
static bool lower(const char *domain, char *out, size_t size)
{
	size_t n = strlen(domain);

	if (n && domain[n - 1] == '.')
		n--;
	if (n == 0 || n >= size)
		return false;
	for (size_t i = 0; i < n; i++)
		out[i] = (char)tolower((unsigned char)domain[i]);
	out[n] = '\0';
	return true;
}

bool org_domain(const char *domain, char *out, size_t size)
{
	psl_ctx_t *list = psl_latest(NULL);
	char name[256];
	const char *found = NULL;

	if (list && lower(domain, name, sizeof(name)))
		found = psl_registrable_domain(list, name);
	if (found && strlen(found) < size)
		snprintf(out, size, "%s", found);
	else
		found = NULL;
	psl_free(list);
	return found != NULL;
}
