/**
 * Colours of every picture, by what they stand for. The methods' hues come from the palette of Okabe and Ito ("Color
 * universal design", 2008), which stays distinct under colour blindness. A picture inside the report refers to the page's CSS
 * variables, so that it follows the reader's light or dark theme; a picture in a file of its own carries its colours.
 */

/** What a mark in a picture can stand for. */
export type Role =
  'ink' | 'muted' | 'rule' | 'surface' | 'data' | 'flow-matching' | 'meanflow' | 'improved-meanflow';

/** A CSS colour for each role. */
export type Palette = Readonly<Record<Role, string>>;

/** On a white ground. */
export const lightPalette: Palette = {
  ink: '#1d1f24',
  muted: '#646a75',
  rule: '#dcdfe4',
  surface: '#ffffff',
  data: '#41464f',
  'flow-matching': '#0068a8',
  meanflow: '#c75200',
  'improved-meanflow': '#00805e',
};

/** On a near-black ground. */
export const darkPalette: Palette = {
  ink: '#e8eaee',
  muted: '#9aa1ad',
  rule: '#33373f',
  surface: '#16181c',
  data: '#c3c8d1',
  'flow-matching': '#5cb3ec',
  meanflow: '#ff9a4d',
  'improved-meanflow': '#3fcf9f',
};

const roles = Object.keys(lightPalette) as Role[];

/** Every role as a reference to the CSS variable that `cssVariables` declares. */
export const cssPalette = Object.fromEntries(roles.map((role) => [role, `var(--${role})`])) as Palette;

/** `--ink: #…; …` for a style sheet. */
export function cssVariables(palette: Palette): string {
  return roles.map((role) => `--${role}: ${palette[role]};`).join(' ');
}

/** The role of a method's name; a name that is not a method's is drawn as data. */
export function roleOf(method: string): Role {
  return roles.find((role) => role === method) ?? 'data';
}

/** Red, green and blue of `#rrggbb`, each from 0 to 255. */
export function rgb(hex: string): readonly [number, number, number] {
  const value = Number.parseInt(hex.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}
