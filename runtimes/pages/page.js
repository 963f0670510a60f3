import { conform } from "./conform.js";
import { modules } from "./modules.js";
import * as surprisal from "./surprisal/index.js";

report(await conform(surprisal, await modules()));
