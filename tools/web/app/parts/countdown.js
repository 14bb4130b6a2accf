// @ts-check
// The time that is left, by the servers' clock. Said aloud only when it becomes short.
import { serverNow } from '../core/api.js';
import { clock } from '../core/format.js';
import { html, useEffect, useRef, useState } from '../core/html.js';
import { t } from '../core/i18n.js';
import { Icon } from './icons.js';

/** @param {string} until */
const left = (until) => Math.max(0, (Date.parse(until) - serverNow()) / 1000);

/** @param {{ until: string, label: string, onOver?: () => void }} props */
export function Countdown({ until, label, onOver }) {
  const [seconds, setSeconds] = useState(() => left(until));
  const over = useRef(onOver);
  over.current = onOver;
  useEffect(() => {
    const tick = () => {
      const now = left(until);
      setSeconds(now);
      if (now === 0) { clearInterval(timer); over.current?.(); }
    };
    const timer = setInterval(tick, 1000);
    tick();
    return () => clearInterval(timer);
  }, [until]);
  const isShort = seconds < 60;
  return html`<div class=${`countdown ${isShort ? 'short' : ''}`}>
    <${Icon} name="clock" /><span>${label}</span> <strong role="timer">${clock(seconds)}</strong>
    <span class="hidden" aria-live="assertive">${isShort && seconds > 0 ? t('countdown.short') : ''}</span>
  </div>`;
}
