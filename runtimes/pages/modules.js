/** The kernels as files, for `init({ modules })`. */
export async function modules() {
  const families = ["softmax", "losses", "divergence", "gram", "transport"];
  const bytes = async (family, variant) => (await fetch(`surprisal/wasm/${family}.${variant}.wasm`)).arrayBuffer();
  const all = async (variant) =>
    Object.fromEntries(await Promise.all(families.map(async (family) => [family, await bytes(family, variant)])));
  return { base: await all("base"), relaxed: await all("relaxed") };
}
