/** What BullMQ runs in a thread for every tile. */
import type { SandboxedJob } from "bullmq";
import { DATA } from "./names.ts";
import type { TileData } from "./queue.ts";
import { work } from "./tile.ts";

export default async function process_(job: SandboxedJob<TileData>): Promise<"made" | "there"> {
  const { id, tile } = job.data;
  return work(process.env[DATA] as string, id, tile);
}
