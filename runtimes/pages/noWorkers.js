import { createPool } from "./surprisal/parallel.js";

report(
  await createPool({ size: 2 }).then(
    () => "made a pool",
    ({ message }) => message,
  ),
);
