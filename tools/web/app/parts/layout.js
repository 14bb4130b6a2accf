// @ts-check
// The frame around every screen: header, the network's state, content and footer.
import { html, useEffect, useRef, useState } from '../core/html.js';
import { LANGUAGES, language, setLanguage, t } from '../core/i18n.js';
import { place, signInUrl } from '../core/router.js';
import { hasRole, sessionState, user } from '../core/session.js';
import { Icon, Logo } from './icons.js';
import { Toasts } from './toasts.js';

/** @param {{ href: string, icon: string, children: any }} props */
function NavLink({ href, icon, children }) {
  const isHere = place.value.path === href || place.value.path.startsWith(`${href}/`);
  return html`<a href=${href} class="nav-link" aria-current=${isHere ? 'page' : undefined}><${Icon} name=${icon} /><span>${children}</span></a>`;
}

function Account() {
  if (user.value) {
    return html`<${NavLink} href="/b" icon="ticket">${t('nav.bookings')}</>
      <${NavLink} href="/me" icon="user">${user.value.name.split(' ')[0]}</>`;
  }
  if (sessionState.value === 'unknown') return html`<span class="bone nav-bone" />`;
  const { path, query } = place.value;
  const next = path.startsWith('/sign-') ? query.get('next') ?? '/' : undefined;
  return html`<a class="button small" href=${signInUrl(next)}>${t('nav.sign-in')}</a>`;
}

function Header() {
  return html`<header class="header"><div class="wide header-row">
    <a class="brand" href="/" aria-label=${t('nav.home')}><${Logo} /><span>Karcis</span></a>
    <nav aria-label=${t('nav.label')}>
      ${hasRole('organiser', 'admin') && html`<${NavLink} href="/office" icon="calendar">${t('nav.office')}</>`}
      ${hasRole('door', 'organiser', 'admin') && html`<${NavLink} href="/door" icon="qr">${t('nav.door')}</>`}
      ${hasRole('operator', 'admin') && html`<${NavLink} href="/console" icon="shield">${t('nav.console')}</>`}
      <${Account} />
    </nav>
  </div></header>`;
}

function ThemeSwitch() {
  const [theme, setTheme] = useState(document.documentElement.dataset.theme ?? 'auto');
  /** @param {Event} event */
  function onChange(event) {
    const to = /** @type {HTMLSelectElement} */ (event.currentTarget).value;
    setTheme(to);
    if (to === 'auto') {
      delete document.documentElement.dataset.theme;
      localStorage.removeItem('karcis.theme');
    } else {
      document.documentElement.dataset.theme = to;
      localStorage.setItem('karcis.theme', to);
    }
  }
  return html`<label class="switch">${t('theme')}
    <select value=${theme} onChange=${onChange}>
      ${['auto', 'light', 'dark'].map((name) => html`<option key=${name} value=${name}>${t(`theme.${name}`)}</option>`)}
    </select>
  </label>`;
}

function LanguageSwitch() {
  return html`<label class="switch">${t('language')}
    <select value=${language.value} onChange=${(/** @type {any} */ event) => void setLanguage(event.currentTarget.value)}>
      ${LANGUAGES.map((name) => html`<option key=${name} value=${name} lang=${name}>${t(`language.${name}`)}</option>`)}
    </select>
  </label>`;
}

function Footer() {
  return html`<footer class="footer"><div class="wide footer-row">
    <p class="brand-line">Karcis <span>${t('footer.line')}</span></p>
    <div class="switches"><${LanguageSwitch} /><${ThemeSwitch} /></div>
  </div></footer>`;
}

/** Whether the device has a network. */
function useOnline() {
  const [isOnline, set] = useState(navigator.onLine);
  useEffect(() => {
    const read = () => set(navigator.onLine);
    addEventListener('online', read);
    addEventListener('offline', read);
    return () => { removeEventListener('online', read); removeEventListener('offline', read); };
  }, []);
  return isOnline;
}

/** @param {{ children: any, isBare?: boolean }} props isBare: a screen that fills the whole window, as the door's does */
export function Layout({ children, isBare = false }) {
  const isOnline = useOnline();
  const main = useRef(null);
  if (isBare) return html`<main id="content" tabindex="-1">${children}</main><${Toasts} />`;
  return html`
    <a class="skip" href="#content">${t('nav.skip')}</a>
    <${Header} />
    <div role="status">${!isOnline && html`<p class="offline-line"><${Icon} name="offline" />${t('offline.line')}</p>`}</div>
    <main id="content" tabindex="-1" ref=${main}>${children}</main>
    <${Footer} />
    <${Toasts} />`;
}
