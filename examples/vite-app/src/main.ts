import { entropy, softmax } from "surprisal";

const logits = document.querySelector<HTMLInputElement>("#logits")!;
const answer = document.querySelector<HTMLOutputElement>("#answer")!;

function show(): void {
  const probabilities = softmax(logits.value.split(",").map(Number));
  const bits = entropy(probabilities, { base: 2, reduction: "mean" });
  const percents = Array.from(probabilities, (p) => `${(100 * p).toFixed(1)} %`);
  answer.value = `${percents.join(", ")}: ${bits.toFixed(3)} bits`;
}

logits.addEventListener("input", show);
show();
