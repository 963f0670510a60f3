/** Pools that divide whatever has two tiles, where a pool of `createPool` looks first whether that is worth it. */
import { Crew } from "../../src/parallel/crew.ts";
import { type Pool, type PoolOptions, poolOf } from "../../src/parallel/pool.ts";

export async function eagerPool({ size, worker }: Required<PoolOptions>): Promise<Pool> {
  const crew = new Crew(size as number, worker as NonNullable<typeof worker>, () => true);
  if (crew.size > 1) await crew.fill("eagerPool");
  return poolOf(crew);
}
