// @ts-check
// The icons: strokes on a grid of 24, in the colour of the text.
import { html } from '../core/html.js';

/** @type {Record<string, string>} */
const PATHS = {
  search: 'M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM20 20l-4-4',
  calendar: 'M4 6h16v14H4zM4 10h16M8 3v4M16 3v4',
  pin: 'M12 21s7-6.2 7-11.5A7 7 0 0 0 5 9.5C5 14.800 12 21 12 21zM12 12a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5z',
  clock: 'M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM12 8v4l3 2',
  ticket: 'M4 8a1 1 0 0 1 1-1h14a1 1 0 0 1 1 1v2a2 2 0 0 0 0 4v2a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1v-2a2 2 0 0 0 0-4zM14 7v10',
  user: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM5 20c.6-3.600 3.400-5.500 7-5.500s6.400 1.900 7 5.500',
  check: 'M5 12.500l4.500 4.500L19 7.500',
  cross: 'M6 6l12 12M18 6L6 18',
  plus: 'M12 5v14M5 12h14',
  minus: 'M5 12h14',
  left: 'M15 5l-7 7 7 7',
  right: 'M9 5l7 7-7 7',
  down: 'M5 9l7 7 7-7',
  warning: 'M12 4l9 16H3zM12 10v4M12 17v.2',
  info: 'M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM12 11v5M12 8v.2',
  refund: 'M4 9h11a5 5 0 0 1 0 10H8M8 5L4 9l4 4',
  card: 'M3 6h18v12H3zM3 10h18M7 15h3',
  bank: 'M4 10l8-5 8 5M5 10v8M10 10v8M14 10v8M19 10v8M3 19h18',
  qr: 'M4 4h6v6H4zM14 4h6v6h-6zM4 14h6v6H4zM14 14h2v2h-2zM18 18h2v2h-2zM18 14h2M14 18v2',
  print: 'M7 9V4h10v5M7 17H4v-8h16v8h-3M7 14h10v6H7z',
  sun: 'M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2v3M12 19v3M2 12h3M19 12h3M5 5l2 2M17 17l2 2M19 5l-2 2M7 17l-2 2',
  moon: 'M19 14.500A8 8 0 0 1 9.500 5 8 8 0 1 0 19 14.500z',
  offline: 'M3 3l18 18M8.500 15.500a5 5 0 0 1 6.500-.5M5 12a10 10 0 0 1 4-2.500M19 12a10 10 0 0 0-7-3M12 19v.2',
  menu: 'M4 7h16M4 12h16M4 17h16',
  out: 'M10 5H5v14h5M15 8l4 4-4 4M19 12H9',
  copy: 'M8 8h11v12H8zM5 16V4h11',
  mail: 'M3 6h18v12H3zM3 7l9 7 9-7',
  sound: 'M4 9.500h3.500L12 6v12l-4.500-3.500H4zM15 9.500a3.500 3.500 0 0 1 0 5M17.500 7a7 7 0 0 1 0 10',
  muted: 'M4 9.500h3.500L12 6v12l-4.500-3.500H4zM16 10l4 4M20 10l-4 4',
  shield: 'M12 3l8 3v6c0 5-3.500 8-8 9-4.500-1-8-4-8-9V6z',
};

/** @param {{ name: string, size?: number }} props */
export function Icon({ name, size = 20 }) {
  return html`<svg class="icon" width=${size} height=${size} viewBox="0 0 24 24" fill="none" stroke="currentColor"
    stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><path d=${PATHS[name]} /></svg>`;
}

/** The mark of the house. */
export function Logo() {
  return html`<svg class="logo" width="30" height="30" viewBox="0 0 64 64" aria-hidden="true">
    <rect width="64" height="64" rx="16" class="logo-ground" />
    <path d="M12 22a4 4 0 0 1 4-4h32a4 4 0 0 1 4 4v5a5 5 0 0 0 0 10v5a4 4 0 0 1-4 4H16a4 4 0 0 1-4-4v-5a5 5 0 0 0 0-10z" fill="#fff" />
    <path d="M38 20v24" class="logo-tear" stroke-width="3" stroke-dasharray="4 4" />
  </svg>`;
}
