import { conform } from "./conform.js";
import * as surprisal from "./surprisal/index.js";
import { modules } from "./modules.js";

report(await conform(surprisal, await modules()));
