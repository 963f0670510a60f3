import * as surprisal from "surprisal";
import { conform } from "./conform.js";

report(await conform(surprisal));
