import { firefox, runPages } from "./browsers.ts";
import type { Home, Row } from "./home.ts";

export const run = (home: Home, row: Row): Promise<void> => runPages(firefox, home, row);
