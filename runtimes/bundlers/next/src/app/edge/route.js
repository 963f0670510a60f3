import * as surprisal from "surprisal";
import { conform } from "../../conform.js";

export const runtime = "edge";

export const GET = async () => Response.json(await conform(surprisal));
