/** The kernels as files, for `init({ module })`. */
export async function modules() {
  const bytes = async (name) => (await fetch(`surprisal/${name}.wasm`)).arrayBuffer();
  return { base: await bytes("base"), relaxed: await bytes("relaxed") };
}
