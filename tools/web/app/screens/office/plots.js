// @ts-check
// Plots as plain SVG. Screen readers get the same numbers as tables, which stand beside them.
import { html, useEffect, useRef, useState } from '../../core/html.js';

/** The width of an element in px, as it is now. @returns {[any, number]} */
function useWidth() {
  const at = useRef(/** @type {HTMLElement | null} */ (null));
  const [width, setWidth] = useState(0);
  useEffect(() => {
    if (!at.current) return undefined;
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry.contentRect.width)));
    observer.observe(at.current);
    return () => observer.disconnect();
  }, []);
  return [at, width];
}

/** One bar of stacked parts; what is left stays grey. @param {{ parts: { name: string, value: number }[], total: number }} props */
export function StackedBar({ parts, total }) {
  let from = 0;
  return html`<svg class="stacked" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
    <rect class="plot-rest" width="100" height="10" />
    ${parts.map(({ name, value }) => {
      const [x, width] = [from, total ? (value / total) * 100 : 0];
      from += width;
      return html`<rect key=${name} class=${`plot-${name}`} x=${x} width=${width} height="10" />`;
    })}
  </svg>`;
}

/** A round number at or above. @param {number} value */
function roundUp(value) {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, value)));
  return ([1, 2, 4, 5, 8, 10].find((step) => step * power >= value) ?? 10) * power;
}

const HEIGHT = 220;
const [LEFT, RIGHT, TOP, BOTTOM] = [64, 16, 12, 26];

/**
 * Bars for each day, upwards what came in and downwards what went back.
 * @param {{ days: { label: string, up: number, down: number, title: string }[], format: (value: number) => string }} props
 */
export function DayBars({ days, format }) {
  const [frame, width] = useWidth();
  const [most, least] = [roundUp(Math.max(...days.map(({ up }) => up))), Math.max(...days.map(({ down }) => down))];
  // So far below that the lines' labels do not touch.
  const below = least ? Math.max(most / 4, Math.min(most, roundUp(least))) : 0;
  const [inner, high] = [Math.max(0, width - LEFT - RIGHT), HEIGHT - TOP - BOTTOM];
  const y = (/** @type {number} */ value) => TOP + (high * (most - value)) / (most + below);
  const step = inner / days.length;
  const bar = Math.max(1, Math.min(36, step * 0.68));
  // As many days are named as there is room for.
  const every = Math.ceil(60 / Math.max(1, step));
  const lines = [most, most / 2, 0, ...(below ? [-below] : [])];
  return html`<div class="days" ref=${frame}>
    ${width > 0 && html`<svg width=${width} height=${HEIGHT} viewBox=${`0 0 ${width} ${HEIGHT}`} aria-hidden="true">
      ${lines.map((value) => html`<g key=${value} class="plot-line"><line x1=${LEFT} x2=${width - RIGHT} y1=${y(value)} y2=${y(value)} />
        <text x=${LEFT - 8} y=${y(value) + 4} text-anchor="end">${value < 0 ? '−' : ''}${format(Math.abs(value))}</text></g>`)}
      ${days.map(({ label, up, down, title }, at) => {
        const x = LEFT + step * at + (step - bar) / 2;
        return html`<g key=${label}><title>${title}</title>
          <rect class="plot-room" x=${LEFT + step * at} y=${TOP} width=${step} height=${high} />
          ${up > 0 && html`<rect class="plot-up" x=${x} width=${bar} y=${y(up)} height=${Math.max(1, y(0) - y(up))} rx=${Math.min(4, bar / 4)} />`}
          ${down > 0 && html`<rect class="plot-down" x=${x} width=${bar} y=${y(0)} height=${Math.max(1, y(-down) - y(0))} rx=${Math.min(4, bar / 4)} />`}
          ${(days.length - 1 - at) % every === 0 && html`<text class="plot-day" x=${x + bar / 2} y=${HEIGHT - 8} text-anchor="middle">${label}</text>`}
        </g>`;
      })}
    </svg>`}
  </div>`;
}
