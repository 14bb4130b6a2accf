// @ts-check
// Pages by path. A navigation moves the focus to the new page's heading, and back returns to where one was.
import { signal } from '@preact/signals';

/**
 * @typedef {object} Route
 * @property {string} pattern such as `/e/:event_id`; a last `*` takes the rest
 * @property {() => Promise<{ default: any, isBare?: boolean }>} load the screen's module; isBare: without header and footer
 * @property {import('./i18n.js').Area} [area] texts that it needs besides the shop's
 * @property {'signed-in' | 'signed-in-or-away'} [who] who sees it, if not everybody; away: without a network
 */
/** @typedef {{ path: string, query: URLSearchParams, hash: string, params: Record<string, string>, route: Route | null, isFirst: boolean }} Place */

/** @type {Route[]} */
let routes = [];

/** Where the person is. @type {import('@preact/signals').Signal<Place>} */
export const place = signal({ path: '', query: new URLSearchParams(), hash: '', params: {}, route: null, isFirst: true });

/** @param {string} pattern @param {string} path @returns {Record<string, string> | null} */
function match(pattern, path) {
  const [wanted, given] = [pattern.split('/'), path.replace(/(.)\/$/, '$1').split('/')];
  /** @type {Record<string, string>} */
  const params = {};
  for (const [at, part] of wanted.entries()) {
    if (part === '*') return { ...params, rest: given.slice(at).join('/') };
    if (given[at] === undefined) return null;
    if (part.startsWith(':')) params[part.slice(1)] = decodeURIComponent(given[at]);
    else if (part !== given[at]) return null;
  }
  return given.length === wanted.length ? params : null;
}

/** @param {boolean} isFirst */
function read(isFirst) {
  const { pathname, search, hash } = location;
  for (const route of routes) {
    let params = null;
    try { params = match(route.pattern, pathname); } catch { /* a malformed escape matches nothing */ }
    if (params) return { path: pathname, query: new URLSearchParams(search), hash: hash.slice(1), params, route, isFirst };
  }
  return { path: pathname, query: new URLSearchParams(search), hash: hash.slice(1), params: {}, route: null, isFirst };
}

const rememberScroll = () => history.replaceState({ ...history.state, scroll: scrollY }, '');

/**
 * Goes to a page of the app.
 * @param {string} url
 * @param {{ replace?: boolean, keepsPlace?: boolean }} [how] keepsPlace: the same screen with another query
 */
export function go(url, { replace = false, keepsPlace = false } = {}) {
  if (replace) history.replaceState({}, '', url);
  else {
    rememberScroll();
    history.pushState({}, '', url);
  }
  place.value = { ...read(false), isFirst: keepsPlace };
  if (!keepsPlace) scrollTo(0, 0);
}

/** @param {MouseEvent} event */
function onClick(event) {
  const target = /** @type {Element} */ (event.target);
  const link = /** @type {HTMLAnchorElement | null} */ (target.closest?.('a[href]'));
  const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
  if (!link || event.defaultPrevented || !isPlain || link.target || link.hasAttribute('download')) return;
  const url = new URL(link.href);
  if (url.origin !== location.origin || 'native' in link.dataset) return;
  event.preventDefault();
  // A link inside of the page, such as the one that skips to its content.
  if (url.pathname === location.pathname && url.search === location.search && url.hash) {
    const inside = document.getElementById(url.hash.slice(1));
    inside?.focus();
    inside?.scrollIntoView();
    return;
  }
  go(url.pathname + url.search + url.hash);
}

/** @param {Route[]} all */
export function startRouter(all) {
  routes = all;
  history.scrollRestoration = 'manual';
  place.value = read(true);
  document.addEventListener('click', onClick);
  addEventListener('popstate', () => {
    place.value = { ...read(false), isFirst: false };
    const scroll = history.state?.scroll ?? 0;
    // The page may still be loading: try until it is as tall as it was.
    let tries = 20;
    const restore = () => {
      scrollTo(0, scroll);
      if (Math.abs(scrollY - scroll) > 2 && tries-- > 0) setTimeout(restore, 50);
    };
    requestAnimationFrame(restore);
  });
}

/** The sign-in page that leads back to here, or to `next`. @param {string} [next] */
export const signInUrl = (next = location.pathname + location.search) => `/sign-in?next=${encodeURIComponent(next)}`;

/** A page of this app that a query names; never another origin. @param {string | null} next @param {string} [otherwise] */
export function safeNext(next, otherwise = '/') {
  try {
    const url = new URL(next ?? '', location.origin);
    return next?.startsWith('/') && url.origin === location.origin ? url.pathname + url.search : otherwise;
  } catch {
    return otherwise;
  }
}
