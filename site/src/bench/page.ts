import { layout, type Mount } from "../kit/screen.ts";
export const mount: Mount = (root) => { layout(root, { title: "Benchmark", lede: "", stage: [], side: [], address: () => location.href }); return () => {}; };
