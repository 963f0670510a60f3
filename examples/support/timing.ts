/** The median time of a call in seconds, over `repetitions`, once it is warm. */
export function secondsOf(call: () => unknown, repetitions = 200): number {
  for (let i = 0; i < repetitions; i++) call();
  const times = Array.from({ length: repetitions }, () => {
    const start = performance.now();
    call();
    return performance.now() - start;
  });
  return (times.sort((a, b) => a - b)[repetitions >> 1] as number) / 1000;
}
