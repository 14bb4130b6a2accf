// @ts-check
// Before anything is painted: the theme that a person chose, and the modules for which app.js will ask first.
{
  const theme = localStorage.getItem('karcis.theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;

  const language = localStorage.getItem('karcis.language') ?? navigator.language;
  const first = [`texts/${/^id/i.test(language) ? 'id' : 'en'}/shop.js`];
  if (location.pathname === '/') first.push('screens/browse.js');
  else if (location.pathname.startsWith('/e/')) first.push('screens/event.js', 'core/cart.js', 'parts/form.js', 'parts/stepper.js');
  else if (location.pathname.startsWith('/b/')) first.push('screens/booking.js');
  const base = /** @type {HTMLScriptElement} */ (document.currentScript).src;
  for (const path of first) {
    const link = document.createElement('link');
    link.rel = 'modulepreload';
    link.href = new URL(path, base).href;
    document.head.append(link);
  }
}
