// @ts-check
// One gate of one event: the camera, a field for codes, how many are in, and what was scanned last.
import { keepShell } from '../../core/seen.js';
import { number, relative, time } from '../../core/format.js';
import { html, useEffect, useRef, useState } from '../../core/html.js';
import { t, tn } from '../../core/i18n.js';
import { Icon } from '../../parts/icons.js';
import { Failure, Heading, Skeleton, wordsOf } from '../../parts/states.js';
import { toast } from '../../parts/toasts.js';
import { Camera } from './camera-view.js';
import { loadReader } from './camera.js';
import { admit, conflicts, counts, endReport, event, isOnline, openDoor, problem, undo, waiting } from './check-in.js';
import { allowSound, give, isMuted, switchSound } from './feedback.js';
import { VerdictScreen, whenAndWhere } from './verdict.js';

/** @import { Verdict } from './check-in.js' */
/** @import { KeptEvent } from './store.js' */

/** How many of the last scans are shown. */
const SHOWN_SCANS = 8;

/** @typedef {Verdict & { at: string, isUndone: boolean }} Scan */

/** Renders again every second, as times pass. */
function useTicks() {
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => tick((before) => before + 1), 1000);
    return () => clearInterval(timer);
  }, []);
}

/** @param {{ of: KeptEvent }} props */
function Status({ of }) {
  useTicks();
  const { syncedAt, isWhole } = of;
  const age = syncedAt ? t('door.list-age', { age: relative(new Date(syncedAt).toISOString()) }) : '';
  const isOpen = isOnline.value;
  let text = isOpen ? t('door.online') : t('door.offline');
  if (!isWhole) text = isOpen ? t('door.downloading') : t('door.offline-without');
  return html`<div class=${`door-status ${isOpen ? 'online' : 'offline'}`}>
    <${Icon} name=${isOpen ? 'check' : 'offline'} /><p><strong role="status">${text}</strong><span>${isWhole ? age : ''}</span></p>
    ${waiting.value.length > 0 && html`<span class="badge few">${tn('door.waiting', waiting.value.length)}</span>`}
  </div>`;
}

function Counts() {
  const { admitted, sold } = counts.value;
  return html`<section class="box door-counts" aria-label=${t('door.counts')}>
    <p><strong>${number(admitted)}</strong> <span>${t('door.of-sold', { sold: number(sold) })}</span></p>
    <progress max=${Math.max(1, sold)} value=${admitted} aria-label=${t('door.counts')} />
  </section>`;
}

/** @param {{ scans: Scan[], zone: string | null, onUndo: (scan: Scan) => void }} props */
function Scans({ scans, zone, onUndo }) {
  if (!scans.length) return null;
  return html`<section class="box"><h2>${t('door.last')}</h2><ul class="rows">${scans.map((scan, at) => html`
    <li class="row" key=${scan.check_in_id}>
      <span class=${`door-mark ${scan.isUndone ? '' : scan.result}`}><${Icon} name=${scan.isUndone ? 'refund' : { admitted: 'check', already: 'warning', cancelled: 'cross', unknown: 'cross' }[scan.result]} /></span>
      <div class="grow"><strong>${t(scan.isUndone ? 'door.undone' : `door.${scan.result}`)}</strong>
        <p class="fine">${[scan.name, time(scan.at, 'clock', zone), `…${scan.code.slice(-6)}`].filter(Boolean).join(' · ')}</p></div>
      ${at === 0 && scan.result === 'admitted' && !scan.isUndone && html`<button type="button" class="button small" onClick=${() => onUndo(scan)}>${t('door.undo')}</button>`}
    </li>`)}</ul></section>`;
}

/** @param {{ zone: string | null }} props */
function Conflicts({ zone }) {
  if (!conflicts.value.length) return null;
  return html`<section class="box danger door-conflicts" role="alert"><h2>${tn('door.conflicts', conflicts.value.length)}</h2>
    <p>${t('door.conflicts-text')}</p>
    <ul class="rows">${conflicts.value.map((report) => html`<li class="row" key=${report.check_in_id}>
      <div class="grow"><strong>${t(`door.conflict.${report.conflict?.result}`)}</strong>
        <p class="fine">${[report.name, `…${report.code.slice(-6)}`, t('door.here', { at: time(report.at, 'clock', zone) })].join(' · ')}</p>
        ${report.conflict?.checked_in_at && html`<p class="fine">${t('door.there', { where: whenAndWhere(report.conflict, zone) })}</p>`}</div>
      <button type="button" class="button small" onClick=${() => void endReport(report)}>${t('door.noted')}</button>
    </li>`)}</ul></section>`;
}

