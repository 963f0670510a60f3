import { entropyBounds } from "./src/index.ts";

const b = entropyBounds([Math.log(0.5), Math.log(0.25)], { size: 4, base: 2 });
console.log(
  b,
  entropyBounds([], { size: 8, base: 2 }),
  entropyBounds(Float32Array.of(-0.1, -3), { size: 50000 }),
  entropyBounds([0], { size: 10 }),
  entropyBounds([0, -Infinity], { size: 10 }),
);
try {
  entropyBounds([-1, -8], { size: 3 });
} catch (e) {
  console.log(String(e));
}
try {
  entropyBounds([-1, -0.1], { size: 3 });
} catch (e) {
  console.log(String(e));
}
