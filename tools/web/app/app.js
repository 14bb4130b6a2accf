// @ts-check
// Starts the app: texts, session, routes, and the first screen.
import { render } from 'preact';
import { html, useEffect, useState } from './core/html.js';
import { language, loadTexts, t } from './core/i18n.js';
import { go, place, signInUrl, startRouter } from './core/router.js';
import { renewSession, sessionState, user } from './core/session.js';
import { Layout } from './parts/layout.js';
import { Failure, Skeleton } from './parts/states.js';

/** @import { Route } from './core/router.js' */

/** @type {Route[]} */
const ROUTES = [
  { pattern: '/', load: () => import('./screens/browse.js') },
  { pattern: '/e/:event_id', load: () => import('./screens/event.js') },
  { pattern: '/checkout/:event_id', load: () => import('./screens/checkout.js') },
  { pattern: '/b', load: () => import('./screens/bookings.js'), who: 'signed-in-or-away' },
  { pattern: '/b/:booking_id', load: () => import('./screens/booking.js') },
  { pattern: '/me', load: () => import('./screens/me.js'), who: 'signed-in' },
  { pattern: '/sign-in', load: () => import('./screens/sign-in.js') },
  { pattern: '/sign-up', load: () => import('./screens/sign-up.js') },
  { pattern: '/verify', load: () => import('./screens/verify.js') },
  { pattern: '/reset', load: () => import('./screens/reset.js') },
  { pattern: '/office/*', load: () => import('./screens/office/office.js'), area: 'office', who: 'signed-in' },
  { pattern: '/door/*', load: () => import('./screens/door/door.js'), area: 'door', who: 'signed-in-or-away' },
  { pattern: '/console/*', load: () => import('./screens/console/console.js'), area: 'console', who: 'signed-in' },
];

/** @type {Route} */
const NOT_FOUND = { pattern: '*', load: () => import('./screens/not-found.js') };

/** A screen's module with its texts. @param {Route} route */
async function loadScreen(route) {
  try {
    const [module] = await Promise.all([route.load(), route.area && loadTexts(route.area)]);
    return { route, screen: module.default, isBare: module.isBare, problem: null };
  } catch (error) {
    console.warn(error);
    return { route, screen: null, problem: { slug: 'offline', isPassing: true } };
  }
}

/** The screen where the person is; null while it loads. @param {Awaited<ReturnType<typeof loadScreen>>} first */
function useScreen(first) {
  const route = place.value.route ?? NOT_FOUND;
  const [loaded, setLoaded] = useState(/** @type {any} */ (first));
  const [round, setRound] = useState(0);
  useEffect(() => {
    if (loaded.route === route && loaded.screen) return undefined;
    let isCurrent = true;
    void loadScreen(route).then((screen) => { if (isCurrent) setLoaded(screen); });
    return () => { isCurrent = false; };
  }, [route, round]);
  return { ...loaded, isCurrent: loaded.route === route, route, retry: () => setRound((before) => before + 1) };
}

/** @param {{ first: Awaited<ReturnType<typeof loadScreen>> }} props */
function App({ first }) {
  const { screen: Screen, problem, isCurrent, isBare, route, retry } = useScreen(first);
  const isAway = sessionState.value === 'away';
  const isRefused = route.who !== undefined && !user.value && !(isAway && route.who === 'signed-in-or-away');
  useEffect(() => {
    if (isRefused && sessionState.value === 'out') go(signInUrl(), { replace: true });
  }, [isRefused, sessionState.value]);
  let content = html`<div class="wide page"><${Skeleton} lines=${6} /></div>`;
  if (problem && isCurrent) content = html`<div class="wide page"><${Failure} problem=${problem} onRetry=${retry} /></div>`;
  else if (isRefused && isAway) {
    const away = { slug: 'offline', isPassing: true };
    content = html`<div class="wide page"><${Failure} problem=${away} onRetry=${() => void renewSession()} /></div>`;
  } else if (Screen && isCurrent && !isRefused) content = html`<${Screen} key=${route.area ?? place.value.path} />`;
  return html`<${Layout} isBare=${isBare && isCurrent}>${content}</>`;
}

async function start() {
  document.documentElement.lang = language.value;
  void renewSession();
  startRouter(ROUTES);
  const first = loadScreen(place.value.route ?? NOT_FOUND);
  const texts = loadTexts('shop');
  await texts;
  render(html`<${App} first=${await first} />`, /** @type {Element} */ (document.getElementById('app')));
  if ('serviceWorker' in navigator) {
    addEventListener('load', () => void navigator.serviceWorker.register('/sw.js').catch(() => null));
    if (document.readyState === 'complete') void navigator.serviceWorker.register('/sw.js').catch(() => null);
  }
  document.title ||= t('title');
}

void start();
