import { joined } from "../data.ts";
import type { Call, Contestants } from "../harness.ts";
import { model, type Node, type Tensor, typeOf } from "./onnx.ts";

/** What is used of ONNX Runtime, written out so that the types check without the peers installed. */
interface Runtime {
  env: { wasm: { numThreads?: number } };
  Tensor: new (type: string, data: Tensor["data"], dims: readonly number[]) => unknown;
  InferenceSession: { create(model: Uint8Array, options: object): Promise<Session> };
}
interface Session {
  run(feeds: Record<string, unknown>): Promise<Record<string, { data: Float32Array | Float64Array }>>;
  release(): Promise<void>;
}

const settings = {
  "ort-web": { module: "onnxruntime-web", provider: "wasm" },
  "ort-node": { module: "onnxruntime-node", provider: "cpu" },
};

/**
 * Both runtimes on one thread; a call is `session.run` from typed arrays to a typed array, or to one per output.
 * `as` tells one graph from another for the same result.
 */
export function ort(
  nodes: readonly Node[],
  inputs: Record<string, Tensor>,
  output: string | readonly string[],
  constants?: Record<string, Tensor>,
  as = "",
): Contestants {
  const names = [output].flat();
  const start = async ({ module, provider }: (typeof settings)["ort-web"]): Promise<Call> => {
    const { env, Tensor, InferenceSession }: Runtime = await import(module);
    env.wasm.numThreads = 1;
    const session = await InferenceSession.create(model(nodes, inputs, output, constants), {
      executionProviders: [provider],
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      logSeverityLevel: 3,
    });
    const feed = (name: string, tensor: Tensor) => [name, new Tensor(typeOf(tensor).name, tensor.data, tensor.dims)];
    let last: (Float32Array | Float64Array)[] = [];
    return {
      run: async () => {
        const feeds = Object.fromEntries(Object.entries(inputs).map(([name, tensor]) => feed(name, tensor)));
        const outputs = await session.run(feeds);
        last = names.map((name) => outputs[name]?.data ?? new Float32Array());
      },
      result: () => joined(last),
      dispose: () => session.release(),
    };
  };
  return Object.fromEntries(
    Object.entries(settings).map(([name, setting]) => [`${name} ${as}`.trimEnd(), () => start(setting)]),
  );
}
