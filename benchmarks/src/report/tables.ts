/** The report as sections of text and tables, which Markdown and HTML both show. */
import type { CaseResult, Row } from '../driver/run-case.js';
import type { BrowserResult } from '../browser/run-browser.js';
import { tolerances, type Differences } from '../driver/agreement.js';
import type { ContestantName } from '../contestants.js';
import type { ScalingResult } from '../driver/run-scaling.js';
import type { Results } from './results.js';

export interface Cell {
  readonly text: string;
  /** Better or worse than 1, for ratios. */
  readonly tone?: 'ahead' | 'behind';
}

export interface Table {
  readonly head: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
}

/** One bar for each contestant, for who looks rather than reads. */
export interface Bar {
  readonly label: string;
  readonly text: string;
  /** Of the longest, in (0, 1]. */
  readonly share: number;
  readonly side: Row['side'];
}

export interface Section {
  readonly id: string;
  readonly title: string;
  readonly before: readonly string[];
  readonly bars: readonly Bar[];
  readonly table?: Table;
  readonly after: readonly string[];
}

const plain = (text: string): Cell => ({ text });
const number = (value: number): string => value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0);
const optional = (value: number | undefined): string => (value === undefined ? '–' : value.toFixed(0));
const ratio = (value: number | undefined): Cell =>
  value === undefined ? plain('–') : { text: value.toFixed(2), tone: value >= 1 ? 'ahead' : 'behind' };

export function sections(results: Results): readonly Section[] {
  return [
    ...(results.cases.length > 0 ? [summary(results)] : []),
    ...results.cases.map(caseSection),
    ...results.browser.map(browserSection),
    ...(results.scaling === undefined ? [] : [scalingSection(results.scaling)]),
  ];
}

/** What was measured on, in lines. */
export function facts({ machine, date, isQuick }: Results): readonly string[] {
  const versions = Object.entries(machine.versions).map(([name, version]) => `${name} ${version}`);
  return [
    ...(isQuick ? ['**Quick run: too few and too short turns for figures that are to be shown.**'] : []),
    `${date}. ${machine.processor}; ${(machine.memoryMb / 1024).toFixed(0)} GB; ${machine.system}; ${machine.threads} threads for each program.`,
    `Versions: ${versions.join(', ')}.`,
  ];
}

/** Columns of the summary, each the fastest of some contestants. */
const opponents: readonly { readonly title: string; readonly of: readonly ContestantName[] | undefined }[] = [
  { title: 'PyTorch eager', of: ['torch'] },
  { title: 'torch.compile', of: ['torch-compile'] },
  { title: 'JAX jit', of: ['jax'] },
  { title: 'fastest of all', of: undefined },
];

function summary({ cases }: Results): Section {
  const rows = cases.map(({ name, rows }): Cell[] => {
    const rewrite = rows.find(({ side }) => side === 'rewrite');
    const fastest = opponents.map(({ of }) => {
      const times = rows.filter((row) => row.side === 'peer' && (of === undefined || of.includes(row.name)));
      return times.length === 0 ? undefined : Math.min(...times.map((row) => row.ratio));
    });
    const without = fastest.map((value) => ratio(rewrite && value && value / rewrite.ratio));
    return [plain(name), ...fastest.map(ratio), ...without];
  });
  const titles = opponents.map(({ title }) => title);
  return {
    id: 'summary',
    title: 'Times as fast as the peers',
    before: [
      'A peer’s median over this project’s, of programs that took turns in one run: above 1, this project is faster. Left, all do the same work; ' +
        'right, this project takes the derivative only of rows with r ≠ t, which gives the same numbers from less.',
    ],
    bars: [],
    table: {
      head: [
        'case',
        ...titles.map((title) => `${title}, same work`),
        ...titles.map((title) => `${title}, r = t`),
      ],
      rows,
    },
    after: [],
  };
}

function caseSection({ name, title, task, rows, absent }: CaseResult): Section {
  const longest = Math.max(...rows.map(({ ratio }) => ratio));
  return {
    id: name,
    title: `${name}: ${title}`,
    before: [],
    bars: rows.map((row) => ({
      label: row.title,
      text: `${number(row.median)} ms · ${row.ratio.toFixed(2)}`,
      share: row.ratio / longest,
      side: row.side,
    })),
    table: {
      head: [
        task === 'train' ? 'ms a step' : 'ms a batch of samples',
        ...[
          'median',
          'minimum',
          'CPU',
          'of ours',
          'peak MB',
          'first step, s',
          'of that imports',
          'clean turns',
          'differs by',
        ],
      ],
      rows: rows.map((row) => [
        plain(row.title),
        ...[number(row.median), number(row.minimum), number(row.cpu)].map(plain),
        plain(row.ratio.toFixed(2)),
        plain(optional(row.peakMb)),
        plain(row.firstStepSeconds.toFixed(2)),
        plain(row.importSeconds.toFixed(2)),
        plain(`${row.cleanRounds}/${row.rounds}`),
        plain(differencesText(row.differences)),
      ]),
    },
    after: absent.map(({ title: who, why }) => `${who} is absent: ${why}.`),
  };
}

