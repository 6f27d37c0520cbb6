/** How much a model can see, from the table that pydantic/genai-prices keeps. */

/** Tokens; `undefined` when the table does not know the model, or not how much it sees. */
export async function contextWindowOf(model: string): Promise<number | undefined> {
  const { calcPrice } = await import('@pydantic/genai-prices');
  return calcPrice({}, model)?.model.context_window;
}
