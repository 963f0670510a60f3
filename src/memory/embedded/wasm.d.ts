/** The kernels as the build ships them, where a runtime imports WebAssembly. */
declare module "surprisal/*.wasm" {
  const module: WebAssembly.Module;
  export default module;
}
declare module "surprisal/base.wasm?module" {
  const module: WebAssembly.Module;
  export default module;
}
