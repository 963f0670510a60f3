import { conform } from "./conform.js";
import * as surprisal from "./surprisal/index.js";
import { modules } from "./modules.js";

postMessage(await conform(surprisal, await modules()));
