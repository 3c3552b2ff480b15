/**
 * The report of a comparison: one HTML page that needs nothing else. Pictures are inline SVG and PNG, type is the system's, there
 * is no script, so it can be mailed, archived and opened anywhere.
 */
import { objectives, type ObjectiveEntry } from '@meanflow/models';
import { escapeText } from '../plots/svg.js';
import { countText, durationText } from './numbers.js';
import type { ComparisonResults, DatasetPictures } from './results.js';
import { anchor, datasetSection } from './section.js';
import { reportStyle } from './style.js';

/**
 * The page.
 *
 * @param pictures what to draw for each data set, by its name
 */
export function reportHtml(results: ComparisonResults, pictures: readonly DatasetPictures[]): string {
  const sections = results.datasets.map((dataset) => {
    const drawn = pictures.find((candidate) => candidate.dataset === dataset.name);
    return drawn === undefined ? '' : datasetSection(dataset, drawn);
  });
  const links = results.datasets.map(({ name }) => `<a href="#${anchor(name)}">${escapeText(name)}</a>`);
  const title = `Few-step generation on ${results.datasets.map(({ name }) => name).join(', ')}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeText(title)}</title>
<style>${reportStyle()}</style>
</head>
<body><main>
<header>
<h1>${methodList(methodsOf(results))}, side by side</h1>
<p class="lead">The same network, the same data, steps and batches, trained with each objective; then sampled from the same noise
with few evaluations of the network, and with many.</p>
${factsList(results)}
${failures(results)}<div class="reading">${readingGuide(results)}</div>
${links.length > 1 ? `<nav>${links.join('')}</nav>` : ''}
</header>
${sections.join('\n')}
<footer><p>Written by <code>meanflow compare</code>. The numbers are in <code>results.json</code> beside this page.
Run again with <code>${escapeText(results.command)}</code></p></footer>
</main></body>
</html>
`;
}

/** The methods that succeeded anywhere, each once. */
function methodsOf({ datasets }: ComparisonResults): readonly ObjectiveEntry[] {
  const names = new Set(datasets.flatMap(({ methods }) => methods.map(({ method }) => method)));
  return [...names].map((name) => objectives.get(name));
}

/** Their titles in a sentence that begins with them. */
function methodList(methods: readonly ObjectiveEntry[]): string {
  // A name with more capitals than the first, such as MeanFlow, keeps it within a sentence.
  const inSentence = (title: string): string =>
    /^\p{Lu}\p{Ll}+( |$)/u.test(title) ? title[0]!.toLowerCase() + title.slice(1) : title;
  const [first = '', ...rest] = methods.map(({ title }, i) => (i === 0 ? title : inSentence(title)));
  if (rest.length === 0) return escapeText(first);
  return escapeText(`${[first, ...rest.slice(0, -1)].join(', ')} and ${rest[rest.length - 1]}`);
}

function failures({ failed }: ComparisonResults): string {
  if (failed.length === 0) return '';
  const items = failed.map(({ dataset, method, seed, message }) => {
    const name = `${dataset}, ${objectives.get(method).title}, seed ${seed}`;
    return `<li><b>${escapeText(name)}:</b> ${escapeText(message)}</li>`;
  });
  const count = failed.length === 1 ? 'One run' : `${countText(failed.length)} runs`;
  return `<div class="failed"><p>${count} failed, and what follows is of the others.</p><ul>${items.join('')}</ul></div>\n`;
}

function factsList({ device, seeds, trainingSeconds, createdAt, datasets }: ComparisonResults): string {
  const runs = datasets
    .flatMap(({ methods }) => methods)
    .reduce((sum, method) => sum + method.seeds.length, 0);
  const versions = Object.entries(device.versions).map(([name, version]) => `${name} ${version}`);
  const facts: readonly (readonly [string, string])[] = [
    [
      'trained and judged in',
      `${durationText(trainingSeconds)}, ${countText(runs)} ${runs === 1 ? 'run' : 'runs'}`,
    ],
    ['backend', [device.backend, ...versions].join(', ')],
    ['device', device.description],
    [seeds.length === 1 ? 'seed' : 'seeds', seeds.join(', ')],
    ['date', `${createdAt.slice(0, 16).replace('T', ' ')} UTC`],
  ];
  return `<dl class="facts">${facts
    .map(([label, value]) => `<div><dt>${label}</dt><dd>${escapeText(value)}</dd></div>`)
    .join('')}</dl>`;
}

function readingGuide(results: ComparisonResults): string {
  const { seeds } = results;
  const medians =
    seeds.length > 1
      ? `Numbers are medians over ${seeds.length} seeds, with the lowest and the highest below them; pictures are of seed ${seeds[0]}. `
      : '';
  return (
    '<p><b>How to read it.</b> NFE is the number of times that the network is evaluated for one sample. ' +
    `${methodsText(methodsOf(results))}${medians}The noise floor is what fresh data scores against data: a model cannot be expected ` +
    'to do better, and the difference to it is what a model has left to learn. MMD² and the energy distance are unbiased estimates, ' +
    'which may fall slightly below zero. Squared errors of different methods are against different targets, and a target that the ' +
    'network makes itself may move while the samples get better: the curves show that training is stable, not which method is best.</p>'
  );
}

/** How samples are made of what each method learns, and what that means for one step. */
function methodsText(methods: readonly ObjectiveEntry[]): string {
  const learnt = methods.map(({ title, learns }) =>
    learns === '' ? '' : `<b>${escapeText(title)}:</b> ${sentence(learns)} `,
  );
  const ways = (['euler', 'average-velocity'] as const).map((way) => {
    const those = methods.filter(({ solver }) => solver === way);
    if (those.length === 0) return '';
    const are = those.length === 1 ? 'is' : 'are';
    return way === 'euler'
      ? `${methodList(those)} ${are} sampled by following a velocity in many small steps: in a single step it lands on the mean of the data. `
      : `${methodList(those)} ${are} sampled by steps over whole intervals, so that one evaluation can cross all of it. `;
  });
  return [...learnt, ...ways].join('');
}

/** An objective's own words, which may lack what makes a sentence. */
function sentence(text: string): string {
  const begun = text.charAt(0).toUpperCase() + text.slice(1);
  return escapeText(/[.!?]$/.test(begun) ? begun : `${begun}.`);
}
