/**
 * Loss curves as SVG, drawn by ECharts on the server: the raw squared error of each method against the step, on a logarithmic
 * scale. The weighted loss that is minimised is about 1 whatever the network does (p = 1), so it is not what is shown.
 */
import { LineChart } from 'echarts/charts';
import { GridComponent } from 'echarts/components';
import { init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import type { Palette } from './palette.js';
import { escapeText } from './svg.js';

use([LineChart, GridComponent, SVGRenderer]);

/** One curve. */
export interface LossCurve {
  readonly label: string;
  /** A CSS colour. */
  readonly colour: string;
  /** Steps, ascending, and the loss at each; what is not positive and finite is left out. */
  readonly points: readonly (readonly [step: number, loss: number])[];
}

export interface LossChartOptions {
  readonly palette: Palette;
  readonly width: number;
  readonly height: number;
}

const FONT = 'ui-sans-serif, system-ui, sans-serif';

/** An SVG of the curves: what was logged as a faint line, and its running mean above it. */
export function lossChart(
  curves: readonly LossCurve[],
  { palette, width, height }: LossChartOptions,
): string {
  const shown = curves
    .map((curve) => ({ ...curve, points: curve.points.filter(([, loss]) => loss > 0 && loss < Infinity) }))
    .filter(({ points }) => points.length > 0);
  const logs = shown.flatMap(({ points }) => points.map(([, loss]) => Math.log10(loss)));
  const [low, high] = logs.reduce(
    ([a, b], log) => [Math.min(a, log), Math.max(b, log)],
    [Infinity, -Infinity],
  );
  const margin = Math.max(0.05, (high - low) * 0.06);
  const range = shown.length === 0 ? { min: -1, max: 0 } : { min: low - margin, max: high + margin };
  const last = Math.max(1, ...shown.flatMap(({ points }) => points.map(([step]) => step)));
  const ticks = logTicks(range.min, range.max);

  const axisLabel = { color: palette.muted, fontFamily: FONT, fontSize: 12 };
  const line = { lineStyle: { color: palette.rule } };
  const chart = init(null, null, { renderer: 'svg', ssr: true, width, height });
  try {
    chart.setOption({
      animation: false,
      grid: { left: 46, right: 14, top: 10, bottom: 26 },
      xAxis: {
        type: 'value',
        min: 0,
        max: last,
        splitLine: { show: false },
        axisLine: { ...line, onZero: false },
        axisTick: line,
        axisLabel: { ...axisLabel, formatter: stepText, showMaxLabel: false },
      },
      yAxis: {
        type: 'value',
        ...range,
        axisLine: { show: false },
        axisTick: { show: false, customValues: ticks },
        splitLine: { ...line, show: true },
        axisLabel: { ...axisLabel, customValues: ticks, formatter: (log: number) => lossText(10 ** log) },
      },
      series: shown.flatMap(({ points, colour }) => {
        const log = points.map(([step, loss]) => [step, Math.log10(loss)] as const);
        const common = { type: 'line', showSymbol: false, silent: true, color: colour } as const;
        return [
          { ...common, data: log, lineStyle: { width: 1, opacity: 0.25 } },
          { ...common, data: runningMean(log), lineStyle: { width: 2, opacity: 1 } },
        ];
      }),
    });
    return tidied(chart.renderToSVGString(), shown.map(({ label }) => label)); // prettier-ignore
  } finally {
    chart.dispose();
  }
}

/** 1, 2 and 5 times powers of ten where there is room for a few of them, else the powers alone; as logarithms. */
export function logTicks(low: number, high: number): number[] {
  const within = (factors: readonly number[]): number[] => {
    const ticks: number[] = [];
    for (let power = Math.floor(low); power <= high; power++) {
      ticks.push(...factors.map((factor) => power + Math.log10(factor)));
    }
    return ticks.filter((tick) => tick >= low && tick <= high);
  };
  const candidates = [[1], [1, 3], [1, 2, 5], [1, 1.5, 2, 3, 5, 7]].map(within);
  return candidates.find((ticks) => ticks.length >= 3) ?? candidates[candidates.length - 1]!;
}

/** Exponential running mean over about a thirtieth of the curve, starting unbiased. */
function runningMean(points: readonly (readonly [number, number])[]): [number, number][] {
  const decay = 1 - 1 / Math.max(1, points.length / 30);
  let [sum, weight] = [0, 0];
  return points.map(([step, value]) => {
    sum = decay * sum + (1 - decay) * value;
    weight = decay * weight + (1 - decay);
    return [step, sum / weight];
  });
}

function stepText(step: number): string {
  return step >= 1000 ? `${step / 1000}k` : String(step);
}

function lossText(loss: number): string {
  return String(Number(loss.toPrecision(2)));
}

/** A static picture: ECharts' hover styles go, the size becomes the page's to choose, and there is a text to read out. */
function tidied(svg: string, labels: readonly string[]): string {
  const { length } = labels;
  const text =
    length === 0 ? 'No loss was logged' : `Raw squared error against the step: ${labels.join(', ')}`;
  return svg
    .replace(/<style[\s\S]*?<\/style>/g, '')
    .replace(/ class="[^"]*"/g, '')
    .replace(/ pointer-events="[^"]*"/g, '')
    .replace(/\n/g, '')
    .replace(
      /^<svg [^>]*viewBox="([^"]*)">/,
      `<svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="$1" role="img" aria-label="${escapeText(text)}">`,
    );
}
