// @ts-check
// What a screen shows while it loads, when there is nothing, and when something went wrong.
import { html, useEffect, useRef } from '../core/html.js';
import { hasText, t } from '../core/i18n.js';
import { place } from '../core/router.js';
import { Icon } from './icons.js';

/** @import { Problem } from '../core/api.js' */

/** A page's heading: names the tab, and takes the focus after a navigation. @param {{ children: any, title?: string, class?: string }} props */
export function Heading({ children, title, class: name }) {
  const heading = useRef(/** @type {HTMLElement | null} */ (null));
  const text = title ?? (typeof children === 'string' ? children : '');
  useEffect(() => { document.title = text ? `${text} · Karcis` : 'Karcis'; }, [text]);
  useEffect(() => { if (!place.value.isFirst) heading.current?.focus({ preventScroll: true }); }, []);
  return html`<h1 ref=${heading} tabindex="-1" class=${name}>${children}</h1>`;
}

/** What a problem means for a person. @param {Problem} problem */
export function wordsOf(problem) {
  const key = `problem.${problem.slug}`;
  if (hasText(key)) return t(key, { seconds: problem.retryAfterS ?? 5 });
  return t(problem.isPassing ? 'problem.passing' : 'problem.other');
}

/** @param {{ problem: Problem, onRetry?: () => void }} props */
export function Failure({ problem, onRetry }) {
  const isOffline = problem.slug === 'offline';
  return html`<div class="state" role="alert">
    <span class="state-icon"><${Icon} name=${isOffline ? 'offline' : 'warning'} size=${28} /></span>
    <h2>${t(isOffline ? 'offline.title' : 'failure.title')}</h2>
    <p>${wordsOf(problem)}</p>
    ${onRetry && html`<button type="button" class="button" onClick=${onRetry}>${t('retry')}</button>`}
    ${problem.traceId && html`<p class="fine">${t('failure.trace')} <code>${problem.traceId}</code></p>`}
  </div>`;
}

/** @param {{ icon?: string, title: string, children?: any }} props */
export function Empty({ icon = 'ticket', title, children }) {
  return html`<div class="state">
    <span class="state-icon"><${Icon} name=${icon} size=${28} /></span>
    <h2>${title}</h2>
    ${children}
  </div>`;
}

/** Grey lines in the place of a text. @param {{ lines?: number, class?: string }} props */
export function Skeleton({ lines = 3, class: name = '' }) {
  return html`<div class=${`skeleton ${name}`} aria-busy="true">
    <span class="hidden">${t('loading')}</span>
    ${Array.from({ length: lines }, (_, at) => html`<span class="bone" key=${at} />`)}
  </div>`;
}

/**
 * The screen of a resource: its skeleton, its failure with a button, or what `children` makes of its data.
 * @param {{ of: import('../core/resource.js').Resource<any>, skeleton?: any, children: (data: any) => any }} props
 */
export function Loaded({ of, skeleton, children }) {
  if (of.data !== null) return children(of.data);
  if (of.status === 'failed') return html`<${Failure} problem=${of.problem} onRetry=${of.retry} />`;
  return skeleton ?? html`<${Skeleton} lines=${5} />`;
}

/** @param {{ kind?: 'info' | 'done' | 'warning' | 'failed', icon?: string, role?: string, children: any }} props */
export function Notice({ kind = 'info', icon, role, children }) {
  const icons = { info: 'info', done: 'check', warning: 'warning', failed: 'warning' };
  return html`<div class=${`notice ${kind}`} role=${role}><${Icon} name=${icon ?? icons[kind]} /><div>${children}</div></div>`;
}
