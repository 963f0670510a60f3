/** Adam's usual constants. */
const [BETA1, BETA2, EPSILON] = [0.9, 0.999, 1e-8];

/** A step of Adam along the gradient, whenever called. */
export function adam(parameters: Float32Array, gradient: Float32Array, rate: number): () => void {
  const [mean, square] = [new Float32Array(parameters.length), new Float32Array(parameters.length)];
  let step = 0;
  return () => {
    step++;
    const pace = (rate * Math.sqrt(1 - BETA2 ** step)) / (1 - BETA1 ** step);
    for (let i = 0; i < parameters.length; i++) {
      const g = gradient[i] as number;
      const m = BETA1 * (mean[i] as number) + (1 - BETA1) * g;
      const v = BETA2 * (square[i] as number) + (1 - BETA2) * g * g;
      mean[i] = m;
      square[i] = v;
      parameters[i] = (parameters[i] as number) - (pace * m) / (Math.sqrt(v) + EPSILON);
    }
  };
}
