import type { Contestants } from "../harness.ts";

/** What is used of ml-matrix, written out so that the types check without the peers installed. */
interface Matrix {
  transpose(): Matrix;
  mmul(other: Matrix): Matrix;
  gram(): Matrix;
  to1DArray(): number[];
}
interface Package {
  Matrix: { from1DArray(rows: number, columns: number, data: Float64Array): Matrix };
}

/** X·Xᵀ of a matrix that is already there: `mmul` with the transpose, and its `gram`, XᵀX, of the transpose. */
export function mlMatrix(x: Float64Array, [rows, cols]: readonly [number, number]): Contestants {
  const start = (product: (x: Matrix) => Matrix) => async () => {
    const name = "ml-matrix";
    const { Matrix }: Package = await import(name);
    const matrix = Matrix.from1DArray(rows, cols, x);
    let last = matrix;
    const run = () => {
      last = product(matrix);
    };
    return { run, result: () => last.to1DArray() };
  };
  return {
    "ml-matrix": start((m) => m.mmul(m.transpose())),
    "ml-matrix gram": start((m) => m.transpose().gram()),
  };
}
