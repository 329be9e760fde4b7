import { type Binary, isSetOperator, keepsName } from '../parse/ast.ts';
import type { Evaluation, TimeGrid } from './evaluation.ts';
import { sampleOperator, scalarOperator } from './operator.ts';
import { newRow, type Row, sampleAt, setSample, type Value, vectorOf } from './row.ts';
import { SET_OPERATIONS } from './set-operations.ts';
import { matchVectors } from './vector-matching.ts';

export async function evaluateBinary(
  evaluation: Evaluation,
  binary: Binary,
  grid: TimeGrid,
): Promise<Value> {
  const left = await evaluation.evaluate(binary.left, grid);
  const right = await evaluation.evaluate(binary.right, grid);
  await evaluation.work(grid.steps);
  if (left.kind === 'scalar' && right.kind === 'scalar') {
    const compute = scalarOperator(binary);
    const values = left.values.map((value, step) => compute(value, right.values[step] ?? 0));
    return { kind: 'scalar', values };
  }
  if (left.kind === 'vector' && right.kind === 'vector') {
    const { operator } = binary;
    return vectorOf(
      isSetOperator(operator)
        ? SET_OPERATIONS[operator](binary, left.rows, right.rows)
        : matchVectors(evaluation, { binary, grid }, left.rows, right.rows),
    );
  }
  if (left.kind === 'vector' && right.kind === 'scalar') {
    return withScalar(evaluation, binary, { rows: left.rows, scalars: right.values, side: 'left' });
  }
  if (left.kind === 'scalar' && right.kind === 'vector') {
    return withScalar(evaluation, binary, {
      rows: right.rows,
      scalars: left.values,
      side: 'right',
    });
  }
  return { kind: 'vector', rows: [] };
}

/** `side` is where the vector stands; a comparison keeps the vector's sample. */
function withScalar(
  { annotations }: Evaluation,
  binary: Binary,
  operands: { rows: readonly Row[]; scalars: Float64Array; side: 'left' | 'right' },
): Value {
  const { rows, scalars, side } = operands;
  const compute = sampleOperator(binary, annotations, side);
  const dropsName = binary.isBool || !keepsName(binary.operator);
  const results = rows.map((row) => {
    const out = newRow(row.labels, scalars.length, row.dropsName || dropsName);
    for (let step = 0; step < scalars.length; step++) {
      const sample = sampleAt(row, step);
      if (sample === undefined) continue;
      const scalar = scalars[step] ?? Number.NaN;
      const result = side === 'left' ? compute(sample, scalar) : compute(scalar, sample);
      if (result !== undefined) setSample(out, step, result);
    }
    return out;
  });
  return vectorOf(results);
}
