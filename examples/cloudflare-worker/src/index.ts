import { entropy, softmax } from "surprisal";

/** What a language model would say next, of its logits: the likeliest tokens, and how undecided it is. */
export default {
  async fetch(request: Request): Promise<Response> {
    if (request.method !== "POST") {
      return new Response('POST { "logits": [2, 1, 0.1], "temperature": 1, "top": 5 }\n', { status: 405 });
    }
    try {
      const { logits, temperature = 1, top = 5 } = await request.json();
      const probabilities = softmax(logits, { temperature });
      const bits = entropy(probabilities, { base: 2, reduction: "mean" });
      const tokens = Array.from(probabilities, (probability, token) => ({ token, probability }))
        .sort((a, b) => b.probability - a.probability)
        .slice(0, top);
      return Response.json({ tokens, bits, perplexity: 2 ** bits });
    } catch (error) {
      // it names the argument, what was expected and what came
      return Response.json({ error: String(error) }, { status: 400 });
    }
  },
};
