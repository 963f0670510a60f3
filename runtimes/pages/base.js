import { conform } from "./conform.js";
import * as surprisal from "./surprisal/base.js";

report(await conform(surprisal, { baseOnly: true }));
