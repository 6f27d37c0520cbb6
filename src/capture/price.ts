/** What tokens cost, from the price table that pydantic/genai-prices keeps. */

import type { Provider } from '@pydantic/genai-prices';
import type { ModelUsage } from '../model/manifest.ts';

/** What was found before, by provider and model: the table's provider with that model alone. Looking through all of it costs an import 2 %. */
const found = new Map<string, Provider>();

/** US dollars for usage by model; `null` when no model has a price. Loads the price table only when there is something to price. */
export async function costOf(usage: { readonly [model: string]: ModelUsage }): Promise<number | null> {
  const models = Object.entries(usage);
  if (models.length === 0) return null;
  const { calcPrice } = await import('@pydantic/genai-prices');
  let total: number | null = null;
  for (const [model, tokens] of models) {
    const counted = {
      // The table wants the total, cache included.
      input_tokens: tokens.input_tokens + tokens.cache_read_tokens + tokens.cache_write_tokens,
      cache_read_tokens: tokens.cache_read_tokens,
      cache_write_tokens: tokens.cache_write_tokens,
      output_tokens: tokens.output_tokens,
    };
    const key = `${tokens.provider ?? ''} ${model}`;
    const known = found.get(key);
    const price =
      (known === undefined ? null : calcPrice(counted, model, { provider: known })) ??
      calcPrice(counted, model, tokens.provider === null ? {} : { providerId: tokens.provider });
    if (price === null) continue;
    found.set(key, { ...price.provider, models: [price.model] });
    total = (total ?? 0) + price.total_price;
  }
  return total === null ? null : Math.round(total * 1e6) / 1e6;
}
