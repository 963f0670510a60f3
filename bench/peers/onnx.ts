/** Writes ONNX models: the few messages of onnx.proto that a graph of standard operators needs. */

/** Row-major data. Its class decides the ONNX type. */
export interface Tensor {
  data: Float32Array | Float64Array | Int32Array | BigInt64Array;
  dims: readonly number[];
}

type Attribute = number | readonly number[] | string;

export interface Node {
  op: string;
  inputs: readonly string[];
  outputs: readonly string[];
  /** A number is written as an integer, a list as integers. */
  attributes?: Record<string, Attribute>;
}

/** The type's number in onnx.proto and its name in ONNX Runtime. */
export function typeOf({ data }: Tensor): { code: number; name: string } {
  if (data instanceof Float32Array) return { code: 1, name: "float32" };
  if (data instanceof Float64Array) return { code: 11, name: "float64" };
  if (data instanceof Int32Array) return { code: 6, name: "int32" };
  return { code: 7, name: "int64" };
}

/** A model of opset 17. Inputs and constants lend their types and shapes; the outputs are of the first input's type. */
export function model(
  nodes: readonly Node[],
  inputs: Record<string, Tensor>,
  outputs: string | readonly string[],
  constants: Record<string, Tensor> = {},
): Uint8Array {
  const [first] = Object.values(inputs);
  if (first === undefined) throw new RangeError("model: no inputs");
  const graph = [
    ...nodes.flatMap((node) => message(1, nodeProto(node))),
    ...message(2, "graph"),
    ...Object.entries(constants).flatMap(([name, tensor]) => message(5, tensorProto(name, tensor))),
    ...Object.entries(inputs).flatMap(([name, tensor]) => message(11, valueInfo(name, tensor, tensor.dims))),
    ...[outputs].flat().flatMap((name) => message(12, valueInfo(name, first))),
  ];
  const irVersion = int(1, 8);
  const opset = message(8, [...message(1, ""), ...int(2, 17)]);
  return Uint8Array.from([...irVersion, ...message(7, graph), ...opset]);
}

function nodeProto({ op, inputs, outputs, attributes = {} }: Node): number[] {
  return [
    ...inputs.flatMap((name) => message(1, name)),
    ...outputs.flatMap((name) => message(2, name)),
    ...message(4, op),
    ...Object.entries(attributes).flatMap(([name, value]) => message(5, attributeProto(name, value))),
  ];
}

function attributeProto(name: string, value: Attribute): number[] {
  const [INT, STRING, INTS] = [2, 3, 7];
  if (typeof value === "number") return [...message(1, name), ...int(3, value), ...int(20, INT)];
  if (typeof value === "string") return [...message(1, name), ...message(4, value), ...int(20, STRING)];
  return [...message(1, name), ...value.flatMap((v) => int(8, v)), ...int(20, INTS)];
}

function tensorProto(name: string, tensor: Tensor): number[] {
  const { buffer, byteOffset, byteLength } = tensor.data;
  const raw = Array.from(new Uint8Array(buffer, byteOffset, byteLength));
  return [
    ...tensor.dims.flatMap((n) => int(1, n)),
    ...int(2, typeOf(tensor).code),
    ...message(8, name),
    ...message(9, raw),
  ];
}

function valueInfo(name: string, like: Tensor, dims?: readonly number[]): number[] {
  const shape =
    dims === undefined
      ? []
      : message(
          2,
          dims.flatMap((n) => message(1, int(1, n))),
        );
  return [...message(1, name), ...message(2, message(1, [...int(1, typeOf(like).code), ...shape]))];
}

// protobuf: a field is its number and wire type, then a varint (0), or a length and that many bytes (2)

const int = (field: number, value: number): number[] => [...varint(field << 3), ...varint(value)];

function message(field: number, content: string | readonly number[]): number[] {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  return [...varint((field << 3) | 2), ...varint(bytes.length), ...bytes];
}

/** Seven bits a byte, lowest first; a negative number is its 64-bit complement. */
function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return [...bytes, Number(rest)];
}
