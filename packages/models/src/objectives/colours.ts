/**
 * Colours of methods, in the order in which these are registered, each on a light ground and on a dark one. The first hues are of the
 * palette of Okabe and Ito ("Color universal design", 2008), which stays distinct under colour blindness.
 */

/** As `#rrggbb`. */
export interface Colours {
  readonly light: string;
  readonly dark: string;
}

const palette: readonly [Colours, ...Colours[]] = [
  { light: '#0068a8', dark: '#5cb3ec' },
  { light: '#c75200', dark: '#ff9a4d' },
  { light: '#00805e', dark: '#3fcf9f' },
  { light: '#a8437f', dark: '#eb9cc7' },
  { light: '#7d6b00', dark: '#e3cf3c' },
  { light: '#5a4fc0', dark: '#aaa3ff' },
  { light: '#a32638', dark: '#ff8593' },
  { light: '#5b5f68', dark: '#b4b9c4' },
];

/** Of the method of that place; after the last, the first again. */
export function methodColours(place: number): Colours {
  return palette[place % palette.length] ?? palette[0];
}
