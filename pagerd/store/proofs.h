/* The routes' proofs as JSON: STATE/proofs.json. Pure. Called by prover.c. */
#ifndef PAGERD_STORE_PROOFS_H
#define PAGERD_STORE_PROOFS_H

#include "pagerd/rules/proof.h"

struct cJSON;

struct cJSON *proofs_json(const struct proofs *p);
/* False when it is no such document; entries that cannot be read are left out. */
bool proofs_read(struct proofs *p, const struct cJSON *v);

#endif
