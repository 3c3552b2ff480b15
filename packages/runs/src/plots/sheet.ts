/**
 * Sheet: panels in rows with captions as one SVG file of its own, for a README or a paper. It carries its colours and a white ground,
 * so that it looks the same wherever it is shown.
 */
import { lightPalette } from './palette.js';
import { PANEL_SIDE } from './frame.js';
import { element, escapeText } from './svg.js';

/** What a panel shows: marks in panel units, or a PNG file. */
export type PanelContent = { readonly marks: string } | { readonly png: Uint8Array };

export interface SheetPanel {
  readonly caption: string;
  readonly content: PanelContent;
}

export interface SheetRow {
  readonly label: string;
  /** Undefined leaves a place empty. */
  readonly panels: readonly (SheetPanel | undefined)[];
}

const SIDE = 200;
const GAP = 14;
const CAPTION = 24;
const LABEL = 150;

const FONT = 'ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, Helvetica, Arial, sans-serif';

/** The SVG file's text. */
export function sheetSvg(rows: readonly SheetRow[]): string {
  const across = Math.max(...rows.map(({ panels }) => panels.length));
  const width = LABEL + across * (SIDE + GAP);
  const height = GAP + rows.length * (SIDE + CAPTION + GAP);
  const content = rows.map((row, y) => rowSvg(row, GAP + y * (SIDE + CAPTION + GAP))).join('');
  return element(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      width,
      height,
      viewBox: `0 0 ${width} ${height}`,
      'font-family': FONT,
      'font-size': 14,
    },
    element('rect', { width, height, fill: lightPalette.surface }) + content,
  );
}

function rowSvg({ label, panels }: SheetRow, top: number): string {
  const words = label.split(' ');
  const lines = words.map((word, i) => element('tspan', { x: GAP, dy: i === 0 ? 0 : 19 }, escapeText(word)));
  const title = element(
    'text',
    { x: GAP, y: top + 18, 'font-weight': 600, fill: lightPalette.ink },
    lines.join(''),
  );
  return title + panels.map((panel, x) => panelSvg(panel, LABEL + x * (SIDE + GAP), top)).join('');
}

function panelSvg(panel: SheetPanel | undefined, x: number, y: number): string {
  if (panel === undefined) return '';
  const { caption, content } = panel;
  const place = { x, y, width: SIDE, height: SIDE };
  const inside =
    'marks' in content
      ? element('svg', { ...place, viewBox: `0 0 ${PANEL_SIDE} ${PANEL_SIDE}` }, content.marks)
      : element('image', {
          ...place,
          href: `data:image/png;base64,${Buffer.from(content.png).toString('base64')}`,
          preserveAspectRatio: 'xMidYMin',
          style: 'image-rendering: pixelated',
        });
  const border = element('rect', { ...place, fill: 'none', stroke: lightPalette.rule });
  const text = element(
    'text',
    { x, y: y + SIDE + 17, fill: lightPalette.muted, 'font-size': 13 },
    escapeText(caption),
  );
  return inside + border + text;
}
