import { conform } from "./conform.js";
import { modules } from "./modules.js";
import * as surprisal from "./surprisal/index.js";

postMessage(await conform(surprisal, await modules()));
