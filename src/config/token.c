/* SPDX-License-Identifier: Apache-2.0 */
#include "config/token.h"

#include <assert.h>
#include <sodium.h>

static_assert(sizeof(((struct token *)0)->hash) == crypto_generichash_BYTES, "BLAKE2b-256");

void token_make(struct token *token, const char *text, size_t len)
{
	token->set = true;
	crypto_generichash(token->hash, sizeof(token->hash), (const unsigned char *)text, len, NULL,
			   0);
}

bool token_is(const struct token *token, const char *text, size_t len)
{
	struct token other;
	token_make(&other, text, len);
	return token->set && sodium_memcmp(token->hash, other.hash, sizeof(other.hash)) == 0;
}

const struct feeder *config_feeder(const struct config *c, const char *text, size_t len)
{
	struct token token;
	token_make(&token, text, len);
	for (size_t i = 0; i < c->feeder_count; i++) {
		const struct feeder *feeder = &c->feeders[i];
		if (feeder->token.set &&
		    sodium_memcmp(feeder->token.hash, token.hash, sizeof(token.hash)) == 0)
			return feeder;
	}
	return NULL;
}
