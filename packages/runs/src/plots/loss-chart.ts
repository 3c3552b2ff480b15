/**
 * Loss curves as SVG: the raw squared error of each method against the step, on a logarithmic scale. The weighted loss that is
 * minimised is about 1 whatever the network does (p = 1), so it is not what is shown.
 */
import { scaleLinear, scaleLog } from 'd3-scale';
import { line } from 'd3-shape';
import type { Palette } from './palette.js';
import { element } from './svg.js';

type Point = readonly [step: number, loss: number];

/** One curve. */
export interface LossCurve {
  readonly label: string;
  /** A CSS colour. */
  readonly colour: string;
  /** Steps, ascending, and the loss at each; what is not positive and finite is left out. */
  readonly points: readonly Point[];
}

export interface LossChartOptions {
  readonly palette: Palette;
  readonly width: number;
  readonly height: number;
}

/** Room for the labels of the axes, in pixels. */
const MARGIN = { left: 46, right: 18, top: 10, bottom: 26 };
/** Between two labels of steps, at least. */
const STEP_ROOM = 50;
const FONT = { 'font-family': 'ui-sans-serif, system-ui, sans-serif', 'font-size': 12 };

/** An SVG of the curves: what was logged as a faint line, and its running mean above it. */
export function lossChart(
  curves: readonly LossCurve[],
  { palette, width, height }: LossChartOptions,
): string {
  const shown = curves
    .map((curve) => ({ ...curve, points: curve.points.filter(([, loss]) => loss > 0 && loss < Infinity) }))
    .filter(({ points }) => points.length > 0);
  const [left, right, top, bottom] = [MARGIN.left, width - MARGIN.right, MARGIN.top, height - MARGIN.bottom];
  const range = lossRange(shown.flatMap(({ points }) => points.map(([, loss]) => loss)));
  const last = Math.max(1, ...shown.map(({ points }) => points[points.length - 1]![0]));
  const x = scaleLinear([0, last], [left, right]);
  const y = scaleLog(range, [bottom, top]);

  const label = { ...FONT, fill: palette.muted };
  const rows = logTicks(...range).map(
    (loss) =>
      element('path', { d: `M${left} ${pixel(y(loss))}H${right}`, stroke: palette.rule }) +
      element(
        'text',
        { ...label, x: left - 8, y: pixel(y(loss)), dy: '0.35em', 'text-anchor': 'end' },
        lossText(loss),
      ),
  );
  const columns = x
    .ticks((right - left) / STEP_ROOM)
    .filter(Number.isInteger)
    .map(
      (step) =>
        element('path', { d: `M${pixel(x(step))} ${bottom}v5`, stroke: palette.rule }) +
        element(
          'text',
          { ...label, x: pixel(x(step)), y: bottom + 20, 'text-anchor': 'middle' },
          stepText(step),
        ),
    );
  const axis = element('path', { d: `M${left} ${bottom}H${right}`, stroke: palette.rule });

  const path = line<Point>(
    ([step]) => x(step),
    ([, loss]) => y(loss),
  ).digits(1);
  const lines = shown.flatMap(({ points, colour }) => {
    const common = { fill: 'none', stroke: colour, 'stroke-linejoin': 'round' };
    return [
      element('path', { ...common, 'stroke-opacity': 0.25, d: path(points) ?? '' }),
      element('path', { ...common, 'stroke-width': 2, d: path(runningMean(points)) ?? '' }),
    ];
  });

  const labels = shown.map((curve) => curve.label);
  const text =
    labels.length === 0 ? 'No loss was logged' : `Raw squared error against the step: ${labels.join(', ')}`;
  return element(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      class: 'chart',
      viewBox: `0 0 ${width} ${height}`,
      role: 'img',
      'aria-label': text,
    },
    [...rows, axis, ...columns, ...lines].join(''),
  );
}

/** From the smallest to the largest loss, with a little room at both ends; 0.1 to 1 when there is none. */
function lossRange(losses: readonly number[]): [low: number, high: number] {
  if (losses.length === 0) return [0.1, 1];
  const [low, high] = losses.reduce(([a, b], loss) => [Math.min(a, loss), Math.max(b, loss)], [Infinity, 0]);
  const room = Math.max(10 ** 0.05, (high / low) ** 0.06);
  return [low / room, high * room];
}

/** 1, 2 and 5 times powers of ten where there is room for a few of them, else the powers alone. */
export function logTicks(low: number, high: number): number[] {
  const within = (factors: readonly number[]): number[] => {
    const ticks: number[] = [];
    for (let power = Math.floor(Math.log10(low)); 10 ** power <= high; power++) {
      ticks.push(...factors.map((factor) => factor * 10 ** power));
    }
    return ticks.filter((tick) => tick >= low && tick <= high);
  };
  const candidates = [[1], [1, 3], [1, 2, 5], [1, 1.5, 2, 3, 5, 7]].map(within);
  return candidates.find((ticks) => ticks.length >= 3) ?? candidates[candidates.length - 1]!;
}

/** Exponential running mean of the logarithm over about a thirtieth of the curve, starting unbiased. */
function runningMean(points: readonly Point[]): Point[] {
  const decay = 1 - 1 / Math.max(1, points.length / 30);
  let [sum, weight] = [0, 0];
  return points.map(([step, loss]) => {
    sum = decay * sum + (1 - decay) * Math.log10(loss);
    weight = decay * weight + (1 - decay);
    return [step, 10 ** (sum / weight)];
  });
}

function stepText(step: number): string {
  return step >= 1000 ? `${step / 1000}k` : String(step);
}

function lossText(loss: number): string {
  return String(Number(loss.toPrecision(2)));
}

/** A tenth of a pixel is enough. */
function pixel(value: number): number {
  return Number(value.toFixed(1));
}
