/**
 * Colours of every picture, by what they stand for. The methods' hues come from the palette of Okabe and Ito ("Color
 * universal design", 2008), which stays distinct under colour blindness. A picture inside the report refers to the page's CSS
 * variables, so that it follows the reader's light or dark theme; a picture in a file of its own carries its colours.
 */
import { objectives } from '@meanflow/models';

/** What a mark in a picture can stand for, beside a method. */
export type Role = 'ink' | 'muted' | 'rule' | 'surface' | 'data';

/** A CSS colour for each role. */
export type Palette = Readonly<Record<Role, string>>;

/** On a white ground. */
export const lightPalette: Palette = {
  ink: '#1d1f24',
  muted: '#646a75',
  rule: '#dcdfe4',
  surface: '#ffffff',
  data: '#41464f',
};

/** On a near-black ground. */
export const darkPalette: Palette = {
  ink: '#e8eaee',
  muted: '#9aa1ad',
  rule: '#33373f',
  surface: '#16181c',
  data: '#c3c8d1',
};

/** Every colour by the name of its CSS variable, of roles and of methods, on a light ground or a dark one. */
export function coloursOn(ground: 'light' | 'dark'): Readonly<Record<string, string>> {
  const methods = [...objectives].map(({ name, colours }) => [ofMethod(name), colours[ground]]);
  return { ...(ground === 'light' ? lightPalette : darkPalette), ...Object.fromEntries(methods) };
}

/** The variable of a method, whose name may be that of a role. */
function ofMethod(name: string): string {
  return `method-${name}`;
}

function variable(name: string): string {
  return `var(--${name})`;
}

/** Every role as a reference to the CSS variable that `cssVariables` declares. */
export const cssPalette: Palette = {
  ink: variable('ink'),
  muted: variable('muted'),
  rule: variable('rule'),
  surface: variable('surface'),
  data: variable('data'),
};

/** `--ink: #…; …` for a style sheet. */
export function cssVariables(colours: Readonly<Record<string, string>>): string {
  return Object.entries(colours)
    .map(([role, colour]) => `--${role}: ${colour};`)
    .join(' ');
}

/** A method as a reference to the CSS variable that `cssVariables` declares; a name that is not a method's is drawn as data. */
export function cssColour(method: string): string {
  return variable(objectives.find(method) === undefined ? 'data' : ofMethod(method));
}

/** The colour of a method on a light ground; a name that is not a method's is drawn as data. */
export function methodColour(method: string): string {
  return objectives.find(method)?.colours.light ?? lightPalette.data;
}

/** Red, green and blue of `#rrggbb`, each from 0 to 255. */
export function rgb(hex: string): readonly [number, number, number] {
  const value = Number.parseInt(hex.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}
