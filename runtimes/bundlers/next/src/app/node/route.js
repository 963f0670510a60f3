import * as surprisal from "surprisal";
import { conform } from "../../conform.js";

// at each request, not once while building
export const dynamic = "force-dynamic";

export const GET = async () => Response.json(await conform(surprisal));
