// @ts-check
// Before anything is painted: the theme that a person chose, and what app.js will ask for first.
{
  const theme = localStorage.getItem('karcis.theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;

  const language = /^id/i.test(localStorage.getItem('karcis.language') ?? navigator.language) ? 'id' : 'en';
  const first = [`texts/${language}/shop.js`];
  if (location.pathname === '/') first.push('screens/browse.js');
  else if (location.pathname.startsWith('/e/')) first.push('screens/event.js', 'core/cart.js', 'parts/form.js', 'parts/stepper.js');
  else if (location.pathname.startsWith('/b/')) first.push('screens/booking.js');
  const base = /** @type {HTMLScriptElement} */ (document.currentScript).src;
  /** @param {Partial<HTMLLinkElement>} link */
  const ask = (link) => document.head.append(Object.assign(document.createElement('link'), link));
  for (const path of first) ask({ rel: 'modulepreload', href: new URL(path, base).href });
  if (location.pathname === '/' && !location.search) ask({ rel: 'preload', as: 'fetch', crossOrigin: 'anonymous', href: '/events?limit=12' });
  // The first use of Intl takes 40 ms and more: here the network is waited for meanwhile.
  new Intl.NumberFormat(language).format(0);
}
