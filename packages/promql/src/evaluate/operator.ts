// A binary operator on two samples.
import { addHistogram, divideHistogram, scaleHistogram } from '../histogram/arithmetic.ts';
import { equalHistograms } from '../histogram/equal.ts';
import { foldedHint } from '../histogram/fold.ts';
import { trimHistogram } from '../histogram/trim.ts';
import type { Arithmetic, Binary, Comparison } from '../parse/ast.ts';
import { isComparison, isTrimOperator } from '../parse/ast.ts';
import type { Histogram } from '../series-source.ts';
import { type AnnotationLog, MESSAGES } from './annotations.ts';
import { executionFault } from './evaluation.ts';

type Sample = number | Histogram;

const ARITHMETIC: Readonly<Record<Arithmetic, (a: number, b: number) => number>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '%': (a, b) => a % b,
  // Go's power of 1 is 1 for any exponent, and so is that of -1 for an infinite one.
  '^': (a, b) => (a === 1 || (a === -1 && Math.abs(b) === Number.POSITIVE_INFINITY) ? 1 : a ** b),
  atan2: Math.atan2,
};

const COMPARE: Readonly<Record<Comparison, (a: number, b: number) => boolean>> = {
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
};

/** `undefined`: no sample. A comparison answers the sample that is kept, or 0 and 1 with `bool`. */
export type SampleOperator = (left: Sample, right: Sample) => Sample | undefined;

export function scalarOperator(binary: Binary): (a: number, b: number) => number {
  const { operator } = binary;
  if (isComparison(operator)) return (a, b) => Number(COMPARE[operator](a, b));
  if (isTrimOperator(operator)) {
    throw executionFault(`operator "${operator}" not allowed for Scalar operations`);
  }
  return ARITHMETIC[arithmetic(operator)];
}

/** Set operators never come here: they match series, not samples. */
const arithmetic = (operator: Binary['operator']): Arithmetic =>
  Object.hasOwn(ARITHMETIC, operator) ? (operator as Arithmetic) : '+';

/** `keeps` says which sample passes a comparison without `bool`. */
export function sampleOperator(
  binary: Binary,
  annotations: AnnotationLog,
  keeps: 'left' | 'right',
): SampleOperator {
  const { operator, isBool } = binary;
  const onHistograms = histogramOperator(binary, annotations);
  if (isTrimOperator(operator)) return onHistograms;
  if (!isComparison(operator)) {
    const compute = ARITHMETIC[arithmetic(operator)];
    return (left, right) =>
      typeof left === 'number' && typeof right === 'number'
        ? compute(left, right)
        : onHistograms(left, right);
  }
  const holds = COMPARE[operator];
  return (left, right) => {
    const isNumeric = typeof left === 'number' && typeof right === 'number';
    const outcome = isNumeric ? holds(left, right) : onHistograms(left, right);
    if (outcome === undefined) return undefined;
    const isTrue = outcome === true || outcome === 1;
    if (isBool) return Number(isTrue);
    return isTrue ? (keeps === 'left' ? left : right) : undefined;
  };
}

/** Where at least one side is a histogram; comparisons answer 1 or 0. */
function histogramOperator(binary: Binary, annotations: AnnotationLog): SampleOperator {
  const { operator, range } = binary;
  const refuse = (left: Sample, right: Sample): undefined => {
    const message = MESSAGES.incompatibleTypes(typeName(left), operator, typeName(right));
    annotations.inform(message, range);
  };
  return (left, right) => {
    if (typeof left === 'number') {
      if (typeof right === 'number' || operator !== '*') return refuse(left, right);
      return scaleHistogram(right, left);
    }
    if (typeof right === 'number') {
      if (operator === '*') return scaleHistogram(left, right);
      if (operator === '</') return trimHistogram(left, right, 'below');
      if (operator === '>/') return trimHistogram(left, right, 'above');
      return operator === '/' ? divideHistogram(left, right) : refuse(left, right);
    }
    switch (operator) {
      case '+':
      case '-':
        return addOrSubtract(left, right, { binary, annotations });
      case '==':
        return Number(equalHistograms(left, right));
      case '!=':
        return Number(!equalHistograms(left, right));
      default:
        return refuse(left, right);
    }
  };
}

const typeName = (sample: Sample): string => (typeof sample === 'number' ? 'float' : 'histogram');

function addOrSubtract(
  left: Histogram,
  right: Histogram,
  { binary, annotations }: { binary: Binary; annotations: AnnotationLog },
): Histogram | undefined {
  const isSum = binary.operator === '+';
  const combined = addHistogram(left, right, isSum ? 1 : -1);
  const operation = isSum ? 'addition' : 'subtraction';
  if (combined === undefined) {
    annotations.warn(MESSAGES.incompatibleBuckets(binary.operator), binary.range);
    return undefined;
  }
  if (combined.isReconciled) {
    annotations.inform(MESSAGES.reconciledBuckets(operation), binary.range);
  }
  const hints = new Set([left.counterReset, right.counterReset]);
  if (hints.has('reset') && hints.has('not-reset')) {
    annotations.warn(MESSAGES.resetCollision(operation), binary.range);
  }
  const counterReset = isSum ? foldedHint(hints) : 'gauge';
  return { ...combined.histogram, counterReset };
}
