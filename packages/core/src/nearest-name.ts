/**
 * The suggestion in "did you mean …?": which of the names that exist is nearest to the one that was typed. Distance
 * is the edit distance of Damerau (1964) and Levenshtein (1966), in which two letters in the wrong order are one slip
 * (in its restricted form: no letter is edited twice), without regard to case and to separators, so that
 * `8gaussians` finds `8-gaussians`; a name that lies whole inside another (`moons`, `two-moons`) counts as near, and so
 * do the initials of a name's words (`lr`, `learningRate`) where nothing else is near.
 */

/** Nobody mistypes a longer name: the distance takes time and memory by the product of two lengths. */
const LONGEST = 100;

/**
 * The candidate nearest to `name`, or undefined when none is near enough to be what was meant.
 *
 * @param name what was typed
 * @param candidates the names that exist; the first of equally near ones wins
 */
export function nearestName(name: string, candidates: Iterable<string>): string | undefined {
  if (name.length > LONGEST) return undefined;
  const typed = plain(name);
  let nearest: string | undefined;
  // One edit in three letters is a slip; more is another word.
  let best = Math.max(1, Math.floor(typed.length / 3)) + 1;
  for (const candidate of candidates) {
    if (candidate.length > LONGEST) continue;
    const known = plain(candidate);
    const contained =
      Math.min(typed.length, known.length) >= 3 && (known.includes(typed) || typed.includes(known));
    const distance = contained ? Math.min(1, editDistance(typed, known)) : editDistance(typed, known);
    if (distance < best) {
      best = distance;
      nearest = candidate;
    }
  }
  if (nearest !== undefined || typed.length < 2) return nearest;
  return [...candidates].find((candidate) => initials(candidate) === typed);
}

/** ` Did you mean "…"?` with its leading space, or an empty string: to be appended to an error's message. */
export function didYouMean(name: string, candidates: Iterable<string>): string {
  const nearest = nearestName(name, candidates);
  return nearest === undefined ? '' : ` Did you mean "${nearest}"?`;
}

/** `lr` of `learningRate` and of `learning-rate`. */
function initials(name: string): string {
  return name
    .split(/[\s._-]+|(?=[A-Z])/)
    .map((word) => word.charAt(0).toLowerCase())
    .join('');
}

function plain(name: string): string {
  return name.toLowerCase().replace(/[\s._-]+/g, '');
}

/** Insertions, deletions, substitutions and swaps of adjacent letters that turn `a` into `b`. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = last[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      current.push(Math.min(substitution, last[j]! + 1, current[j - 1]! + 1));
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (isSwap) current[j] = Math.min(current[j]!, beforeLast[j - 2]! + 1);
    }
    [beforeLast, last] = [last, current];
  }
  return last[b.length]!;
}
