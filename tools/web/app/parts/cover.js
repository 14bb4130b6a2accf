// @ts-check
// An event's cover art, drawn from its id: the same event always looks the same.
import { html, useEffect, useMemo, useRef, useState } from '../core/html.js';

/** Numbers from 0 to 1 that follow from a text. @param {string} text */
function numbersOf(text) {
  let state = 2166136261;
  for (const char of text) state = Math.imul(state ^ char.charCodeAt(0), 16777619) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** @param {number} hue @param {number} saturation @param {number} light */
const hsl = (hue, saturation, light) => `hsl(${Math.round(hue) % 360} ${saturation}% ${light}%)`;

/** @type {((next: () => number, hue: number) => any[])[]} */
const MOTIFS = [
  // Rings, as of sound
  (next, hue) => {
    const [x, y] = [60 + next() * 280, 40 + next() * 140];
    return Array.from({ length: 9 }, (_, at) => html`<circle cx=${x} cy=${y} r=${18 + at * 26} fill="none"
      stroke=${hsl(hue + at * 9, 90, 72 - at * 3)} stroke-width=${9 - at * 0.6} opacity=${0.9 - at * 0.08} />`);
  },
  // A sun over hills
  (next, hue) => [
    html`<circle cx=${90 + next() * 220} cy=${70 + next() * 40} r=${38 + next() * 26} fill=${hsl(hue + 40, 95, 68)} />`,
    ...[0, 1, 2].map((at) => {
      const [a, b] = [110 + at * 34 + next() * 30, 100 + at * 34 + next() * 50];
      return html`<path d=${`M0 ${a + 30}C100 ${a - 40} 160 ${b + 40} 240 ${b}S360 ${a - 20} 400 ${b + 20}V225H0z`}
        fill=${hsl(hue + 200 + at * 14, 60, 44 - at * 11)} opacity="0.9" />`;
    }),
  ],
  // Beams of a stage
  (next, hue) => Array.from({ length: 7 }, (_, at) => {
    const [top, foot, width] = [40 + next() * 320, at * 66 - 20 + next() * 40, 30 + next() * 50];
    return html`<path d=${`M${top} -10L${foot} 235H${foot + width}z`} fill=${hsl(hue + at * 22, 95, 70)} opacity=${0.18 + next() * 0.35} />`;
  }),
  // Blocks of a skyline or an equaliser
  (next, hue) => Array.from({ length: 16 }, (_, at) => {
    const height = 30 + next() * 160;
    return html`<rect x=${at * 25 + 3} y=${225 - height} width="19" height=${height + 10} rx="6"
      fill=${hsl(hue + 30 + at * 6, 85, 62)} opacity=${0.55 + next() * 0.4} />`;
  }),
  // Confetti
  (next, hue) => Array.from({ length: 42 }, () => {
    const [x, y, size] = [next() * 400, next() * 225, 6 + next() * 20];
    return next() < 0.5
      ? html`<circle cx=${x} cy=${y} r=${size / 2} fill=${hsl(hue + next() * 160, 90, 68)} opacity="0.85" />`
      : html`<rect x=${x} y=${y} width=${size} height=${size / 2.4} rx="2" fill=${hsl(hue + next() * 160, 90, 68)} opacity="0.85"
          transform=${`rotate(${Math.round(next() * 180)} ${x} ${y})`} />`;
  }),
];

/** Whether this is nearly on screen, or was: a list may have hundreds. @param {{ current: Element | null }} ref */
function useNear(ref) {
  const [isNear, setNear] = useState(false);
  useEffect(() => {
    const observer = new IntersectionObserver((seen) => { if (seen.some(({ isIntersecting }) => isIntersecting)) setNear(true); }, { rootMargin: '200px' });
    if (ref.current && !isNear) observer.observe(ref.current);
    return () => observer.disconnect();
  }, [isNear]);
  return isNear;
}

/** @param {{ id: string, class?: string }} props */
export function Cover({ id, class: name = '' }) {
  const svg = useRef(null);
  const isNear = useNear(svg);
  const art = useMemo(() => {
    const next = numbersOf(id);
    const hue = next() * 360;
    const motif = MOTIFS[Math.floor(next() * MOTIFS.length)];
    const ground = `cover-${id}`;
    return html`
      <defs><linearGradient id=${ground} x1="0" y1="0" x2="1" y2="1">
        <stop offset="0" stop-color=${hsl(hue, 70, 36)} />
        <stop offset="1" stop-color=${hsl(hue + 60 + next() * 60, 75, 22)} />
      </linearGradient></defs>
      <rect width="400" height="225" fill=${`url(#${ground})`} />
      ${isNear && motif(next, hue)}`;
  }, [id, isNear]);
  return html`<svg ref=${svg} class=${`cover ${name}`} viewBox="0 0 400 225" preserveAspectRatio="xMidYMid slice" aria-hidden="true">${art}</svg>`;
}
