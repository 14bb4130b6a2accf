// @ts-check
// Who is signed in. The access token stays in memory; the refresh token is in a cookie that no script sees.
import { computed, signal } from '@preact/signals';
import { suggestLanguage } from './i18n.js';

/** @import { Profile } from '../types.js' */

/** @type {import('@preact/signals').Signal<string | null>} */
export const accessToken = signal(null);
/** @type {import('@preact/signals').Signal<Profile | null>} */
export const user = signal(null);
/** 'unknown' until the first answer; 'away' where none came. @type {import('@preact/signals').Signal<'unknown' | 'in' | 'out' | 'away'>} */
export const sessionState = signal('unknown');

/** @param {...string} roles */
export const hasRole = (...roles) => roles.includes(user.value?.role ?? '');
export const isOrganiser = computed(() => hasRole('organiser', 'admin'));

const others = new BroadcastChannel('karcis.session');
/** @type {Promise<boolean> | null} */
let renewing = null;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/** @param {{ access_token: string, expires_in: number, user: Profile }} session */
function take(session) {
  accessToken.value = session.access_token;
  user.value = session.user;
  sessionState.value = 'in';
  suggestLanguage(session.user.locale);
  clearTimeout(timer);
  timer = setTimeout(() => void renewSession(), Math.max(30, session.expires_in - 60) * 1000);
}

/** @param {'out' | 'away'} state */
function drop(state) {
  clearTimeout(timer);
  // Without an answer the token is good as long as it says.
  if (state === 'out' || isExpired()) accessToken.value = null;
  if (state === 'out') user.value = null;
  sessionState.value = state;
  // Where there is no network a later attempt may find the session again.
  if (state === 'away') timer = setTimeout(() => void renewSession(), 15_000);
}

async function exchange() {
  try {
    const response = await fetch('/session/refresh', { method: 'POST' });
    if (response.status === 200) {
      take(await response.json());
      return true;
    }
    drop(response.status === 204 || response.status === 401 ? 'out' : 'away');
  } catch {
    drop('away');
  }
  return false;
}

const locked = async () => navigator.locks.request('karcis.session', exchange);

/** A new access token; false if nobody is signed in. Tabs take turns, since each exchange ends the one before. */
export function renewSession() {
  renewing ??= locked().finally(() => { renewing = null; });
  return renewing;
}

/** @param {'login' | 'register'} how @param {object} body */
async function open(how, body) {
  const { Problem, problemOf } = await import('./api.js');
  const headers = { 'Content-Type': 'application/json' };
  const response = await fetch(`/session/${how}`, { method: 'POST', headers, body: JSON.stringify(body) })
    .catch((error) => { throw new Problem(0, { type: 'offline', title: String(error) }); });
  if (!response.ok) throw await problemOf(response);
  await forgetSeen();
  take(await response.json());
  others.postMessage('in');
}

/** @param {{ email: string, password: string }} body */
export const signIn = (body) => open('login', body);
/** @param {{ email: string, password: string, name: string }} body */
export const signUp = (body) => open('register', body);

/** Ends the session here, in other tabs too. */
export async function signOut() {
  await fetch('/session/logout', { method: 'POST' }).catch(() => null);
  await endHere();
  others.postMessage('out');
}

/** Forgets who was signed in, without asking the server. */
export async function endHere() {
  drop('out');
  sessionStorage.clear();
  await forgetSeen();
}

/** Tickets kept for times without a network are one person's, and so are a door's lists. */
async function forgetSeen() {
  indexedDB.deleteDatabase('karcis-door');
  if ('caches' in globalThis) await caches.delete('karcis-seen');
}

/** @param {Profile} profile what an update answered */
export const setProfile = (profile) => { user.value = profile; };

others.onmessage = (/** @type {MessageEvent<string>} */ { data }) => {
  if (data === 'out') drop('out');
  else void renewSession();
};
addEventListener('online', () => { if (sessionState.value === 'away') void renewSession(); });
document.addEventListener('visibilitychange', () => {
  // A timer does not run while a device sleeps.
  if (!document.hidden && sessionState.value === 'in' && isExpired()) void renewSession();
});

function isExpired() {
  const payload = accessToken.value?.split('.')[1];
  if (!payload) return true;
  const { exp } = JSON.parse(atob(payload.replace(/-/g, '+').replace(/_/g, '/')));
  return exp * 1000 < Date.now() + 30_000;
}
