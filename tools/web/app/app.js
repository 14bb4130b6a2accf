// @ts-check
// Starts the app: texts, session, routes, and the first screen.
import { render } from 'preact';
import { number } from './core/format.js';
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

/** The module of the screen where the person is; null while it loads. */
function useScreen() {
  const route = place.value.route ?? NOT_FOUND;
  const [loaded, setLoaded] = useState(/** @type {any} */ ({ route: null, screen: null, problem: null }));
  const [round, setRound] = useState(0);
  useEffect(() => {
    let isCurrent = true;
    Promise.all([route.load(), route.area && loadTexts(route.area)]).then(
      ([module]) => { if (isCurrent) setLoaded({ route, screen: module.default, isBare: module.isBare, problem: null }); },
      (error) => {
        console.warn(error);
        if (isCurrent) setLoaded({ route, screen: null, problem: { slug: 'offline', isPassing: true } });
      },
    );
    return () => { isCurrent = false; };
  }, [route, round]);
  return { ...loaded, isCurrent: loaded.route === route, route, retry: () => setRound((before) => before + 1) };
}

function App() {
  const { screen: Screen, problem, isCurrent, isBare, route, retry } = useScreen();
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
  // The first screen comes while the texts come.
  place.value.route?.load().catch(() => null);
  const texts = loadTexts('shop');
  // The first use of Intl takes 40 ms and more: the network is waited for meanwhile.
  number(0);
  await texts;
  render(html`<${App} />`, /** @type {Element} */ (document.getElementById('app')));
  if ('serviceWorker' in navigator) {
    addEventListener('load', () => void navigator.serviceWorker.register('/sw.js').catch(() => null));
    if (document.readyState === 'complete') void navigator.serviceWorker.register('/sw.js').catch(() => null);
  }
  document.title ||= t('title');
}

void start();
