import { entropy, softmax } from "surprisal";

export const runtime = "edge";

/** The probabilities of a classifier's labels, `{ "cat": 2, "dog": 0.5 }` → `{ "cat": 0.82, "dog": 0.18 }`, and their entropy. */
export async function POST(request) {
  try {
    const logits = await request.json();
    const probabilities = softmax(Object.values(logits));
    const bits = entropy(probabilities, { base: 2, reduction: "mean" });
    const labels = Object.keys(logits).map((label, i) => [label, probabilities[i]]);
    return Response.json({ probabilities: Object.fromEntries(labels), bits });
  } catch (error) {
    // it names the argument, what was expected and what came
    return Response.json({ error: String(error) }, { status: 400 });
  }
}