/** What was scanned, and what is said of it now. @param {string} gate */
function useScans(gate) {
  const [scans, setScans] = useState(/** @type {Scan[]} */ ([]));
  const [verdict, setVerdict] = useState(/** @type {Verdict | null} */ (null));
  // The camera goes on looking: one ticket at a time, and none while an answer is on the screen.
  const isBusy = useRef(false);
  isBusy.current ||= verdict !== null;
  /** @param {string} text */
  async function scan(text) {
    if (isBusy.current) return;
    isBusy.current = true;
    try {
      const told = await admit(text, gate);
      give(told.result);
      setVerdict(told);
      setScans((before) => [{ ...told, at: new Date().toISOString(), isUndone: false }, ...before].slice(0, SHOWN_SCANS));
    } catch (error) {
      isBusy.current = false;
      toast(wordsOf(/** @type {any} */ (error)), 'failed');
    }
  }
  function close() {
    isBusy.current = false;
    setVerdict(null);
  }
  /** @param {Verdict} of */
  async function takeBack(of) {
    close();
    try {
      await undo(of);
      setScans((before) => before.map((one) => (one.check_in_id === of.check_in_id ? { ...one, isUndone: true } : one)));
      toast(t('door.undone-toast'));
    } catch (error) {
      toast(wordsOf(/** @type {any} */ (error)), 'failed');
    }
  }
  return { scans, verdict, scan, close, takeBack };
}

/** @param {{ onCode: (text: string) => void }} props */
function TypeCode({ onCode }) {
  /** @param {SubmitEvent} submitted */
  function submit(submitted) {
    submitted.preventDefault();
    allowSound();
    const form = /** @type {HTMLFormElement} */ (submitted.currentTarget);
    const text = String(new FormData(form).get('code')).trim();
    form.reset();
    if (text) onCode(text);
  }
  return html`<form class="door-type" onSubmit=${submit}>
    <label class="hidden" for="door-code">${t('door.code')}</label>
    <input id="door-code" name="code" placeholder=${t('door.code')} autocomplete="off" autocapitalize="none" spellcheck="false" maxlength="300" enterkeyhint="go" />
    <button class="button primary" type="submit">${t('door.check')}</button>
  </form>`;
}

/** @param {{ id: string, gate: string }} props */
export function Gate({ id, gate }) {
  const { scans, verdict, scan, close, takeBack } = useScans(gate);
  useEffect(() => openDoor(id), [id]);
  const of = event.value;
  const isWhole = of?.isWhole;
  useEffect(() => {
    // The door opens without a network too: its code is kept, and the reader with it.
    if (isWhole && navigator.onLine) void loadReader().then(keepShell).catch(console.warn);
  }, [isWhole]);
  if (problem.value) return html`<div class="medium page"><${Heading}>${t('door.title')}</><${Failure} problem=${problem.value} onRetry=${() => location.reload()} /></div>`;
  if (!of) return html`<div class="medium page"><${Heading}>${t('door.title')}</><${Skeleton} lines=${5} /></div>`;
  return html`<div class="medium page door">
    <header class="door-head">
      <div><${Heading}>${of.title}</><p class="fine">${t('door.at-this', { gate })} · ${time(of.starts_at, 'moment', of.time_zone)} · <a href="/door">${t('door.change')}</a></p></div>
      <button type="button" class="plain" aria-pressed=${!isMuted.value} onClick=${switchSound} aria-label=${t('door.sound')}><${Icon} name=${isMuted.value ? 'muted' : 'sound'} size=${24} /></button>
    </header>
    ${of.event_status === 'cancelled' && html`<p class="notice failed" role="alert"><${Icon} name="warning" />${t('door.event-cancelled')}</p>`}
    <${Status} of=${of} />
    <div class="door-columns">
      <div class="stack-tight"><${Camera} onCode=${scan} /><${TypeCode} onCode=${scan} /></div>
      <div class="stack-tight"><${Counts} /><${Conflicts} zone=${of.time_zone} /><${Scans} scans=${scans} zone=${of.time_zone} onUndo=${takeBack} /></div>
    </div>
    ${verdict && html`<${VerdictScreen} verdict=${verdict} zone=${of.time_zone} onClose=${close} onUndo=${() => void takeBack(verdict)} />`}
  </div>`;
}
