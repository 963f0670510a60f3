import { join } from "node:path";

// Next itself is installed further up than a user's would be. Nothing here is for surprisal.
const root = join(import.meta.dirname, "../..");

export default { turbopack: { root }, outputFileTracingRoot: root };