function browserSection({ name, chromium, adapter, rows, absent }: BrowserResult): Section {
  const longest = Math.max(...rows.map((row) => row.median));
  const fastest = Math.min(...rows.filter(isOurs).map((row) => row.median));
  const mega = (bytes: number | undefined): Cell => plain(bytes === undefined ? '–' : number(bytes / 1e6));
  const count = (value: number | undefined): Cell => plain(value === undefined ? '–' : String(value));
  return {
    id: `browser-${name}`,
    title: `${name} in Chromium: this project, jax-js and TensorFlow.js in pages`,
    before: [
      `Chromium ${chromium}; WebGPU adapter: ${adapter ?? 'none'}. Each program has a page of its own, isolated, so that WebAssembly has threads. Dispatches, ` +
        'submissions and bytes are of one step and depend on no machine; bytes are of the buffers that dispatches bind.',
    ],
    bars: rows.map((row) => ({
      label: row.name,
      text: `${number(row.median)} ms`,
      share: row.median / longest,
      side: isOurs(row) ? 'ours' : 'peer',
    })),
    table: {
      head: ['ms a step', 'median', 'minimum', 'of our fastest', 'first step, s', 'dispatches', 'submissions', 'MB bound', 'MB written', 'differs by'], // prettier-ignore
      rows: rows.map((row) => [
        plain(row.name),
        ...[number(row.median), number(row.minimum), (row.median / fastest).toFixed(2), row.firstStepSeconds.toFixed(2)].map(plain), // prettier-ignore
        ...[count(row.counts?.dispatches), count(row.counts?.submits)],
        ...[mega(row.counts?.boundBytes), mega(row.counts?.writtenBytes)],
        plain(differencesText(row.differences)),
      ]),
    },
    after: absent.map(({ title: who, why }) => `${who} is absent: ${why}.`),
  };
}

function scalingSection({ rows, length }: ScalingResult): Section {
  return {
    id: 'scaling',
    title: 'Scaling: how a train step of w2 grows',
    before: [
      'One size is changed at a time; tokens at batch 4. Where a step grows linearly, the time of one unit stays or falls.',
    ],
    bars: [],
    table: {
      head: ['', 'ms a step', 'minimum', 'ms of one unit', 'first step, s', 'peak MB'],
      rows: rows.map(
        ({ of, value, median, minimum, firstStepSeconds, peakMb }) =>
        [`${of} ${value}`, number(median), number(minimum), number(median / value), firstStepSeconds.toFixed(2), optional(peakMb)].map(plain), // prettier-ignore
      ),
    },
    after: [
      `In a run of ${length.steps} steps, its fifths took ${length.parts.map(number).join(', ')} ms a step.`,
    ],
  };
}

const isOurs = ({ name }: BrowserResult['rows'][number]): boolean => name.startsWith('meanflow');

function differencesText(differences: Differences): string {
  const entries = Object.entries(differences) as [keyof Differences, number][];
  return entries.map(([of, value]) => `${words[of]} ${value.toExponential(0)}`).join(', ') || '–';
}

const words = { losses: 'loss', gradientNorm: 'gradient', norm: 'norm', probe: 'projection' } as const satisfies Record<keyof typeof tolerances, string>; // prettier-ignore

/** How to read the figures. */
export const method: readonly string[] = [
  'Every program is a process of its own and starts from the same parameters, batch and draws. Before it is timed, its first losses and the norm of its first gradient (or its samples) are compared with this project’s; ' +
    `one that differs by more than ${tolerances.losses} of a loss, ${tolerances.gradientNorm} of a gradient’s norm or ${tolerances.norm} of the samples’ is not timed.`,
  'The programs take turns. A turn in which other work took more than 8 % of a processor does not enter the median, unless all were so. Peak memory is VmHWM of the process. The time to the first step runs from the start of the process, imports included; compilers begin with an empty cache.',
];
