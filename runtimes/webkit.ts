import { runPages, webkit } from "./browsers.ts";
import type { Home, Row } from "./home.ts";

export const run = (home: Home, row: Row): Promise<void> => runPages(webkit, home, row);
